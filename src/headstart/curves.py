"""Loss and scores over the steps, as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Points = tuple[list[int], list[float]]

BLUE, ORANGE, GREEN, PURPLE = "#2f6db5", "#d9772b", "#3a8f5c", "#8a5fb0"
COLOURS = (ORANGE, GREEN, BLUE, PURPLE)
NAMES = {"f1": "F1", "exact": "EM", "matthews_correlation": "Matthews", "f1_macro": "macro F1", "f1_micro": "micro F1"}


def draw_curves(
    log_history: Sequence[Mapping[str, Any]],
    path: Path,
    *,
    scores: Sequence[str] = ("f1", "exact"),
    unit: str = "percent",
) -> None:
    """Write an SVG: training and validation loss above, these scores below where they are known."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    lower = {NAMES.get(name, name): (f"eval_{name}", colour) for name, colour in zip(scores, COLOURS, strict=False)}
    panels: list[tuple[str, dict[str, tuple[str, str]]]] = [
        ("loss", {"training": ("loss", BLUE), "validation": ("eval_loss", ORANGE)}),
        (unit, lower),
    ]
    panels = [panel for panel in panels if any(points(log_history, key)[0] for key, _ in panel[1].values())]
    figure = Figure(figsize=(7, 2.8 * max(len(panels), 1)), layout="constrained")
    FigureCanvasSVG(figure)
    grid = figure.subplots(max(len(panels), 1), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (label_of_axis, lines) in zip(grid, panels, strict=False):
        for label, (key, colour) in lines.items():
            steps, values = points(log_history, key)
            if steps:
                axes.plot(
                    steps, values, label=label, color=colour, marker="o" if len(steps) < 20 else None, markersize=4
                )
        axes.xaxis.set_tick_params(labelbottom=True)
        axes.set_ylabel(label_of_axis)
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
    grid[-1].set_xlabel("step")
    figure.savefig(path, format="svg")


def points(log_history: Sequence[Mapping[str, Any]], key: str) -> Points:
    """The steps and values at which something was logged.

    >>> points([{"step": 5, "loss": 2.0}, {"step": 6, "eval_loss": 1.0}], "loss")
    ([5], [2.0])
    """
    found = [(int(entry["step"]), float(entry[key])) for entry in log_history if key in entry]
    return [step for step, _ in found], [value for _, value in found]
