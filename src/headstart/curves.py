"""Loss and scores over the steps, as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Points = tuple[list[int], list[float]]

BLUE, ORANGE, GREEN = "#2f6db5", "#d9772b", "#3a8f5c"


def draw_curves(log_history: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write an SVG: training and validation loss above, exact match and F1 below where they are known."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    panels: list[tuple[str, dict[str, tuple[str, str]]]] = [
        ("loss", {"training": ("loss", BLUE), "validation": ("eval_loss", ORANGE)}),
        ("percent", {"EM": ("eval_exact", GREEN), "F1": ("eval_f1", ORANGE)}),
    ]
    panels = [panel for panel in panels if any(points(log_history, key)[0] for key, _ in panel[1].values())]
    figure = Figure(figsize=(7, 2.8 * max(len(panels), 1)), layout="constrained")
    FigureCanvasSVG(figure)
    grid = figure.subplots(max(len(panels), 1), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (unit, lines) in zip(grid, panels, strict=False):
        for label, (key, colour) in lines.items():
            steps, values = points(log_history, key)
            if steps:
                axes.plot(
                    steps, values, label=label, color=colour, marker="o" if len(steps) < 20 else None, markersize=4
                )
        axes.xaxis.set_tick_params(labelbottom=True)
        axes.set_ylabel(unit)
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
