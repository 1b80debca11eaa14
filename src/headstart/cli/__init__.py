"""The `headstart` command: one file per verb, each a few lines over the library."""

from __future__ import annotations

from headstart.cli.main import main

__all__ = ["main"]
