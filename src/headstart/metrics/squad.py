"""Exact match and F1 by the rules of SQuAD's official scripts, evaluate-v1.1.py and evaluate-v2.0.py.

The numbers are the scripts' own to the last digit, given the same Python. That takes more than the same formulas:
Python 3.12 and later add floats with compensation but integers without, so sums here run in the scripts' order, with
`sum` where they use `sum` and `+=` where they use `+=`, and an F1 that the scripts give as an integer stays one.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from headstart.errors import DataError, SettingsError

Rules = Literal["1.1", "2.0"]
Normalize = Callable[[str], str]
PerQuestion = dict[str, tuple[float, float]]  # id → (exact, f1), each between 0 and 1

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_WRONG = (0, 0)


@dataclass(frozen=True, slots=True)
class SquadScore:
    """What a file of predictions is worth.

    `scores` has the official names and units (percent; `total` counts questions), `rules` the rules they follow.
    `missing` names the questions without a prediction (each counted wrong), `extra` the predictions without a
    question (ignored). `per_question` holds (exact, f1) between 0 and 1, after the no-answer threshold.
    """

    scores: dict[str, float]
    rules: Rules
    missing: tuple[str, ...]
    extra: tuple[str, ...]
    per_question: PerQuestion


def normalize_answer(text: str) -> str:
    """Lower-case, drop ASCII punctuation, then the words a/an/the, then fold white space: in this order.

    >>> normalize_answer("The  U.S.-based “Ark”, an ark")
    'usbased “ark” ark'
    """
    without_punctuation = text.lower().translate(_PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", without_punctuation).split())


def exact_match(prediction: str, gold: str, *, normalize: Normalize = normalize_answer) -> float:
    """1.0 where both texts are the same once normalised, else 0.0.

    >>> exact_match("the Eiffel Tower", "Eiffel tower.")
    1.0
    """
    return float(normalize(prediction) == normalize(gold))


def token_f1(prediction: str, gold: str, *, rules: Rules = "2.0", normalize: Normalize = normalize_answer) -> float:
    """Harmonic mean of precision and recall over the words both texts share, counted with repetition.

    Where a text has no words left, rules 2.0 give 1 if the other has none either; rules 1.1 always give 0.

    >>> token_f1("in the old town", "old town hall")
    0.6666666666666666
    >>> token_f1("", "the", rules="2.0"), token_f1("", "the", rules="1.1")
    (1, 0)
    """
    return _overlap(normalize(prediction), normalize(gold), rules)


def score_squad(
    references: Mapping[str, Sequence[str]],
    predictions: Mapping[str, str],
    *,
    rules: Rules = "2.0",
    no_answer_odds: Mapping[str, float] | None = None,
    threshold: float = 1.0,
    normalize: Normalize = normalize_answer,
) -> SquadScore:
    """Score predicted texts as the official scripts do.

    Args:
        references: question id → gold texts, none where the question has no answer. Their order is the order of
            summation, so keep the file's.
        predictions: question id → text, "" for no answer.
        rules: which official script to follow.
        no_answer_odds: question id → how likely "no answer" is, on any scale (`--na-prob-file`); rules 2.0 only.
        threshold: a question with higher odds counts as unanswered (`--na-prob-thresh`); unused without odds.
        normalize: what to do to both texts before they are compared; the official rules are made for English.

    Raises:
        DataError: no questions, a question without gold under rules 1.1, or a prediction without odds.
        SettingsError: unknown rules, or odds with rules 1.1.

    >>> score_squad({"q1": ["Paris"], "q2": []}, {"q1": "in Paris", "q2": ""}).scores["f1"]
    83.33333333333333
    """
    _check(references, predictions, rules, no_answer_odds)
    raw: PerQuestion = {
        key: _question_score(predictions[key], golds, rules, normalize) if key in predictions else _WRONG
        for key, golds in references.items()
    }
    odds = {key: value for key, value in (no_answer_odds or {}).items() if key in raw and key in predictions}
    final = _unanswer(raw, references, odds, threshold)
    scores = _sums_of_1_1(final) if rules == "1.1" else _sums_of_2_0(final, references)
    if no_answer_odds is not None:
        scores |= _best_thresholds(raw, references, predictions, odds)
    missing = tuple(key for key in references if key not in predictions)
    extra = tuple(key for key in predictions if key not in references)
    return SquadScore(scores, rules, missing, extra, final)


def best_threshold(odds: npt.ArrayLike, has_answer: npt.ArrayLike, span_scores: npt.ArrayLike) -> tuple[float, float]:
    """The threshold that scores best when a question is left unanswered iff its odds are above it.

    Unlike the official sweep this one looks only between different odds and returns a midpoint, so that a small
    change of the odds does not flip an answer. Of equally good thresholds the highest is taken: it answers more.

    Args:
        odds: no-answer odds of each question, on any scale.
        has_answer: whether the question has an answer; leaving it unanswered scores 0 if so, else 1.
        span_scores: what the question's best span scores, between 0 and 1.

    Returns:
        The threshold (always finite) and the mean score it gives, between 0 and 1.

    Raises:
        DataError: no questions, arrays of different lengths, or odds that are not finite.

    >>> best_threshold([-3.0, 1.0, 2.0], [True, True, False], [1.0, 0.5, 0.0])
    (1.5, 0.8333333333333334)
    """
    odds, spans = np.asarray(odds, dtype=np.float64), np.asarray(span_scores, dtype=np.float64)
    unanswered = np.where(np.asarray(has_answer, dtype=bool), 0.0, 1.0)
    _check_arrays(odds, unanswered, spans)
    order = np.argsort(odds, kind="stable")
    ranked = odds[order]
    # totals[k]: sum of scores where the k questions with the lowest odds are answered and the others are not.
    totals = np.append(0.0, np.cumsum(spans[order])) + np.append(np.cumsum(unanswered[order][::-1])[::-1], 0.0)
    cuts = np.flatnonzero(np.concatenate(([True], ranked[1:] > ranked[:-1], [True])))
    good = cuts[totals[cuts] >= totals[cuts].max() - 1e-9]  # sums in another order differ in the last digits
    threshold = _between(ranked, int(good[-1]))
    return threshold, float(np.where(odds > threshold, unanswered, spans).mean())


def _overlap(prediction: str, gold: str, rules: Rules) -> float:
    """F1 of two normalised texts."""
    predicted_words, gold_words = prediction.split(), gold.split()
    if rules == "2.0" and not (predicted_words and gold_words):
        return int(predicted_words == gold_words)
    shared = sum((Counter(predicted_words) & Counter(gold_words)).values())
    if shared == 0:
        return 0
    precision, recall = shared / len(predicted_words), shared / len(gold_words)
    return (2 * precision * recall) / (precision + recall)


def _question_score(prediction: str, golds: Sequence[str], rules: Rules, normalize: Normalize) -> tuple[float, float]:
    """(exact, f1) of one question: the better of its gold texts, each for itself."""
    predicted = normalize(prediction)
    wanted = [normalize(gold) for gold in golds]
    if rules == "2.0":
        wanted = [gold for gold in wanted if gold] or [""]
    return float(predicted in wanted), max(_overlap(predicted, gold, rules) for gold in wanted)


def _unanswer(
    raw: PerQuestion, references: Mapping[str, Sequence[str]], odds: Mapping[str, float], threshold: float
) -> PerQuestion:
    """The scores once every question with odds above the threshold counts as predicted unanswerable."""
    final = dict(raw)
    for key, value in odds.items():
        if value > threshold:
            final[key] = (float(not references[key]),) * 2
    return final


def _sums_of_1_1(final: PerQuestion) -> dict[str, float]:
    exact: float = 0
    f1: float = 0
    for question_exact, question_f1 in final.values():
        exact += question_exact
        f1 += question_f1
    exact_percent, total = 100.0 * exact / len(final), len(final)
    return {"exact_match": exact_percent, "f1": 100.0 * f1 / total, "exact": exact_percent, "total": total}


def _sums_of_2_0(final: PerQuestion, references: Mapping[str, Sequence[str]]) -> dict[str, float]:
    scores = _means("", list(final.values()))
    for prefix, answerable in (("HasAns_", True), ("NoAns_", False)):
        group = [final[key] for key, golds in references.items() if bool(golds) == answerable]
        if group:
            scores |= _means(prefix, group)
    return scores


def _means(prefix: str, group: Sequence[tuple[float, float]]) -> dict[str, float]:
    total = len(group)
    return {
        f"{prefix}exact": 100.0 * sum(exact for exact, _ in group) / total,
        f"{prefix}f1": 100.0 * sum(f1 for _, f1 in group) / total,
        f"{prefix}total": total,
    }


def _best_thresholds(
    raw: PerQuestion,
    references: Mapping[str, Sequence[str]],
    predictions: Mapping[str, str],
    odds: Mapping[str, float],
) -> dict[str, float]:
    """The official sweep, with its habits: ties in the odds' own order, a threshold inside a tie, 0.0 to begin with.

    Questions without a prediction are wrong at every threshold, so they are in the total and not in the sweep.
    """
    ranked = sorted(odds, key=lambda key: odds[key])
    start = sum(1 for key, golds in references.items() if not golds and key in predictions)
    scores: dict[str, float] = {}
    for column, name in enumerate(("exact", "f1")):
        best: float = start
        current: float = start
        best_at: float = 0.0
        for key in ranked:
            current += raw[key][column] if references[key] else -bool(predictions[key])
            if current > best:
                best, best_at = current, odds[key]
        scores |= {f"best_{name}": 100.0 * best / len(raw), f"best_{name}_thresh": best_at}
    return scores


def _between(ranked: npt.NDArray[np.float64], count: int) -> float:
    """A finite number that `count` of the ascending odds do not exceed and all others do."""
    if count == 0:
        return float(min(ranked[0] - 1.0, np.nextafter(ranked[0], -np.inf)))
    if count == len(ranked):
        return float(ranked[-1] + 1.0)
    below, above = float(ranked[count - 1]), float(ranked[count])
    middle = below / 2 + above / 2
    return middle if below <= middle < above else below  # neighbouring floats have nothing in between


def _check(
    references: Mapping[str, Sequence[str]],
    predictions: Mapping[str, str],
    rules: Rules,
    odds: Mapping[str, float] | None,
) -> None:
    if rules not in ("1.1", "2.0"):
        raise SettingsError("rules 1.1 or 2.0", f"rules {rules!r}", "choose one of the two")
    if rules == "1.1" and odds is not None:
        raise SettingsError("no-answer odds only with rules 2.0", "odds with rules 1.1", "use rules 2.0")
    if not references:
        raise DataError("at least one question to score", "none", "check the reference file")
    unanswerable = [key for key, golds in references.items() if not golds]
    if rules == "1.1" and unanswerable:
        raise DataError(
            "an answer for every question, as rules 1.1 know no other",
            f"{len(unanswerable):,} without one, such as {unanswerable[0]!r}",
            "use rules 2.0",
        )
    without_odds = [key for key in predictions if odds is not None and key in references and key not in odds]
    if without_odds:
        raise DataError(
            "no-answer odds for every prediction",
            f"{len(without_odds):,} predictions without, such as {without_odds[0]!r}",
            "give the odds that were written together with the predictions",
        )


def _check_arrays(*arrays: npt.NDArray[np.float64]) -> None:
    lengths = [array.shape for array in arrays]
    if len(set(lengths)) != 1 or len(lengths[0]) != 1 or lengths[0] == (0,):
        found = f"shapes {', '.join(map(str, lengths))}"
        raise DataError("odds, has_answer and span_scores of equal length, at least 1", found, "pass one of each")
    if not np.isfinite(arrays[0]).all():
        found = f"{np.count_nonzero(~np.isfinite(arrays[0])):,} of {arrays[0].size:,} not finite"
        raise DataError("finite no-answer odds", found, "check the logits: the training may have diverged")
