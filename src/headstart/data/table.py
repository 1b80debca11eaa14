"""Flat rows (JSON, JSON lines, CSV, TSV, Parquet, hub) → raw questions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from headstart.data.answers import MalformedAnswersError, paired_answers, raw_answers
from headstart.data.contents import Row, Table, name_columns, not_an_object, value_of
from headstart.data.records import ABSENT, Entry, Origin, Problem, RawAnswer, RawQuestion
from headstart.errors import DataError

COLUMNS: Final = (
    "id", "question", "context", "title", "answers", "answer_text", "answer_start", "is_impossible"
)  # fmt: skip
"""The names by which columns can be mapped."""

_ALIASES: Final = {"answer_text": "answer"}
_EXPECTED_ANSWERS: Final = "a column answers, or answer_text with or without answer_start"


@dataclass(frozen=True, slots=True)
class Layout:
    """Which of a source's columns holds what; None where none does."""

    question: str
    context: str
    id: str | None
    title: str | None
    answers: str | None
    answer_text: str | None
    answer_start: str | None
    is_impossible: str | None


def find_layout(found: Iterable[str], origin: Origin) -> Layout:
    """Find our columns among the names a source has, by the caller's mapping and then by our own names.

    >>> find_layout(["query", "context", "answer"], Origin("a.csv", "a", (("question", "query"),))).question
    'query'
    """
    names = list(found)
    wished = dict(origin.columns)
    columns = {ours: _column(ours, wished.get(ours), names) for ours in COLUMNS}
    for ours in ("question", "context"):
        if columns[ours] is None:
            raise _missing(f"a column {wished.get(ours, ours)!r}", names, ours, origin)
    for ours, theirs in wished.items():
        if columns[ours] is None:
            raise _missing(f"a column {theirs!r}", names, ours, origin)
    if origin.labelled and columns["answers"] is None and columns["answer_text"] is None:
        raise _missing(_EXPECTED_ANSWERS, names, "answer_text", origin)
    question, context = columns.pop("question"), columns.pop("context")
    assert question is not None
    assert context is not None
    return Layout(question, context, **columns)


def read_table(rows: Iterable[Row], origin: Origin, names: Iterable[str] | None = None) -> Iterator[Entry]:
    """Yield the questions of flat rows; `names` are the columns where they are known without looking at the rows.

    Raises (at once, not while iterating):
        DataError: a column is missing.
    """
    table = name_columns(Table(rows, None if names is None else tuple(names)), origin)
    all_broken = names is None and not table.names
    layout = None if all_broken else find_layout(table.names or (), origin)
    return (_entry(row, layout, origin) for row in table.rows)


def _entry(row: Row, layout: Layout | None, origin: Origin) -> Entry:
    if isinstance(row.value, Problem):
        return row.value
    if not isinstance(row.value, Mapping) or layout is None:
        return not_an_object(row)
    return _question(row, row.value, layout, origin)


def _question(row: Row, values: Mapping[str, object], layout: Layout, origin: Origin) -> Entry:
    made_up_id = f"{origin.stem}:{row.number}"
    name = value_of(values, layout.id)
    try:
        answers = _answers(values, layout)
    except MalformedAnswersError as error:
        named = made_up_id if name is ABSENT else str(name)
        return Problem(row.place, named, "wrong type", error.found, error.remedy, left_out="example")
    question, context = value_of(values, layout.question), value_of(values, layout.context)
    impossible, title = value_of(values, layout.is_impossible), value_of(values, layout.title)
    return RawQuestion(row.place, made_up_id, name, question, context, answers, impossible, title)


def _answers(values: Mapping[str, object], layout: Layout) -> tuple[RawAnswer, ...] | None:
    """Take the `answers` column, or else `answer_text`, row by row."""
    answers = value_of(values, layout.answers)
    if answers is not ABSENT:
        return raw_answers(answers)
    text = value_of(values, layout.answer_text)
    if text is ABSENT:
        return None
    if isinstance(text, Mapping):  # a column `answer` may hold SQuAD's object
        return raw_answers([text])
    return paired_answers(text, value_of(values, layout.answer_start))


def _column(ours: str, wished: str | None, names: list[str]) -> str | None:
    return next((name for name in (wished, ours, _ALIASES.get(ours)) if name in names), None)


def _missing(expected: str, names: list[str], ours: str, origin: Origin) -> DataError:
    found = f"{origin.label}: the columns {', '.join(map(repr, names))}" if names else f"{origin.label}: no columns"
    return DataError(expected, found, _remedy(names, ours))


def _remedy(names: list[str], ours: str) -> str:
    if {"qas", "paragraphs"} & set(names):
        return (
            'these are parts of the nested SQuAD form: wrap them as {"version": "1.1", "data": [{"paragraphs": […]}]}'
        )
    if len(names) == 1 and any(mark in names[0] for mark in ";\t|"):
        return "separate the columns by commas (.csv) or tabs (.tsv)"
    near = get_close_matches(ours, names, n=1)
    return f"name the column, for example --columns {ours}={near[0] if near else 'NAME'}"
