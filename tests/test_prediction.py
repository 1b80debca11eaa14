"""`headstart predict`: a line of JSON for every example, in order, from files and from lines."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from headstart.cli.main import main
from headstart.errors import DataError
from headstart.prediction import predict
from headstart.settings import PredictSettings, TrainSettings, build
from headstart.training import train

QUICK = {"max_steps": 2, "precision": "fp32", "learning_rate": 1e-3, "max_length": 40, "doc_stride": 8}


def settings(model: Path, **options: Any) -> PredictSettings:
    return build(PredictSettings, {"model": str(model), "precision": "fp32", **options})


def trained(tiny_bert: Path, folder: Path, data: Path, task: str) -> Path:
    values = {"model": str(tiny_bert), "train": [str(data)], "task": task, "output": folder / "model", **QUICK}
    train(build(TrainSettings, {**values, "cache_dir": folder / "cache"}))
    return folder / "model"


@pytest.fixture(scope="module")
def labels(tiny_bert, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("labels")
    (folder / "train.tsv").write_text(
        "text\tlabel\n" + "the old lighthouse\tgood\na dull day\tbad\n" * 4, encoding="utf-8"
    )
    return trained(tiny_bert, folder, folder / "train.tsv", "classification")


@pytest.fixture(scope="module")
def tags(tiny_bert, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("tags")
    (folder / "train.conll").write_text("Ada\tB-PER\nsleeps\tO\n\nOslo\tB-LOC\nsleeps\tO\n\n" * 4, encoding="utf-8")
    return trained(tiny_bert, folder, folder / "train.conll", "tagging")


def written(capsys) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_text_or_an_object_a_line(labels, capsys):
    lines = ["the old lighthouse\n", "\n", '{"text": "a dull day", "id": "mine"}\n', "{ braces } begin no object"]
    with pytest.raises(DataError, match="line 4"):
        predict(settings(labels), lines=lines)
    capsys.readouterr()
    predict(settings(labels), lines=lines[:3])
    found = written(capsys)
    assert [row["id"] for row in found] == ["0", "mine"]
    for row in found:
        assert row["label"] == max(row["probabilities"], key=row["probabilities"].get)
        assert row["score"] == pytest.approx(max(row["probabilities"].values()))
        assert sum(row["probabilities"].values()) == pytest.approx(1)


def test_lines_and_tables_give_the_same(labels, tmp_path, capsys):
    texts = ["the old lighthouse", "a dull day", "a day " * 30, "x"]
    (tmp_path / "t.txt").write_text("\n".join(texts), encoding="utf-8")
    (tmp_path / "t.jsonl").write_text("\n".join(json.dumps({"text": text}) for text in texts), encoding="utf-8")
    predict(settings(labels, data=[str(tmp_path / "t.txt")]))
    by_line = written(capsys)
    result = predict(settings(labels, data=[str(tmp_path / "t.jsonl")], output=tmp_path / "deep" / "o.jsonl"))
    rows = [json.loads(line) for line in (tmp_path / "deep" / "o.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["probabilities"] for row in rows] == [row["probabilities"] for row in by_line]
    assert result.facts["examples"] == 4
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["o.jsonl"], "no half-written file remains"


def test_tags_of_texts_and_of_words(tags, capsys):
    predict(settings(tags), lines=["Ada's cat, in Oslo", '{"words": ["New York", "sleeps"]}'])
    first, second = written(capsys)
    assert [tag["word"] for tag in first["tags"]] == ["Ada", "'s", "cat", ",", "in", "Oslo"]
    text = "Ada's cat, in Oslo"
    assert [text[tag["start"] : tag["end"]] for tag in first["tags"]] == [tag["word"] for tag in first["tags"]]
    assert [tag["word"] for tag in second["tags"]] == ["New York", "sleeps"]
    for row in (first, second):
        assert {tag["tag"] for tag in row["tags"]} <= {"B-PER", "B-LOC", "O"}
        assert {entity["type"] for entity in row["entities"]} <= {"PER", "LOC"}


@pytest.mark.parametrize(
    ("line", "found"),
    [('{"txt": "a"}', "txt"), ('{"text": 3}', "3"), ('{"text": ["a", "b"]}', "a list"), ('{"text"', "column")],
)
def test_a_wrong_line_is_named(labels, line, found):
    with pytest.raises(DataError, match="line 2") as caught:
        predict(settings(labels), lines=["fine", line])
    assert found in caught.value.found


def test_from_a_pipe_on_the_command_line(labels, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO("a dull day\n"))
    assert main(["predict", str(labels), "--precision", "fp32", "--quiet"]) == 0
    out = capsys.readouterr()
    assert json.loads(out.out)["id"] == "0"
    assert out.err == ""
