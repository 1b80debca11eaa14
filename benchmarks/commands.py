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
        subprocess.CalledProcessError: it failed; what it had to say stands on standard error.
    """
    done = subprocess.run(
        [sys.executable, "-m", "headstart", *words, *flags(options), "--json", "--quiet"],
        stdout=subprocess.PIPE,
        check=True,
    )
    return dict(json.loads(done.stdout))


def flags(options: dict[str, Any]) -> list[str]:
    """Options as the command line spells them.

    >>> flags({"max_steps": 20, "limit": None})
    ['--max-steps', '20']
    """
    given = {name: value for name, value in options.items() if value is not None}
    return [word for name, value in given.items() for word in ("--" + name.replace("_", "-"), str(value))]
