"""Let a trained model judge texts: labels, numbers, tags or answers as JSON lines, in the order of the input.

Data may be files, a folder or a hub id as for evaluate (labels are not needed), a .txt file of a text a line, or
standard input: there a line is a text, or a JSON object such as {"text": …, "text_pair": …} or
{"question": …, "context": …}, with an "id" if you like.
"""

from __future__ import annotations

import argparse
import sys

from headstart.cli.main import Result
from headstart.cli.options import add_settings, given_values
from headstart.messages import Messages
from headstart.settings import PredictSettings, build

EXAMPLES = """examples:
  headstart predict runs/cola --data sentences.txt
  echo "John Smith lives in Oslo" | headstart predict runs/ner
  headstart predict runs/stsb --data pairs.csv --columns text=1 text_pair=2 --output similar.jsonl
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `headstart predict`."""
    add_settings(parser, PredictSettings, positional=("model",))


def run(arguments: argparse.Namespace, messages: Messages) -> Result | None:
    """Predict; the lines are the output, so that nothing else may stand there."""
    settings = build(PredictSettings, given_values(arguments, PredictSettings))
    if arguments.json and settings.output is None:
        messages.warn("the output is JSON lines already; --json is for a summary beside --output")
    from headstart.prediction import predict

    if not settings.data and sys.stdin.isatty():
        messages.say("a text a line, then Ctrl-D:")
    result = predict(settings, lines=sys.stdin, messages=messages)
    facts = result.facts
    said = f"{facts['examples']:,} examples in {facts['seconds']:.1f} s"
    if result.output is None:
        messages.say(said)
        return None
    return Result({**facts, "output": str(result.output)}, f"{said}, written to {result.output}")
