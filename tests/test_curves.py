"""The picture of a run: an SVG with the lines that were logged."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from headstart.curves import draw_curves, points

TRAINING = [{"step": step, "loss": 4.0 / step, "learning_rate": 1e-4} for step in (1, 2, 4)]
EVALUATION = [{"step": step, "eval_loss": 3.0, "eval_exact": 10.0 * step, "eval_f1": 11.0 * step} for step in (2, 4)]


def drawn(tmp_path, history) -> list[str]:
    """The labels of the picture; matplotlib writes each text as a comment beside its letters."""
    path = tmp_path / "curves.svg"
    draw_curves(history, path)
    assert ElementTree.parse(path).getroot().tag.endswith("svg")
    parser = ElementTree.XMLParser(target=ElementTree.TreeBuilder(insert_comments=True))
    nodes = ElementTree.parse(path, parser).iter(ElementTree.Comment)
    return [str(node.text).strip() for node in nodes]


def test_points_are_those_that_were_logged():
    history = [*TRAINING, *EVALUATION]
    assert points(history, "loss") == ([1, 2, 4], [4.0, 2.0, 1.0])
    assert points(history, "eval_f1") == ([2, 4], [22.0, 44.0])
    assert points(history, "absent") == ([], [])


def test_a_run_with_validation(tmp_path):
    labels = drawn(tmp_path, [*TRAINING, *EVALUATION])
    for label in ("training", "validation", "EM", "F1", "loss", "percent", "step"):
        assert label in labels


def test_a_run_without_validation_has_no_panel_of_scores(tmp_path):
    labels = drawn(tmp_path, TRAINING)
    assert {"training", "loss", "step"} <= set(labels)
    assert not {"validation", "percent", "EM"} & set(labels)


@pytest.mark.parametrize("history", [[], [{"step": 1, "train_runtime": 2.0}]])
def test_a_run_that_logged_nothing_is_still_a_picture(tmp_path, history):
    assert "loss" not in drawn(tmp_path, history)


def test_many_points_are_drawn_as_a_line_without_markers(tmp_path):
    draw_curves([{"step": step, "loss": 1.0} for step in range(500)], tmp_path / "long.svg")
    draw_curves([{"step": step, "loss": 1.0} for step in range(3)], tmp_path / "short.svg")
    assert "<use" in (tmp_path / "short.svg").read_text()
    assert (tmp_path / "long.svg").stat().st_size < 60_000
