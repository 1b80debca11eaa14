"""Small tables for a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Mapping

WHOLE = ("total",)  # counts among the scores


def score_table(scores: Mapping[str, float], *, percent: bool = True) -> str:
    """Scores below each other, numbers aligned; fractions get two digits more than percentages.

    >>> print(score_table({"exact": 50.0, "f1": 66.666, "total": 2}))
    exact  50.00
    f1     66.67
    total   2
    """
    width = max(map(len, scores), default=0)
    return "\n".join(f"{name:<{width}}  {_number(name, value, percent=percent)}" for name, value in scores.items())


def _number(name: str, value: float, *, percent: bool) -> str:
    if name.endswith(WHOLE):
        return f"{value:>2.0f}"
    return f"{value:5.2f}" if percent else f"{value:.4f}"
