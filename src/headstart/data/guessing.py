"""Which task a data set is for, where its first rows leave no doubt."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final, Literal, TypeAlias

from headstart.data.column_names import among, plain
from headstart.data.column_profiles import is_number
from headstart.data.conll import blocks_of, find_form
from headstart.data.contents import Content, Lines, Nested, Row, Table, name_columns, peek
from headstart.data.delimited import make_table, parse_records, parse_tabs
from headstart.data.hub import Role
from headstart.data.locating import WORD_FORMATS, locate
from headstart.data.opening import open_place
from headstart.data.records import Origin, is_missing
from headstart.data.table import COLUMNS as QUESTION_COLUMNS
from headstart.data.text_columns import NUMBERS, TextLayout, find_text_layout
from headstart.data.text_rows import open_texts
from headstart.data.word_columns import COLUMNS as WORD_COLUMNS
from headstart.data.word_columns import TAGS, WORDS, is_header
from headstart.errors import DataError, SettingsError

TaskName: TypeAlias = Literal["qa", "classification", "regression", "tagging"]

_LOOKED_AT: Final = 300  # rows
_FEW: Final = 10  # different whole numbers, up to which they are taken for classes


@dataclass(frozen=True, slots=True)
class TaskGuess:
    """A task, by its name on the command line, and what speaks for it."""

    name: TaskName
    reason: str


def guess_task(sources: Sequence[str], *, role: Role = "train", columns: Mapping[str, str] | None = None) -> TaskGuess:
    """Tell from the first rows of the first source which task it is for.

    Args:
        sources: paths, `sample` or hub ids, as for reading.
        role: which split to look at where a source has several.
        columns: our column names → those of the source; they say more than anything else.

    Raises:
        SettingsError: the data leave a doubt; the message names the flag.
        DataError: the source cannot be opened.

    >>> guess_task(["sample"])
    TaskGuess(name='qa', reason='questions with answers in the official SQuAD form')
    """
    sources = [sources] if isinstance(sources, str) else [os.fspath(source) for source in sources]
    if not sources:
        raise SettingsError("at least one source", "none", "name a file, a folder, a hub id or sample")
    place = locate(sources[0], role, WORD_FORMATS)[0]
    mapped = tuple((columns or {}).items())
    origin = Origin(place.label, place.stem, mapped, labelled=True, noun="examples", telling=_TELLING, lists=True)
    return guess_content(open_place(place, origin, role).content, origin)


_TELLING: Final = ("question", "context", "text", "sentence", "sentence1", "premise", "words", "tokens")


def guess_content(content: Content, origin: Origin) -> TaskGuess:
    """Tell the task of what was opened."""
    if isinstance(content, Nested):
        return TaskGuess("qa", "questions with answers in the official SQuAD form")
    mapped = {ours for ours, _ in origin.columns if ours != "id"}
    if asked := mapped & set(QUESTION_COLUMNS):
        return TaskGuess("qa", f"columns mapped to {' and '.join(sorted(asked))}")
    if tagged := mapped & set(WORD_COLUMNS):
        return TaskGuess("tagging", f"columns mapped to {' and '.join(sorted(tagged))}")
    if mapped:
        return _guess_texts(content, origin)
    if isinstance(content, Lines):
        return _guess_lines(content, origin)
    return _guess_table(name_columns(content, origin), origin)


def _guess_lines(lines: Lines, origin: Origin) -> TaskGuess:
    if lines.format == "conll" or (lines.format != "csv" and has_word_lines(lines.text)):
        return TaskGuess("tagging", "a word a line with its tag")
    first = parse_records(lines.text, origin, delimiter=",") if lines.format == "csv" else parse_tabs(lines.text)
    names = first[0][1] if first else []
    if not _is_asked(names) and not is_header(names):
        return _guess_texts(lines, origin)
    return _guess_table(make_table(first[1:], names, origin), origin)


def has_word_lines(text: str) -> bool:
    r"""Whether a text is columns with a word a line: even lines with blank ones between them.

    >>> has_word_lines("EU B-ORG\nrejects O\n\nGerman B-MISC\ncall O\n"), has_word_lines("A text.\nAnother text.\n")
    (True, False)
    """
    lines = text.split("\n", 2 * _LOOKED_AT)[: 2 * _LOOKED_AT]
    has_blank = any(not line.strip() for line in lines[1:-1])
    form = find_form("\n".join(lines))
    blocks = list(blocks_of("\n".join(lines), form)) if has_blank and form.width > 1 else []
    rows = [fields for block in blocks for _, fields in block.rows]
    return bool(rows) and 10 * sum(len(fields) == form.width for fields in rows) >= 9 * len(rows) > 9 * len(blocks)


def _is_asked(names: Sequence[str]) -> bool:
    return {"question", "context"} <= set(names) and bool({"answers", "answer_text", "answer"} & set(names))


def _guess_table(table: Table, origin: Origin) -> TaskGuess:
    names = table.names or ()
    if _is_asked(names):
        answers = next(name for name in ("answers", "answer_text", "answer") if name in names)
        return TaskGuess("qa", f"columns question, context and {answers}")
    rows, _ = peek(table.rows, _LOOKED_AT)
    words, tags = among(names, WORDS), among(names, TAGS)
    if words and tags and any(_is_list(value) for value in _values(rows, words[0])):
        return TaskGuess("tagging", f"lists in the columns {words[0]} and {', '.join(tags)}")
    return _guess_texts(replace(table, rows=rows), origin)


def _is_list(value: object) -> bool:
    return isinstance(value, (list, tuple)) or (isinstance(value, str) and value.startswith("["))


def _values(rows: Iterable[Row], column: str) -> list[object]:
    """What the first rows hold in a column, as far as they hold anything."""
    found = (row.value.get(column) for row in islice(rows, _LOOKED_AT) if isinstance(row.value, Mapping))
    return [value for value in found if not is_missing(value)]


def _guess_texts(content: Table | Lines, origin: Origin) -> TaskGuess:
    """Classification or regression, by the label."""
    try:
        table, origin, _ = open_texts(content, origin)
        by_class, by_number = (
            find_text_layout(table.names or (), origin, numbers=numbers) for numbers in (False, True)
        )
    except DataError as error:
        raise _doubt(error.found, f"name the task, for example --task classification; {error.remedy}") from error
    if by_class.label != by_number.label:
        found = (
            f"{origin.label}, whose column {by_class.label!r} is fit for classes and {by_number.label!r} for numbers"
        )
        raise _doubt(found, f"say --task classification for {by_class.label}, --task regression for {by_number.label}")
    assert by_class.label is not None
    return _guess_label(table, by_class, by_class.label, origin)


def _guess_label(table: Table, layout: TextLayout, label: str, origin: Origin) -> TaskGuess:
    values = [] if label in table.unpublished else _values(table.rows, label)
    columns = f"columns {', '.join(name for name in (layout.text, layout.text_pair, label) if name)}"
    if label in table.label_names:
        return TaskGuess("classification", f"{columns} with the names of {len(table.label_names[label])} labels")
    numbers = [float(str(value)) for value in values if _is_numeric(value)]
    different = len({str(value).strip() for value in values})
    if values and not numbers:
        return TaskGuess("classification", f"{columns} with {_labels(different)}{_looked(values)}")
    if not values or len(numbers) < len(values):
        found = "no labels" if not values else f"{len(numbers)} numbers among {len(values)} labels"
        raise _doubt(f"{origin.label} with {found} in the column {label!r}", _CHOOSE)
    extent = f"from {min(numbers):g} to {max(numbers):g}"
    if not all(number.is_integer() for number in numbers):
        return TaskGuess("regression", f"{columns} with numbers {extent}{_looked(values)}")
    if different > _FEW or plain(label) in NUMBERS:
        raise _doubt(
            f"{origin.label} with {different} different whole numbers {extent} in the column {label!r}", _CHOOSE
        )
    return TaskGuess("classification", f"{columns} with {_labels(different)}{_looked(values)}")


_CHOOSE: Final = "say --task classification if they name classes, --task regression if they measure something"


def _is_numeric(value: object) -> bool:
    """Whether a label is a number; true and false are classes."""
    return not isinstance(value, bool) and is_number(str(value))


def _labels(different: int) -> str:
    return "one label only" if different == 1 else f"{different} different labels"


def _looked(values: Sequence[object]) -> str:
    return f" in the first {len(values)} rows" if len(values) >= _LOOKED_AT else ""


def _doubt(found: str, remedy: str) -> SettingsError:
    return SettingsError("data that leave no doubt which task they are for", found, remedy)
