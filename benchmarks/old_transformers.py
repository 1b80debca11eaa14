"""An environment with transformers 4, which still had the `question-answering` pipeline: made once, then reused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TORCH, TRANSFORMERS = "torch==2.13.0", "transformers==4.57.6"
READY = "ready"  # a file that is written last: an environment without it was interrupted while it was made


def python_in(folder: Path) -> Path:
    """Where the interpreter of an environment lies."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def make(folder: Path) -> None:
    """Make the environment unless it is there.

    Raises:
        subprocess.CalledProcessError: a step failed; its messages stand in `stderr`.
    """
    if (folder / READY).is_file():
        return
    python = str(python_in(folder))
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # torch first and alone: where a CPU build is offered, pip takes it only when asked for this exact version
    for words in ([sys.executable, "-m", "venv", str(folder)], [*install, TORCH], [*install, TRANSFORMERS]):
        subprocess.run(words, check=True, stderr=subprocess.PIPE, text=True)
    (folder / READY).write_text(f"{TORCH}\n{TRANSFORMERS}\n", encoding="utf-8")
