"""CSV and TSV: text → records → rows of named fields; line ends and blanks inside fields stay as they are."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, Literal, TypeAlias

from headstart.data.contents import Row, Table
from headstart.data.records import Origin, Problem
from headstart.errors import DataError

_NO_FIELD_LIMIT: Final = 2**31 - 1  # the largest a C long holds everywhere; contexts pass the default of 131,072
_NAMES: Final = {",": "CSV", "\t": "TSV"}
_QUOTED: Final = re.compile(r'"(?:[^"]|"")*"')

Delimiter: TypeAlias = Literal[",", "\t"]
Record: TypeAlias = tuple[int, list[str]]
"""The line a record starts on, counted from 1, and its fields."""


class _UnreadableError(Exception):
    """The csv module gave up in the row that starts on `line`."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(line, reason)
        self.line = line
        self.reason = reason


def read_delimited(text: str, origin: Origin, *, delimiter: Delimiter) -> Table:
    """Read a table of text with a header."""
    (_, names), *records = parse_records(text, origin, delimiter=delimiter)
    return make_table(records, names, origin)


def make_table(
    records: Iterable[Record], names: Sequence[str], origin: Origin, *, named_by: str = "the header names"
) -> Table:
    """Give the fields of each record their names; records of another number of fields are named as problems."""
    _refuse_repeated(names, origin)
    rows = [_row(number, record, names, origin, named_by) for number, record in enumerate(records)]
    return Table(rows, tuple(names))


def parse_records(text: str, origin: Origin, *, delimiter: Delimiter) -> list[Record]:
    """Cut a text into records. Quotes follow the usual rules; a TSV that does not follow them is taken literally."""
    try:
        return _parse(text, delimiter)
    except _UnreadableError as error:
        records = _parse_literally(text) if delimiter == "\t" else []
        if records and _is_even(records):
            return records
        found = f"{origin.label}, in the row that starts on line {error.line}: {error.reason}"
        remedy = "close the quotes, double those inside a field, or save as JSON lines"
        raise DataError("well-formed " + _NAMES[delimiter], found, remedy) from error


def parse_tabs(text: str) -> list[Record]:
    """Cut a text at its tabs. Quotes are part of the text, unless they must be those of a CSV writer.

    They must where only the rules give all records one number of fields; or where no quote stands but around whole
    fields and doubled inside of them, and some are doubled or a whole column is quoted.
    """
    literal = _parse_literally(text)
    try:
        by_rule = _parse(text, "\t") if '"' in text else literal
    except _UnreadableError:
        return literal
    if _is_even(literal):
        return by_rule if _is_quoted_by_rule(literal) else literal
    return by_rule if _is_even(by_rule) else literal


def _is_quoted_by_rule(records: Sequence[Record]) -> bool:
    fields = [field for _, fields in records for field in fields if '"' in field]
    if not all(_QUOTED.fullmatch(field) for field in fields):
        return False
    columns = zip(*(fields for _, fields in records), strict=True)
    return any('""' in field[1:-1] for field in fields) or any(
        all(field.startswith('"') for field in column) for column in columns
    )


def _is_even(records: Sequence[Record]) -> bool:
    return len({len(fields) for _, fields in records}) <= 1


def _parse(text: str, delimiter: str) -> list[Record]:
    """Parse strictly into (line, fields): an unclosed quote would else swallow the rest of the file in silence."""
    records, line = [], 1
    with _no_field_limit():
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        try:
            for fields in reader:
                records.append((line, fields))
                line = reader.line_num + 1
        except csv.Error as error:
            raise _UnreadableError(line, str(error)) from error
    return [(line, fields) for line, fields in records if fields]


def _parse_literally(text: str) -> list[Record]:
    """Split at tabs without regard to quotes."""
    lines = text.removesuffix("\n").split("\n")
    return [(n, line.removesuffix("\r").split("\t")) for n, line in enumerate(lines, start=1) if line.strip(" \r")]


@contextmanager
def _no_field_limit() -> Iterator[None]:
    limit = csv.field_size_limit(_NO_FIELD_LIMIT)
    try:
        yield
    finally:
        csv.field_size_limit(limit)


def _row(number: int, record: Record, names: Sequence[str], origin: Origin, named_by: str) -> Row:
    line, fields = record
    place = f"{origin.label}, row {number}, line {line}"
    if len(fields) == len(names):
        return Row(number, place, dict(zip(names, fields, strict=True)))
    found = f"{len(fields)} fields where {named_by} {len(names)}"
    remedy = "quote fields that hold the separator, a quote or a line end"
    return Row(number, place, Problem(place, "", "wrong number of fields", found, remedy, left_out="example"))


def _refuse_repeated(names: Sequence[str], origin: Origin) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        found = f"{origin.label}, where the header names {', '.join(map(repr, repeated))} more than once"
        raise DataError("columns of different names", found, "rename or remove one of them")
