"""When to leave a question unanswered: thresholds for the odds of "no answer", and what they are worth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from headstart.errors import DataError


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


def best_scores(
    raw: Sequence[tuple[float, float]],
    *,
    has_answer: Sequence[bool],
    answered: Sequence[bool],
    odds: Sequence[float],
    total: int,
) -> dict[str, float]:
    """The official sweep over thresholds, by its official names.

    Its habits are kept: ties in their own order, a threshold inside a tie, 0.0 to begin with.

    Args:
        raw: (exact, F1) of each predicted question, before any threshold.
        has_answer: whether there is one.
        answered: whether one was predicted.
        odds: how likely "no answer" is, on any scale.
        total: all questions; those without a prediction are wrong at every threshold.
    """
    ranked = sorted(range(len(raw)), key=odds.__getitem__)
    scores: dict[str, float] = {}
    for column, name in enumerate(("exact", "f1")):
        best: float = len(has_answer) - sum(has_answer)
        current, best_at = best, 0.0
        for place in ranked:
            current += raw[place][column] if has_answer[place] else -answered[place]
            if current > best:
                best, best_at = current, odds[place]
        scores |= {f"best_{name}": 100.0 * best / total, f"best_{name}_thresh": best_at}
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


def _check_arrays(*arrays: npt.NDArray[np.float64]) -> None:
    lengths = [array.shape for array in arrays]
    if len(set(lengths)) != 1 or len(lengths[0]) != 1 or lengths[0] == (0,):
        found = f"shapes {', '.join(map(str, lengths))}"
        raise DataError("odds, has_answer and span_scores of equal length, at least 1", found, "pass one of each")
    if not np.isfinite(arrays[0]).all():
        found = f"{np.count_nonzero(~np.isfinite(arrays[0])):,} of {arrays[0].size:,} not finite"
        raise DataError("finite no-answer odds", found, "check the logits: the training may have diverged")
