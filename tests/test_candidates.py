"""Candidates are made when looked at, and then are what they always were."""

from __future__ import annotations

import math

import numpy as np
import pytest

from headstart.candidates import Candidates, candidate_table
from headstart.examples import SpanAnswer
from headstart.spans import RankedSpans

CONTEXT = "Ada wrote it in 1843."


def spans(scores: list[float], null: tuple[float, float] = (0.5, 0.5)) -> RankedSpans:
    """One question whose candidates are "Ada", "wrote" and "it" with these scores; half of each is the start's."""
    count = len(scores)
    grid = np.array([scores], np.float32)
    return RankedSpans(
        example=np.array([0]),
        scores=grid,
        start_logits=grid / 2,
        starts=np.array([[0, 4, 10]])[:, :count],
        ends=np.array([[3, 9, 12]])[:, :count],
        null=np.array([null]),
        log_total=np.logaddexp.reduce(np.array([scores]), axis=1),
    )


def made(scores: list[float], *, no_answer: bool = False, null: tuple[float, float] = (0.5, 0.5)) -> Candidates:
    return Candidates(candidate_table(spans(scores, null), no_answer=no_answer), 0, CONTEXT)


def test_candidates_are_a_sequence_of_answers():
    found = made([3.0, 2.0, -math.inf])
    assert found.texts() == ["Ada", "wrote"]
    assert len(found) == 2
    assert found[-1] == found[1] == SpanAnswer("wrote", 4, 9, 1.0, 1.0, pytest.approx(1 / (1 + math.e)))
    assert found[:1] == (found[0],)
    assert found == list(found) == made([3.0, 2.0])
    assert found != made([3.0])
    with pytest.raises(IndexError):
        found[2]


@pytest.mark.parametrize(("null", "place"), [(4.0, 0), (3.0, 1), (2.5, 1), (2.0, 2), (0.0, 3)])
def test_no_answer_stands_behind_the_spans_of_its_own_score(null, place):
    texts = ["Ada", "wrote", "it"]
    texts.insert(place, "")
    found = made([3.0, 2.0, 1.0], no_answer=True, null=(null, 0.0))
    assert found.texts() == texts == [answer.text for answer in found]
    nothing = found[place]
    assert (nothing.start, nothing.end, nothing.start_logit, nothing.end_logit) == (0, 0, null, 0.0)
    assert sum(answer.probability for answer in found) == pytest.approx(1)


def test_no_answer_alone_where_there_is_no_span():
    found = made([-math.inf], no_answer=True)
    assert [tuple(answer) for answer in found] == [("", 0, 0, 0.5, 0.5, 1.0)]
    assert len(made([-math.inf])) == 0
