"""Words and the text they were cut from: where each word stands in it."""

from __future__ import annotations

from collections.abc import Sequence


def place_words(words: Sequence[str], text: str) -> tuple[int, ...] | None:
    """Find where the words start in the text; None where anything but blanks stands between them.

    >>> place_words(["John", "'s", "car"], "John's car")
    (0, 4, 7)
    >>> place_words(["de", "le", "pain"], "du pain")
    """
    place, starts = 0, []
    for word in words:
        while place < len(text) and text[place].isspace():
            place += 1
        if not text.startswith(word, place):
            return None
        starts.append(place)
        place += len(word)
    return None if text[place:].strip() else tuple(starts)


def join_words(words: Sequence[str], blanks: Sequence[bool] | None = None) -> tuple[str, tuple[int, ...]]:
    """Join words into a text, with a blank after each, or after those that have one.

    >>> join_words(["John", "'s", "car"], [False, True, False])
    ("John's car", (0, 4, 7))
    """
    parts, starts, place = [], [], 0
    for number, word in enumerate(words):
        starts.append(place)
        has_blank = number < len(words) - 1 and (blanks is None or blanks[number])
        parts.append(word + " " * has_blank)
        place += len(parts[-1])
    return "".join(parts), tuple(starts)
