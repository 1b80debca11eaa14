"""Text → tokens with honest character offsets: all that is special about a tokenizer's offsets.

A fast tokenizer folds blanks into offsets (RoBERTa, sentencepiece), leaves accents out of them (BERT), carries
truncation and padding from its last use, puts CLS first or last and pads left or right. This file and
`pair_layout.py` take all that away, so that `windows.py` only does arithmetic.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.errors import TokenizerError
from headstart.pair_layout import IntArray, PairLayout, probe_layout, probe_single_layout
from headstart.ragged import Array, Ragged, bounds_of

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


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
class TokenRows:
    """Several texts as the tokenizer sees them, behind each other.

    Characters are counted through all texts, with one between two of them: text `t` stands at characters
    `[places[t], places[t + 1] - 1)`, and `starts` and `ends` (tokens,) are such characters.
    """

    ids: Ragged  # one row a text
    starts: Array  # (tokens,)
    ends: Array  # (tokens,)
    places: Array  # (texts + 1,)

    def __len__(self) -> int:
        return len(self.ids)

    def each(self) -> list[Tokens]:
        """The texts one by one."""
        starts, ends = (Ragged(side, self.ids.bounds) for side in self.offsets())
        return [Tokens(self.ids[text], starts[text], ends[text]) for text in range(len(self))]

    def offsets(self) -> tuple[Array, Array]:
        """Starts and ends as characters of each token's own text, (tokens,) each."""
        places = np.repeat(self.places[:-1], self.ids.lengths)
        return (self.starts - places).astype(np.int32), (self.ends - places).astype(np.int32)


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
        known = (tokenizer.unk_token_id, tokenizer.mask_token_id, tokenizer.pad_token_id)
        self.stand_in: int = next((id for id in known if id is not None), 0)  # for a word without any token
        self.blank_id: int | None = self.backend.token_to_id(BLANK)
        self.uses_token_types = "token_type_ids" in tokenizer.model_input_names
        self.layout = probe_layout(tokenizer)

    @property
    def question_first(self) -> bool:
        """Question before context; the other way round for tokenizers that pad on the left."""
        return self.layout.question_first

    def text_layout(self, *, pairs: bool) -> PairLayout:
        """How a text, or a pair of texts in the order given, is dressed."""
        return replace(self.layout, question_first=True) if pairs else self._single_layout

    @cached_property
    def _single_layout(self) -> PairLayout:
        return probe_single_layout(self.tokenizer)

    @cached_property
    def id_type(self) -> Any:
        """The smallest integer type for token ids: half the memory and disk for most vocabularies."""
        few = self.backend.get_vocab_size() <= 2**16
        return np.uint16 if few and max(self.backend.get_vocab().values(), default=0) < 2**16 else np.int32

    def fingerprint(self) -> str:
        """A text that changes whenever this tokenizer would cut or join texts differently."""
        return f"{self.backend.to_str()}|{self.padding_side}|{self.uses_token_types}|{self.layout}"

    def encode(self, texts: Sequence[str]) -> list[Tokens]:
        """Tokenise texts, each for itself, without special tokens, truncation or padding."""
        return self.rows(texts, self.tokenise(texts)).each()

    def encode_ids(self, texts: Sequence[str]) -> list[IntArray]:
        """As `encode`, where offsets are not needed (questions): faster."""
        rows = id_rows(self.tokenise(texts, offsets=False))
        return [rows[text] for text in range(len(rows))]

    def tokenise(self, texts: Sequence[str], *, offsets: bool = True) -> list[Any]:
        """The Rust part: spread over the cores, and Python goes on meanwhile in its other threads."""
        encode = self.backend.encode_batch if offsets else self.backend.encode_batch_fast
        encodings: list[Any] = encode(list(texts), add_special_tokens=False)
        return encodings

    def rows(self, texts: Sequence[str], encodings: Sequence[Any]) -> TokenRows:
        """What `tokenise` made of the texts, as arrays, with honest offsets."""
        ids = id_rows(encodings)
        sizes = np.asarray([len(text) for text in texts], np.int64)
        places = bounds_of(sizes + 1)
        begins, limits = (np.repeat(column, ids.lengths) for column in (places[:-1], places[1:] - 1))
        pairs = chain.from_iterable(chain.from_iterable(encoding.offsets for encoding in encodings))
        offsets = np.fromiter(pairs, np.int64, 2 * len(ids.values)).reshape(-1, 2)
        starts, ends = (np.minimum(offsets[:, side] + begins, limits) for side in (0, 1))
        ends = np.where(self._borrowed(texts, ids), starts, ends)
        joined = BETWEEN.join(texts)
        starts, ends = trim_blanks(joined, starts, ends)
        return TokenRows(ids, starts, reclaim_marks(joined, starts, ends), places)

    def _borrowed(self, texts: Sequence[str], ids: Ragged) -> Array:
        """Where a token is a blank that the tokenizer put there itself, with offsets that are not its own."""
        if self.blank_id is None:
            return np.zeros(len(ids.values), bool)
        unwritten = np.repeat(np.asarray([BLANK not in text for text in texts], bool), ids.lengths)
        borrowed: Array = (ids.values == self.blank_id) & unwritten
        return borrowed


def id_rows(encodings: Sequence[Any]) -> Ragged:
    """The ids of encodings, one row each."""
    ids: list[list[int]] = [encoding.ids for encoding in encodings]
    bounds = bounds_of([len(row) for row in ids])
    return Ragged(np.fromiter(chain.from_iterable(ids), np.int32, int(bounds[-1])), bounds)


def _fresh_backend(tokenizer: PreTrainedTokenizerFast) -> Any:
    """A copy of the Rust tokenizer without the truncation and padding that tokenizer.json may carry."""
    from tokenizers import Tokenizer

    backend = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    backend.no_truncation()
    backend.no_padding()
    return backend


BLANK = "▁"  # sentencepiece's word boundary; where the tokenizer puts it there itself, it borrows the next offsets
LAST_BLANK = 0x3000  # of Unicode
BETWEEN = "\n"  # any blank will do: neither blanks nor marks are followed over it


def trim_blanks(text: str, starts: Array, ends: Array) -> tuple[Array, Array]:
    """Move offsets inwards over blanks, so that " Paris" becomes "Paris".

    >>> starts, ends = trim_blanks("in Paris ", np.array([0, 2]), np.array([2, 9]))
    >>> starts.tolist(), ends.tolist()
    ([0, 3], [2, 8])
    """
    blank = np.append(_blanks(text), True)
    if not (blank[starts] | blank[ends - 1])[starts < ends].any():
        return starts, ends  # as with BERT: nothing to do
    places = np.arange(len(blank))
    next_ink = np.minimum.accumulate(np.where(blank, len(text), places)[::-1])[::-1]
    last_ink = np.maximum.accumulate(np.where(np.insert(blank[:-1], 0, False), 0, places))
    trimmed_starts = np.minimum(next_ink[starts], ends)
    return trimmed_starts, np.maximum(last_ink[ends], trimmed_starts)


def reclaim_marks(text: str, starts: Array, ends: Array) -> Array:
    """Ends moved behind the combining marks that belong to no token.

    A tokenizer that strips or composes accents leaves the mark of a word's last letter out of its offsets, and
    the answer cut from the text would lose it.

    >>> reclaim_marks("Cafe\u0301 au lait", np.array([0, 6]), np.array([4, 8])).tolist()
    [5, 8]
    """
    marks = [] if text.isascii() else [ord(char) for char in set(text) if unicodedata.category(char).startswith("M")]
    if not marks:
        return ends
    places = np.arange(len(text) + 1)
    free = np.append(np.isin(_characters(text), marks), False)
    depth = np.bincount(starts, minlength=len(places)) - np.bincount(ends, minlength=len(places))
    free &= np.cumsum(depth) == 0
    behind = np.minimum.accumulate(np.where(free, len(text), places)[::-1])[::-1]
    return np.where(starts < ends, behind[ends], ends)


def _characters(text: str) -> Array:
    """The code points of a text, (characters,)."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def _blanks(text: str) -> Array:
    """Which characters of a text are blanks, (characters,) booleans."""
    table = _blank_table()
    return table[np.minimum(_characters(text), len(table) - 1)]


@lru_cache
def _blank_table() -> Array:
    """Whether each character up to the last blank of Unicode, and the one behind it, is a blank."""
    return np.array([chr(code).isspace() for code in range(LAST_BLANK + 2)])
