"""Data → windows, with what a person has to hear about it on the way; shared by training and evaluation."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from headstart.data import ReadData, split
from headstart.errors import SettingsError
from headstart.messages import Messages
from headstart.settings import CacheSettings, TrainSettings
from headstart.tasks import Task
from headstart.tokens import TextEncoder
from headstart.window_store import WindowStore, fingerprint, stored_windows


def read_both(settings: TrainSettings, task: Task, messages: Messages) -> tuple[ReadData[Any], ReadData[Any] | None]:
    """Training data and, if asked for, validation data: from its own sources or a share of the passages."""
    options: dict[str, Any] = {
        "columns": settings.columns,
        "on_bad_data": settings.on_bad_data,
        "limit": settings.limit,
    }
    data = task.read(settings.train, role="train", **options)
    report_problems(data, messages)
    share = _share(settings.validation)
    if share is not None:
        return split(data, share, settings.seed)
    if not settings.validation:
        return data, None
    validation = task.read(settings.validation, role="validation", **options)
    report_problems(validation, messages)
    return data, validation


def _share(validation: Sequence[str]) -> float | None:
    """`--validation 0.1` asks for a share of the training data."""
    try:
        share = float(validation[0]) if len(validation) == 1 else None
    except ValueError:
        return None
    if share is not None and not 0 < share < 1:
        raise SettingsError("a share between 0 and 1, or data", f"--validation {validation[0]}", "try 0.1")
    return share


def report_problems(data: ReadData[Any], messages: Messages) -> None:
    """Repairs are counted, what was left out is named, one line each; `--verbose` names the repairs too."""
    repaired = Counter(problem.kind for problem in data.problems if problem.repaired)
    if repaired:
        messages.say("repaired: " + ", ".join(f"{count} × {kind}" for kind, count in repaired.most_common()))
    for problem in data.problems:
        if problem.repaired:
            messages.detail(f"repaired: {problem}")
        elif problem.fatal:
            messages.warn(f"{problem.left_out} left out: {problem}")
        else:
            messages.say(f"note: {problem}")


def prepare_windows(
    data: ReadData[Any],
    task: Task,
    encoder: TextEncoder,
    settings: CacheSettings,
    messages: Messages,
    label: str,
    *,
    offsets: bool = True,
) -> WindowStore:
    """The windows of a data set, from the cache if this very preparation was made before.

    `offsets` lead from tokens back to characters: decoding needs them, training does not.
    """
    begun = time.perf_counter()
    name = fingerprint(data.fingerprint, encoder.fingerprint(), task.windows_key(), str(offsets))
    folder = settings.cache_dir / "windows" if settings.cache_dir else None
    windows = task.windows(data.examples, encoder)
    store, found = stored_windows(name, windows, folder=folder, force=settings.overwrite_cache, offsets=offsets)
    how = "from the cache" if found else f"prepared in {time.perf_counter() - begun:.1f} s"
    messages.say(f"{label}: {len(data.examples):,} {task.noun}, {len(store):,} windows ({how})")
    if cut := len(np.unique(store.examples[store.counts("cut") > 0])):
        messages.say(
            f"note: {cut:,} of {len(data.examples):,} {task.noun} are too long and were cut"
            " (--long-texts windows reads them whole)"
        )
    return store
