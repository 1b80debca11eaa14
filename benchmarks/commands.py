"""`headstart train` and `headstart evaluate` as a person runs them, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any


def train(encoder: str, sources: Sequence[str], output: str, **options: Any) -> dict[str, Any]:
    """Train with nothing but defaults and these options; gives what `--json` prints."""
    return headstart("train", "--model", encoder, "--train", *sources, "--output", output, "--overwrite", **options)


def evaluate(model: str, sources: Sequence[str], output: str, **options: Any) -> dict[str, Any]:
    """Evaluate likewise."""
    return headstart("evaluate", model, "--data", *sources, "--output", output, **options)


def headstart(*words: str, **options: Any) -> dict[str, Any]:
    """Run a verb and read its JSON; options that are None are left out.

    Raises:
        RuntimeError: it failed, with what it had to say.
    """
    command = [sys.executable, "-m", "headstart", *words, *flags(options), "--json", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"headstart {words[0]}: {last_line(done.stderr)}")
    return dict(json.loads(done.stdout))


def last_line(text: str) -> str:
    """The last thing a program said, which is its error."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "stopped without a word"


def flags(options: dict[str, Any]) -> list[str]:
    """Options as the command line spells them.

    >>> flags({"max_steps": 20, "limit": None})
    ['--max-steps', '20']
    """
    given = {name: value for name, value in options.items() if value is not None}
    return [word for name, value in given.items() for word in ("--" + name.replace("_", "-"), str(value))]
