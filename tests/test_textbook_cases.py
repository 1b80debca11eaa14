"""The textbook cases of the other tasks, with models trained on the real data by the commands of docs/results.md."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from headstart import load

pytestmark = pytest.mark.slow
RUNS = Path(__file__).parents[1] / "runs"


@cache
def model(name: str):
    folder = RUNS / name
    if not (folder / "headstart.json").is_file():
        pytest.skip(f"no model in runs/{name}: train it with the command of docs/results.md")
    return load(folder, threads=1)


@pytest.mark.parametrize(("text", "label"), [("I should study.", "1"), ("I should studying.", "0")])
def test_acceptable_or_not(text, label):
    assert model("cola")(text=text)["label"] == label


def test_alike_or_not():
    stsb = model("stsb")
    near = stsb(text="A plane is taking off.", text_pair="An air plane is taking off.")["number"]
    far = stsb(text="A woman is dancing.", text_pair="A man is talking.")["number"]
    assert near > 4.3
    assert far < 0.9


def test_parts_of_speech():
    found = model("xpos")(text="John Smith 's car is new")["tags"]
    assert [(tag["word"], tag["tag"]) for tag in found] == [
        ("John", "NNP"), ("Smith", "NNP"), ("'s", "POS"), ("car", "NN"), ("is", "VBZ"), ("new", "JJ"),
    ]  # fmt: skip
