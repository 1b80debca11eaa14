"""Accuracy, F1 and Matthews: scikit-learn's figures, a plain version, and scikit-learn itself where it is installed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.errors import DataError
from headstart.metrics.labels import ClassScore, by_label, class_scores, confusion, label_scores, named_scores

NAMES = ["accuracy", "f1_macro", "f1_micro", "matthews_correlation"]
GOLD_OF_FIVE = "3442444023113420341214024203444134242023"
PREDICTED_OF_FIVE = "2442414044410220041214301212444032041020"

# Made with scikit-learn 1.9.1: accuracy_score, f1_score(average="macro", then "micro", zero_division=0) and
# matthews_corrcoef.
AS_SCIKIT_LEARN = [
    ("one class only", "00000", "00000", 2, (1.0, 1.0, 1.0, 0.0)),
    ("one class only, all wrong", "00000", "11111", 2, (0.0, 0.0, 0.0, 0.0)),
    ("one gold class, both predicted", "1111", "1101", 2, (0.75, 0.42857142857142855, 0.75, 0.0)),
    ("constant predictions", "010110", "111111", 2, (0.5, 0.3333333333333333, 0.5, 0.0)),
    ("constant gold", "000000", "010110", 2, (0.5, 0.3333333333333333, 0.5, 0.0)),
    ("all right", "0120", "0120", 3, (1.0, 1.0, 1.0, 1.0)),
    ("all wrong, two classes", "0011", "1100", 2, (0.0, 0.0, 0.0, -1.0)),
    (
        "a class never predicted",
        *("001122", "001111", 3),
        (0.6666666666666666, 0.5555555555555555, 0.6666666666666666, 0.6123724356957946),
    ),
    (
        "a class only predicted",
        *("001100", "001122", 3),
        (0.6666666666666666, 0.5555555555555555, 0.6666666666666666, 0.6123724356957946),
    ),
    ("classes that do not occur", "1331", "1311", 6, (0.75, 0.7333333333333334, 0.75, 0.5773502691896258)),
    ("one example, right", "1", "1", 3, (1.0, 1.0, 1.0, 0.0)),
    ("one example, wrong", "1", "2", 3, (0.0, 0.0, 0.0, 0.0)),
    (
        "skewed",
        *("00000000000000000111", "00000000000000001001", 2),
        (0.85, 0.6571428571428571, 0.85, 0.32673201960653564),
    ),
    (
        "five classes at random",
        *(GOLD_OF_FIVE, PREDICTED_OF_FIVE, 5),
        (0.55, 0.4894179894179894, 0.55, 0.4286908287663578),
    ),
]

# precision_recall_fscore_support(zero_division=0) of the same version, one row a label.
LABELS_AS_SCIKIT_LEARN = [
    (
        *("001122", "001111", 3),
        [(1.0, 1.0, 1.0, 2), (0.5, 1.0, 0.6666666666666666, 2), (0.0, 0.0, 0.0, 2)],
    ),
    (
        *(GOLD_OF_FIVE, PREDICTED_OF_FIVE, 5),
        [
            (0.3333333333333333, 0.6, 0.42857142857142855, 5),
            (0.42857142857142855, 0.6, 0.5, 5),
            (0.5555555555555556, 0.5555555555555556, 0.5555555555555556, 9),
            (0.5, 0.14285714285714285, 0.2222222222222222, 7),
            (0.7692307692307693, 0.7142857142857143, 0.7407407407407407, 14),
        ],
    ),
]


def numbers(digits):
    return [int(digit) for digit in digits]


def exactly(expected):
    return pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(
    ("gold", "predicted", "count", "expected"),
    [row[1:] for row in AS_SCIKIT_LEARN],
    ids=[r[0] for r in AS_SCIKIT_LEARN],
)
def test_scores_are_scikit_learns(gold, predicted, count, expected):
    scores = label_scores(confusion(numbers(gold), numbers(predicted), count))
    assert list(scores) == NAMES
    assert tuple(scores.values()) == exactly(expected)
    assert all(type(score) is float for score in scores.values())


@pytest.mark.parametrize(("gold", "predicted", "count", "expected"), LABELS_AS_SCIKIT_LEARN)
def test_scores_of_each_label_are_scikit_learns(gold, predicted, count, expected):
    labels = [f"label {number}" for number in range(count)]
    scores = by_label(confusion(numbers(gold), numbers(predicted), count), labels)
    assert list(scores) == labels
    for score, row in zip(scores.values(), expected, strict=True):
        assert tuple(score) == exactly(row)
        assert type(score.support) is int


def test_a_matrix_by_hand():
    """Rows are gold: of three 0 one is taken for 1; the only 2 is taken for 0."""
    counts = confusion([0, 0, 0, 1, 2], [0, 1, 0, 1, 0], 4)
    assert counts.tolist() == [[2, 1, 0, 0], [0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    assert by_label(counts, ["a", "b", "c", "d"]) == {
        "a": ClassScore(2 / 3, 2 / 3, 2 / 3, 3),
        "b": ClassScore(1 / 2, 1.0, 2 / 3, 1),
        "c": ClassScore(0.0, 0.0, 0.0, 1),
        "d": ClassScore(0.0, 0.0, 0.0, 0),
    }
    assert label_scores(counts)["f1_macro"] == exactly((2 / 3 + 2 / 3 + 0) / 3)  # "d" does not occur


def test_no_examples_make_an_empty_matrix_but_no_scores():
    counts = confusion([], [], 2)
    assert counts.tolist() == [[0, 0], [0, 0]]
    with pytest.raises(DataError, match="no examples"):
        label_scores(counts)


def test_matthews_of_many_examples_does_not_overflow():
    """A million times the matrix has the same scores; 64 bits would not hold the product of its sums."""
    small = np.array([[7, 2], [1, 5]])
    assert label_scores(small * 1_000_000) == exactly(label_scores(small))
    right = np.diag([136_650_907_650, 737_359_341_826, 711_592_393_350])
    assert label_scores(right)["matthews_correlation"] == 1.0  # rounding alone would give 1.0000000000000002


pairs_of_five = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=30)


def scores_plainly(gold, predicted):
    """Every score from its definition; Matthews as a correlation of indicator columns."""
    pairs, labels = list(zip(gold, predicted, strict=True)), sorted({*gold, *predicted})
    accuracy = sum(left == right for left, right in pairs) / len(pairs)
    f1 = [2 * pairs.count((label, label)) / (gold.count(label) + predicted.count(label)) for label in labels]
    rows, columns = (np.array([[value == label for label in labels] for value in row]) for row in (gold, predicted))
    rows, columns = rows - rows.mean(axis=0), columns - columns.mean(axis=0)
    spread = (rows**2).sum() * (columns**2).sum()
    matthews = (rows * columns).sum() / spread**0.5 if len(set(gold)) > 1 and len(set(predicted)) > 1 else 0.0
    return dict(zip(NAMES, (accuracy, sum(f1) / len(f1), accuracy, matthews), strict=True))


@given(pairs_of_five, st.integers(5, 7))
def test_scores_are_those_of_a_plain_version(pairs, count):
    gold, predicted = map(list, zip(*pairs, strict=True))
    assert label_scores(confusion(gold, predicted, count)) == exactly(scores_plainly(gold, predicted))


@given(pairs_of_five, pairs_of_five)
def test_matrices_add_up(first, second):
    parts = [confusion(*map(list, zip(*part, strict=True)), 5) for part in (first, second)]
    whole = confusion(*map(list, zip(*first, *second, strict=True)), 5)
    assert (parts[0] + parts[1]).tolist() == whole.tolist()
    assert whole.sum() == len(first) + len(second)


@given(pairs_of_five, st.permutations(range(5)))
def test_the_order_of_labels_changes_nothing(pairs, order):
    counts = confusion(*map(list, zip(*pairs, strict=True)), 5)
    assert label_scores(counts[np.ix_(order, order)]) == exactly(label_scores(counts))


@given(st.lists(st.integers(0, 4), min_size=1, max_size=12))
def test_all_right_is_one(gold):
    scores = label_scores(confusion(gold, gold, 5))
    assert list(scores.values()) == [1.0, 1.0, 1.0, float(len(set(gold)) > 1)]


@pytest.mark.parametrize(
    ("gold", "predicted", "found"),
    [
        ([0, 2], [0, 1], "1 others, the first is 2 at 1"),
        ([0, 1], [-100, 1], "1 others, the first is -100 at 0"),
        ([0, 1], [0], "1 for 2"),
        ([0.0, 1.0], [0, 1], "float64"),
        ([[0, 1]], [[0, 1]], "shape \\(1, 2\\)"),
    ],
)
def test_labels_that_are_none_are_named(gold, predicted, found):
    with pytest.raises(DataError, match=found):
        confusion(gold, predicted, 2)


@pytest.mark.parametrize(
    ("counts", "found"),
    [
        (np.zeros((2, 3), int), "shape \\(2, 3\\)"),
        ([1, 2], "shape \\(2,\\)"),
        (np.zeros((0, 0), int), "no examples"),
        ([[0.5, 0.5], [0, 1]], "float64"),
        ([[1, -2], [0, 1]], "the count -2"),
    ],
)
def test_what_is_no_confusion_matrix_is_refused(counts, found):
    with pytest.raises(DataError, match=found):
        label_scores(counts)


def test_names_must_be_as_many_as_rows():
    with pytest.raises(DataError, match="1 for 2"):
        by_label([[1, 0], [0, 1]], ["only"])
    with pytest.raises(DataError, match="3 for 2"):
        named_scores(["a", "b", "c"], *np.ones((3, 2), int))


def test_class_scores_of_no_classes():
    assert class_scores(*np.zeros((3, 0), int)).shape == (0, 3)


@pytest.fixture(scope="module")
def sklearn_metrics():
    return pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed")


@pytest.mark.filterwarnings("ignore")
@given(pairs=pairs_of_five)
def test_scores_are_those_of_the_scikit_learn_at_hand(sklearn_metrics, pairs):
    gold, predicted = map(list, zip(*pairs, strict=True))
    counts = confusion(gold, predicted, 5)
    assert counts.tolist() == sklearn_metrics.confusion_matrix(gold, predicted, labels=range(5)).tolist()
    expected = (
        sklearn_metrics.accuracy_score(gold, predicted),
        sklearn_metrics.f1_score(gold, predicted, average="macro", zero_division=0),
        sklearn_metrics.f1_score(gold, predicted, average="micro", zero_division=0),
        sklearn_metrics.matthews_corrcoef(gold, predicted),
    )
    assert tuple(label_scores(counts).values()) == exactly(expected)
    columns = sklearn_metrics.precision_recall_fscore_support(gold, predicted, labels=range(5), zero_division=0)
    assert np.array(list(by_label(counts, "abcde").values())) == exactly(np.array(columns).T)
