"""CSV and TSV with a header line; line ends and blanks inside fields stay as they are."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal

from headstart.data.records import Entry, Origin, Problem
from headstart.data.table import Row, read_table
from headstart.errors import DataError

_NO_FIELD_LIMIT: Final = 2**31 - 1  # the largest a C long holds everywhere; contexts pass the default of 131,072
_NAMES: Final = {",": "CSV", "\t": "TSV"}


class _UnreadableError(Exception):
    """The csv module gave up in the row that starts on `line`."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(line, reason)
        self.line = line
        self.reason = reason


def read_delimited(text: str, origin: Origin, *, delimiter: Literal[",", "\t"]) -> Iterator[Entry]:
    """Read a table of text. Quotes follow the usual rules; a TSV that does not follow them is taken literally."""
    try:
        records = _parse(text, delimiter)
    except _UnreadableError as error:
        records = _parse_literally(text) if delimiter == "\t" else []
        if not records:
            found = f"{origin.label}, in the row that starts on line {error.line}: {error.reason}"
            remedy = "close the quotes, double those inside a field, or save as JSON lines"
            raise DataError("well-formed " + _NAMES[delimiter], found, remedy) from error
    (_, names), *rows = [(line, fields) for line, fields in records if fields]
    _refuse_repeated(names, origin)
    return read_table([_row(n, line, fields, names, origin) for n, (line, fields) in enumerate(rows)], origin, names)


def _parse(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
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
    return records


def _parse_literally(text: str) -> list[tuple[int, list[str]]]:
    """Split at tabs without regard to quotes; nothing where that gives no table either."""
    lines = text.removesuffix("\n").split("\n")
    records = [(n, line.removesuffix("\r").split("\t")) for n, line in enumerate(lines, start=1) if line.strip()]
    return records if len({len(fields) for _, fields in records}) == 1 else []


@contextmanager
def _no_field_limit() -> Iterator[None]:
    limit = csv.field_size_limit(_NO_FIELD_LIMIT)
    try:
        yield
    finally:
        csv.field_size_limit(limit)


def _row(number: int, line: int, fields: list[str], names: list[str], origin: Origin) -> Row:
    place = f"{origin.label}, row {number}, line {line}"
    if len(fields) == len(names):
        return Row(number, place, dict(zip(names, fields, strict=True)))
    found = f"{len(fields)} fields where the header names {len(names)}"
    remedy = "quote fields that hold the separator, a quote or a line end"
    return Row(number, place, Problem(place, "", "wrong number of fields", found, remedy, left_out="question"))


def _refuse_repeated(names: list[str], origin: Origin) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        found = f"{origin.label}, where the header names {', '.join(map(repr, repeated))} more than once"
        raise DataError("columns of different names", found, "rename or remove one of them")
