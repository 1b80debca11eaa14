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

from typing import Final

from headstart.data.checks import check_id, fatal, left_out, named, text_faults
from headstart.data.offsets import Finding, place_answer, short
from headstart.data.records import Diagnosis, RawAnswer, RawQuestion, is_missing
from headstart.examples import Answer, QuestionExample

_TRUE: Final = frozenset({"true", "1", "1.0", "yes"})
_FALSE: Final = frozenset({"false", "0", "0.0", "no"})


def examine(raw: RawQuestion, *, labelled: bool = True) -> Diagnosis[QuestionExample]:
    """Turn a raw question into an example, repairing what can be repaired.

    >>> raw = RawQuestion("a.json, row 0", "a:0", 7, "Who?", "It was Ada.", (RawAnswer("Ada", 5),))
    >>> diagnosis = examine(raw)
    >>> diagnosis.example.id, diagnosis.example.answers
    ('7', (Answer(text='Ada', start=7),))
    >>> diagnosis.problems[0].kind
    'shifted offset'
    """
    name, findings = check_id(raw.id, raw.made_up_id)
    findings += [*text_faults(raw.question, "question"), *text_faults(raw.context, "context")]
    if any(finding.fatal for finding in findings):
        return left_out(raw.place, name, findings)
    assert isinstance(raw.question, str)
    assert isinstance(raw.context, str)
    answers, about_answers = _answers(raw, raw.context, labelled=labelled)
    findings += about_answers
    if answers is not None and not answers and any(finding.fatal for finding in about_answers):
        return left_out(raw.place, name, findings)
    title = "" if is_missing(raw.title) else str(raw.title)
    example = QuestionExample(name, raw.question, raw.context, answers, title, raw.place)
    return Diagnosis(example, tuple(named(raw.place, name, finding, "answer") for finding in findings))


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
        return (), [fatal("is_impossible and answers contradict", found, "keep one of the two")]
    return _placed(given, len(raw.answers or ()) - len(given), context)


def _unlabelled(labelled: bool) -> tuple[tuple[Answer, ...] | None, list[Finding]]:
    if not labelled:
        return None, []
    return (), [
        fatal("missing answers", "the row says nothing about answers", "give answers, or an empty list for none")
    ]


def _contradiction(impossible: bool | None, answers: tuple[RawAnswer, ...]) -> list[Finding]:
    """No answer is no fault, unless the row says in so many words that there is one."""
    if impossible is not False:
        return []
    found = f"is_impossible is false, yet {'the answer is empty' if answers else 'there is no answer'}"
    return [fatal("is_impossible and answers contradict", found, "give the answer or set is_impossible to true")]


def _impossible(value: object) -> tuple[bool | None, list[Finding]]:
    if is_missing(value):
        return None, []
    word = str(value).strip().lower()
    if isinstance(value, (bool, int, float, str)) and word in _TRUE | _FALSE:
        return word in _TRUE, []
    return None, [fatal("wrong type", f"is_impossible is {short(value)}", "write true or false")]


def _placed(given: list[RawAnswer], empty: int, context: str) -> tuple[tuple[Answer, ...], list[Finding]]:
    """Place the answers one by one: a bad one does not take the good ones with it."""
    placed = [place_answer(answer, context) for answer in given]
    findings = [finding for one in placed for finding in one.findings]
    if empty:
        found = f"{empty} of {empty + len(given)} answers are empty"
        findings.append(fatal("empty answer", found, "take it out, or give no answer at all"))
    answers = [one.answer for one in placed if one.answer is not None]
    kept: dict[tuple[str, int], Answer] = {}  # annotators often agree: one object in memory for equal answers
    return tuple(kept.setdefault((answer.text, answer.start), answer) for answer in answers), findings
