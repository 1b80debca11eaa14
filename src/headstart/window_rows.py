"""Windows as the stages hand them on: side by side in flat arrays, and one by one for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from headstart.pair_layout import IntArray, PairLayout
from headstart.ragged import Array, Ragged, below

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Window:
    """One model input cut from an example, with the way back to the characters of its context.

    `example` is the place of the example in its data set. `starts` and `ends` (context tokens,) are characters of
    the context; the first of these tokens stands at position `context_begin` of `input_ids`.
    `labels` holds the (first, last) token of every annotator's answer that lies whole in this window, the CLS
    token twice where none does, and nothing where the answer is not known.
    """

    example: int
    input_ids: IntArray  # (length,)
    token_type_ids: IntArray  # (length,)
    context_begin: int
    starts: IntArray  # (context tokens,)
    ends: IntArray  # (context tokens,)
    cls_index: int
    labels: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class WindowRows:
    """Some windows side by side, not yet padded. All arrays have one row a window; what they mean, see `Window`.

    `starts` and `ends` have no rows where the windows were asked for without offsets.
    """

    layout: PairLayout
    example: Array  # (rows,)
    context_begin: Array  # (rows,)
    context_length: Array  # (rows,) tokens of the context
    cls_index: Array  # (rows,)
    input_ids: Ragged
    starts: Ragged
    ends: Ragged
    label_starts: Ragged  # tokens; one value an annotator whose answer lies in the window
    label_ends: Ragged

    @classmethod
    def none(cls, layout: PairLayout) -> WindowRows:
        """No windows at all."""
        number: Array = np.zeros(0, np.int32)
        ragged = Ragged.of([])
        return cls(layout, number, number, number, number, ragged, ragged, ragged, ragged, ragged)

    @classmethod
    def join(cls, parts: Sequence[WindowRows]) -> WindowRows:
        """The rows of several parts of one data set below each other; at least one part."""
        if len(parts) == 1:
            return parts[0]
        columns = {field.name: [getattr(part, field.name) for part in parts] for field in fields(cls)[1:]}
        joined: dict[str, Any] = {
            name: below(column) if isinstance(column[0], Ragged) else np.concatenate(column)
            for name, column in columns.items()
        }
        return cls(parts[0].layout, **joined)

    def __len__(self) -> int:
        return len(self.example)

    def __iter__(self) -> Iterator[Window]:
        types = self.token_type_ids
        for row in range(len(self)):
            yield Window(
                example=int(self.example[row]),
                input_ids=self.input_ids[row].astype(np.int32),
                token_type_ids=types[row],
                context_begin=int(self.context_begin[row]),
                starts=self.starts[row],
                ends=self.ends[row],
                cls_index=int(self.cls_index[row]),
                labels=tuple(zip(self.label_starts[row].tolist(), self.label_ends[row].tolist(), strict=True)),
            )

    @property
    def token_type_ids(self) -> Ragged:
        """Which text each token belongs to, in the tokenizer's numbers: made when asked for, never stored."""
        questions = self.input_ids.lengths - self.layout.special_tokens - self.context_length
        return self.layout.type_rows(*self.layout.in_order(questions, self.context_length))

    def shift(self, width: int, *, left: bool) -> Array:
        """How far padding on the left moves the tokens of each window, (rows,)."""
        return width - self.input_ids.lengths if left else np.zeros(len(self), np.int64)


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows of a data set while they are made: take `chunks` for work, or go through them one by one."""

    layout: PairLayout
    chunks: Iterable[WindowRows]

    def __iter__(self) -> Iterator[Window]:
        for rows in self.chunks:
            yield from rows
