"""Measured values → medians, ratios and the table a person reads."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from rows import Row

Found = dict[str, Any]

HEADER = ("what", "unit", "recipe", "headstart", "ratio", "at least", "aim", "")


def summary(row: Row, theirs: Sequence[Found], ours: Sequence[Found]) -> dict[str, Any]:
    """What one row found, for the table and for JSON."""
    medians = [statistics.median(one["value"] for one in side) if side else None for side in (theirs, ours)]
    ratio = medians[1] / medians[0] if medians[0] and medians[1] is not None else None
    judged = medians[1] if row.kind == "megabytes" else ratio
    return {
        "name": row.name,
        "what": row.what,
        "unit": row.unit,
        "kind": row.kind,
        "recipe": {"median": medians[0], "runs": [_plain(one) for one in theirs]},
        "headstart": {"median": medians[1], "runs": [_plain(one) for one in ours]},
        "ratio": ratio,
        "at_least": row.at_least,
        "aim": row.aim,
        "verdict": verdict(row, judged),
        "notes": notes(theirs, ours),
    }


def verdict(row: Row, judged: float | None) -> str:
    """Where a value stands between what is asked and what is hoped for."""
    if judged is None:
        return ""
    higher_is_better = row.kind == "times"
    for goal, word in ((row.aim, "aim met"), (row.at_least, "met")):
        if judged >= goal if higher_is_better else judged <= goal:
            return word
    return "not met"


def not_measured(row: Row, reason: str, *, failed: bool) -> dict[str, Any]:
    """A row without values, and why: something it needs is missing, or it failed."""
    return {"name": row.name, "what": row.what, "unit": row.unit, "skipped": reason, "failed": failed}


def _plain(found: Found) -> Found:
    """A run without its answers: thousands of lines that nobody reads."""
    return {name: value for name, value in found.items() if not name.startswith("answers")}


# -- notes -------------------------------------------------------------------------------------------------------


def notes(theirs: Sequence[Found], ours: Sequence[Found]) -> list[str]:
    """What was found out beside the speed, in words."""
    found = []
    if theirs and "f1" in theirs[0] and "f1" in ours[0]:
        found.append(f"F1 {_spread(theirs, 'f1')} against {_spread(ours, 'f1')}")
    if theirs and "answers" in theirs[0]:
        found.append(_agreement(theirs[0]["answers"], ours[0]))
    if theirs and "epoch_windows" in ours[0]:
        found.append(_whole_epoch(ours[0]["epoch_windows"], theirs, ours))
    return found


def _spread(side: Sequence[Found], name: str) -> str:
    """One value, or the mean of several and all of them."""
    values = [one[name] for one in side]
    if len(set(values)) == 1:
        return f"{values[0]:.2f}"
    return f"{statistics.fmean(values):.2f} ({', '.join(f'{value:.2f}' for value in values)})"


def _agreement(answers: dict[str, str], ours: Found) -> str:
    """How often both sides give the same text, as they come and decoded by the same rules."""
    text = f"the same answer on {share_of_equal(answers, ours['answers']):.2%} of {len(answers):,} questions"
    if "answers_by_its_rules" in ours:
        text += f"; {share_of_equal(answers, ours['answers_by_its_rules']):.2%} decoded by the pipeline's rules"
    return text


def share_of_equal(theirs: dict[str, str], ours: dict[str, str]) -> float:
    """The share of questions with the very same answer.

    >>> share_of_equal({"a": "Paris", "b": "1874"}, {"a": "Paris", "b": "in 1874"})
    0.5
    """
    return sum(ours[name] == text for name, text in theirs.items()) / len(theirs)


def _whole_epoch(windows: int, theirs: Sequence[Found], ours: Sequence[Found]) -> str:
    minutes = [windows / statistics.median(one["value"] for one in side) / 60 for side in (theirs, ours)]
    return f"an epoch has {windows:,} windows: computed {minutes[0]:,.1f} minutes against {minutes[1]:,.1f}"


# -- the table ---------------------------------------------------------------------------------------------------


def render(found: Sequence[dict[str, Any]]) -> str:
    """A Markdown table, and the notes below it."""
    lines = [_line(HEADER), _line(["---"] * len(HEADER)), *(_line(_cells(one)) for one in found)]
    remarks = [f"* {one['name']}: {text}" for one in found for text in _remarks(one)]
    return "\n".join([*lines, "", *remarks] if remarks else lines)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _cells(found: dict[str, Any]) -> list[str]:
    if "skipped" in found:
        return [found["what"], found["unit"], "", "", "", "", "", "not measured"]
    goals = [_goal(found["kind"], found[name]) for name in ("at_least", "aim")]
    ratio = f"{found['ratio']:.2f}×" if found["ratio"] is not None else ""
    sides = [_number(found[side]["median"]) for side in ("recipe", "headstart")]
    return [found["what"], found["unit"], *sides, ratio, *goals, found["verdict"]]


def _remarks(found: dict[str, Any]) -> list[str]:
    return [f"not measured: {found['skipped']}"] if "skipped" in found else list(found["notes"])


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


def _goal(kind: str, value: float) -> str:
    return {"times": f"{value:g}×", "growth": f"≤ {value:g}×", "megabytes": f"≤ {value:,.0f}"}[kind]
