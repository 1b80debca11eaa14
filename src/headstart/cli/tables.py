"""Small tables for a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Mapping

WHOLE = ("total",)  # counts among the scores


def score_table(scores: Mapping[str, float]) -> str:
    """Scores below each other, numbers aligned.

    >>> print(score_table({"exact": 50.0, "f1": 66.666, "total": 2}))
    exact  50.00
    f1     66.67
    total   2
    """
    width = max(map(len, scores), default=0)
    return "\n".join(f"{name:<{width}}  {_number(name, value)}" for name, value in scores.items())


def _number(name: str, value: float) -> str:
    return f"{value:>2.0f}" if name.endswith(WHOLE) else f"{value:5.2f}"
