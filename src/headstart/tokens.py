"""Text → tokens with honest character offsets, and the layout of a pair: all that is special about a tokenizer.

A fast tokenizer folds blanks into offsets (RoBERTa, sentencepiece), leaves accents out of them (BERT), carries
truncation and padding from its last use, puts CLS first or last and pads left or right. This file takes all that
away, so that `windows.py` only does arithmetic.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.errors import TokenizerError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

IntArray = np.ndarray[Any, np.dtype[np.int32]]


@dataclass(frozen=True, slots=True)
class Tokens:
    """One text as the tokenizer sees it, without special tokens.

    `ids` (tokens,), `starts` and `ends` (tokens,): the characters `[start, end)` of each token, blanks at either
    side cut off, marks on its last letter included. A token that is only blanks, or that stands for nothing in the
    text, has `start == end`.
    """

    ids: IntArray
    starts: IntArray
    ends: IntArray

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class PairLayout:
    """How a tokenizer joins two texts: `prefix first middle second suffix`, with the type id of each part.

    `cls` is the place of the CLS token: counted from the front (>= 0) or, where it stands behind the texts, from
    the back (< 0).
    """

    prefix: IntArray
    middle: IntArray
    suffix: IntArray
    types: tuple[IntArray, IntArray, IntArray]  # of prefix, middle, suffix
    text_types: tuple[int, int]  # of the first and the second text
    cls: int

    @property
    def special_tokens(self) -> int:
        """How many tokens a pair holds beside its two texts."""
        return len(self.prefix) + len(self.middle) + len(self.suffix)

    def join(self, first: IntArray, second: IntArray) -> IntArray:
        """The input ids of a pair."""
        return np.concatenate([self.prefix, first, self.middle, second, self.suffix])

    def type_ids(self, first: int, second: int) -> IntArray:
        """The token type ids of a pair whose texts have these many tokens."""
        prefix, middle, suffix = self.types
        texts = [np.full(count, kind, np.int32) for count, kind in zip((first, second), self.text_types, strict=True)]
        return np.concatenate([prefix, texts[0], middle, texts[1], suffix])

    def cls_index(self, length: int) -> int:
        """The place of CLS in an input of `length` tokens."""
        return self.cls if self.cls >= 0 else length + self.cls


class TextEncoder:
    """A fast tokenizer, reduced to what windows need and freed from what its file carries.

    Raises:
        TokenizerError: the tokenizer is slow, or knows no special token that could stand for "no answer".
    """

    def __init__(self, tokenizer: PreTrainedTokenizerFast) -> None:
        if not getattr(tokenizer, "is_fast", False):
            raise TokenizerError(
                "a fast tokenizer (one with a tokenizer.json)",
                f"{type(tokenizer).__name__}, which cannot say which characters a token stands for",
                "use a model with a tokenizer.json, or convert this one with transformers' convert_slow_tokenizer",
            )
        self.tokenizer = tokenizer
        self.backend = _fresh_backend(tokenizer)
        self.padding_side: str = tokenizer.padding_side
        self.pad_id: int = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else 0
        self.pad_type: int = getattr(tokenizer, "pad_token_type_id", 0)
        self.unknown_id: int | None = tokenizer.unk_token_id
        self.blank_id: int | None = self.backend.token_to_id(BLANK)
        self.uses_token_types = "token_type_ids" in tokenizer.model_input_names
        self.layout = _probe_layout(tokenizer)

    @property
    def question_first(self) -> bool:
        """Question before context; the other way round for tokenizers that pad on the left."""
        return self.padding_side == "right"

    def fingerprint(self) -> str:
        """A text that changes whenever this tokenizer would cut or join texts differently."""
        return f"{self.backend.to_str()}|{self.padding_side}|{self.uses_token_types}|{self.layout}"

    def encode(self, texts: Sequence[str]) -> list[Tokens]:
        """Tokenise texts, each for itself, without special tokens, truncation or padding."""
        encodings = self.backend.encode_batch(list(texts), add_special_tokens=False)
        return [_tokens(text, encoding, self.blank_id) for text, encoding in zip(texts, encodings, strict=True)]

    def encode_ids(self, texts: Sequence[str]) -> list[IntArray]:
        """As `encode`, where offsets are not needed (questions): faster."""
        encodings = self.backend.encode_batch_fast(list(texts), add_special_tokens=False)
        return [np.asarray(encoding.ids, np.int32) for encoding in encodings]


def _fresh_backend(tokenizer: PreTrainedTokenizerFast) -> Any:
    """A copy of the Rust tokenizer without the truncation and padding that tokenizer.json may carry."""
    from tokenizers import Tokenizer

    backend = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    backend.no_truncation()
    backend.no_padding()
    return backend


BLANK = "▁"  # sentencepiece's word boundary; where the tokenizer puts it there itself, it borrows the next offsets


def _tokens(text: str, encoding: Any, blank_id: int | None) -> Tokens:
    ids = np.asarray(encoding.ids, np.int32)
    offsets = np.asarray(encoding.offsets, np.int32).reshape(-1, 2)
    borrowed = ids == (blank_id if BLANK not in text else None)
    ends = np.where(borrowed, offsets[:, 0], offsets[:, 1])
    starts, ends = trim_blanks(text, offsets[:, 0], ends)
    return Tokens(ids, starts, reclaim_marks(text, starts, ends))


def trim_blanks(text: str, starts: IntArray, ends: IntArray) -> tuple[IntArray, IntArray]:
    """Move offsets inwards over blanks, so that " Paris" becomes "Paris".

    >>> trim_blanks("in Paris ", np.array([0, 2]), np.array([2, 9]))
    (array([0, 3], dtype=int32), array([2, 8], dtype=int32))
    """
    count = len(text)
    if not count:
        return np.zeros(len(starts), np.int32), np.zeros(len(ends), np.int32)
    places = np.arange(count + 1, dtype=np.int32)
    blank = np.fromiter(map(str.isspace, text), bool, count)
    next_ink = np.minimum.accumulate(np.where(np.append(blank, False), count, places)[::-1])[::-1]
    last_ink = np.maximum.accumulate(np.where(np.insert(blank, 0, False), 0, places))
    trimmed_starts = np.minimum(next_ink[starts], ends)
    trimmed_ends = np.maximum(last_ink[ends], trimmed_starts)
    return trimmed_starts.astype(np.int32), trimmed_ends.astype(np.int32)


def reclaim_marks(text: str, starts: IntArray, ends: IntArray) -> IntArray:
    """Ends moved behind the combining marks that belong to no token.

    A tokenizer that strips or composes accents leaves the mark of a word's last letter out of its offsets, and
    the answer cut from the text would lose it.

    >>> reclaim_marks("Cafe\u0301 au lait", np.array([0, 6]), np.array([4, 8])).tolist()
    [5, 8]
    """
    if text.isascii():
        return ends
    places = np.arange(len(text) + 1)
    free = np.append([unicodedata.category(char).startswith("M") for char in text], False)
    depth = np.bincount(starts, minlength=len(places)) - np.bincount(ends, minlength=len(places))
    free &= np.cumsum(depth) == 0
    behind = np.minimum.accumulate(np.where(free, len(text), places)[::-1])[::-1]
    return np.where(starts < ends, behind[ends], ends).astype(np.int32)


PROBES = ("a", "the", "0", ".", "一", "的", "а", "ا")


def _probe_layout(tokenizer: PreTrainedTokenizerFast) -> PairLayout:
    """Learn the layout from a pair the tokenizer joins itself: no list of model names to keep up to date."""
    for ids, types, sides in _probes(tokenizer):
        if 0 in sides and 1 in sides:
            return _layout(tokenizer, ids, types, sides)
    raise TokenizerError(
        "a tokenizer that joins two texts",
        f"{type(tokenizer).__name__}, which gives no token for any of {', '.join(PROBES)}",
        "check the tokenizer files beside the model",
    )


def _probes(tokenizer: PreTrainedTokenizerFast) -> Iterator[tuple[list[int], list[int], list[int | None]]]:
    for probe in PROBES:
        encoding = tokenizer(probe, probe, truncation=False, padding=False, return_token_type_ids=True)
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
