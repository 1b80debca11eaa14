"""Fine-tune a pretrained encoder on labelled data and keep the best model.

Data may be official SQuAD files (1.1, 2.0), flat JSON, JSON lines, CSV, TSV, Parquet, a hub id such as squad, or the
word sample for the built-in sample. Several may follow one flag. Under torchrun or accelerate launch the processes
share the work.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from headstart.cli.main import Result
from headstart.cli.options import add_settings, given_values
from headstart.cli.tables import score_table
from headstart.messages import Messages
from headstart.settings import TrainSettings, build, read_config

EXAMPLES = """examples:
  headstart train --model bert-base-uncased --train squad --validation squad --output runs/squad
  headstart train --model DIR --train a.json b.csv --validation 0.1 --output runs/mine --num-train-epochs 3
  headstart train --config runs/mine/run/settings.yaml --output runs/again --seed 7
  headstart train --output runs/mine --resume
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `headstart train`."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="YAML file of options; flags beat it")
    add_settings(parser, TrainSettings)


def run(arguments: argparse.Namespace, messages: Messages) -> Result:
    """Train, then say where the model is and how good it is."""
    given = given_values(arguments, TrainSettings)
    path = arguments.config or _saved_settings(given)
    config: dict[str, Any] = read_config(path) if path else {}
    source = f"{path} and the command line" if path else "the command line"
    settings = build(TrainSettings, {**config, **given}, source=source)
    from headstart.distribution import silence_others
    from headstart.training import train

    silence_others()
    result = train(settings, messages=messages)
    table = "no validation data, no scores"
    if result.scores:
        table = score_table(result.scores, percent=result.task.percent)
    minutes = sum(result.facts["seconds"].values()) / 60
    text = f"{table}\nsaved to {result.folder} after {minutes:.1f} minutes"
    return Result({"output": str(result.folder), **result.facts}, text)


def _saved_settings(given: dict[str, Any]) -> Path | None:
    """A resumed run goes on as it began: nothing but its folder has to be named."""
    saved = Path(given.get("output", "")) / "run" / "settings.yaml"
    return saved if given.get("resume") and saved.is_file() else None
