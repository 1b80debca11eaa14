"""Rows of different lengths in one flat array: what a batch is before it is padded."""

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
        bounds = np.zeros(len(rows) + 1, np.int64)
        np.cumsum([len(row) for row in rows], out=bounds[1:])
        values = np.concatenate([np.asarray(row, dtype) for row in rows]) if rows else np.zeros(0, dtype)
        return cls(values, bounds)

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def __getitem__(self, row: int) -> Array:
        row = range(len(self))[row]  # counts from the end, too, and refuses what is not there
        return self.values[self.bounds[row] : self.bounds[row + 1]]

    @property
    def lengths(self) -> Array:
        """How many values each row has, (rows,)."""
        return np.diff(self.bounds)

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


def mask(lengths: Array, width: int, *, left: bool = False) -> Array:
    """(rows, width) booleans: where a padded row holds a value.

    >>> mask(np.array([1, 2]), 3, left=True).astype(int).tolist()
    [[0, 0, 1], [0, 1, 1]]
    """
    places = np.arange(width)[None, :]
    return places >= width - lengths[:, None] if left else places < lengths[:, None]
