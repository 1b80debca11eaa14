"""Accuracy, F1 and Matthews correlation from counts of what was predicted for what: scikit-learn's numbers.

Everything follows from the confusion matrix: rows are gold labels, columns predicted ones. The matrices of two parts
of the data add up to that of the whole. Scores are fractions, and 0 where there is nothing to divide by.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from headstart.errors import DataError

Counts = npt.NDArray[np.int64]
Fractions = npt.NDArray[np.float64]


class ClassScore(NamedTuple):
    """How well one label, or one type of entity, is found; `support` counts the gold ones."""

    precision: float
    recall: float
    f1: float
    support: int


def confusion(gold: npt.ArrayLike, predicted: npt.ArrayLike, count: int) -> Counts:
    """How often each label was predicted for each gold label: (count, count), rows gold.

    A gold label that the model does not know can be given a place of its own at the end: it is always wrong.

    Args:
        gold: the places of the gold labels among `count`, one for each example.
        predicted: the same for the predicted labels.
        count: how many labels there are.

    Raises:
        DataError: lengths differ, or a place is none of `0 … count - 1`.

    >>> confusion([0, 0, 1], [0, 1, 1], 2).tolist()
    [[1, 1], [0, 1]]
    """
    rows, columns = _places(gold, count), _places(predicted, count)
    if len(rows) != len(columns):
        raise DataError("one prediction a gold label", f"{len(columns):,} for {len(rows):,}", "pass one of each")
    counts = np.bincount(rows * count + columns, minlength=count * count)
    return counts.reshape(count, count).astype(np.int64, copy=False)


def label_scores(confusion: npt.ArrayLike) -> dict[str, float]:
    """Accuracy, F1 over labels (macro: their mean; micro: all counts together) and Matthews correlation.

    As in scikit-learn, macro F1 is the mean over the labels that occur, as gold or as predicted: a label of the model
    that does neither is not counted. Micro F1 equals accuracy where every example has one label.

    Raises:
        DataError: no square matrix of counts, or no examples.

    >>> label_scores([[1, 1], [0, 2]])  # doctest: +NORMALIZE_WHITESPACE
    {'accuracy': 0.75, 'f1_macro': 0.7333333333333334, 'f1_micro': 0.75,
     'matthews_correlation': 0.5773502691896258}
    """
    counts = _counts(confusion)
    found, predicted, gold = np.diagonal(counts), counts.sum(axis=0), counts.sum(axis=1)
    f1 = class_scores(found, predicted, gold)[:, 2]
    accuracy = float(found.sum() / counts.sum())
    return {
        "accuracy": accuracy,
        "f1_macro": float(f1[predicted + gold > 0].mean()),
        "f1_micro": accuracy,
        "matthews_correlation": _matthews(found, predicted, gold),
    }


def by_label(confusion: npt.ArrayLike, labels: Sequence[str]) -> dict[str, ClassScore]:
    """Precision, recall, F1 and support of each label; all 0 where a label occurs nowhere.

    Raises:
        DataError: no square matrix of counts with one row a label, or no examples.

    >>> by_label([[1, 1], [0, 2]], ["no", "yes"])["no"]
    ClassScore(precision=1.0, recall=0.5, f1=0.6666666666666666, support=2)
    """
    counts = _counts(confusion)
    return named_scores(labels, np.diagonal(counts), counts.sum(axis=0), counts.sum(axis=1))


def named_scores(names: Sequence[str], found: Counts, predicted: Counts, gold: Counts) -> dict[str, ClassScore]:
    """A `ClassScore` for each name from its counts, arrays of one number a name."""
    if len(names) != len(gold):
        raise DataError("a name for each row of counts", f"{len(names)} for {len(gold)}", "pass all names, in order")
    columns = [*class_scores(found, predicted, gold).T.tolist(), gold.tolist()]
    return dict(zip(names, map(ClassScore, *columns), strict=True))


def class_scores(found: Counts, predicted: Counts, gold: Counts) -> Fractions:
    """Precision, recall and F1 of each class, (classes, 3), 0 where there is nothing to divide by.

    Args:
        found: (classes,) how many were predicted and right.
        predicted: (classes,) how many were predicted.
        gold: (classes,) how many there are.

    >>> class_scores(*np.array([[1, 0], [1, 0], [2, 0]])).round(2).tolist()
    [[1.0, 0.5, 0.67], [0.0, 0.0, 0.0]]
    """
    shares = np.stack([found, found, 2 * found], axis=1)
    wholes = np.stack([predicted, gold, predicted + gold], axis=1)
    return shares / np.maximum(wholes, 1)


def _matthews(found: Counts, predicted: Counts, gold: Counts) -> float:
    """Gorodkin's R_K (2004, equation 8): the correlation of gold and predicted labels, for any number of labels.

    With Python's whole numbers: the product of two sums of squares overflows 64 bits from some 50,000 examples on.
    """
    both, columns, rows = found.tolist(), predicted.tolist(), gold.tolist()
    total = sum(rows)
    covariance = sum(both) * total - sum(row * column for row, column in zip(rows, columns, strict=True))
    spread = (total**2 - sum(row**2 for row in rows)) * (total**2 - sum(column**2 for column in columns))
    return max(-1.0, min(1.0, covariance / math.sqrt(spread))) if spread else 0.0


def _places(labels: npt.ArrayLike, count: int) -> Counts:
    places = np.asarray(labels)
    expected = f"a row of places of labels, whole numbers from 0 to {count - 1}"
    remedy = "number the labels in the order the model has them"
    if places.ndim != 1 or not (places.size == 0 or np.issubdtype(places.dtype, np.integer)):
        raise DataError(expected, f"an array of {places.dtype} and shape {places.shape}", remedy)
    outside = np.flatnonzero((places < 0) | (places >= count))
    if outside.size:
        found = f"{outside.size:,} others, the first is {places[outside[0]]} at {outside[0]:,}"
        raise DataError(expected, found, remedy)
    return places.astype(np.int64, copy=False)


def _counts(confusion: npt.ArrayLike) -> Counts:
    counts = np.asarray(confusion)
    expected, remedy = "a square matrix of counts with one example at least", "make it with confusion()"
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or not np.issubdtype(counts.dtype, np.integer):
        raise DataError(expected, f"an array of {counts.dtype} and shape {counts.shape}", remedy)
    if counts.size == 0 or counts.min() < 0 or counts.sum() == 0:
        found = "no examples" if counts.size == 0 or not counts.any() else f"the count {counts.min()}"
        raise DataError(expected, found, remedy)
    return counts.astype(np.int64, copy=False)
