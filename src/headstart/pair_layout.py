"""How a tokenizer joins a question and a context: learnt from the tokenizer itself, no list of model names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from headstart.errors import TokenizerError
from headstart.ragged import Array, Ragged, beside, bounds_of

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

IntArray = np.ndarray[Any, np.dtype[np.int32]]
Part = TypeVar("Part")


@dataclass(frozen=True, slots=True)
class PairLayout:
    """How a tokenizer joins two texts: `prefix first middle second suffix`, with the type id of each part.

    `cls` is the place of the CLS token: counted from the front (>= 0) or, where it stands behind the texts, from
    the back (< 0). The question is the first text, or the second for tokenizers that pad on the left.
    """

    prefix: IntArray
    middle: IntArray
    suffix: IntArray
    types: tuple[IntArray, IntArray, IntArray]  # of prefix, middle, suffix
    text_types: tuple[int, int]  # of the first and the second text
    cls: int
    question_first: bool = True

    @property
    def special_tokens(self) -> int:
        """How many tokens a pair holds beside its two texts."""
        return len(self.prefix) + len(self.middle) + len(self.suffix)

    def in_order(self, question: Part, context: Part) -> tuple[Part, Part]:
        """Anything about a question and a context → about the first and the second text."""
        return (question, context) if self.question_first else (context, question)

    def join(self, first: IntArray, second: IntArray) -> IntArray:
        """The input ids of a pair."""
        return self.join_rows(Ragged.of([first]), Ragged.of([second])).values

    def join_rows(self, first: Ragged, second: Ragged) -> Ragged:
        """The input ids of many pairs, one a row."""
        return beside([self.prefix, first, self.middle, second, self.suffix])

    def type_ids(self, first: int, second: int) -> IntArray:
        """The token type ids of a pair whose texts have these many tokens."""
        return self.type_rows(np.array([first]), np.array([second])).values

    def type_rows(self, first: Array, second: Array) -> Ragged:
        """The token type ids of many pairs whose texts have these many tokens, one a row."""
        prefix, middle, suffix = self.types
        kinds = np.concatenate([prefix, self.text_types[:1], middle, self.text_types[1:], suffix]).astype(np.int32)
        counts = np.ones((len(first), len(kinds)), np.int64)  # (pairs, parts) how often each kind stands there
        counts[:, len(prefix)] = first
        counts[:, len(prefix) + 1 + len(middle)] = second
        return Ragged(np.repeat(np.tile(kinds, len(first)), counts.ravel()), bounds_of(counts.sum(axis=1)))

    def context_begins(self, questions: Array) -> Array:
        """Where contexts begin beside questions of these many tokens, (pairs,)."""
        return len(self.prefix) + (questions + len(self.middle) if self.question_first else 0 * questions)

    def cls_index(self, length: int) -> int:
        """The place of CLS in an input of `length` tokens."""
        return self.cls if self.cls >= 0 else length + self.cls

    def cls_indices(self, lengths: Array) -> Array:
        """The place of CLS in inputs of these many tokens, (inputs,)."""
        return self.cls + (lengths if self.cls < 0 else 0 * lengths)

    def to_json(self) -> str:
        """Everything about this layout, for `from_json`."""
        parts = [part.tolist() for part in (self.prefix, self.middle, self.suffix, *self.types)]
        return json.dumps([parts, self.text_types, self.cls, self.question_first])

    @classmethod
    def from_json(cls, text: str) -> PairLayout:
        """The layout that `to_json` wrote."""
        parts, (first, second), place, question_first = json.loads(text)
        prefix, middle, suffix, *types = (np.asarray(part, np.int32) for part in parts)
        return cls(prefix, middle, suffix, (types[0], types[1], types[2]), (first, second), place, question_first)


PROBES = ("a", "the", "0", ".", "一", "的", "а", "ا")


def probe_layout(tokenizer: PreTrainedTokenizerFast) -> PairLayout:
    """Learn the layout from a pair the tokenizer joins itself."""
    for ids, types, sides in _probes(tokenizer):
        if 0 in sides and 1 in sides:
            return _layout(tokenizer, ids, types, sides)
    raise _tokenless(tokenizer)


def _tokenless(tokenizer: PreTrainedTokenizerFast) -> TokenizerError:
    return TokenizerError(
        "a tokenizer that joins two texts",
        f"{type(tokenizer).__name__}, which gives no token for any of {', '.join(PROBES)}",
        "check the tokenizer files beside the model",
    )


def probe_single_layout(tokenizer: PreTrainedTokenizerFast) -> PairLayout:
    """Learn how the tokenizer dresses a single text: as the second of a pair that has no first."""
    for ids, types, sides in _probes(tokenizer, pairs=False):
        if 0 in sides:
            begin, end = sides.index(0), _last(sides, 0) + 1
            prefix, middle, suffix = _around(ids, begin, end)
            kinds, kind = _around(types, begin, end), types[begin]
            return PairLayout(prefix, middle, suffix, types=kinds, text_types=(kind, kind), cls=0)
    raise _tokenless(tokenizer)


def _around(row: list[int], begin: int, end: int) -> tuple[IntArray, IntArray, IntArray]:
    before, between, behind = (np.asarray(part, np.int32) for part in (row[:begin], [], row[end:]))
    return before, between, behind


def _probes(
    tokenizer: PreTrainedTokenizerFast, *, pairs: bool = True
) -> Iterator[tuple[list[int], list[int], list[int | None]]]:
    for probe in PROBES:
        texts = (probe, probe) if pairs else (probe,)
        encoding = tokenizer(*texts, truncation=False, padding=False, return_token_type_ids=True)
        yield encoding["input_ids"], encoding["token_type_ids"], encoding.sequence_ids(0)


def _layout(
    tokenizer: PreTrainedTokenizerFast, ids: list[int], types: list[int], sides: list[int | None]
) -> PairLayout:
    first, second = sides.index(0), sides.index(1)
    first_end, second_end = _last(sides, 0) + 1, _last(sides, 1) + 1
    parts = (slice(0, first), slice(first_end, second), slice(second_end, None))
    cut_ids = [np.asarray(ids[part], np.int32) for part in parts]
    cut_types = [np.asarray(types[part], np.int32) for part in parts]
    return PairLayout(
        prefix=cut_ids[0],
        middle=cut_ids[1],
        suffix=cut_ids[2],
        types=(cut_types[0], cut_types[1], cut_types[2]),
        text_types=(types[first], types[second]),
        cls=_cls_place(tokenizer, ids, sides),
        question_first=tokenizer.padding_side == "right",
    )


def _last(sides: list[int | None], side: int) -> int:
    return len(sides) - 1 - sides[::-1].index(side)


def _cls_place(tokenizer: PreTrainedTokenizerFast, ids: list[int], sides: list[int | None]) -> int:
    """Where "no answer" is pointed at: CLS, or BOS, or the first special token there is."""
    special = [place for place, side in enumerate(sides) if side is None]
    for wanted in (tokenizer.cls_token_id, tokenizer.bos_token_id):
        for place in special:
            if wanted is not None and ids[place] == wanted:
                return _from_either_end(place, sides)
    if special:
        return _from_either_end(special[0], sides)
    raise TokenizerError(
        "a tokenizer that adds a special token (CLS) to point at when a window holds no answer",
        f"{type(tokenizer).__name__}, which adds none",
        "use an encoder such as BERT, RoBERTa, DeBERTa, ELECTRA or ModernBERT",
    )


def _from_either_end(place: int, sides: list[int | None]) -> int:
    if place < sides.index(0):
        return place
    if place > _last(sides, 1):
        return place - len(sides)
    raise TokenizerError(
        "a CLS token before or behind the two texts",
        "one between them",
        "use another encoder, this layout has no fixed place for it",
    )
