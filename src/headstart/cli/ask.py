"""Ask a trained model a question about a text: from a file, from the command line or from standard input."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart.cli.main import Result
from headstart.cli.options import add_settings, given_values
from headstart.errors import DataError, SettingsError
from headstart.messages import Messages
from headstart.settings import AskSettings, build

if TYPE_CHECKING:
    from headstart.tasks.question_replies import Reply

EXAMPLES = """examples:
  headstart ask runs/first -q "Who built it?" --context-file history.txt
  headstart ask runs/first -q "Who built it?" "When?" --context "The bridge was built by Ana Ruiz in 1874."
  cat history.txt | headstart ask runs/first -q "Who built it?" --json
"""
AROUND = 60  # characters of the text shown on either side of an answer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `headstart ask`."""
    parser.add_argument("model", metavar="MODEL", help="a folder that headstart trained, or any span model")
    parser.add_argument("-q", "--question", nargs="+", action="extend", required=True, help="one or more questions")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--context", metavar="TEXT", help="the text itself")
    where.add_argument("--context-file", type=Path, metavar="FILE", help="a UTF-8 text file (default: standard input)")
    parser.add_argument("--null-threshold", type=float, metavar="X", help="no-answer threshold (default: as tuned)")
    parser.add_argument("--n-best", type=int, default=3, metavar="N", help="alternatives shown (default: 3)")
    add_settings(parser, AskSettings)


def run(arguments: argparse.Namespace, messages: Messages) -> Result:
    """Answer every question about the one text."""
    if arguments.n_best < 1:
        raise SettingsError("--n-best of at least 1", str(arguments.n_best), "leave it out to see 3")
    context = _context(arguments)
    options = build(AskSettings, given_values(arguments, AskSettings)).model_dump()
    from headstart.answering import load

    answerer = load(arguments.model, null_threshold=arguments.null_threshold, **options)
    replies = answerer(question=arguments.question, context=context)
    documents = [_document(reply, arguments.n_best) for reply in replies]
    document = documents[0] if len(documents) == 1 else {"replies": documents}
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    return Result(document, "\n\n".join(_text(reply, context, arguments.n_best, colour=colour) for reply in replies))


def _context(arguments: argparse.Namespace) -> str:
    if arguments.context is not None:
        text, name = arguments.context, "--context"
    elif arguments.context_file is not None:
        text, name = _read(arguments.context_file), str(arguments.context_file)
    else:
        if sys.stdin.isatty():
            print("paste the text, then Ctrl-D:", file=sys.stderr)
        text, name = sys.stdin.read(), "standard input"
    if not text.strip():
        raise DataError("a text to look for the answer in", f"nothing in {name}", "give --context or --context-file")
    return str(text)


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DataError("a text file", f"{path}: {error.strerror}", "check the path after --context-file") from None
    except UnicodeDecodeError as error:
        raise DataError("UTF-8 text", f"{path}, byte {error.start}: {error.reason}", "save it as UTF-8") from None


def _document(reply: Reply, n_best: int) -> dict[str, Any]:
    document = reply.as_dict()
    return {**document, "nbest": document["nbest"][:n_best]}


def _text(reply: Reply, context: str, n_best: int, *, colour: bool) -> str:
    """The answer in its surroundings, and what else it might be."""
    lines = [f"{reply.question}", f"  {reply.answer or 'no answer in this text'}  ({reply.score:.0%})"]
    if reply.answer:
        lines.append(f"  {_surroundings(context, reply.start, reply.end, colour=colour)}")
    others = [c for c in reply.nbest if (c.start, c.end) != (reply.start, reply.end)][: n_best - 1]
    lines += [f"  or: {' '.join(c.text.split()) or 'no answer'}  ({c.probability:.0%})" for c in others]
    return "\n".join(lines)


def _surroundings(context: str, start: int, end: int, *, colour: bool) -> str:
    opening, closing = ("\x1b[1;32m", "\x1b[0m") if colour else ("[", "]")
    before, after = context[max(start - AROUND, 0) : start], context[end : end + AROUND]
    parts = (before, opening, context[start:end], closing, after)
    text = " ".join("".join(parts).split())
    return f"{'… ' if start > AROUND else ''}{text}{' …' if end + AROUND < len(context) else ''}"
