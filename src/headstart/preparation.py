"""Data → windows, with what a person has to hear about it on the way; shared by training and evaluation."""

from __future__ import annotations

import time
from collections import Counter

from headstart.data import ReadData
from headstart.messages import Messages
from headstart.settings import HardwareSettings
from headstart.tasks import QuestionAnswering
from headstart.tokens import TextEncoder
from headstart.window_store import WindowStore, fingerprint, stored_windows


def report_problems(data: ReadData, messages: Messages) -> None:
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
    data: ReadData,
    task: QuestionAnswering,
    encoder: TextEncoder,
    settings: HardwareSettings,
    messages: Messages,
    label: str,
) -> WindowStore:
    """The windows of a data set, from the cache if this very preparation was made before."""
    begun = time.perf_counter()
    options = (task.max_length, task.doc_stride, task.max_question_length)
    name = fingerprint(data.fingerprint, encoder.fingerprint(), repr(options))
    folder = settings.cache_dir / "windows" if settings.cache_dir else None
    windows = task.windows(data.examples, encoder)
    store, found = stored_windows(name, windows, folder=folder, force=settings.overwrite_cache)
    how = "from the cache" if found else f"prepared in {time.perf_counter() - begun:.1f} s"
    messages.say(f"{label}: {len(data.examples):,} questions, {len(store):,} windows ({how})")
    return store
