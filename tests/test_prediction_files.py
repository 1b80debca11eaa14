"""JSON written entry by entry is JSON, whole or not there at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.prediction_files import PredictionFiles

NAMES = ("texts", "lists", "numbers")


def read(path: Path):
    return json.loads(path.read_text(encoding="utf-8"))


values = st.one_of(
    st.text(), st.floats(allow_nan=False), st.lists(st.dictionaries(st.text(), st.integers(), max_size=2))
)


@given(st.dictionaries(st.text(), values, min_size=1, max_size=6))
def test_what_is_written_is_read_back(tmp_path_factory, entries):
    folder = tmp_path_factory.mktemp("files")
    with PredictionFiles(folder, NAMES) as files:
        for key, value in entries.items():
            files.add(key, {"texts": value})
    assert read(folder / "texts.json") == entries
    assert list(read(folder / "texts.json")) == list(entries)
    assert [path.name for path in folder.iterdir()] == ["texts.json"], "no file without entries, nothing left beside"


def test_the_files_are_made_to_be_read_by_people_too(tmp_path):
    with PredictionFiles(tmp_path / "new", NAMES) as files:
        files.add("q1", {"texts": "Żółw “x”", "lists": [{"a": 1}, {"a": 2}], "numbers": 0.5})
        files.add("q2", {"texts": "", "lists": [], "numbers": -1.0})
    assert (tmp_path / "new" / "texts.json").read_text(encoding="utf-8") == '{\n  "q1": "Żółw “x”",\n  "q2": ""\n}\n'
    lists = (tmp_path / "new" / "lists.json").read_text(encoding="utf-8")
    assert lists == '{\n  "q1": [\n    {"a": 1},\n    {"a": 2}\n  ],\n  "q2": []\n}\n'
    assert read(tmp_path / "new" / "numbers.json") == {"q1": 0.5, "q2": -1.0}


def write_half(files: PredictionFiles) -> None:
    files.add("q1", {"texts": "new"})
    raise ValueError("no JSON")


def test_nothing_changes_when_it_fails_half_way(tmp_path):
    (tmp_path / "texts.json").write_text('{"old": "value"}')
    with pytest.raises(ValueError, match="JSON"), PredictionFiles(tmp_path, NAMES) as files:
        write_half(files)
    assert read(tmp_path / "texts.json") == {"old": "value"}
    assert [path.name for path in tmp_path.iterdir()] == ["texts.json"]
