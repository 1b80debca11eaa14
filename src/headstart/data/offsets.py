"""One answer and its context: whether it stands where it is said to, and where else it does."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from headstart.data.records import RawAnswer, is_missing
from headstart.examples import Answer

NEAR: Final = 32
"""How many characters an offset may be wrong and still be repaired."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is to be said about an answer; without `repaired` or `fatal` it is only worth knowing."""

    kind: str
    found: str
    remedy: str
    repaired: bool = False
    fatal: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    """An answer with its place in the context (None where it has none) and what is to be said about it."""

    answer: Answer | None
    findings: tuple[Finding, ...] = ()


def place_answer(raw: RawAnswer, context: str) -> Placed:
    """Check an answer against its context; repair what is off by a little.

    >>> place_answer(RawAnswer("Jay Z", 12), "Beyonce married Jay Z.").answer
    Answer(text='Jay Z', start=16)
    """
    if not isinstance(raw.text, str):
        return _fatal("wrong type", f"the answer is {short(raw.text)}, not a text", "write the answer as a text")
    if is_missing(raw.start):
        return _search(raw.text, context)
    start = as_offset(raw.start)
    if start is None:
        return _without_offset(raw, raw.text.strip(), context)
    if context.startswith(raw.text, start):
        return _exact(raw.text, start)
    return _near(raw.text.strip(), start, context)


def as_offset(value: object) -> int | None:
    """Read a character offset: whole numbers from 0, also as "12" and 12.0; None for anything else.

    >>> [as_offset(value) for value in (12, 12.0, "12", -1, 1.5, "x", True)]
    [12, 12, 12, None, None, None, None]
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
        return int(number) if number.is_integer() and number >= 0 else None
    except (ValueError, OverflowError):
        return None


def short(value: object, length: int = 60) -> str:
    """Quote a value for a message, cut to a readable length.

    >>> short("a" * 100, 10)
    "'aaaaaaaaaa…'"
    """
    if isinstance(value, str):
        return repr(value if len(value) <= length else value[:length] + "…")
    text = repr(value)
    return text if len(text) <= length else text[:length] + "…"


def _fatal(kind: str, found: str, remedy: str) -> Placed:
    return Placed(None, (Finding(kind, found, remedy, fatal=True),))


def _exact(text: str, start: int) -> Placed:
    stripped = text.strip()
    if len(stripped) == len(text):
        return Placed(Answer(text, start))
    return Placed(Answer(stripped, start + len(text) - len(text.lstrip())), (_stripped(text),))


def _stripped(text: str) -> Finding:
    return Finding("blanks around answer", f"answer {short(text)}", "the blanks were taken off", repaired=True)


def _search(text: str, context: str) -> Placed:
    """Place an answer that comes without an offset at its first occurrence."""
    stripped = text.strip()
    start = context.find(stripped)
    if start < 0:
        return _absent(stripped, context)
    findings = [_stripped(text)] if stripped != text else []
    second = context.find(stripped, start + 1)
    if second >= 0:
        found = f"answer {short(stripped)} stands at character {start} and again at {second}"
        remedy = "the first is taken; give answer_start where another is meant"
        findings.append(Finding("answer found more than once", found, remedy))
    return Placed(Answer(stripped, start), tuple(findings))


def _near(text: str, start: int, context: str) -> Placed:
    """Place an answer that does not stand at its offset at the nearest occurrence, if that is near enough."""
    nearest = nearest_occurrence(text, start, context)
    if nearest is None:
        return _absent(text, context)
    found = f"answer {short(text)} is said to start at {start} and stands at {nearest}"
    if abs(nearest - start) <= NEAR:
        return Placed(Answer(text, nearest), (Finding("shifted offset", found, f"moved to {nearest}", repaired=True),))
    there = f"(at {start} the context has {short(context[start : start + len(text)])})"
    remedy = f"set answer_start to {nearest} if that is the place meant"
    return _fatal("answer far from offset", f"{found} {there}", remedy)


def nearest_occurrence(text: str, start: int, context: str) -> int | None:
    """Find where `text` starts in `context` nearest to `start`; of two equally near the earlier one.

    >>> nearest_occurrence("a", 3, "a..x.a")
    5
    """
    before = context.rfind(text, 0, start + len(text))
    after = context.find(text, start)
    places = [place for place in (before, after) if place >= 0]
    return min(places, key=lambda place: abs(place - start), default=None)


def _without_offset(raw: RawAnswer, text: str, context: str) -> Placed:
    """Refuse an offset that is no character count; where the text is absent, that is the worse news."""
    place = context.find(text)
    if place < 0:
        return _absent(text, context)
    found = f"answer {short(text)} has the answer_start {short(raw.start)}; it stands at {place}"
    return _fatal("wrong offset", found, f"set answer_start to {place} if that is the place meant, or leave it out")


def _absent(text: str, context: str) -> Placed:
    variant = next((name for name, form in _FORMS.items() if form(text) in _formed(name, context)), None)
    found = f"answer {short(text)} does not stand in the context"
    if variant is None:
        return _fatal("answer not in context", found, "mark a stretch of the context as the answer")
    remedy = "write the answer letter by letter as the context does"
    return _fatal("answer not in context", f"{found}; it does {variant}", remedy)


def _without_blanks(text: str) -> str:
    return "".join(text.split())


def _compatible(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


_FORMS: Final[dict[str, Callable[[str], str]]] = {
    "with other blanks": _without_blanks,
    "in other case": str.casefold,
    "in another Unicode form": _compatible,
    "in other case, with other blanks or in another Unicode form": (
        lambda text: _without_blanks(_compatible(_compatible(text).casefold()))
    ),
}


@lru_cache(maxsize=16)  # neighbouring questions share their context
def _formed(name: str, context: str) -> str:
    return _FORMS[name](context)
