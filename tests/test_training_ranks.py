"""Two processes train what one process trains that adds up two batches before each step."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from headstart.data import write_squad
from headstart.examples import Answer, QuestionExample
from tokenizers_made_here import SENTENCES

ALONE = [sys.executable]
TWO = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
QUICK = ["--max-length", "48", "--doc-stride", "12", "--train-tokens-per-batch", "120", "--precision", "fp32"]
EXACT = ["--hidden-dropout", "0", "--learning-rate", "1e-3", "--num-train-epochs", "2", "--threads", "1"]


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """The first and the third word of every sentence."""
    examples = []
    for number, text in enumerate(SENTENCES):
        words = text.split()
        if len(words) < 5 or len(set(words)) < len(words):
            continue
        third = text.index(words[2], len(words[0]) + 1)
        examples.append(QuestionExample(f"{number}-1", "Which word begins?", text, (Answer(words[0], 0),)))
        examples.append(QuestionExample(f"{number}-3", "Which word is third?", text, (Answer(words[2], third),)))
    path = tmp_path_factory.mktemp("data") / "words.json"
    write_squad(examples, path)
    return path


def train(launcher: list[str], output: Path, model: Path, data: Path, *more: str) -> dict[str, object]:
    """Run it as a user would; what it printed with `--json`."""
    flags = ["--model", str(model), "--train", str(data), "--validation", str(data), "--output", str(output)]
    command = [*launcher, "-m", "headstart", "train", *flags, *QUICK, *EXACT, *more, "--json"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=300, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_two_processes_train_the_same_model_as_one(tmp_path, tiny_bert, data):
    one = train(ALONE, tmp_path / "one", tiny_bert, data, "--gradient-accumulation-steps", "2")
    two = train(TWO, tmp_path / "two", tiny_bert, data)
    assert two["steps"] == one["steps"]
    assert two["windows"] == one["windows"], "no window lost, none seen twice"
    assert two["padding_share"] == one["padding_share"], "an even number of batches, so they are the same"
    assert two["scores"] == pytest.approx(one["scores"], abs=1e-6)
    weights = [load_file(tmp_path / name / "model.safetensors") for name in ("one", "two")]
    for name, tensor in weights[0].items():
        torch.testing.assert_close(weights[1][name], tensor, atol=2e-5, rtol=1e-3, msg=name)


@pytest.mark.slow
def test_two_processes_go_on_from_a_checkpoint_as_if_nothing_had_happened(tmp_path, tiny_bert, data):
    steady = ["--eval-steps", "2", "--lr-scheduler-type", "constant", "--warmup-steps", "0"]
    train(TWO, tmp_path / "whole", tiny_bert, data, *steady, "--max-steps", "4")
    train(TWO, tmp_path / "cut", tiny_bert, data, *steady, "--max-steps", "2")
    resumed = train(TWO, tmp_path / "cut", tiny_bert, data, *steady, "--max-steps", "4", "--resume")
    assert resumed["steps"] == 4
    ends = [tmp_path / name / "checkpoints" / "checkpoint-4" / "model.safetensors" for name in ("whole", "cut")]
    assert ends[0].read_bytes() == ends[1].read_bytes()
