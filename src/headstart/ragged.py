"""Rows of different lengths in one flat array: what windows are before they are padded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Ragged:
    """`values` of all rows behind each other; row `i` is `values[bounds[i]:bounds[i + 1]]`.

    >>> rows = Ragged.of([[1, 2], [], [3]])
    >>> rows.lengths.tolist(), rows[0].tolist()
    ([2, 0, 1], [1, 2])
    >>> rows.pad(2, fill=0).tolist()
    [[1, 2], [0, 0], [3, 0]]
    """

    values: Array  # (total,)
    bounds: Array  # (rows + 1,)

    @classmethod
    def of(cls, rows: Sequence[Any], dtype: Any = np.int32) -> Ragged:
        """Join rows (lists or arrays) into one."""
        values = np.concatenate([np.asarray(row, dtype) for row in rows]) if rows else np.zeros(0, dtype)
        return cls(values, bounds_of([len(row) for row in rows]))

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def __getitem__(self, row: int) -> Array:
        row = range(len(self))[row]  # counts from the end, too, and refuses what is not there
        return self.values[self.bounds[row] : self.bounds[row + 1]]

    @property
    def lengths(self) -> Array:
        """How many values each row has, (rows,)."""
        return np.diff(self.bounds)

    def first(self, count: int) -> Ragged:
        """At most so many values of each row.

        >>> Ragged.of([[1, 2, 3], [4]]).first(2).values.tolist()
        [1, 2, 4]
        """
        if self.lengths.max(initial=0) <= count:
            return self
        return slices(self.values, self.bounds[:-1], np.minimum(self.lengths, count))

    def pad(self, width: int, *, fill: int, left: bool = False) -> Array:
        """A (rows, width) array with `fill` where a row has no value.

        Raises:
            ValueError: a row is wider than that.
        """
        if self.lengths.max(initial=0) > width:
            raise ValueError(f"a row of {self.lengths.max()} values does not fit into a width of {width}")
        padded = np.full((len(self), width), fill, self.values.dtype)
        padded[mask(self.lengths, width, left=left)] = self.values
        return padded


def bounds_of(lengths: Sequence[int] | Array) -> Array:
    """Where rows of these lengths begin and end, (rows + 1,).

    >>> bounds_of([2, 0, 1]).tolist()
    [0, 2, 2, 3]
    """
    bounds = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=bounds[1:])
    return bounds


def ranges(begins: Array, lengths: Array) -> Array:
    """The numbers from each begin on, so many of each, (total,).

    >>> ranges(np.array([7, 0]), np.array([2, 3])).tolist()
    [7, 8, 0, 1, 2]
    """
    bounds = bounds_of(lengths)
    numbers: Array = np.arange(bounds[-1]) + np.repeat(begins - bounds[:-1], lengths)
    return numbers


def slices(values: Array, begins: Array, lengths: Array) -> Ragged:
    """Stretches of one flat array as rows; they may overlap.

    >>> [row.tolist() for row in slices(np.array([5, 6, 7]), np.array([0, 1]), np.array([2, 2]))]
    [[5, 6], [6, 7]]
    """
    return Ragged(values[ranges(begins, lengths)], bounds_of(lengths))


def beside(parts: Sequence[Ragged | Array]) -> Ragged:
    """Join rows side by side; a plain array is the same part of every row. At least one part has rows.

    >>> rows = beside([np.array([0]), Ragged.of([[1, 2], []]), Ragged.of([[3], [4]])])
    >>> [row.tolist() for row in rows]
    [[0, 1, 2, 3], [0, 4]]
    """
    count = next(len(part) for part in parts if isinstance(part, Ragged))
    lengths = [part.lengths if isinstance(part, Ragged) else np.full(count, len(part)) for part in parts]
    bounds = bounds_of(np.sum(lengths, axis=0))
    values, places = np.empty(bounds[-1], np.int32), bounds[:-1]
    for part, length in zip(parts, lengths, strict=True):
        values[ranges(places, length)] = part.values if isinstance(part, Ragged) else np.tile(part, count)
        places = places + length
    return Ragged(values, bounds)


def below(parts: Sequence[Ragged]) -> Ragged:
    """Put rows below each other. At least one part.

    >>> [row.tolist() for row in below([Ragged.of([[1, 2]]), Ragged.of([[], [3]])])]
    [[1, 2], [], [3]]
    """
    begins = bounds_of([len(part.values) for part in parts])
    ends = np.concatenate([part.bounds[1:] for part in parts]) + np.repeat(begins[:-1], [len(part) for part in parts])
    return Ragged(np.concatenate([part.values for part in parts]), np.concatenate([begins[:1], ends]))


def mask(lengths: Array, width: int, *, left: bool = False) -> Array:
    """(rows, width) booleans: where a padded row holds a value.

    >>> mask(np.array([1, 2]), 3, left=True).astype(int).tolist()
    [[0, 0, 1], [0, 1, 1]]
    """
    places = np.arange(width)[None, :]
    return places >= width - lengths[:, None] if left else places < lengths[:, None]
