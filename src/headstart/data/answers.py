"""The many ways in which rows write their answers → raw answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from headstart.data.offsets import short
from headstart.data.records import ABSENT, RawAnswer, is_missing

_FORM: Final = 'write {"text": ["…"], "answer_start": [0]}, or name a column of plain texts answer_text'


class MalformedAnswersError(Exception):
    """An answers field that holds no answers; `found` and `remedy` say what and what to do."""

    def __init__(self, found: str, remedy: str = _FORM) -> None:
        super().__init__(found)
        self.found = found
        self.remedy = remedy


def raw_answers(value: object) -> tuple[RawAnswer, ...]:
    """Read an `answers` field: the hub's two lists, SQuAD's list of objects, a list of texts, or JSON text of these.

    >>> raw_answers({"text": ["Ada", "Ada L."], "answer_start": [7, 7]})
    (RawAnswer(text='Ada', start=7), RawAnswer(text='Ada L.', start=7))
    >>> raw_answers('[{"text": "Ada", "answer_start": 7}]')
    (RawAnswer(text='Ada', start=7),)
    """
    if isinstance(value, str) and not is_missing(value):
        value = _parsed(value)
    if is_missing(value):
        return ()
    if isinstance(value, Mapping):
        return paired_answers(value.get("text", ABSENT), value.get("answer_start", ABSENT))
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return tuple(_one_answer(one) for one in value)
    raise MalformedAnswersError(f"answers is {short(value)}")


def paired_answers(texts: object, starts: object) -> tuple[RawAnswer, ...]:
    """Pair texts and starts: two lists of one length, or one text and one start; starts may be missing.

    >>> paired_answers("Ada", 7)
    (RawAnswer(text='Ada', start=7),)
    """
    if texts is ABSENT:
        raise MalformedAnswersError('answers has no "text"')
    if not isinstance(texts, (list, tuple)):
        return (RawAnswer(texts, starts[0] if isinstance(starts, (list, tuple)) and len(starts) == 1 else starts),)
    if is_missing(starts):
        return tuple(RawAnswer(text) for text in texts)
    if not isinstance(starts, (list, tuple)) or len(starts) != len(texts):
        given = len(starts) if isinstance(starts, (list, tuple)) else short(starts)
        raise MalformedAnswersError(
            f"{len(texts)} answer texts with answer_start {given}", "give each answer its start"
        )
    return tuple(RawAnswer(text, start) for text, start in zip(texts, starts, strict=True))


def _parsed(text: str) -> object:
    try:
        parsed: object = json.loads(text)
    except ValueError:
        raise MalformedAnswersError(f"answers is {short(text)}, which is not JSON") from None
    if isinstance(parsed, str):
        raise MalformedAnswersError(f"answers is the text {short(text)}")
    return parsed


def _one_answer(value: object) -> RawAnswer:
    if isinstance(value, str):
        return RawAnswer(value)
    if isinstance(value, Mapping) and "text" in value:
        return RawAnswer(value["text"], value.get("answer_start", ABSENT))
    raise MalformedAnswersError(f"one of the answers is {short(value)}", 'write {"text": "…", "answer_start": 0}')
