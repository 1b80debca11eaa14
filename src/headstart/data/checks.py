"""Checks every kind of example shares: its id, its texts, and how a finding becomes a named problem."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from headstart.data.offsets import Finding, short
from headstart.data.records import ABSENT, Diagnosis, Loss, Problem, is_missing


def fatal(kind: str, found: str, remedy: str) -> Finding:
    """Find something beyond repair."""
    return Finding(kind, found, remedy, fatal=True)


def named(place: str, name: str, finding: Finding, loss: Loss) -> Problem:
    """Give a finding its place; `loss` is what is left out because of it where it is beyond repair."""
    left_out: Loss = loss if finding.fatal else "nothing"
    return Problem(place, name, finding.kind, finding.found, finding.remedy, finding.repaired, left_out)


def left_out(place: str, name: str, findings: Iterable[Finding]) -> Diagnosis:
    """Name every reason for leaving an example out; what was repaired in it no longer matters."""
    return Diagnosis(None, tuple(named(place, name, finding, "example") for finding in findings if finding.fatal))


def check_id(value: object, made_up: str) -> tuple[str, list[Finding]]:
    """Take the id as text: numbers are written out, a missing one is made up from the row.

    >>> check_id(7.0, "a:0"), check_id(ABSENT, "a:0")
    (('7', []), ('a:0', []))
    """
    if value is ABSENT:
        return made_up, []
    if is_missing(value):
        return made_up, [Finding("empty id", "no id", f"called {made_up}", repaired=True)]
    if isinstance(value, float) and value.is_integer():
        return str(int(value)), []
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return made_up, [fatal("wrong type", f"the id is {short(value)}", "write a text or a whole number")]
    name = str(value)
    return name, list(broken_characters(name, "id"))


def text_faults(text: object, what: str) -> Iterator[Finding]:
    """Find what keeps a value from being a text to read.

    >>> [finding.kind for text in ("Ada", " ", 7, ABSENT) for finding in text_faults(text, "question")]
    ['empty question', 'wrong type', 'missing column']
    """
    if text is ABSENT:
        yield fatal("missing column", f"the row has no {what}", f"give it a {what}")
    elif is_missing(text):
        yield fatal(f"empty {what}", f"the {what} is {short(text)}", f"write the {what} or take the row out")
    elif not isinstance(text, str):
        yield fatal("wrong type", f"the {what} is {short(text)}, not a text", f"write the {what} as a text")
    else:
        yield from broken_characters(text, what)


def broken_characters(text: str, what: str) -> Iterator[Finding]:
    """Find half a surrogate pair: JSON can hold one, but no tokenizer and no file can take it."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        found = f"character {error.start} of the {what} is half a surrogate pair ({text[error.start]!a})"
        yield fatal("broken character", found, "write the whole character, or take the half out")
