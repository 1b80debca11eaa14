"""Rows → texts, or pairs of texts, with a label or a number, every fault named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import ClassVar

from headstart.data.checks import broken_characters, check_id, fatal, left_out, named, text_faults
from headstart.data.contents import Content, Lines, Nested, Row, Table, name_columns, not_an_object, value_of
from headstart.data.headers import open_lines
from headstart.data.locating import TEXT_FORMATS
from headstart.data.offsets import Finding, short
from headstart.data.records import ABSENT, Diagnosis, Origin, Problem, is_missing
from headstart.data.text_columns import COLUMNS, TextLayout, find_text_layout, refuse_nested
from headstart.errors import DataError
from headstart.examples import TextExample

_SCALARS = (str, int, float)


@dataclass(slots=True)
class TextReader:
    """Reads texts, or pairs of texts, with a label, or with a number where `numbers` are wanted."""

    noun: ClassVar[str] = "examples"
    columns: ClassVar[tuple[str, ...]] = COLUMNS
    formats: ClassVar[Mapping[str, str]] = TEXT_FORMATS
    telling: ClassVar[tuple[str, ...]] = ("text", "sentence", "sentence1", "sentence_A", "premise", "question1")
    lists: ClassVar[bool] = False

    numbers: bool = False
    noted: tuple[Problem, ...] = field(default=())

    def read(self, content: Content, origin: Origin) -> Iterator[Diagnosis[TextExample]]:
        """Check one row after the other."""
        table, origin, self.noted = open_texts(content, origin)
        layout = find_text_layout(table.names, origin, numbers=self.numbers) if table.names else None
        if layout is not None and layout.label in table.unpublished and origin.labelled:
            raise _unpublished(layout.label, origin)
        return (_diagnose(row, layout, table, origin, numbers=self.numbers) for row in table.rows)

    def notes(self, origin: Origin) -> tuple[Problem, ...]:
        """Which columns a file without a header is taken to have."""
        return self.noted


def open_texts(content: Content, origin: Origin) -> tuple[Table, Origin, tuple[Problem, ...]]:
    """Make a table with named columns of any content, and say what was decided on the way.

    Raises:
        DataError: the source holds no rows, or it is in doubt which columns it has.
    """
    if isinstance(content, Nested):
        raise refuse_nested(origin)
    if isinstance(content, Lines):
        return open_lines(content, origin)
    return name_columns(content, origin), origin, ()


def _unpublished(label: str, origin: Origin) -> DataError:
    found = f"{origin.label}, where {label} is -1 in every row: the labels of this split are not published"
    return DataError("labels", found, "use another split, for example …@validation")


def _diagnose(
    row: Row, layout: TextLayout | None, table: Table, origin: Origin, *, numbers: bool
) -> Diagnosis[TextExample]:
    if isinstance(row.value, Problem):
        return Diagnosis(None, (row.value,))
    if not isinstance(row.value, Mapping) or layout is None:
        return Diagnosis(None, (not_an_object(row),))
    values: Mapping[str, object] = row.value
    name, findings = check_id(value_of(values, layout.id), f"{origin.stem}:{row.number}")
    text, pair = value_of(values, layout.text), value_of(values, layout.text_pair)
    findings += text_faults(text, "text")
    if layout.text_pair is not None:
        findings += text_faults(pair, "text_pair")
    label, about_label = _label(values, layout, table, numbers=numbers)
    findings += about_label
    if label is None and origin.labelled and not about_label:
        findings.append(_no_label(values, layout))
    if any(finding.fatal for finding in findings):
        return left_out(row.place, name, findings)
    assert isinstance(text, str)
    example = TextExample(name, text, pair if isinstance(pair, str) else None, label, row.place)
    return Diagnosis(example, tuple(named(row.place, name, finding, "example") for finding in findings))


def _no_label(values: Mapping[str, object], layout: TextLayout) -> Finding:
    value = value_of(values, layout.label)
    found = "the row has no label" if value is ABSENT else f"the label is {short(value)}"
    return fatal("missing label", found, "write the label or take the row out")


def _label(
    values: Mapping[str, object], layout: TextLayout, table: Table, *, numbers: bool
) -> tuple[str | float | None, list[Finding]]:
    """Read the label of a row: None where it has none."""
    value = value_of(values, layout.label)
    if is_missing(value) or layout.label in table.unpublished:
        return None, []
    names = table.label_names.get(layout.label or "")
    if names and isinstance(value, int) and value == -1:
        return None, []
    if names and isinstance(value, int):
        if not 0 <= value < len(names):
            return None, [fatal("wrong label", f"the label is {value} of {len(names)} labels", "correct it")]
        value = names[value]
    if not isinstance(value, _SCALARS):
        remedy = "write one label as a text or a number; several labels for one text are not known here"
        return None, [fatal("wrong type", f"the label is {short(value)}", remedy)]
    return _number(value) if numbers else _class(value)


def _number(value: str | float) -> tuple[float | None, list[Finding]]:
    """Read a number.

    >>> _number(" 4.5")
    (4.5, [])
    """
    try:
        number = None if isinstance(value, bool) or "_" in str(value) else float(value)
    except (ValueError, OverflowError):
        number = None
    if number is None or not isfinite(number):
        return None, [fatal("no number", f"the label is {short(value)}", "write a number such as 4.5")]
    return number, []


def _class(value: str | float) -> tuple[str, list[Finding]]:
    """Read the name of a class; numbers are written out.

    >>> [_class(value)[0] for value in (True, 2, 2.0, 2.5, "2")]
    ['1', '2', '2', '2.5', '2']
    """
    if isinstance(value, float) and not value.is_integer():
        return repr(value), []
    if not isinstance(value, str):
        return str(int(value)), []
    name = value.strip()
    findings = list(broken_characters(name, "label"))
    if name != value:
        found = f"label {short(value)}"
        findings.append(Finding("blanks around label", found, "the blanks were taken off", repaired=True))
    return name, findings
