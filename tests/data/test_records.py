import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.data.records import ABSENT, Problem, ReadData, SourceInfo, fingerprint_examples, is_missing
from headstart.examples import Answer, QuestionExample, TextExample, WordsExample

TEXTS = st.text(max_size=6)
ANSWERS = st.none() | st.lists(st.builds(Answer, TEXTS, st.integers(0, 9)), max_size=2).map(tuple)
EXAMPLES = st.lists(st.builds(QuestionExample, TEXTS, TEXTS, TEXTS, ANSWERS), max_size=4)


@pytest.mark.parametrize("value", [None, ABSENT, math.nan, "", " \t\n", "\u3000"])
def test_missing_values(value: object) -> None:
    assert is_missing(value)


@pytest.mark.parametrize("value", [0, 0.0, False, "0", "nan", [], {}])
def test_values_that_are_there(value: object) -> None:
    assert not is_missing(value)


def content(examples: list[QuestionExample]) -> list[object]:
    return [(one.id, one.question, one.context, one.answers) for one in examples]


@settings(deadline=None)
@given(EXAMPLES, EXAMPLES)
def test_fingerprints_are_equal_for_equal_content_only(one: list[QuestionExample], two: list[QuestionExample]) -> None:
    assert (fingerprint_examples(one) == fingerprint_examples(two)) == (content(one) == content(two))


def test_fingerprint_knows_order_and_the_difference_of_unknown_and_no_answer() -> None:
    asked = QuestionExample("1", "Who?", "Ada.", None)
    impossible = QuestionExample("1", "Who?", "Ada.", ())
    other = QuestionExample("2", "Who?", "Ada.", ())
    prints = {fingerprint_examples(x) for x in ([asked], [impossible], [impossible, other], [other, impossible])}
    assert len(prints) == 4


def test_fingerprint_does_not_depend_on_place_and_title() -> None:
    one = QuestionExample("1", "Who?", "Ada.", (), "Title", "a.json, row 0")
    assert fingerprint_examples([one]) == fingerprint_examples([QuestionExample("1", "Who?", "Ada.", ())])


def test_fingerprint_is_the_same_on_every_machine() -> None:
    example = QuestionExample("1", "Wer?", "Es war Žofia.", (Answer("Žofia", 7),))
    assert fingerprint_examples([example]) == "1bb1219923bb686da33a2f24d5c194f141be205885c82c802e27d201797e4e79"


@pytest.mark.parametrize(
    "others",
    [
        [
            TextExample("1", "a b"), TextExample("2", "a b"), TextExample("1", "a"), TextExample("1", "a b", ""),
            TextExample("1", "a b", None, "1"), TextExample("1", "a b", None, 1.0), TextExample("1", "a b", "1"),
        ],
        [
            WordsExample("1", ("a", "b")), WordsExample("2", ("a", "b")), WordsExample("1", ("a b",)),
            WordsExample("1", ("a", "b"), ("O", "O")), WordsExample("1", ("a", "b"), ("O", "I")),
        ],
    ],
)  # fmt: skip
def test_fingerprints_of_texts_and_sentences(others: list[TextExample] | list[WordsExample]) -> None:
    assert len({fingerprint_examples([one]) for one in others}) == len(others)
    assert fingerprint_examples(others) != fingerprint_examples(others[::-1])
    assert fingerprint_examples(others) == fingerprint_examples([replace(one, place="elsewhere") for one in others])


def test_counts_and_helpers() -> None:
    examples = (QuestionExample("1", "Who?", "Ada.", ()), QuestionExample("2", "Who?", "Ada.", (Answer("Ada", 0),)))
    problems = (
        Problem("a, row 2", "3", "answer not in context", "x", "y", left_out="example"),
        Problem("a, row 2", "3", "answer not in context", "z", "y", left_out="example"),
        Problem("a, row 1", "2", "answer not in context", "x", "y", left_out="answer"),
        Problem("a, row 1", "2", "shifted offset", "x", "y", repaired=True),
        Problem("a, row 1", "2", "answer found more than once", "x", "y"),
    )
    data = ReadData(examples, (SourceInfo("a", None, "json", "f", 3, 2),), problems)
    assert (data.rows, data.left_out, data.left_out_answers, data.repaired) == (3, 1, 1, 1)
    assert data.counts == {"answer not in context": 3, "shifted offset": 1, "answer found more than once": 1}
    assert data.has_impossible
    assert [problem.fatal for problem in problems] == [True, True, True, False, False]
    assert not ReadData(examples[1:], ()).has_impossible
