"""Exact match, F1 and thresholds: by hand, against a slow plain version, and against the official scripts' figures."""

from __future__ import annotations

import random
import string
import sys
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import groupby

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.errors import DataError, SettingsError
from headstart.metrics import best_threshold, exact_match, normalize_answer, score_squad, token_f1
from headstart.metrics.squad import Rules

# --- by hand ----------------------------------------------------------------------------------------------------

NORMALIZED = [
    ("The  Old\tMill\r\n", "old mill"),
    ("a", ""),
    ("A.", ""),
    ("", ""),
    (" \n", ""),
    ("...?!", ""),
    ("Theatre, Anthem and banana", "theatre anthem and banana"),  # articles inside words stay
    ("vitamin A", "vitamin"),  # and a letter that looks like one goes
    ("state-of-the-art", "stateoftheart"),  # punctuation goes first, so nothing is left to split at
    ("state—of—the—art", "state—of— —art"),  # a dash beyond ASCII stays, and the word between dashes goes
    ("_the_", ""),
    ("the_", ""),
    ("“The Ark”", "“ ark”"),
    ("wait…", "wait…"),
    ("it's", "its"),
    ("it’s", "it’s"),
    ("$1,000.50", "100050"),
    ("Café", "café"),
    ("thé", "thé"),
    ("the\u0301", "\u0301"),  # a combining accent is no letter: the article before it goes
    ("the\u200bend", "\u200bend"),
    ("10\u00a0km\u3000east", "10 km east"),  # no-break and ideographic spaces are white space
    ("ＡＮ（Ｘ）", "ａｎ（ｘ）"),  # full-width letters are lower-cased, full-width brackets and articles stay
    ("İ", "i\u0307"),
    ("Straße", "straße"),
    ("an a the", ""),
    ("the-the a", "thethe"),
    ("北京，上海。", "北京，上海。"),
]

# prediction, gold, exact, F1 by rules 1.1, F1 by rules 2.0
PAIRS = [
    ("the Eiffel Tower", "Eiffel tower.", 1, 1, 1),
    ("the old mill by the river", "old mill", 0, 2 / 3, 2 / 3),  # 2 of 4 words right, both found
    ("ha ha ha", "ha ha", 0, 4 / 5, 4 / 5),  # 2 of 3 right: a repeated word counts as often as both have it
    ("ha", "ha ha ha", 0, 1 / 2, 1 / 2),
    ("red blue", "blue red", 0, 1, 1),  # F1 knows no order
    ("1,000", "1000", 1, 1, 1),
    ("1.5", "15", 1, 1, 1),  # the official rule, whatever one thinks of it
    ("-5", "5", 1, 1, 1),
    ("café", "cafe", 0, 0, 0),
    ("“Yes”", "Yes", 0, 0, 0),
    ("“ Yes ”", "Yes", 0, 1 / 2, 1 / 2),  # quotes standing apart are words
    ("10\u00a0km", "10 km", 1, 1, 1),
    ("Ａ", "A", 0, 0, 0),
    ("", "", 1, 0, 1),
    ("", "the", 1, 0, 1),
    ("!", "a", 1, 0, 1),
    ("", "cat", 0, 0, 0),
    ("the", "cat", 0, 0, 0),
    ("cat", "a", 0, 0, 0),
]


@pytest.mark.parametrize(("text", "expected"), NORMALIZED)
def test_normalize_answer_by_hand(text: str, expected: str) -> None:
    assert normalize_answer(text) == expected


@pytest.mark.parametrize(("prediction", "gold", "exact", "f1_of_1_1", "f1_of_2_0"), PAIRS)
def test_pairs_by_hand(prediction: str, gold: str, exact: float, f1_of_1_1: float, f1_of_2_0: float) -> None:
    assert exact_match(prediction, gold) == exact
    assert token_f1(prediction, gold, rules="1.1") == pytest.approx(f1_of_1_1)
    assert token_f1(prediction, gold, rules="2.0") == pytest.approx(f1_of_2_0)


REFERENCES: Mapping[str, Sequence[str]] = {"q1": ["the Nile", "River Nile"], "q2": ["1,000 km"], "q3": [], "q4": []}
PREDICTIONS = {"q1": "river Nile.", "q2": "about 1000 km", "q3": "", "q4": "delta"}
ODDS = {"q1": 0.1, "q2": 2.0, "q3": 3.0, "q4": 2.5}


def test_every_annotators_answer_counts_and_the_groups_are_told_apart() -> None:
    result = score_squad(REFERENCES, PREDICTIONS)
    assert result.per_question["q1"] == result.per_question["q3"] == (1, 1)
    assert result.per_question["q2"] == pytest.approx((0, 0.8))
    assert result.per_question["q4"] == (0, 0)
    assert result.scores == pytest.approx(
        {
            "exact": 50, "f1": 70, "total": 4,
            "HasAns_exact": 50, "HasAns_f1": 90, "HasAns_total": 2,
            "NoAns_exact": 50, "NoAns_f1": 50, "NoAns_total": 2,
        }
    )  # fmt: skip
    assert (result.rules, result.missing, result.extra) == ("2.0", (), ())


def test_the_best_of_several_golds_is_taken_for_exact_and_f1_apart() -> None:
    """No gold is matched exactly, and the last one shares most."""
    result = score_squad({"q": ["x", "b y", "b c d"]}, {"q": "b c"})
    assert result.per_question["q"] == pytest.approx((0, 4 / 5))


def test_a_question_above_the_threshold_counts_as_unanswered() -> None:
    result = score_squad(REFERENCES, PREDICTIONS, no_answer_odds=ODDS, threshold=1.0)
    assert result.per_question == {"q1": (1, 1), "q2": (0, 0), "q3": (1, 1), "q4": (1, 1)}
    at_the_threshold = score_squad(REFERENCES, PREDICTIONS, no_answer_odds=ODDS, threshold=2.0)
    assert at_the_threshold.per_question["q2"] == pytest.approx((0, 0.8))


def test_the_sweep_by_hand() -> None:
    """Start: both unanswerable questions right. q1 adds 1 to either; q2 adds 0.8 to F1; q4's answer costs 1."""
    scores = score_squad(REFERENCES, PREDICTIONS, no_answer_odds=ODDS).scores
    assert (scores["best_exact"], scores["best_exact_thresh"]) == (75, 0.1)
    assert (scores["best_f1"], scores["best_f1_thresh"]) == pytest.approx((95, 2.0))


@pytest.mark.parametrize(("order", "best", "threshold"), [("ab", 100, 7.0), ("ba", 50, 0.0)])
def test_the_sweep_keeps_the_official_habits(order: str, best: float, threshold: float) -> None:
    """It cuts inside a tie, so the order of the odds decides; where nothing gains it says 0.0, far from all odds."""
    odds = dict.fromkeys(order, 7.0)
    scores = score_squad({"a": ["x"], "b": []}, {"a": "x", "b": "y"}, no_answer_odds=odds, threshold=9.0).scores
    assert (scores["best_exact"], scores["best_exact_thresh"]) == (best, threshold)


def test_a_missing_prediction_is_named_and_wrong_also_where_no_answer_would_be_right() -> None:
    odds = {"q1": 0.5, "q2": 9.0}
    result = score_squad({"q1": ["x"], "q2": []}, {"q1": "x", "other": "y"}, no_answer_odds=odds)
    assert (result.missing, result.extra) == (("q2",), ("other",))
    assert result.scores["exact"] == 50
    assert result.scores["NoAns_exact"] == 0
    assert (result.scores["best_exact"], result.scores["best_exact_thresh"]) == (50, 0.5)


def test_a_gold_of_articles_only_is_no_gold_in_2_0_but_the_question_stays_answerable() -> None:
    by_2_0 = score_squad({"q": ["the"]}, {"q": ""}).scores
    assert (by_2_0["exact"], by_2_0["f1"], by_2_0["HasAns_total"]) == (100, 100, 1)
    by_1_1 = score_squad({"q": ["the"]}, {"q": ""}, rules="1.1").scores
    assert by_1_1 == {"exact_match": 100, "f1": 0, "exact": 100, "total": 1}
    assert score_squad({"q": ["the", "end"]}, {"q": ""}).scores["exact"] == 0


def test_rules_1_1_count_missing_predictions_as_wrong() -> None:
    result = score_squad({"q1": ["x"], "q2": ["y"]}, {"q1": "x"}, rules="1.1")
    assert result.scores == {"exact_match": 50, "f1": 50, "exact": 50, "total": 2}
    assert result.missing == ("q2",)


def test_groups_without_questions_are_not_named() -> None:
    assert not [name for name in score_squad({"q": ["x"]}, {"q": "x"}).scores if name.startswith("NoAns")]
    assert not [name for name in score_squad({"q": []}, {"q": "x"}).scores if name.startswith("HasAns")]


def test_normalization_can_be_replaced() -> None:
    def by_character(text: str) -> str:
        return " ".join(text)

    assert score_squad({"q": ["北京市"]}, {"q": "北京"}).scores["f1"] == 0
    assert score_squad({"q": ["北京市"]}, {"q": "北京"}, normalize=by_character).scores["f1"] == pytest.approx(80)
    assert token_f1("北京", "北京市", normalize=by_character) == pytest.approx(0.8)
    assert exact_match("The", "the", normalize=by_character) == 0


def test_what_cannot_be_scored_is_refused() -> None:
    with pytest.raises(DataError, match="at least one question"):
        score_squad({}, {})
    with pytest.raises(DataError, match="1 without one, such as 'q2'"):
        score_squad({"q1": ["x"], "q2": []}, {}, rules="1.1")
    with pytest.raises(DataError, match="1 predictions without, such as 'q1'"):
        score_squad({"q1": ["x"], "q2": []}, {"q1": "x", "other": ""}, no_answer_odds={"q2": 1.0})
    with pytest.raises(SettingsError, match=r"odds with rules 1.1"):
        score_squad({"q1": ["x"]}, {"q1": "x"}, rules="1.1", no_answer_odds={"q1": 1.0})
    with pytest.raises(SettingsError, match=r"'3.0'"):
        score_squad({"q1": ["x"]}, {"q1": "x"}, rules="3.0")  # type: ignore[arg-type]


# --- against a slow, plain version ------------------------------------------------------------------------------


def plain_words(text: str) -> list[str]:
    kept = "".join(character for character in text.lower() if character not in string.punctuation)
    runs = ["".join(run) for _, run in groupby(kept, key=str.isalnum)]
    return "".join(" " if run in ("a", "an", "the") else run for run in runs).split()


def plain_f1(prediction: str, gold: str, rules: Rules) -> Fraction:
    left, right = plain_words(prediction), plain_words(gold)
    size, shared = len(left) + len(right), 0
    if size == 0:
        return Fraction(rules == "2.0")
    for word in left:
        if word in right:
            right.remove(word)
            shared += 1
    return Fraction(2 * shared, size)  # the harmonic mean of shared/left and shared/right


def plain_exact(prediction: str, gold: str) -> Fraction:
    return Fraction(plain_words(prediction) == plain_words(gold))


def plain_best(golds: Sequence[str], prediction: str, rules: Rules) -> tuple[Fraction, Fraction]:
    texts = list(golds) if rules == "1.1" else [gold for gold in golds if plain_words(gold)] or [""]
    return max(plain_exact(prediction, text) for text in texts), max(plain_f1(prediction, g, rules) for g in texts)


def plain_sweep(
    references: Mapping[str, Sequence[str]], predictions: Mapping[str, str], odds: Mapping[str, float], column: int
) -> list[tuple[float, float]]:
    """(score in percent, threshold) of answering only the 0, 1, 2 … questions with the lowest odds."""
    ranked = sorted(odds, key=lambda key: odds[key])
    cuts = []
    for answered in range(len(ranked) + 1):
        value = Fraction(0)
        for place, key in enumerate(ranked):
            if references[key] and place < answered:
                value += plain_best(references[key], predictions[key], "2.0")[column]
            if not references[key]:
                value += place >= answered or predictions[key] == ""
        cuts.append((float(100 * value / len(references)), odds[ranked[answered - 1]] if answered else 0.0))
    return cuts


words = st.sampled_from(
    [
        "a",
        "an",
        "the",
        "The",
        "A.",
        "cat",
        "cat",
        "dog",
        "1,000",
        "1000",
        "“the",
        "—",
        "it's",
        "é",
        "Ａ",
        "a—a",
        "…",
        "ß",
    ]
)
texts = st.one_of(
    st.lists(words, max_size=5).map(" ".join),
    st.lists(words, max_size=5).map("\u00a0".join),
    st.text(alphabet="aAnthe .,-_“—é\u0301\t\n\u00a0\u200b1İ中", max_size=8),
    st.text(max_size=6),
)
questions = st.lists(
    st.tuples(st.lists(texts, max_size=3), texts, st.sampled_from([-2.0, -0.5, 0.0, 0.5, 1.0, 3.0])),
    min_size=1,
    max_size=8,
)  # gold texts, prediction, no-answer odds


@given(texts)
def test_normalize_answer_equals_the_plain_version(text: str) -> None:
    assert normalize_answer(text).split() == plain_words(text)
    assert normalize_answer(text) == " ".join(plain_words(text))


@given(questions, st.sampled_from([-1.0, 0.0, 1.0, 5.0]))
def test_rules_2_0_equal_the_plain_version(rows: list[tuple[list[str], str, float]], threshold: float) -> None:
    references = {str(i): golds for i, (golds, _, _) in enumerate(rows)}
    predictions = {str(i): text for i, (_, text, _) in enumerate(rows)}
    odds = {str(i): value for i, (_, _, value) in enumerate(rows)}
    scores = score_squad(references, predictions, no_answer_odds=odds, threshold=threshold).scores
    raw = {key: plain_best(references[key], predictions[key], "2.0") for key in references}
    final = {key: (Fraction(not references[key]),) * 2 if odds[key] > threshold else raw[key] for key in references}
    groups = {
        "": list(final),
        "HasAns_": [key for key in final if references[key]],
        "NoAns_": [key for key in final if not references[key]],
    }
    expected: dict[str, float] = {}
    for prefix, keys in groups.items():
        for column, name in enumerate(("exact", "f1")) if keys else ():
            expected[prefix + name] = float(100 * sum(final[key][column] for key in keys) / len(keys))
        expected |= {prefix + "total": len(keys)} if keys else {}
    for column, name in enumerate(("exact", "f1")):
        cuts = plain_sweep(references, predictions, odds, column)
        expected[f"best_{name}"] = max(cuts)[0]
        # Which of equally good cuts the official sums take hangs on their last digits.
        assert scores.pop(f"best_{name}_thresh") in [at for score, at in cuts if score > max(cuts)[0] - 1e-9]
    assert scores == pytest.approx(expected, rel=1e-12)


@given(questions)
def test_rules_1_1_equal_the_plain_version(rows: list[tuple[list[str], str, float]]) -> None:
    references = {str(i): golds or ["x"] for i, (golds, _, _) in enumerate(rows)}
    predictions = {str(i): text for i, (_, text, _) in enumerate(rows)}
    scores = score_squad(references, predictions, rules="1.1").scores
    exact, f1 = zip(*(plain_best(references[key], predictions[key], "1.1") for key in references), strict=True)
    assert scores["exact_match"] == scores["exact"] == float(100 * sum(exact) / len(rows))
    assert scores["f1"] == pytest.approx(float(100 * sum(f1) / len(rows)), rel=1e-12)
    assert scores["total"] == len(rows)


# --- against the official scripts -------------------------------------------------------------------------------


def parity_data(*, answerable_only: bool = False) -> tuple[dict[str, list[str]], dict[str, str], dict[str, float]]:
    """200 made-up questions with gold texts, predictions (right, cut, stretched, wrong, empty) and odds with ties."""
    dice = random.Random(2)
    phrase = "The a an copper bell of Ystad 1,250 rang—twice it's “old” café at dawn U.S. … the naïve"
    vocabulary = phrase.split()
    references: dict[str, list[str]] = {}
    predictions: dict[str, str] = {}
    odds: dict[str, float] = {}
    for number in range(200):
        golds = [" ".join(dice.choices(vocabulary, k=dice.randint(1, 6))) for _ in range(dice.randint(1, 3))]
        impossible = dice.random() < 0.4 and not answerable_only
        guess = dice.choice(golds).split()[dice.randint(0, 1) :] + dice.choices(vocabulary, k=dice.choice([0, 0, 1, 3]))
        references[f"q{number}"] = [] if impossible else golds
        predictions[f"q{number}"] = "" if dice.random() < 0.3 + 0.3 * impossible else " ".join(guess)
        odds[f"q{number}"] = round(8 * dice.random() - 4 + 3 * impossible, 1)
    return references, predictions, odds


# What evaluate-v2.0.py prints for parity_data(), without and with `--na-prob-file … --na-prob-thresh 0.5`, and
# evaluate-v1.1.py for parity_data(answerable_only=True), on Python 3.10 and 3.11.
OFFICIAL_2_0 = {
    "exact": 47.5, "f1": 64.08686591186591, "total": 200,
    "HasAns_exact": 28.82882882882883, "HasAns_f1": 58.71507371507368, "HasAns_total": 111,
    "NoAns_exact": 70.78651685393258, "NoAns_f1": 70.78651685393258, "NoAns_total": 89,
}  # fmt: skip
OFFICIAL_2_0_WITH_ODDS = {
    "exact": 53.0, "f1": 61.354631479631486, "total": 200,
    "HasAns_exact": 19.81981981981982, "HasAns_f1": 34.873209873209866, "HasAns_total": 111,
    "NoAns_exact": 94.38202247191012, "NoAns_f1": 94.38202247191012, "NoAns_total": 89,
    "best_exact": 53.0, "best_exact_thresh": 0.6, "best_f1": 68.33686591186593, "best_f1_thresh": 3.4,
}  # fmt: skip
OFFICIAL_1_1 = {"exact_match": 28.5, "f1": 50.34244089244087}

if sys.version_info >= (3, 12):  # whose sum() compensates floats but not integers, in the official script as well
    OFFICIAL_2_0 |= {"f1": 64.0868659118659, "HasAns_f1": 58.71507371507372}
    OFFICIAL_2_0_WITH_ODDS |= {"HasAns_f1": 34.87320987320987}


def test_the_figures_are_the_official_ones_to_the_last_digit() -> None:
    references, predictions, odds = parity_data()
    scores = score_squad(references, predictions).scores
    assert scores == OFFICIAL_2_0
    assert list(scores) == list(OFFICIAL_2_0)
    scores = score_squad(references, predictions, no_answer_odds=odds, threshold=0.5).scores
    assert scores == OFFICIAL_2_0_WITH_ODDS
    assert list(scores) == list(OFFICIAL_2_0_WITH_ODDS)
    references, predictions, _ = parity_data(answerable_only=True)
    scores = score_squad(references, predictions, rules="1.1").scores
    assert scores == {**OFFICIAL_1_1, "exact": OFFICIAL_1_1["exact_match"], "total": 200}


# --- our own threshold ------------------------------------------------------------------------------------------


def mean_at(threshold: float, rows: Sequence[tuple[float, bool, float]]) -> float:
    return sum(float(not answerable) if odds > threshold else span for odds, answerable, span in rows) / len(rows)


finite = st.floats(min_value=-1e300, max_value=1e300)
tuning_rows = st.lists(
    st.tuples(
        st.one_of(st.sampled_from([-1.0, 0.0, 0.5, np.nextafter(0.5, 1.0).item()]), finite),
        st.booleans(),
        st.sampled_from([0.0, 0.25, 0.5, 2 / 3, 1.0]),
    ),
    min_size=1,
    max_size=12,
)  # no-answer odds, whether there is an answer, the best span's score


@given(tuning_rows)
def test_no_threshold_is_better(rows: list[tuple[float, bool, float]]) -> None:
    odds, has_answer, spans = zip(*rows, strict=True)
    threshold, score = best_threshold(odds, has_answer, spans)
    assert np.isfinite(threshold)
    assert score == pytest.approx(mean_at(threshold, rows))
    best = max(mean_at(candidate, rows) for candidate in (*odds, -np.inf))
    assert score == pytest.approx(best)


@pytest.mark.parametrize(
    ("odds", "has_answer", "spans", "threshold"),
    [
        ([1.0, 5.0], [True, False], [1.0, 0.0], 3.0),  # between the two
        ([5.0, 1.0], [False, True], [0.0, 1.0], 3.0),  # in any order
        ([1.0, 5.0], [False, False], [0.0, 0.0], 0.0),  # nothing is to be answered: below all odds
        ([1.0, 5.0], [True, True], [0.0, 0.0], 6.0),  # everything is: above all odds
        ([2.0, 2.0, 4.0], [True, True, False], [1.0, 0.0, 0.0], 3.0),  # no cut inside a tie
        ([1.0, 3.0, 5.0], [True, True, False], [1.0, 0.0, 0.0], 4.0),  # equally good cuts: the one that answers more
    ],
)
def test_thresholds_by_hand(odds: list[float], has_answer: list[bool], spans: list[float], threshold: float) -> None:
    assert best_threshold(odds, has_answer, spans)[0] == threshold


def test_neighbouring_floats_are_told_apart() -> None:
    """Their midpoint rounds to the lower or to the upper one, in turn."""
    low = 0.5
    middle = np.nextafter(low, 1.0).item()
    high = np.nextafter(middle, 1.0).item()
    assert best_threshold([low, middle], [True, False], [1.0, 0.0]) == (low, 1.0)
    assert best_threshold([middle, high], [True, False], [1.0, 0.0]) == (middle, 1.0)


def test_arrays_that_cannot_be_tuned_on_are_refused() -> None:
    with pytest.raises(DataError, match=r"shapes \(0,\)"):
        best_threshold([], [], [])
    with pytest.raises(DataError, match=r"shapes \(2,\), \(2,\), \(1,\)"):
        best_threshold([1.0, 2.0], [True, False], [1.0])
    with pytest.raises(DataError, match="1 of 2 not finite"):
        best_threshold([1.0, float("nan")], [True, False], [1.0, 0.0])
