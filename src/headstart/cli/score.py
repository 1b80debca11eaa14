"""Score anyone's predictions by the official SQuAD rules, offline.

The numbers are those of the official scripts to the last digit. A question without a prediction is named and counted
wrong.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from headstart.cli.main import Result
from headstart.cli.tables import score_table
from headstart.messages import Messages

EXAMPLES = """examples:
  headstart score --predictions predictions.json --references dev-v1.1.json
  headstart score --predictions predictions.json --references dev-v2.0.json --null-odds null_odds.json --json
"""
NAMED = 10  # missing questions named one by one


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `headstart score`."""
    parser.add_argument(
        "--predictions",
        type=Path,
        required=True,
        metavar="FILE",
        help="JSON of id → text, or a list or JSON lines of {id, prediction_text}",
    )
    parser.add_argument(
        "--references", nargs="+", required=True, metavar="SOURCE", help="labelled data: files, a hub id, or sample"
    )
    parser.add_argument("--null-odds", type=Path, metavar="FILE", help="JSON of id → no-answer odds: adds best scores")
    parser.add_argument(
        "--threshold", type=float, metavar="X", help="count as unanswered above these odds (official: 1.0)"
    )
    parser.add_argument(
        "--rules", choices=("auto", "1.1", "2.0"), default="auto", help="whose rules (default: by the data)"
    )


def run(arguments: argparse.Namespace, messages: Messages) -> Result:
    """Score, and name what has no prediction."""
    from headstart.scoring import score_files

    score = score_files(
        arguments.predictions,
        arguments.references,
        null_odds=arguments.null_odds,
        threshold=arguments.threshold,
        rules=arguments.rules,
    )
    _name(score.missing, "without a prediction, counted wrong", messages)
    _name(score.extra, "predicted but no question of the references, ignored", messages)
    document = {**score.scores, "rules": score.rules, "missing": list(score.missing), "extra": list(score.extra)}
    return Result(document, score_table(score.scores))


def _name(ids: tuple[str, ...], what: str, messages: Messages) -> None:
    if ids:
        more = f" … and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
        messages.warn(f"{len(ids)} {what}: {', '.join(ids[:NAMED])}{more}")
