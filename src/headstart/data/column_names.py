"""Finding a source's columns: by the caller's mapping, then by the names in common use."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches

from headstart.data.records import Origin
from headstart.errors import DataError


def plain(name: str) -> str:
    """A column name without case and marks, so that `sentence_A`, `Sentence A` and `sentenceA` are one.

    >>> plain("sentence_A")
    'sentencea'
    """
    return re.sub(r"[^a-z0-9]", "", name.lower())


def among(names: Sequence[str], known: Collection[str]) -> list[str]:
    """Those of the names that are known ones, in the order of `known`."""
    by_plain: dict[str, str] = {}
    for name in names:
        by_plain.setdefault(plain(name), name)
    return [by_plain[name] for name in known if name in by_plain]


def wished_columns(ours: Collection[str], names: Sequence[str], origin: Origin) -> dict[str, str]:
    """Find the columns the caller mapped; a source that lacks the given name is read by ours.

    Raises:
        DataError: it has neither.
    """
    found = {}
    for our_name, their_name in origin.columns:
        if our_name in ours:
            column = next((name for name in (their_name, our_name) if name in names), None)
            if column is None:
                raise missing_column(f"a column {their_name!r}", names, our_name, origin)
            found[our_name] = column
    return found


def missing_column(expected: str, names: Sequence[str], ours: str, origin: Origin) -> DataError:
    """Say which columns there are and how to name the one that is meant."""
    found = f"{origin.label}: the columns {quoted(names)}" if names else f"{origin.label}: no columns"
    if len(names) == 1 and any(mark in names[0] for mark in ";\t|"):
        return DataError(expected, found, "separate the columns by commas (.csv) or tabs (.tsv)")
    near = get_close_matches(origin.wish(ours) or ours, names, n=1)
    return DataError(
        expected, found, f"name the column, for example --columns {ours}={shell(near[0] if near else 'NAME')}"
    )


def doubtful_column(what: str, candidates: Sequence[str], example: Mapping[str, str], origin: Origin) -> DataError:
    """Say that several columns could be meant, and how to choose."""
    found = f"{origin.label}, where the columns {quoted(candidates)} could be it"
    return DataError(f"one column that holds the {what}", found, f"name it, for example {flag(example)}")


def quoted(names: Sequence[str]) -> str:
    """Column names for a message."""
    return ", ".join(map(repr, names))


def flag(columns: Mapping[str, str]) -> str:
    """A ready `--columns` flag.

    >>> flag({"text": "4", "label": "#2 Label"})
    "--columns text=4 'label=#2 Label'"
    """
    return "--columns " + " ".join(shell(f"{ours}={theirs}") for ours, theirs in columns.items())


def shell(word: str) -> str:
    """A word as a shell takes it."""
    return f"'{word}'" if re.search(r"[^\w=.,@%+/:-]", word) else word
