from typing import Any

import pytest

from headstart.data.contents import Row
from headstart.data.records import ABSENT, Origin, Problem, RawAnswer, RawQuestion
from headstart.data.table import find_layout, read_table
from headstart.errors import DataError

ORIGIN = Origin("a.jsonl", "a")


def one(values: dict[str, Any], **changes: Any) -> RawQuestion:
    origin = Origin("a.jsonl", "a", **changes)
    (entry,) = read_table([Row(4, "a.jsonl, row 4", values)], origin)
    assert isinstance(entry, RawQuestion)
    return entry


BASE = {"question": "Who?", "context": "It was Ada."}


def test_all_columns() -> None:
    values = {**BASE, "id": 7, "title": "T", "is_impossible": False, "answers": [{"text": "Ada", "answer_start": 7}]}
    assert one(values) == RawQuestion(
        "a.jsonl, row 4", "a:4", 7, "Who?", "It was Ada.", (RawAnswer("Ada", 7),), False, "T"
    )


@pytest.mark.parametrize(
    ("values", "answers"),
    [
        ({"answer_text": "Ada", "answer_start": 7}, (RawAnswer("Ada", 7),)),
        ({"answer_text": "Ada"}, (RawAnswer("Ada", ABSENT),)),
        ({"answer": "Ada"}, (RawAnswer("Ada", ABSENT),)),
        ({"answer": {"text": "Ada", "answer_start": 7}}, (RawAnswer("Ada", 7),)),
        ({"answer_text": ["Ada", "was"], "answer_start": [7, 3]}, (RawAnswer("Ada", 7), RawAnswer("was", 3))),
        ({"answers": None}, ()),
        ({"answers": {"text": ["Ada"], "answer_start": [7]}, "answer_text": "was"}, (RawAnswer("Ada", 7),)),
    ],
)
def test_answer_columns(values: dict[str, Any], answers: tuple[RawAnswer, ...]) -> None:
    assert one({**BASE, **values}).answers == answers


def test_columns_can_be_mapped() -> None:
    values = {"query": "Who?", "passage": "It was Ada.", "span": "Ada", "at": 7}
    columns = (("question", "query"), ("context", "passage"), ("answer_text", "span"), ("answer_start", "at"))
    assert one(values, columns=columns).answers == (RawAnswer("Ada", 7),)


def test_a_mapped_name_wins_and_our_own_is_the_fallback() -> None:
    values = {**BASE, "query": "Who else?", "answers": []}
    assert one(values, columns=(("question", "query"),)).question == "Who else?"
    assert one({**BASE, "answers": []}, columns=(("question", "query"),)).question == "Who?"


def test_fields_missing_in_one_row_only() -> None:
    rows = [Row(0, "row 0", {**BASE, "answers": []}), Row(1, "row 1", {"context": "It was Ada."})]
    second = list(read_table(rows, ORIGIN))[1]
    assert isinstance(second, RawQuestion)
    assert second.question is ABSENT
    assert second.answers is None


def test_malformed_rows_are_named() -> None:
    rows = [
        Row(0, "row 0", {**BASE, "id": "x", "answers": 7}),
        Row(1, "row 1", [1, 2]),
        Row(2, "row 2", Problem("row 2", "", "broken JSON", "column 3", "mend it", left_out="example")),
    ]
    problems = list(read_table(rows, ORIGIN))
    found = [(one.kind, one.place, one.id, one.left_out) for one in problems if isinstance(one, Problem)]
    assert found == [
        ("wrong type", "row 0", "x", "example"),
        ("wrong type", "row 1", "", "example"),
        ("broken JSON", "row 2", "", "example"),
    ]


@pytest.mark.parametrize(
    ("names", "columns", "expected"),
    [
        (["quest", "context", "answers"], (), r"'question'; found a\.jsonl: the columns 'quest', 'context'"),
        (["question", "answers"], (), "'context'"),
        (["context", "answers"], (("question", "query"),), "'query'"),
        (["question", "context", "answers"], (("title", "heading"),), "'heading'"),
        (["question", "context", "answer_start"], (), "answer_text"),
        ([], (), "no columns"),
    ],
)
def test_missing_columns(names: list[str], columns: tuple[tuple[str, str], ...], expected: str) -> None:
    with pytest.raises(DataError, match=expected):
        find_layout(names, Origin("a.jsonl", "a", columns))


def test_remedies_for_missing_columns() -> None:
    with pytest.raises(DataError, match="--columns question=quest"):
        find_layout(["quest", "context"], ORIGIN)
    with pytest.raises(DataError, match="nested SQuAD form"):
        find_layout(["context", "qas"], ORIGIN)


def test_unlabelled_rows_need_no_answer_columns() -> None:
    assert one(BASE, labelled=False).answers is None


def test_rows_that_are_no_objects() -> None:
    with pytest.raises(DataError, match=r"rows with named columns; found a\.jsonl: a row 'Who"):
        read_table([Row(0, "row 0", "Who?")], ORIGIN)
