"""The plain values that every stage passes on."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from headstart.examples import Answer, QuestionExample, QuestionPrediction, SpanAnswer


def test_an_answer_knows_its_end():
    context = "a 🍰 for Zoë"
    answer = Answer("Zoë", 8)
    assert answer.end == 11
    assert context[answer.start : answer.end] == "Zoë"


def test_nothing_known_is_not_the_same_as_no_answer():
    unknown, none = QuestionExample("1", "q", "c"), QuestionExample("2", "q", "c", ())
    some = QuestionExample("3", "q", "c", (Answer("c", 0),))
    assert [example.is_impossible for example in (unknown, none, some)] == [False, True, False]


def test_examples_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        Answer("a", 0).start = 1
    with pytest.raises(FrozenInstanceError):
        QuestionExample("1", "q", "c").question = "x"


def test_a_score_is_the_sum_of_its_logits():
    assert SpanAnswer("a", 0, 1, 1.5, -0.25, 0.5).score == 1.25


def test_the_best_span_is_the_first_that_has_a_text():
    nothing, good, less = (SpanAnswer(text, 0, len(text), 0.0, 0.0, 0.1) for text in ("", "good", "less"))
    assert QuestionPrediction("1", (nothing, good, less)).best_span is good
    assert QuestionPrediction("1", (nothing,)).best_span is None
    assert QuestionPrediction("1", ()).best_span is None
