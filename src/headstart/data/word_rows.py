"""Rows with a list of words and a list of tags → raw sentences."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from headstart.data.checks import fatal
from headstart.data.contents import Row, Table, name_columns, not_an_object, value_of
from headstart.data.offsets import Finding, short
from headstart.data.records import Origin, Problem, is_missing
from headstart.data.word_checks import RawWords
from headstart.data.word_columns import WordLayout, find_word_layout


def read_rows(table: Table, origin: Origin) -> Iterator[RawWords | Problem]:
    """Yield the sentences of a table; its columns are found at once."""
    table = name_columns(table, origin)
    layout = find_word_layout(table.names, origin) if table.names else None
    return (_sentence(row, layout, table, origin) for row in table.rows)


def _sentence(row: Row, layout: WordLayout | None, table: Table, origin: Origin) -> RawWords | Problem:
    if isinstance(row.value, Problem):
        return row.value
    if not isinstance(row.value, Mapping) or layout is None:
        return not_an_object(row)
    values: Mapping[str, object] = row.value
    words, about_words = _listed(value_of(values, layout.words), "words")
    tags, about_tags = _listed(value_of(values, layout.tags), "tags")
    names = table.label_names.get(layout.tags or "")
    if tags is not None and names:
        tags = [_tag_name(tag, names) for tag in tags]
    identity, text = value_of(values, layout.id), value_of(values, layout.text)
    findings = (*about_words, *about_tags)
    return RawWords(row.place, f"{origin.stem}:{row.number}", identity, words or [], tags, text, findings=findings)


def _tag_name(tag: object, names: tuple[str, ...]) -> object:
    """The name behind a number; None for -1, which stands for no tag."""
    if not isinstance(tag, int) or tag >= len(names):
        return tag
    return names[tag] if tag >= 0 else None


def _listed(value: object, what: str) -> tuple[list[object] | None, list[Finding]]:
    """Take a list, or the JSON text of one; None where nothing is said."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except ValueError:
            return None, [fatal("wrong type", f"{what} is {short(value)}, which is not JSON", 'write ["…", "…"]')]
    if isinstance(value, (list, tuple)):
        return list(value), []
    if is_missing(value):
        return None, []
    return None, [
        fatal("wrong type", f"{what} is {short(value)}, not a list", f"give {what} as a list, one for each word")
    ]
