"""Pearson, Spearman and mean squared error of predicted numbers: scipy's figures, and always a number.

Where a correlation has no value, because all predictions or all gold numbers are the same or there is one example only,
scipy warns and gives NaN. Here it is 0.0: such predictions order nothing, a model that makes them must rank last, and
NaN is no legal JSON.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from headstart.errors import DataError

Numbers = npt.NDArray[np.float64]

LARGEST = 1e150  # its square is a float with room to add up


def number_scores(gold: npt.ArrayLike, predicted: npt.ArrayLike) -> dict[str, float]:
    """Pearson and Spearman correlation (-1 to 1) and mean squared error (in the square of the numbers' unit).

    Raises:
        DataError: no examples, lengths that differ, or numbers that are not finite.

    >>> number_scores([1.0, 2.0, 3.0], [1.0, 2.0, 6.0])
    {'pearson': 0.944911182523068, 'spearman': 1.0, 'mse': 3.0}
    """
    wanted, given = _checked(gold, predicted)
    return {
        "pearson": _correlation(wanted, given),
        "spearman": _correlation(_ranks(wanted), _ranks(given)),
        "mse": float(np.mean((wanted - given) ** 2)),
    }


def pearson(gold: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """How well a straight line describes the relation of two rows of numbers; 0.0 where one of them is constant.

    >>> pearson([1, 2, 3], [10, 20, 30]), pearson([1, 2, 3], [5, 5, 5])
    (1.0, 0.0)
    """
    return _correlation(*_checked(gold, predicted))


def spearman(gold: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Pearson of the ranks, equal numbers sharing the mean of theirs; 0.0 where all are equal.

    >>> spearman([1, 2, 3], [1, 10, 1000])
    1.0
    """
    wanted, given = _checked(gold, predicted)
    return _correlation(_ranks(wanted), _ranks(given))


def mse(gold: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """The mean of the squared differences.

    >>> mse([0.0, 2.0], [1.0, 5.0])
    5.0
    """
    wanted, given = _checked(gold, predicted)
    return float(np.mean((wanted - given) ** 2))


def _correlation(wanted: Numbers, given: Numbers) -> float:
    if wanted.min() == wanted.max() or given.min() == given.max():  # their mean may be off by a digit, they are not
        return 0.0
    x, y = _centred(wanted), _centred(given)
    return float(np.clip((x @ y) / np.sqrt((x @ x) * (y @ y)), -1.0, 1.0))


def _centred(values: Numbers) -> Numbers:
    """The differences from the mean, the largest about 1.

    The first value is taken off before there is a mean, so that numbers far from 0 and close together keep their
    differences. These are scaled by a power of two, which changes no digit, so that no square is lost or overflows.
    """
    shifted = values - values[0]
    _, exponent = np.frexp(np.abs(shifted).max())
    scaled = np.ldexp(shifted, -exponent)
    centred: Numbers = scaled - scaled.mean()
    return centred


def _ranks(values: Numbers) -> Numbers:
    """Ranks from 1, equal values sharing the mean of theirs: [5, 7, 5] → [1.5, 3, 1.5]."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Numbers = np.cumsum(counts) - (counts - 1) / 2
    return ranks[place]


def _checked(gold: npt.ArrayLike, predicted: npt.ArrayLike) -> tuple[Numbers, Numbers]:
    wanted, given = np.asarray(gold, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    if wanted.shape != given.shape or wanted.ndim != 1 or wanted.size == 0:
        found = f"shapes {wanted.shape} and {given.shape}"
        raise DataError("two rows of numbers, equally long, at least 1", found, "pass one prediction a gold number")
    for name, values, remedy in (
        ("gold", wanted, "check the data's numbers"),
        ("predicted", given, "check the model: the training may have diverged"),
    ):
        wrong = np.flatnonzero(~(np.abs(values) <= LARGEST))
        if wrong.size:
            found = f"{values[wrong[0]]} at {wrong[0]:,}, the first of {wrong.size:,} in {values.size:,}"
            raise DataError(f"finite {name} numbers, {LARGEST:g} at most", found, remedy)
    return wanted, given
