"""Score a trained model on labelled data, by the official SQuAD rules.

Under torchrun or accelerate launch the processes share the work; the scores are the same.
Writes metrics.json, predictions.json, nbest_predictions.json and (for models that know "no answer") null_odds.json,
in the forms that the official script and run_qa know.
"""

from __future__ import annotations

import argparse

from headstart.cli.main import Result
from headstart.cli.options import add_settings, given_values
from headstart.cli.tables import score_table
from headstart.messages import Messages
from headstart.settings import EvaluateSettings, build

EXAMPLES = """examples:
  headstart evaluate runs/first --data sample
  headstart evaluate runs/squad --data dev-v1.1.json --json > scores.json
  headstart evaluate runs/squad2 --data dev-v2.0.json --null-threshold 0.5 --output strict
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `headstart evaluate`."""
    add_settings(parser, EvaluateSettings, positional=("model",))


def run(arguments: argparse.Namespace, messages: Messages) -> Result:
    """Evaluate, then show the scores."""
    settings = build(EvaluateSettings, given_values(arguments, EvaluateSettings))
    from headstart.distribution import silence_others
    from headstart.evaluation import evaluate

    silence_others()
    result = evaluate(settings, messages=messages)
    facts = result.facts
    text = (
        f"{score_table(result.scores, percent=result.task.percent)}\n"
        f"{facts['examples']:,} {result.task.noun}, {facts['windows']:,} windows in {facts['seconds']:.1f} s"
        f" ({facts['windows_per_second']:.0f} windows/s); files in {result.folder}"
    )
    return Result(result.document(), text)
