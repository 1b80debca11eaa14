from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.data.doctor import examine
from headstart.data.records import ABSENT, Diagnosis, RawAnswer, RawQuestion
from headstart.examples import Answer, QuestionExample

GOOD = (RawAnswer("Ada", 7),)


def raw(**changes: Any) -> RawQuestion:
    fields: dict[str, Any] = {
        "place": "a.json, row 3",
        "made_up_id": "a:3",
        "id": "q1",
        "question": "Who was it?",
        "context": "It was Ada.",
        "answers": GOOD,
    }
    return RawQuestion(**{**fields, **changes})


def kinds(diagnosis: Diagnosis) -> list[str]:
    return [problem.kind for problem in diagnosis.problems]


def test_a_good_question_stays_as_it_is() -> None:
    example = QuestionExample("q1", "Who was it?", "It was Ada.", (Answer("Ada", 7),), "Lovelace", "a.json, row 3")
    assert examine(raw(title="Lovelace")) == Diagnosis(example)


def test_texts_are_never_normalised() -> None:
    question, context = "  Who\r\nwas it? ", "\ufeffIt was\r\n\u00a0Ada.\u200b "
    example = examine(raw(question=question, context=context, answers=())).example
    assert example is not None
    assert (example.question, example.context) == (question, context)


@pytest.mark.parametrize(("given_id", "expected"), [(7, "7"), ("7", "7"), (7.0, "7"), (ABSENT, "a:3"), (0, "0")])
def test_ids_become_texts(given_id: object, expected: str) -> None:
    diagnosis = examine(raw(id=given_id))
    assert diagnosis.example is not None
    assert diagnosis.example.id == expected
    assert diagnosis.problems == ()


@pytest.mark.parametrize("given_id", [None, "", float("nan")])
def test_an_empty_id_is_made_up_and_reported(given_id: object) -> None:
    diagnosis = examine(raw(id=given_id))
    assert diagnosis.example is not None
    assert diagnosis.example.id == "a:3"
    assert [(problem.kind, problem.repaired) for problem in diagnosis.problems] == [("empty id", True)]


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"question": " "}, "empty question"),
        ({"question": None}, "empty question"),
        ({"question": float("nan")}, "empty question"),
        ({"question": ABSENT}, "missing column"),
        ({"question": 12}, "wrong type"),
        ({"context": ""}, "empty context"),
        ({"context": ABSENT}, "missing column"),
        ({"context": ["It was Ada."]}, "wrong type"),
        ({"context": "It was Ada \ud83d"}, "broken character"),
        ({"id": [1]}, "wrong type"),
        ({"id": True}, "wrong type"),
        ({"id": 1.5}, "wrong type"),
        ({"answers": None}, "missing answers"),
        ({"answers": (RawAnswer("Eve", 7),)}, "answer not in context"),
        ({"impossible": True}, "is_impossible and answers contradict"),
        ({"impossible": False, "answers": ()}, "is_impossible and answers contradict"),
        ({"impossible": False, "answers": (RawAnswer(""),)}, "is_impossible and answers contradict"),
        ({"impossible": "perhaps"}, "wrong type"),
        ({"impossible": [True]}, "wrong type"),
    ],
)
def test_faults_that_leave_a_question_out(changes: dict[str, Any], kind: str) -> None:
    diagnosis = examine(raw(**changes))
    assert diagnosis.example is None
    assert kinds(diagnosis) == [kind]
    (problem,) = diagnosis.problems
    assert problem.left_out == "example"
    assert problem.place == "a.json, row 3"
    assert problem.found
    assert problem.remedy


def test_several_faults_of_a_question_are_all_named() -> None:
    assert kinds(examine(raw(question="", context=None))) == ["empty question", "empty context"]


@pytest.mark.parametrize(
    "changes",
    [
        {"answers": ()},
        {"answers": (RawAnswer("", 0),)},
        {"answers": (RawAnswer("", -1), RawAnswer(None, 5))},
        {"answers": (), "impossible": True},
        {"answers": None, "impossible": True},
        {"answers": (RawAnswer(""),), "impossible": "true"},
        {"answers": (), "impossible": 1},
        {"answers": (), "impossible": None},
    ],
)
def test_questions_without_an_answer(changes: dict[str, Any]) -> None:
    diagnosis = examine(raw(**changes))
    assert diagnosis.example is not None
    assert diagnosis.example.answers == ()
    assert diagnosis.problems == ()


@pytest.mark.parametrize("impossible", [False, "false", 0, "no", "0", None, ABSENT, float("nan"), ""])
def test_is_impossible_false_with_an_answer_is_fine(impossible: object) -> None:
    diagnosis = examine(raw(impossible=impossible))
    assert diagnosis.example is not None
    assert diagnosis.problems == ()


def test_one_bad_answer_among_good_ones_is_left_out_alone() -> None:
    answers = (RawAnswer("Ada", 7), RawAnswer("Eve", 7), RawAnswer("was", 4), RawAnswer("", 0))
    diagnosis = examine(raw(answers=answers))
    assert diagnosis.example is not None
    assert diagnosis.example.answers == (Answer("Ada", 7), Answer("was", 3))
    found = [(problem.kind, problem.left_out, problem.repaired) for problem in diagnosis.problems]
    assert found == [
        ("answer not in context", "answer", False),
        ("shifted offset", "nothing", True),
        ("empty answer", "answer", False),
    ]


def test_without_a_good_answer_the_question_goes_and_every_reason_is_named() -> None:
    diagnosis = examine(raw(answers=(RawAnswer("Eve", 7), RawAnswer("", 0))))
    assert diagnosis.example is None
    assert [problem.left_out for problem in diagnosis.problems] == ["example", "example"]


def test_duplicate_answers_are_kept() -> None:
    diagnosis = examine(raw(answers=GOOD * 3))
    assert diagnosis.example is not None
    assert diagnosis.example.answers == (Answer("Ada", 7),) * 3


def test_unlabelled_questions_have_unknown_answers() -> None:
    for changes in ({"answers": None}, {"answers": (), "impossible": False}):
        diagnosis = examine(raw(**changes), labelled=False)
        assert diagnosis.example is not None
        assert diagnosis.example.answers is None
        assert diagnosis.problems == ()


def test_answers_are_checked_where_they_stand_even_if_not_needed() -> None:
    assert examine(raw(answers=()), labelled=False).example == examine(raw(answers=())).example
    assert kinds(examine(raw(answers=(RawAnswer("Eve", 7),)), labelled=False)) == ["answer not in context"]


SCALARS = st.none() | st.booleans() | st.floats() | st.integers(-3, 12) | st.sampled_from(["", "Ada", " was", "7"])
ANSWERS = st.none() | st.lists(st.builds(RawAnswer, SCALARS, SCALARS), max_size=3).map(tuple)


@settings(deadline=None)
@given(SCALARS, SCALARS, SCALARS, ANSWERS, SCALARS, st.booleans())
def test_whatever_comes_is_an_example_or_named(
    name: object,
    question: object,
    context: object,
    answers: tuple[RawAnswer, ...] | None,
    impossible: object,
    labelled: bool,
) -> None:
    diagnosis = examine(
        raw(id=name, question=question, context=context, answers=answers, impossible=impossible), labelled=labelled
    )
    lost = [problem for problem in diagnosis.problems if problem.left_out == "example"]
    assert (diagnosis.example is None) == bool(lost)
    if diagnosis.example is not None and diagnosis.example.answers:
        for answer in diagnosis.example.answers:
            assert diagnosis.example.context[answer.start : answer.end] == answer.text
