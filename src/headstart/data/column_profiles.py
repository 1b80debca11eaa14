"""Columns without names: which of them hold texts and which a label, by their cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Final

LOOKED_AT: Final = 1000
"""Rows that are looked at."""

_SENTENCE: Final = 2.5  # words in a cell, on average, from which a column holds texts rather than names of classes
_ENOUGH: Final = 10  # rows from which it says something that cells repeat
_FEW: Final = 50  # different cells, each many times: the names of classes, however long


@dataclass(frozen=True, slots=True)
class Profile:
    """What a column looks like; `number` counts from 1."""

    number: int
    is_numeric: bool
    is_whole: bool
    words: float  # in a cell, on average
    distinct: int
    rows: int
    empty: int

    @property
    def is_filled(self) -> bool:
        """Whether it is not just a mark here and there."""
        return 3 * self.empty <= self.rows

    @property
    def is_text(self) -> bool:
        """Whether it holds texts."""
        names_classes = self.distinct <= _FEW and 10 * self.distinct <= self.rows
        return self.is_filled and not self.is_numeric and self.words >= _SENTENCE and not names_classes

    @property
    def is_label(self) -> bool:
        """Whether it may hold labels or numbers: what is another one in every row is an id."""
        if not self.is_filled or self.is_text:
            return False
        if self.rows < _ENOUGH or (self.is_numeric and not self.is_whole):
            return True
        return self.distinct < self.rows if self.is_numeric else 2 * self.distinct <= self.rows


def is_number(cell: str) -> bool:
    """Whether a cell is a finite number.

    >>> [is_number(cell) for cell in ("4.5", " -1", "nan", "1_0", "x")]
    [True, True, False, False, False]
    """
    try:
        return isfinite(float(cell)) and "_" not in cell
    except ValueError:
        return False


def infer_columns(rows: Sequence[Sequence[str]], *, labelled: bool) -> dict[str, str] | None:
    """Say which column is what, by number; None where the cells leave a doubt.

    >>> infer_columns([["a fine little film", "1"], ["what a waste of time", "0"]], labelled=True)
    {'text': '1', 'label': '2'}
    """
    profiles = make_profiles(rows)
    texts = [profile for profile in profiles if profile.is_text]
    labels = [profile for profile in profiles if profile.is_label]
    if not texts and len(profiles) <= 2:
        texts, labels = _short_texts(profiles)
    if len(texts) + len(labels) != len(profiles) or not 1 <= len(texts) <= 2 or len(labels) > 1:
        return None
    if not labels and labelled:
        return None
    columns = zip(("text", "text_pair"), texts, strict=False)
    found = [*columns, *(("label", profile) for profile in labels)]
    return {ours: str(profile.number) for ours, profile in found}


def _short_texts(profiles: list[Profile]) -> tuple[list[Profile], list[Profile]]:
    """Tell texts of a word or two from labels: there are many more different ones."""
    texts = [one for one in profiles if one.is_filled and not one.is_numeric and 2 * one.distinct > one.rows]
    labels = [one for one in profiles if one not in texts and (one.is_numeric or 4 * one.distinct <= one.rows)]
    return texts[:2], labels


def example_columns(rows: Sequence[Sequence[str]], labelled: bool) -> dict[str, str]:
    """The likeliest columns, as an example for a message."""
    profiles = make_profiles(rows)
    longest = max(profiles, key=lambda one: (not one.is_numeric, one.words))
    texts = [one.number for one in profiles if one.is_text][:2] or [longest.number]
    found = dict(zip(("text", "text_pair"), map(str, texts), strict=False))
    if labelled:
        others = [one for one in profiles if one.number not in texts and one.is_filled]
        label = min(others, key=lambda one: (not one.is_numeric, one.distinct), default=None)
        found["label"] = "NUMBER" if label is None else str(label.number)
    return found


def make_profiles(rows: Sequence[Sequence[str]]) -> list[Profile]:
    """Look at the first rows, column by column."""
    columns = zip(*rows[:LOOKED_AT], strict=True)
    return [_profile(number, cells) for number, cells in enumerate(columns, start=1)]


def _profile(number: int, cells: Sequence[str]) -> Profile:
    filled = [cell.strip() for cell in cells if cell.strip()]
    words = sum(len(cell.split()) for cell in filled) / max(len(filled), 1)
    numeric = bool(filled) and all(map(is_number, filled))
    whole = numeric and all(float(cell).is_integer() for cell in filled)
    return Profile(number, numeric, whole, words, len(set(filled)), len(cells), len(cells) - len(filled))
