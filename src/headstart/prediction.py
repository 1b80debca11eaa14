"""`predict()`: a trained model and examples without labels → JSON lines, one an example, in their order."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from headstart.checkpoint import load_trained
from headstart.errors import DataError
from headstart.hardware import choose_hardware
from headstart.inference import Predictor
from headstart.messages import QUIET, Messages
from headstart.preparation import report_problems
from headstart.settings import PredictSettings
from headstart.tasks import Task
from headstart.tasks.base import examples_of

BLOCK = 4_096  # examples predicted together
LINES = (".txt", ".text")  # files of one text a line


@dataclass(frozen=True, slots=True)
class PredictResult:
    """What was done, and where the lines are (None: on standard output)."""

    facts: dict[str, Any]
    output: Path | None


def predict(
    settings: PredictSettings, *, lines: Iterable[str] | None = None, messages: Messages = QUIET
) -> PredictResult:
    """Write a JSON line for every example of `settings.data` or, without any, for every one of `lines`.

    A line is a text, or a JSON object with what the task takes (`text` and `text_pair`, `words`, `question` and
    `context`) and, if you like, an `id`.

    Raises:
        HeadstartError: data or model that cannot be used.
    """
    begun = time.perf_counter()
    hardware = choose_hardware(settings)
    checkpoint = load_trained(settings.model, hardware)
    task = checkpoint.task
    predictor = Predictor(checkpoint, hardware, tokens_per_batch=settings.eval_tokens_per_batch, messages=messages)
    messages.say(f"{task.name}: {settings.model} on {hardware}")
    size = BLOCK if settings.data else _block_of(lines)
    count = 0
    with _opened(settings.output) as stream:
        for block in _blocks(_examples(settings, task, lines, messages), size):
            for example, prediction in zip(block, predictor.predict(block), strict=True):
                stream.write(json.dumps(task.record(example, prediction), ensure_ascii=False) + "\n")
            stream.flush()
            count += len(block)
            messages.detail(f"{count:,} {task.noun}")
    seconds = time.perf_counter() - begun
    return PredictResult({"task": task.name, "examples": count, "seconds": round(seconds, 3)}, settings.output)


def _examples(settings: PredictSettings, task: Task, lines: Iterable[str] | None, messages: Messages) -> Iterator[Any]:
    sources = [source for source in settings.data if source != "-"]
    if len(sources) < len(settings.data) or not settings.data:
        yield from islice(_from_lines(lines or (), task, "standard input"), settings.limit)
    for source in [source for source in sources if source.lower().endswith(LINES)]:
        yield from islice(_from_lines(_read_lines(Path(source)), task, source), settings.limit)
    tables = [source for source in sources if not source.lower().endswith(LINES)]
    if tables:
        options: dict[str, Any] = {"columns": settings.columns, "on_bad_data": settings.on_bad_data}
        data = task.read(tables, role="validation", labelled=False, limit=settings.limit, **options)
        report_problems(data, messages)
        yield from data.examples


def _from_lines(lines: Iterable[str], task: Task, label: str) -> Iterator[Any]:
    """Examples from texts and JSON objects; empty lines are passed over."""
    for number, line in enumerate(lines):
        if line.strip():
            yield _example(line.rstrip("\r\n"), task, f"{label}, line {number + 1}", str(number))


def _example(line: str, task: Task, place: str, id: str) -> Any:
    inputs = _inputs(line, place)
    id = str(inputs.pop("id", id))
    try:
        examples, single = examples_of(task, inputs)
    except DataError as error:
        raise DataError(f"{error.expected}, at {place}", error.found, error.remedy) from None
    if not single:
        raise DataError(f"one {task.noun.removesuffix('s')} a line, at {place}", "a list", "write a line for each")
    [example] = examples
    return replace(example, id=id, place=place)


def _inputs(line: str, place: str) -> dict[str, Any]:
    if not line.lstrip().startswith("{"):
        return {"text": line}
    try:
        inputs = json.loads(line)
    except json.JSONDecodeError as error:
        raise DataError(
            f"a text or a JSON object at {place}", f"{error.msg} at column {error.colno}", "mend it"
        ) from None
    return dict(inputs)


def _read_lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8-sig") as stream:
            yield from stream
    except OSError as error:
        raise DataError("a text file", f"{path}: {error.strerror}", "check the path after --data") from None
    except UnicodeDecodeError as error:
        raise DataError("UTF-8 text", f"{path}: {error.reason} at byte {error.start}", "save it as UTF-8") from None


def _block_of(lines: Iterable[str] | None) -> int:
    """Someone who types wants each answer at once; a file or a pipe is read in blocks."""
    typed: bool = getattr(lines, "isatty", bool)()
    return 1 if typed else BLOCK


def _blocks(examples: Iterator[Any], size: int) -> Iterator[Sequence[Any]]:
    while block := list(islice(examples, size)):
        yield block


@contextmanager
def _opened(path: Path | None) -> Iterator[TextIO]:
    """The file, in place once it is complete; standard output where there is none."""
    if path is None:
        yield sys.stdout
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    try:
        with partial.open("w", encoding="utf-8") as stream:
            yield stream
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
