"""Parsing, errors and exit codes, the same for every verb."""

from __future__ import annotations

import argparse
import difflib
import importlib
import json
import os
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any, NoReturn

from headstart._version import __version__
from headstart.errors import HeadstartError
from headstart.messages import Messages

VERBS = {
    "train": "fine-tune an encoder on labelled data",
    "evaluate": "score a trained model on labelled data",
    "predict": "let a trained model judge texts: JSON lines",
    "ask": "ask a trained model a question about a text",
    "score": "score anyone's predictions by the official rules",
}
INTERRUPTED = 130

EPILOG = """exit codes:
  0 done   1 unexpected error   2 wrong flags or settings   3 data that cannot be used
  4 model or tokenizer that cannot be used   5 an optional package is missing   130 interrupted

first steps:
  headstart train --model DIR_OR_HUB_ID --train sample --validation sample --output runs/first
  headstart ask runs/first -q "Who …?" --context-file text.txt
"""


class Parser(argparse.ArgumentParser):
    """argparse with a hint at the flag that was meant."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and what was perhaps meant; exit with 2."""
        unknown = message.removeprefix("unrecognized arguments: ").split()[0] if "unrecognized" in message else ""
        near = difflib.get_close_matches(unknown, list(self._option_string_actions), n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        self.exit(2, f"headstart: {message}.{hint} `{self.prog} --help` lists everything.\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code tells how it ended."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = build_parser(words[0] if words and words[0] in VERBS else None)
    parsed, unknown = parser.parse_known_args(words)
    if unknown:
        VERB_PARSERS.get(getattr(parsed, "verb", ""), parser).error(f"unrecognized arguments: {' '.join(unknown)}")
    if not getattr(parsed, "verb", None):
        parser.print_help()
        return 0
    return _run(parsed)


VERB_PARSERS: dict[str, Parser] = {}


def build_parser(only: str | None = None) -> Parser:
    """The parser; only the module of the verb that was asked for is imported."""
    parser = Parser(
        prog="headstart",
        description="Give a pretrained encoder a task head and fine-tune it.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"headstart {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", title="verbs", parser_class=Parser)
    for name, text in VERBS.items():
        module = importlib.import_module(f"headstart.cli.{name}") if name == only else None
        child = verbs.add_parser(
            name,
            help=text,
            description=(module.__doc__ if module else text),
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            epilog=getattr(module, "EXAMPLES", None),
        )
        VERB_PARSERS[name] = child
        if module:
            _add_common(child)
            module.add_arguments(child)
    return parser


def _add_common(parser: Parser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON document on standard output, nothing else")
    loudness = parser.add_mutually_exclusive_group()
    loudness.add_argument("--verbose", "-v", action="store_true", help="say more")
    loudness.add_argument(
        "--quiet",
        "-q" if parser.prog.split()[-1] != "ask" else "--silent",
        action="store_true",
        help="say only warnings and errors",
    )


def _run(parsed: argparse.Namespace) -> int:
    verb: ModuleType = importlib.import_module(f"headstart.cli.{parsed.verb}")
    messages = Messages(2 if parsed.verbose else 0 if parsed.quiet else 1)
    _calm_libraries(verbose=parsed.verbose)
    try:
        result = verb.run(parsed, messages)
        if result is None:
            return 0
        if parsed.json:
            print(json.dumps(result.document, ensure_ascii=False, indent=2, default=str))
        else:
            print(result.text)
        sys.stdout.flush()
        return 0
    except HeadstartError as error:
        print(f"headstart: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        hint = " Go on with the same command and --resume." if parsed.verb == "train" else ""
        print(f"\nheadstart: interrupted.{hint}", file=sys.stderr)
        return INTERRUPTED


def _calm_libraries(*, verbose: bool) -> None:
    """Libraries' advice to their own users is noise to ours; `--verbose` brings it back."""
    if not verbose:
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
        os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
        os.environ.setdefault("DATASETS_VERBOSITY", "error")
        os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
        os.environ.setdefault("PYTHONWARNINGS", "ignore")
        import warnings

        warnings.simplefilter("ignore")


class Result:
    """What a verb gives: a document for `--json` and a text for a person."""

    def __init__(self, document: dict[str, Any], text: str) -> None:
        self.document, self.text = document, text
