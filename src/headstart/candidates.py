"""The ranked candidates of a question, as they stand in the arrays of their neighbours: made when looked at.

Most candidates are never looked at (an evaluation needs the best one), and twenty objects for every question are what
ranking them costs once more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np

from headstart.examples import SpanAnswer
from headstart.ragged import Array
from headstart.spans import RankedSpans


@dataclass(frozen=True, slots=True)
class CandidateTable:
    """The candidates of some questions, a row each and best first, "no answer" in its place among them.

    A row holds `counts` candidates; what stands behind them means nothing.
    """

    counts: list[int]
    starts: Array  # (questions, n)
    ends: Array  # (questions, n)
    start_logits: Array  # (questions, n)
    end_logits: Array  # (questions, n)
    probabilities: Array  # (questions, n)


def candidate_table(spans: RankedSpans, *, no_answer: bool) -> CandidateTable:
    """Probabilities are shares of every valid span and, with `no_answer`, of "no answer", too."""
    scores, begins = spans.scores.astype(np.float64), spans.start_logits.astype(np.float64)
    null = spans.null.sum(axis=1)  # (questions,)
    total = np.logaddexp(spans.log_total, null) if no_answer else spans.log_total
    counts = np.isfinite(scores).sum(axis=1)
    with np.errstate(invalid="ignore"):  # at places without a span
        grids = [spans.starts, spans.ends, begins, scores - begins, np.exp(scores - total[:, None])]
    if not no_answer:
        return CandidateTable(counts.tolist(), *grids)
    places = (scores >= null[:, None]).sum(axis=1)  # behind the spans of the same score
    zeros = np.zeros(len(counts))
    values = (zeros, zeros, *spans.null.T, np.exp(null - total))
    grids = [_inserted(grid, places, value) for grid, value in zip(grids, values, strict=True)]
    return CandidateTable((counts + 1).tolist(), *grids)


def _inserted(grid: Array, places: Array, values: Array) -> Array:
    """One more column: each row's value at its place, what stood there and behind it moved by one."""
    rows, width = grid.shape
    widened = np.empty((rows, width + 1), grid.dtype)
    columns = np.arange(width) + (np.arange(width) >= places[:, None])
    np.put_along_axis(widened, columns, grid, axis=1)
    widened[np.arange(rows), places] = values
    return widened


class Candidates(Sequence[SpanAnswer]):
    """One question's row of a table."""

    __slots__ = ("_context", "_row", "_table")

    def __init__(self, table: CandidateTable, row: int, context: str) -> None:
        self._table, self._row, self._context = table, row, context

    def __len__(self) -> int:
        return self._table.counts[self._row]

    def __iter__(self) -> Iterator[SpanAnswer]:
        return map(self._at, range(len(self)))

    @overload
    def __getitem__(self, index: int) -> SpanAnswer: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[SpanAnswer, ...]: ...
    def __getitem__(self, index: int | slice) -> SpanAnswer | tuple[SpanAnswer, ...]:
        places = range(len(self))[index]
        return self._at(places) if isinstance(places, int) else tuple(map(self._at, places))

    def __eq__(self, other: object) -> bool:
        return tuple(self) == tuple(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # as a list

    def __repr__(self) -> str:
        return repr(list(self))

    def texts(self) -> list[str]:
        """What the candidates say, best first; "" is no answer."""
        starts, ends = (grid[self._row, : len(self)].tolist() for grid in (self._table.starts, self._table.ends))
        return [self._context[start:end] for start, end in zip(starts, ends, strict=True)]

    def _at(self, place: int) -> SpanAnswer:
        table, at = self._table, (self._row, place)
        start, end = int(table.starts[at]), int(table.ends[at])
        logits = float(table.start_logits[at]), float(table.end_logits[at])
        return SpanAnswer(self._context[start:end], start, end, *logits, float(table.probabilities[at]))
