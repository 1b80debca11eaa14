"""The task of a run: asked for or guessed, with nothing that it does not know."""

from __future__ import annotations

from pathlib import Path

import pytest

from headstart.errors import SettingsError
from headstart.settings import TrainSettings, build
from headstart.training import train

LABELS = "text\tlabel\n" + "the old lighthouse\tgood\na dull day\tbad\n" * 4
WORDS = "Ada\tNOUN\nsleeps\tVERB\n\n" * 4


def begin(tmp_path: Path, content: str, name: str, **options: object) -> None:
    """Begin to train; what is refused is refused before the model is looked for."""
    (tmp_path / name).write_text(content, encoding="utf-8")
    values = {"model": "no-such-model", "train": [str(tmp_path / name)], "output": tmp_path / "run", **options}
    train(build(TrainSettings, values))


@pytest.mark.parametrize(
    ("options", "flag"),
    [
        ({"null_threshold": 1.0}, "--null-threshold"),
        ({"answers": "first"}, "--answers"),
        ({"n_best_size": 3}, "--n-best"),
    ],
)
def test_an_option_that_the_task_does_not_know_is_refused_by_name(tmp_path, options, flag):
    with pytest.raises(SettingsError) as caught:
        begin(tmp_path, LABELS, "t.tsv", **options)
    assert flag in caught.value.found
    assert "classification" in caught.value.expected


def test_questions_have_no_class_weights(tmp_path):
    with pytest.raises(SettingsError, match="--class-weights"):
        begin(tmp_path, "", "unread.json", task="qa", class_weights="balanced")


def test_entity_scores_of_parts_of_speech_are_refused_before_training(tmp_path):
    with pytest.raises(SettingsError, match="NOUN, VERB"):
        begin(tmp_path, WORDS, "t.conll", metric_for_best_model="f1")
