"""Runs both sides of every row in turn, each in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from commands import last_line
from rows import Row, Side
from table import Found, not_measured, summary

MEASURES = Path(__file__).with_name("measures.py")


class MissingError(Exception):
    """Something a row needs is not here and could not be made: the row is left out."""


class FailedError(Exception):
    """A side of a row stopped with an error."""


class Bench:
    """Measures rows. What two rows share, such as the pipeline's speed, is measured once.

    `makers` makes what an option of that name points to (a trained model, an environment) when it is first needed.
    """

    def __init__(self, repeats: int, *, makers: Mapping[str, Callable[[], None]], environment: Mapping[str, str]):
        self.repeats = repeats
        self.makers = makers
        self.environment = {**os.environ, **environment}
        self.known: dict[str, Found] = {}
        self.made: dict[str, MissingError | None] = {}

    def row(self, row: Row) -> dict[str, Any]:
        """Both sides in turn: A B A B …; a row that cannot be measured says why."""
        repeats = self.repeats if row.kind == "times" else 1
        sides: list[list[Found]] = [[] for _ in row.sides]
        try:
            for repeat, seed in enumerate(row.seeds or [None] * repeats):
                for side, found in zip(row.sides, sides, strict=True):
                    found.append(self.measure(_seeded(side, seed), repeat))
                    _say(f"{row.name}: {side.measure} {found[-1]['value']:,.2f} {row.unit}")
        except (MissingError, FailedError) as error:
            _say(f"{row.name}: not measured: {error}")
            return not_measured(row, str(error), failed=isinstance(error, FailedError))
        return summary(row, sides[0] if row.theirs else [], sides[-1])

    def measure(self, side: Side, repeat: int = 0) -> Found:
        """What one process found out.

        Raises:
            MissingError: what it needs could not be made.
            FailedError: it stopped with an error.
        """
        for name in side.options:
            self._make(name)
        words = [side.measure, json.dumps(side.options)]
        key = json.dumps([*words, repeat])
        if key not in self.known:
            self.known[key] = self._run(words)
        return self.known[key]

    def _run(self, words: list[str]) -> Found:
        done = subprocess.run(
            [sys.executable, str(MEASURES), *words], env=self.environment, capture_output=True, text=True
        )
        if done.returncode:
            raise FailedError(f"{words[0]}: {last_line(done.stderr)}")
        return dict(json.loads(done.stdout.splitlines()[-1]))

    def _make(self, name: str) -> None:
        """Make what an option points to, once; a failure is remembered."""
        if name in self.makers and name not in self.made:
            try:
                self.makers[name]()
                self.made[name] = None
            except (subprocess.CalledProcessError, RuntimeError) as error:
                said = getattr(error, "stderr", None) or str(error)
                self.made[name] = MissingError(f"no {name}: {last_line(said)}")
        if problem := self.made.get(name):
            raise problem


def _seeded(side: Side, seed: int | None) -> Side:
    return side if seed is None else Side(side.measure, {**side.options, "seed": seed})


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
