"""CSV, TSV and text files of texts: is the first record a header, and if not, which column is what."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from headstart.data.column_names import flag, plain, quoted
from headstart.data.column_profiles import example_columns, infer_columns, is_number
from headstart.data.contents import Lines, Table
from headstart.data.delimited import Record, make_table, parse_records, parse_tabs
from headstart.data.offsets import short
from headstart.data.records import Origin, Problem
from headstart.data.text_columns import LABEL_NAMES, TEXT_NAMES
from headstart.errors import DataError

_NAME: Final = re.compile(r"[^\W\d][\w#.-]*(?: [\w#.-]+){0,2}")
"""What a column may be called: up to three words, no sentence."""


def open_lines(lines: Lines, origin: Origin) -> tuple[Table, Origin, tuple[Problem, ...]]:
    """Make a table of a file of lines: its rows, how the columns are called, and what is to be said about that.

    A file without a header has the column names "1", "2" …, and the origin then maps our names to them.
    """
    records = parse_records(lines.text, origin, delimiter=",") if lines.format == "csv" else parse_tabs(lines.text)
    if _is_plain(lines, records):
        return _without_header(records, _mapped(origin, {"text": "1"})), _mapped(origin, {"text": "1"}), ()
    if any(not theirs.isdecimal() for _, theirs in origin.columns) or _holds_known_names(records):
        return _with_header(records, origin)
    if origin.columns:
        return _numbered(records, origin)
    return _inferred(records, origin)


def _is_plain(lines: Lines, records: Sequence[Record]) -> bool:
    """Whether a text file has nothing but one text a line."""
    return lines.format == "txt" and all(len(fields) == 1 for _, fields in records)


def _with_header(records: Sequence[Record], origin: Origin) -> tuple[Table, Origin, tuple[Problem, ...]]:
    names = [name.strip() for name in records[0][1]]
    by_name = {ours: _name_of(theirs, names, origin) for ours, theirs in origin.columns}
    if not {*by_name, *by_name.values()} & set(names) and not _holds_known_names(records):
        raise in_doubt(_even(records), origin)
    return make_table(records[1:], names, origin), _mapped(origin, by_name), ()


def _name_of(theirs: str, names: Sequence[str], origin: Origin) -> str:
    """The name of a column that may be given by its number."""
    if not theirs.isdecimal() or theirs in names:
        return theirs
    _refuse_number(theirs, len(names), origin)
    return names[int(theirs) - 1].strip()


def _numbered(records: Sequence[Record], origin: Origin) -> tuple[Table, Origin, tuple[Problem, ...]]:
    for _, theirs in origin.columns:
        _refuse_number(theirs, _width(records), origin)
    columns = {ours: str(int(theirs)) for ours, theirs in origin.columns}
    if "text" not in columns or (origin.labelled and "label" not in columns):
        raise in_doubt(_even(records), origin)
    if is_header(records, columns):
        table, origin, _ = _with_header(records, origin)
        return table, origin, (_taken_for_header(records[0], origin),)
    return _without_header(records, origin), _mapped(origin, columns), ()


def _inferred(records: Sequence[Record], origin: Origin) -> tuple[Table, Origin, tuple[Problem, ...]]:
    even = _even(records)
    columns = infer_columns(even, labelled=origin.labelled)
    if columns is None:
        raise in_doubt(even, origin)
    numbered = _mapped(origin, columns)
    note = Problem(
        origin.label, "", "columns inferred", f"no header: {flag(columns)} is meant", "else say so by --columns"
    )
    if is_header(records, columns):
        return _without_header(records[1:], origin), numbered, (_taken_for_header(records[0], origin), note)
    return _without_header(records, origin), numbered, (note,)


def in_doubt(rows: Sequence[Sequence[str]], origin: Origin) -> DataError:
    """Say that the columns have to be named, with an example made from the file."""
    first = ", ".join(f"{number}={short(cell)}" for number, cell in enumerate(rows[0], start=1))
    found = f"{origin.label} without a header that is known here; its first row: {first}"
    expected = "columns that tell text and label apart" if origin.labelled else "columns that tell where the text is"
    if len(rows[0]) == 1:
        remedy = "separate the columns by commas (.csv) or tabs (.tsv)"
    else:
        remedy = f"give the columns by number or by name, for example {flag(example_columns(rows, origin.labelled))}"
    return DataError(expected, found, remedy)


def is_header(records: Sequence[Record], columns: Mapping[str, str]) -> bool:
    """Whether the first record clearly names the columns, given which of them (by number) are used.

    Its label is then a word that occurs nowhere else, while the other labels repeat or are all numbers.

    >>> rows = [(1, ["what", "good"]), (2, ["a fine film", "1"]), (3, ["a waste", "0"])]
    >>> is_header(rows, {"text": "1", "label": "2"})
    True
    """
    places = {ours: int(number) - 1 for ours, number in columns.items()}
    (_, first), *rest = records
    rows = [fields for _, fields in rest if len(fields) == len(first)]
    if not rows or not all(_NAME.fullmatch(first[place].strip()) for place in places.values()):
        return False
    known = {"label": LABEL_NAMES}
    if all(plain(first[place]) in known.get(ours, TEXT_NAMES | {"id"}) for ours, place in places.items()):
        return not any(fields[place] == first[place] for fields in rows for place in places.values())
    if "label" not in places:
        return False
    return _stands_out(first[places["label"]].strip(), [fields[places["label"]].strip() for fields in rows])


def _stands_out(cell: str, labels: Sequence[str]) -> bool:
    counts = Counter(labels)
    return cell not in counts and (all(map(is_number, labels)) or 2 * len(counts) <= len(labels))


def _holds_known_names(records: Sequence[Record]) -> bool:
    """Whether the first record's cells include the names of columns: a text's and a label's, or all are like names."""
    (_, first), *rest = records
    known = [plain(cell) for place, cell in enumerate(first) if not _occurs(cell, place, rest)]
    kinds = [any(name in names for name in known) for names in (TEXT_NAMES, LABEL_NAMES)]
    like_names = all(not cell.strip() or _NAME.fullmatch(cell.strip()) for cell in first)
    return all(kinds) or (any(kinds) and like_names)


def _occurs(cell: str, place: int, records: Sequence[Record]) -> bool:
    return any(place < len(fields) and fields[place] == cell for _, fields in records)


def _without_header(records: Sequence[Record], origin: Origin) -> Table:
    names = [str(number) for number in range(1, _width(records) + 1)]
    return make_table(records, names, origin, named_by="the other rows have")


def _even(records: Sequence[Record]) -> list[list[str]]:
    width = _width(records)
    return [fields for _, fields in records if len(fields) == width]


def _width(records: Sequence[Record]) -> int:
    """How many fields most records have."""
    return Counter(len(fields) for _, fields in records).most_common(1)[0][0] if records else 0


def _mapped(origin: Origin, columns: Mapping[str, str]) -> Origin:
    return replace(origin, columns=tuple(columns.items()))


def _refuse_number(theirs: str, width: int, origin: Origin) -> None:
    if not 1 <= int(theirs) <= width:
        remedy = "count the columns from 1"
        raise DataError(f"a column number from 1 to {width}", f"{theirs} for {origin.label}", remedy)


def _taken_for_header(record: Record, origin: Origin) -> Problem:
    line, fields = record
    remedy = "if it is an example, move it further down"
    return Problem(f"{origin.label}, line {line}", "", "header", f"taken for column names: {quoted(fields)}", remedy)
