"""Windows as the stages hand them on: side by side in flat arrays, and one by one for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from headstart.pair_layout import IntArray, PairLayout
from headstart.ragged import Array, Ragged, below

Span = tuple[int, int]


OFFSETS = ("starts", "ends")  # columns that only decoding needs
LABEL = "label"  # how the names of columns begin that are learnt from
NOTHING = Ragged.of([])


@dataclass(frozen=True, slots=True)
class Window:
    """One model input cut from an example, with the way back to the characters of its context.

    `example` is the place of the example in its data set. `starts` and `ends` (context tokens,) are characters of
    the context; the first of these tokens stands at position `context_begin` of `input_ids`.
    `labels` holds the (first, last) token of every annotator's answer that lies whole in this window, the CLS
    token twice where none does, and nothing where the answer is not known. All three are question answering's.
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

    `columns` are what a task adds to its windows: characters of tokens, labels. A column whose name begins with
    "label" is learnt from; `starts` and `ends` are missing where windows were asked for without offsets.
    The context is the text that is cut into windows: a single text, or the last of a pair.
    """

    layout: PairLayout
    example: Array  # (rows,)
    context_begin: Array  # (rows,)
    context_length: Array  # (rows,) tokens of the context
    cls_index: Array  # (rows,)
    input_ids: Ragged
    columns: Mapping[str, Ragged] = field(default_factory=dict)

    @classmethod
    def none(cls, layout: PairLayout) -> WindowRows:
        """No windows at all."""
        number: Array = np.zeros(0, np.int32)
        return cls(layout, number, number, number, number, NOTHING)

    @classmethod
    def join(cls, parts: Sequence[WindowRows]) -> WindowRows:
        """The rows of several parts of one data set below each other; at least one part."""
        if len(parts) == 1:
            return parts[0]
        names = ("example", "context_begin", "context_length", "cls_index")
        numbers: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
        return cls(
            parts[0].layout,
            **numbers,
            input_ids=below([part.input_ids for part in parts]),
            columns={name: below([part.columns[name] for part in parts]) for name in parts[0].columns},
        )

    def __len__(self) -> int:
        return len(self.example)

    def __iter__(self) -> Iterator[Window]:
        types, empty = self.token_type_ids, np.zeros(0, np.int32)
        sides = {name: self.columns.get(name) for name in (*OFFSETS, "label_starts", "label_ends")}
        for row in range(len(self)):
            starts, ends, *labels = (empty if column is None else column[row] for column in sides.values())
            yield Window(
                example=int(self.example[row]),
                input_ids=self.input_ids[row].astype(np.int32),
                token_type_ids=types[row],
                context_begin=int(self.context_begin[row]),
                starts=starts,
                ends=ends,
                cls_index=int(self.cls_index[row]),
                labels=tuple(zip(*(side.tolist() for side in labels), strict=True)),
            )

    @property
    def starts(self) -> Ragged:
        """The first character of each token of the context."""
        return self.columns.get("starts", NOTHING)

    @property
    def ends(self) -> Ragged:
        """The character behind each token of the context."""
        return self.columns.get("ends", NOTHING)

    @property
    def label_starts(self) -> Ragged:
        """Tokens; one value an annotator whose answer lies in the window."""
        return self.columns.get("label_starts", NOTHING)

    @property
    def label_ends(self) -> Ragged:
        """Tokens likewise."""
        return self.columns.get("label_ends", NOTHING)

    @property
    def label_counts(self) -> Array:
        """How many labels each window has to learn from, (rows,)."""
        labels = next((column for name, column in self.columns.items() if name.startswith(LABEL)), None)
        return np.zeros(len(self), np.int64) if labels is None else labels.lengths

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
