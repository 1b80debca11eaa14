"""Texts and pairs of texts → windows for models that judge a whole input: cut to size, or read in several windows.

Too long a text is either cut at its end (of a pair the longer one, token by token, as the fast tokenizers do), or
read in overlapping windows whose logits are averaged; of a pair the last text is, beside the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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
    layout = encoder.text_layout(pairs=pairs)

    def tokenised(piece: tuple[int, Sequence[TextExample]]) -> tuple[int, Sequence[TextExample], Ragged, Ragged]:
        begin, some = piece
        first = [example.text if pairs else "" for example in some]
        last = [(example.text_pair or "") if pairs else example.text for example in some]
        first_rows, last_rows = (id_rows(encoder.tokenise(texts, offsets=False)) for texts in (first, last))
        return begin, some, first_rows, last_rows

    def chunks() -> Iterator[WindowRows]:
        for begin, some, first, last in ahead(tokenised, neighbours(examples, _characters)):
            yield _chunk(begin, some, first, last, layout, encoder, options, labels)

    return Windows(layout, chunks())


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


def _chunk(
    begin: int,
    examples: Sequence[TextExample],
    first: Ragged,
    last: Ragged,
    layout: PairLayout,
    encoder: TextEncoder,
    options: TextOptions,
    labels: Labels,
) -> WindowRows:
    """All windows of some neighbouring examples at once."""
    room = options.max_length - layout.special_tokens
    if options.long_texts == "cut":
        sizes = fitted(first.lengths, last.lengths, room)
        owners, begins = np.arange(len(examples)), np.zeros(len(examples), np.int64)
        ends = sizes[1]
    else:
        sizes = np.minimum(first.lengths, room // 2), last.lengths
        _refuse_narrow(room - sizes[0], last.lengths, options)
        owners, begins, ends = cut_rows(last.lengths, room - sizes[0], options.doc_stride)
    lost = (first.lengths - sizes[0]) + (last.lengths - sizes[1])
    beside = slices(first.values, first.bounds[owners], sizes[0][owners])
    shown = slices(last.values, last.bounds[owners] + begins, ends - begins)
    ids = layout.join_rows(beside, shown)
    learnt = labels(examples)
    return WindowRows(
        layout=layout,
        example=owners + begin,
        context_begin=layout.context_begins(beside.lengths),
        context_length=shown.lengths,
        cls_index=layout.cls_indices(ids.lengths),
        input_ids=Ragged(ids.values.astype(encoder.id_type), ids.bounds),
        columns={
            "labels": slices(learnt.values, learnt.bounds[owners], learnt.lengths[owners]),
            "cut": Ragged(lost[owners][lost[owners] > 0].astype(np.int32), bounds_of(lost[owners] > 0)),
        },
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
