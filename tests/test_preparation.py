"""From data to a store of windows: prepared once for each use, and said so."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from headstart.data import ReadData
from headstart.examples import Answer, QuestionExample
from headstart.preparation import prepare_windows
from headstart.tasks import QuestionAnswering


@pytest.fixture
def prepare(word_encoder, tmp_path):
    """`prepare(offsets=…)`: the store, and what was said."""
    examples = (QuestionExample("a", "w1", "w2 w3", (Answer("w3", 3),)), QuestionExample("b", "w4", "w5", ()))
    settings = SimpleNamespace(cache_dir=tmp_path, overwrite_cache=False)

    def run(**options):
        said: list[str] = []
        messages = SimpleNamespace(say=said.append)
        data = ReadData(examples, ())
        store = prepare_windows(data, QuestionAnswering(), word_encoder, settings, messages, "training", **options)
        return store, said[0]

    return run


def test_windows_are_prepared_once(prepare):
    first, said = prepare()
    assert said.startswith("training: 2 questions, 2 windows (prepared in ")
    again, said = prepare()
    assert said == "training: 2 questions, 2 windows (from the cache)"
    assert again.source == first.source


def test_windows_without_offsets_are_another_store(prepare, tmp_path):
    decodable, _ = prepare()
    trainable, said = prepare(offsets=False)
    assert "prepared in" in said
    assert (decodable.offsets_left_out, trainable.offsets_left_out) == (False, True)
    assert len(list((tmp_path / "windows").iterdir())) == 2
    assert [row.tolist() for row in trainable.rows([1, 0], offsets=False).label_starts] == [[0], [4]]
