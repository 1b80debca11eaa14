"""Checks: from a question as a file holds it to an example that can be trusted, with every fault named.

| fault | what becomes of it |
|---|---|
| the answer stands within 32 characters of its offset | moved to the nearest place: "shifted offset" |
| blanks around the answer | taken off: "blanks around answer" |
| no offset, and the text stands more than once in the context | first place, noted: "answer found more than once" |
| the answer stands only further away, or nowhere; its offset is no character count | the answer is left out |
| no good answer is left; question or context empty; `is_impossible` and answers contradict | the question is left out |
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from headstart.data.offsets import Finding, place_answer, short
from headstart.data.records import ABSENT, Loss, Problem, RawAnswer, RawQuestion, is_missing
from headstart.examples import Answer, QuestionExample

_TRUE: Final = frozenset({"true", "1", "1.0", "yes"})
_FALSE: Final = frozenset({"false", "0", "0.0", "no"})


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What the checks made of a question: the example (None: left out) and the problems met."""

    example: QuestionExample | None
    problems: tuple[Problem, ...] = ()


def examine(raw: RawQuestion, *, labelled: bool = True) -> Diagnosis:
    """Turn a raw question into an example, repairing what can be repaired.

    >>> raw = RawQuestion("a.json, row 0", "a:0", 7, "Who?", "It was Ada.", (RawAnswer("Ada", 5),))
    >>> diagnosis = examine(raw)
    >>> diagnosis.example.id, diagnosis.example.answers
    ('7', (Answer(text='Ada', start=7),))
    >>> diagnosis.problems[0].kind
    'shifted offset'
    """
    name, findings = _name(raw)
    findings += [*_text_faults(raw.question, "question"), *_text_faults(raw.context, "context")]
    if any(finding.fatal for finding in findings):
        return _left_out(raw.place, name, findings)
    assert isinstance(raw.question, str)
    assert isinstance(raw.context, str)
    answers, about_answers = _answers(raw, raw.context, labelled=labelled)
    findings += about_answers
    if answers is not None and not answers and any(finding.fatal for finding in about_answers):
        return _left_out(raw.place, name, findings)
    title = "" if is_missing(raw.title) else str(raw.title)
    example = QuestionExample(name, raw.question, raw.context, answers, title, raw.place)
    return Diagnosis(example, tuple(_problem(raw.place, name, finding, "answer") for finding in findings))


def _left_out(place: str, name: str, findings: list[Finding]) -> Diagnosis:
    """Name every reason for leaving a question out; what was repaired in it no longer matters."""
    return Diagnosis(None, tuple(_problem(place, name, finding, "question") for finding in findings if finding.fatal))


def _problem(place: str, name: str, finding: Finding, loss: Loss) -> Problem:
    left_out: Loss = loss if finding.fatal else "nothing"
    return Problem(place, name, finding.kind, finding.found, finding.remedy, finding.repaired, left_out)


def _name(raw: RawQuestion) -> tuple[str, list[Finding]]:
    """Take the id as text: numbers are written out, a missing one is made up from the row."""
    if raw.id is ABSENT:
        return raw.made_up_id, []
    if is_missing(raw.id):
        return raw.made_up_id, [Finding("empty id", "no id", f"called {raw.made_up_id}", repaired=True)]
    if isinstance(raw.id, float) and raw.id.is_integer():
        return str(int(raw.id)), []
    if isinstance(raw.id, bool) or not isinstance(raw.id, (str, int)):
        return raw.made_up_id, [_fatal("wrong type", f"the id is {short(raw.id)}", "write a text or a whole number")]
    name = str(raw.id)
    return name, list(_broken_characters(name, "id"))


def _text_faults(text: object, what: str) -> Iterator[Finding]:
    if text is ABSENT:
        yield _fatal("missing column", f"the row has no {what}", f"give it a {what}")
    elif is_missing(text):
        yield _fatal(f"empty {what}", f"the {what} is {short(text)}", f"write the {what} or take the row out")
    elif not isinstance(text, str):
        yield _fatal("wrong type", f"the {what} is {short(text)}, not a text", f"write the {what} as a text")
    else:
        yield from _broken_characters(text, what)


def _broken_characters(text: str, what: str) -> Iterator[Finding]:
    """Find half a surrogate pair: JSON can hold one, but no tokenizer and no file can take it."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        found = f"character {error.start} of the {what} is half a surrogate pair ({text[error.start]!a})"
        yield _fatal("broken character", found, "write the whole character, or take the half out")


def _answers(raw: RawQuestion, context: str, *, labelled: bool) -> tuple[tuple[Answer, ...] | None, list[Finding]]:
    impossible, findings = _impossible(raw.impossible)
    if findings:
        return (), findings
    if raw.answers is None and not impossible:
        return _unlabelled(labelled)
    given = [answer for answer in raw.answers or () if not is_missing(answer.text)]
    if not given and impossible is False and not labelled:
        return None, []  # a test set published without its answers
    if not given:
        return (), _contradiction(impossible, raw.answers or ())
    if impossible:
        found = f"is_impossible is true, yet there is an answer {short(given[0].text)}"
        return (), [_fatal("is_impossible and answers contradict", found, "keep one of the two")]
    return _placed(given, len(raw.answers or ()) - len(given), context)


def _unlabelled(labelled: bool) -> tuple[tuple[Answer, ...] | None, list[Finding]]:
    if not labelled:
        return None, []
    return (), [
        _fatal("missing answers", "the row says nothing about answers", "give answers, or an empty list for none")
    ]


def _contradiction(impossible: bool | None, answers: tuple[RawAnswer, ...]) -> list[Finding]:
    """No answer is no fault, unless the row says in so many words that there is one."""
    if impossible is not False:
        return []
    found = f"is_impossible is false, yet {'the answer is empty' if answers else 'there is no answer'}"
    return [_fatal("is_impossible and answers contradict", found, "give the answer or set is_impossible to true")]


def _impossible(value: object) -> tuple[bool | None, list[Finding]]:
    if is_missing(value):
        return None, []
    word = str(value).strip().lower()
    if isinstance(value, (bool, int, float, str)) and word in _TRUE | _FALSE:
        return word in _TRUE, []
    return None, [_fatal("wrong type", f"is_impossible is {short(value)}", "write true or false")]


def _placed(given: list[RawAnswer], empty: int, context: str) -> tuple[tuple[Answer, ...], list[Finding]]:
    """Place the answers one by one: a bad one does not take the good ones with it."""
    placed = [place_answer(answer, context) for answer in given]
    findings = [finding for one in placed for finding in one.findings]
    if empty:
        found = f"{empty} of {empty + len(given)} answers are empty"
        findings.append(_fatal("empty answer", found, "take it out, or give no answer at all"))
    answers = [one.answer for one in placed if one.answer is not None]
    kept: dict[tuple[str, int], Answer] = {}  # annotators often agree: one object in memory for equal answers
    return tuple(kept.setdefault((answer.text, answer.start), answer) for answer in answers), findings


def _fatal(kind: str, found: str, remedy: str) -> Finding:
    return Finding(kind, found, remedy, fatal=True)
