"""What stands in a place, before anyone asks what for: rows, nested articles, or lines of text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any, NamedTuple, TypeAlias

from headstart.data.offsets import short
from headstart.data.records import ABSENT, Origin, Problem
from headstart.errors import DataError


class Row(NamedTuple):
    """One row: its number from 0, its place for messages, and what stands there (a Problem: nothing readable)."""

    number: int
    place: str
    value: object


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of named values; `names` is None where only the rows tell which columns there are.

    `label_names` are the names behind whole numbers, by column (ClassLabel features of `datasets`). `unpublished`
    are columns that hold nothing but -1: that is how the hub's test splits keep their labels to themselves.
    """

    rows: Iterable[Row]
    names: tuple[str, ...] | None = None
    label_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unpublished: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Nested:
    """A document in the official SQuAD form."""

    document: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Lines:
    """The text of a file of lines: CSV, TSV or columns; who reads it decides what its first line is."""

    text: str
    format: str  # "csv", "tsv", "conll" or "txt"


Content: TypeAlias = Table | Nested | Lines


def name_columns(table: Table, origin: Origin) -> Table:
    """Give a table its column names, from its rows where they are not known; none where every row is broken.

    >>> table = name_columns(Table([Row(0, "row 0", {"text": "a"}), Row(1, "row 1", {"label": 1})]), Origin("a", "a"))
    >>> table.names
    ('text', 'label')
    """
    if table.names is not None:
        return table
    rows = list(table.rows)
    names = dict.fromkeys(chain.from_iterable(row.value for row in rows if isinstance(row.value, dict)))
    if not names:
        _refuse_rowless(rows, origin)
    return Table(rows, tuple(names), table.label_names, table.unpublished)


def _refuse_rowless(rows: Iterable[Row], origin: Origin) -> None:
    """Rows of something else than objects are no table; rows that are all broken are reported one by one."""
    other = next((row.value for row in rows if not isinstance(row.value, Problem)), ABSENT)
    if other is not ABSENT:
        raise DataError(
            "rows with named columns", f"{origin.label}: a row {short(other)}", "write each row as an object"
        )


def not_an_object(row: Row) -> Problem:
    """Name a row that is no object with named columns."""
    remedy = "write the row as an object with named columns"
    return Problem(row.place, "", "wrong type", f"the row is {short(row.value)}", remedy, left_out="example")


def value_of(values: Mapping[str, object], column: str | None) -> object:
    """What a row holds in a column; ABSENT where there is no such column."""
    return ABSENT if column is None else values.get(column, ABSENT)


def peek(rows: Iterable[Row], count: int) -> tuple[list[Row], Iterator[Row]]:
    """The first rows, and all of them.

    >>> first, rows = peek([Row(n, f"row {n}", {}) for n in range(3)], 1)
    >>> len(first), len(list(rows))
    (1, 3)
    """
    rest = iter(rows)
    first = list(islice(rest, count))
    return first, chain(first, rest)
