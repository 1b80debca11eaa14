"""Texts and pairs of texts → windows for models that judge a whole input: cut to size, or read in several windows.

Too long a text is either cut at its end (of a pair the longer one, token by token, as the fast tokenizers do), or
read in overlapping windows whose logits are averaged; of a pair the last text is, beside the first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from headstart.ahead import ahead
from headstart.chunks import neighbours
from headstart.errors import DataError
from headstart.examples import TextExample
from headstart.pair_layout import PairLayout
from headstart.ragged import Array, Ragged, bounds_of, slices
from headstart.tokens import TextEncoder, id_rows
from headstart.window_rows import WindowRows, Windows
from headstart.windows import cut_rows

LongTexts = Literal["cut", "windows"]
Labels = Callable[[Sequence[TextExample]], Ragged]  # examples → what is learnt of each, one value or none


@dataclass(frozen=True, slots=True)
class TextOptions:
    """How texts become windows. Lengths are in tokens; `doc_stride` is the overlap of two neighbouring windows."""

    max_length: int = 384
    doc_stride: int = 128
    long_texts: LongTexts = "cut"


def make_text_windows(
    examples: Sequence[TextExample], encoder: TextEncoder, options: TextOptions, labels: Labels
) -> Windows:
    """The windows of every example, in order, as they are asked for.

    A column `cut` holds, for each window of an example that was cut, how many tokens were left out.

    Raises:
        DataError: pairs and single texts together; or (when windows are asked for) no room for the text to be read.
    """
    pairs = bool(examples) and examples[0].text_pair is not None
    _refuse_mixture(examples, pairs=pairs)
    cutter = _Cutter(encoder, encoder.text_layout(pairs=pairs), options, labels, pairs)
    tokenised = ahead(cutter.tokenised, neighbours(examples, _characters))
    return Windows(cutter.layout, (cutter.windows(piece) for piece in tokenised))


@dataclass(frozen=True, slots=True)
class _Piece:
    """Neighbouring examples as the tokenizer sees them; single texts have no first one."""

    begin: int  # place of the first example
    examples: Sequence[TextExample]
    first: Ragged  # token ids, one row an example
    last: Ragged


@dataclass(frozen=True, slots=True)
class _Cutter:
    """Examples → windows, a piece of the data set at a time."""

    encoder: TextEncoder
    layout: PairLayout
    options: TextOptions
    labels: Labels
    pairs: bool

    def tokenised(self, piece: tuple[int, Sequence[TextExample]]) -> _Piece:
        """The part that leaves Python's lock to others."""
        begin, examples = piece
        first = [example.text if self.pairs else "" for example in examples]
        last = [(example.text_pair or "") if self.pairs else example.text for example in examples]
        rows = (id_rows(self.encoder.tokenise(texts, offsets=False)) for texts in (first, last))
        return _Piece(begin, examples, *rows)

    def windows(self, piece: _Piece) -> WindowRows:
        """All windows of a piece at once."""
        first, last = piece.first, piece.last
        kept, owners, begins, ends = self._cuts(first.lengths, last.lengths)
        beside = slices(first.values, first.bounds[owners], kept[owners])
        shown = slices(last.values, last.bounds[owners] + begins, ends - begins)
        ids = self.layout.join_rows(beside, shown)
        learnt = self.labels(piece.examples)
        lost = first.lengths - kept
        if self.options.long_texts == "cut":
            lost = lost + last.lengths - ends
        lost = lost[owners]
        return WindowRows(
            layout=self.layout,
            example=owners + piece.begin,
            context_begin=self.layout.context_begins(beside.lengths),
            context_length=shown.lengths,
            cls_index=self.layout.cls_indices(ids.lengths),
            input_ids=Ragged(ids.values.astype(self.encoder.id_type), ids.bounds),
            columns={
                "labels": slices(learnt.values, learnt.bounds[owners], learnt.lengths[owners]),
                "cut": Ragged(lost[lost > 0].astype(np.int32), bounds_of(lost > 0)),
            },
        )

    def _cuts(self, first: Array, last: Array) -> tuple[Array, Array, Array, Array]:
        """How much of the first texts is kept, and which stretch of whose last text each window shows."""
        room = self.options.max_length - self.layout.special_tokens
        if self.options.long_texts == "cut":
            kept, ends = fitted(first, last, room)
            return kept, np.arange(len(first)), np.zeros(len(first), np.int64), ends
        kept = np.minimum(first, room // 2)
        _refuse_narrow(room - kept, last, self.options)
        return kept, *cut_rows(last, room - kept, self.options.doc_stride)


def _characters(example: TextExample) -> int:
    return len(example.text) + len(example.text_pair or "")


def _refuse_mixture(examples: Sequence[TextExample], *, pairs: bool) -> None:
    other = next((example for example in examples if (example.text_pair is not None) != pairs), None)
    if other is not None:
        kinds = ("a single text", "a pair") if pairs else ("a pair", "a single text")
        raise DataError(
            "single texts or pairs, one of the two for all",
            f"{kinds[0]} at {other.place or other.id} and {kinds[1]} before it",
            "give every row a second text, or none",
        )


def _refuse_narrow(rooms: Array, lengths: Array, options: TextOptions) -> None:
    if ((rooms <= options.doc_stride) & (lengths > rooms)).any():
        raise DataError(
            f"room for more than doc_stride ({options.doc_stride}) tokens of the text beside what stands with it",
            f"{int(rooms.min())} of max_length {options.max_length}",
            "raise --max-length or lower --doc-stride",
        )


def fitted(first: Array, second: Array, room: int) -> tuple[Array, Array]:
    """How many tokens of each of two texts are kept: the longer one is cut until both fit, (pairs,) each.

    >>> [side.tolist() for side in fitted(np.array([2, 9, 7]), np.array([3, 2, 8]), 8)]
    [[2, 6, 4], [3, 2, 4]]
    """
    half = room // 2
    kept = np.where(first <= second, np.minimum(first, half), np.maximum(np.minimum(first, room - second), room - half))
    kept = np.where(first + second <= room, first, np.minimum(kept, first))
    return kept, np.minimum(second, room - kept)
