"""Pearson, Spearman and MSE: scipy's figures, a version in exact fractions, and scipy itself where it is installed."""

from __future__ import annotations

import json
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from headstart.errors import DataError
from headstart.metrics.numbers import mse, number_scores, pearson, spearman

# Made with scipy 1.17.1 (pearsonr, spearmanr) and scikit-learn 1.9.1 (mean_squared_error).
AS_SCIPY = [
    (
        "twelve at random",
        [-1.0, 1.21, -0.78, -1.26, 2.06, -0.14, -1.18, 1.85, -0.33, 1.06, -0.83, -0.25],
        [-2.69, -0.7, -1.76, -1.34, 2.86, 2.29, -2.21, 2.86, -0.93, 0.91, -2.31, -1.73],
        (0.8133301404654242, 0.8301238649809404, 1.7383499999999998),
    ),
    (
        "ties",
        [0, 1, 1, 2, 2, 2, 3, 5],
        [0.5, 0.5, 1.5, 1.5, 1, 2.5, 2.5, 2.5],
        (0.7660459172304159, 0.8153031626319919, 1.09375),
    ),
    ("ties in opposite order", [5, 4, 4, 0], [0, 2, 2, 2], (-0.5261522196019801, -0.8164965809277261, 9.25)),
    ("all right", [1, 2.5, 4], [1, 2.5, 4], (0.9999999999999998, 1.0, 0.0)),
    ("all reversed", [1, 2, 4], [-1, -2, -4], (-0.9999999999999998, -1.0, 28.0)),
    ("two examples", [1, 2], [7, 3], (-1.0, -0.9999999999999999, 18.5)),
    ("an outlier", [1, 2, 3, 4, 5], [1, 2, 3, 4, -1000], (-0.705341229421806, 0.0, 202005.0)),
    (
        "order without a line",
        [1, 2, 3, 4, 5],
        [1, 10, 100, 1000, 10000],
        (0.7597208512063609, 0.9999999999999999, 20180302.8),
    ),
    (
        "far from 0",
        [1e9, 1e9 + 1, 1e9 + 2, 1e9 + 4],
        [1e9 + 1, 1e9 + 1.5, 1e9 + 1, 1e9 + 3],
        (0.8506397826736706, 0.632455532033676, 0.8125),
    ),
    ("tiny", [1e-200, 2e-200, 4e-200, 3e-200], [1, 3, 2, 4], (0.4, 0.39999999999999997, 7.5)),
    (
        "similarity from 0 to 5",
        [0, 0.5, 2.5, 2.5, 3.8, 5],
        [0.31, 0.28, 2.75, 1.9, 4.4, 4.4],
        (0.9641920106440292, 0.9117647058823529, 0.21450000000000005),
    ),
]


def exactly(expected):
    return pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(("gold", "predicted", "expected"), [row[1:] for row in AS_SCIPY], ids=[r[0] for r in AS_SCIPY])
def test_scores_are_scipys(gold, predicted, expected):
    scores = number_scores(gold, predicted)
    assert list(scores) == ["pearson", "spearman", "mse"]
    assert tuple(scores.values()) == exactly(expected)
    assert all(type(score) is float for score in scores.values())
    assert (pearson(gold, predicted), spearman(gold, predicted), mse(gold, predicted)) == tuple(scores.values())


@pytest.mark.parametrize(
    ("gold", "predicted", "error"),
    [
        ([1, 2, 3], [2, 2, 2], 2 / 3),
        ([2, 2, 2], [1, 2, 3], 2 / 3),
        ([2, 2], [2, 2], 0),
        ([0.1] * 10, [0.1 * place for place in range(10)], 0.205),  # the mean of ten 0.1 is not 0.1
        ([3], [5], 4),
        ([0.0, -0.0, 0.0], [1, 2, 3], 14 / 3),
    ],
)
def test_no_correlation_is_zero_where_scipy_has_none(gold, predicted, error):
    scores = number_scores(gold, predicted)
    assert scores == exactly({"pearson": 0.0, "spearman": 0.0, "mse": error})
    assert scores["pearson"] == scores["spearman"] == 0.0
    json.dumps(scores, allow_nan=False)


def test_neighbouring_floats_are_told_apart():
    """Three numbers that differ in their last digit only: the line through them is still exact."""
    low = 1e8
    middle = math.nextafter(low, math.inf)
    high = math.nextafter(middle, math.inf)
    assert pearson([low, middle, high], [1, 2, 3]) == exactly(1.0)
    assert pearson([low, middle, high, middle], [1, 2, 3, 5]) == exactly(
        float(np.corrcoef([0, 1, 2, 1], [1, 2, 3, 5])[0, 1])
    )


def test_no_correlation_is_above_one():
    """Rounding alone would give 1.0000000000000002."""
    assert pearson([1, 1, 6], [3, 3, 18]) == 1.0
    assert pearson([1, 1, 6], [-3, -3, -18]) == -1.0


def test_float32_predictions_are_added_up_in_double():
    values = np.arange(100_000, dtype=np.float32) / 1000 + 4096
    assert pearson(values, values) == exactly(1.0)
    assert mse(values, values + np.float32(0.5)) == 0.25


finite = st.floats(-1e6, 1e6) | st.integers(-3, 3).map(float) | st.floats(-1e-12, 1e-12)
pairs_of_numbers = st.lists(st.tuples(finite, finite), min_size=1, max_size=15)


def correlation_plainly(gold, predicted):
    """Pearson in fractions, exact but for the last root."""
    x, y = (
        [Fraction(value) - Fraction(sum(map(Fraction, row)), len(row)) for value in row] for row in (gold, predicted)
    )
    covariance = sum(left * right for left, right in zip(x, y, strict=True))
    spread = sum(value**2 for value in x) * sum(value**2 for value in y)
    return math.copysign(math.sqrt(covariance**2 / spread), covariance) if spread else 0.0


def ranks_plainly(values):
    """How many are below, and half of the equal ones."""
    return [sum(other < value for other in values) + (values.count(value) + 1) / 2 for value in values]


@given(pairs_of_numbers)
def test_scores_are_those_of_exact_fractions(pairs):
    gold, predicted = map(list, zip(*pairs, strict=True))
    error = sum((Fraction(left) - Fraction(right)) ** 2 for left, right in pairs) / len(pairs)
    expected = {
        "pearson": correlation_plainly(gold, predicted),
        "spearman": correlation_plainly(ranks_plainly(gold), ranks_plainly(predicted)),
        "mse": float(error),
    }
    assert number_scores(gold, predicted) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(pairs_of_numbers)
def test_correlations_know_no_side_no_order_and_stay_within_one(pairs):
    gold, predicted = map(list, zip(*pairs, strict=True))
    scores = number_scores(gold, predicted)
    assert number_scores(predicted, gold) == exactly(scores)
    assert number_scores(gold[::-1], predicted[::-1]) == pytest.approx(scores, rel=1e-9, abs=1e-9)
    assert -1 <= scores["pearson"] <= 1
    assert -1 <= scores["spearman"] <= 1


@given(st.lists(st.tuples(st.integers(-99, 99), st.integers(-99, 99)), min_size=2, max_size=15), st.integers(-500, 480))
def test_the_unit_of_the_numbers_changes_no_correlation(pairs, exponent):
    gold, predicted = map(list, zip(*pairs, strict=True))
    other = [math.ldexp(value + 1000, exponent) for value in predicted]
    assert pearson(gold, other) == exactly(pearson(gold, predicted))
    assert spearman(gold, other) == exactly(spearman(gold, predicted))


@pytest.mark.parametrize(
    ("gold", "predicted", "message"),
    [
        ([], [], "shapes \\(0,\\) and \\(0,\\)"),
        ([1, 2], [1], "shapes \\(2,\\) and \\(1,\\)"),
        ([1, 2], [[1], [2]], "shapes \\(2,\\) and \\(2, 1\\)"),
        ([[1, 2]], [[1, 2]], "shapes \\(1, 2\\)"),
        ([1, float("nan"), 3], [1, 2, 3], "finite gold numbers.*nan at 1, the first of 1 in 3"),
        ([1, 2, 3], [1, float("-inf"), float("nan")], "finite predicted numbers.*-inf at 1, the first of 2 in 3"),
        ([1, 2], [1, 1e200], "1e\\+200 at 1"),  # its square is beyond all floats
    ],
)
def test_what_has_no_scores_is_refused(gold, predicted, message):
    with pytest.raises(DataError, match=message):
        number_scores(gold, predicted)


@pytest.fixture(scope="module")
def scipy_stats():
    return pytest.importorskip("scipy.stats", reason="scipy is not installed")


@pytest.mark.filterwarnings("ignore")
@given(pairs=st.lists(st.tuples(st.integers(-9, 9), st.floats(-9, 9)), min_size=2, max_size=20))
def test_correlations_are_those_of_the_scipy_at_hand(scipy_stats, pairs):
    gold, predicted = map(list, zip(*pairs, strict=True))
    assume(len(set(gold)) > 1 and max(predicted) - min(predicted) > 1e-9)  # nearly constant, scipy says itself, is off
    assert pearson(gold, predicted) == pytest.approx(scipy_stats.pearsonr(gold, predicted)[0], rel=1e-6, abs=1e-6)
    assert spearman(gold, predicted) == exactly(scipy_stats.spearmanr(gold, predicted)[0])
