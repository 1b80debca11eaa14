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

from headstart.errors import DataError, SettingsError
from headstart.metrics.thresholds import best_scores

Rules = Literal["1.1", "2.0"]
Normalize = Callable[[str], str]
QuestionScore = tuple[float, float]  # exact and F1, each between 0 and 1
PerQuestion = dict[str, QuestionScore]

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
        key: question_scores([predictions[key]], golds, rules=rules, normalize=normalize)[0]
        if key in predictions
        else _WRONG
        for key, golds in references.items()
    }
    odds = {key: value for key, value in (no_answer_odds or {}).items() if key in raw and key in predictions}
    final = _unanswer(raw, references, odds, threshold)
    scores = total_scores(list(final.values()), [bool(golds) for golds in references.values()], rules=rules)
    if no_answer_odds is not None:
        scores |= best_scores(
            [raw[key] for key in odds],
            has_answer=[bool(references[key]) for key in odds],
            answered=[bool(predictions[key]) for key in odds],
            odds=list(odds.values()),
            total=len(raw),
        )
    missing = tuple(key for key in references if key not in predictions)
    extra = tuple(key for key in predictions if key not in references)
    return SquadScore(scores, rules, missing, extra, final)


def question_scores(
    predictions: Sequence[str], golds: Sequence[str], *, rules: Rules = "2.0", normalize: Normalize = normalize_answer
) -> list[QuestionScore]:
    """(exact, F1) of each prediction for one question, between 0 and 1: the better of its gold texts, each for itself.

    >>> question_scores(["", "the Nile"], ["Nile", "river Nile"])
    [(0.0, 0), (1.0, 1.0)]
    """
    wanted = [normalize(gold) for gold in golds]
    if rules == "2.0":
        wanted = [gold for gold in wanted if gold] or [""]
    predicted = [normalize(prediction) for prediction in predictions]
    return [(float(text in wanted), max(_overlap(text, gold, rules) for gold in wanted)) for text in predicted]


def total_scores(final: Sequence[QuestionScore], has_answer: Sequence[bool], *, rules: Rules) -> dict[str, float]:
    """What the scores of all questions come to, in percent and by the official names; their order is that of the sums.

    >>> total_scores([(1.0, 1.0), (0.0, 0.5)], [True, True], rules="1.1")
    {'exact_match': 50.0, 'f1': 75.0, 'exact': 50.0, 'total': 2}
    """
    if rules == "1.1":
        return _totals_of_1_1(final)
    scores = _means("", final)
    for prefix, answerable in (("HasAns_", True), ("NoAns_", False)):
        group = [score for score, known in zip(final, has_answer, strict=True) if known == answerable]
        if group:
            scores |= _means(prefix, group)
    return scores


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


def _unanswer(
    raw: PerQuestion, references: Mapping[str, Sequence[str]], odds: Mapping[str, float], threshold: float
) -> PerQuestion:
    """The scores once every question with odds above the threshold counts as predicted unanswerable."""
    final = dict(raw)
    for key, value in odds.items():
        if value > threshold:
            final[key] = (float(not references[key]),) * 2
    return final


def _totals_of_1_1(final: Sequence[QuestionScore]) -> dict[str, float]:
    exact: float = 0
    f1: float = 0
    for question_exact, question_f1 in final:
        exact += question_exact
        f1 += question_f1
    exact_percent, total = 100.0 * exact / len(final), len(final)
    return {"exact_match": exact_percent, "f1": 100.0 * f1 / total, "exact": exact_percent, "total": total}


def _means(prefix: str, group: Sequence[QuestionScore]) -> dict[str, float]:
    total = len(group)
    return {
        f"{prefix}exact": 100.0 * sum(exact for exact, _ in group) / total,
        f"{prefix}f1": 100.0 * sum(f1 for _, f1 in group) / total,
        f"{prefix}total": total,
    }


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
    if rules == "1.1":
        check_answerable([key for key, golds in references.items() if not golds])
    without_odds = [key for key in predictions if odds is not None and key in references and key not in odds]
    if without_odds:
        raise DataError(
            "no-answer odds for every prediction",
            f"{len(without_odds):,} predictions without, such as {without_odds[0]!r}",
            "give the odds that were written together with the predictions",
        )


def check_answerable(without_answer: Sequence[str]) -> None:
    """Refuse questions (their ids) that rules 1.1 cannot score.

    Raises:
        DataError: there are any.
    """
    if without_answer:
        raise DataError(
            "an answer for every question, as rules 1.1 know no other",
            f"{len(without_answer):,} without one, such as {without_answer[0]!r}",
            "use rules 2.0",
        )
