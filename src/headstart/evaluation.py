"""`evaluate()`: a trained model and labelled data → scores, and files that the field's other tools read."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headstart.checkpoint import load_trained, write_json
from headstart.data import ReadData
from headstart.distribution import Ranks, connected
from headstart.errors import SettingsError
from headstart.hardware import Hardware, choose_hardware
from headstart.inference import Evaluation, Predictor
from headstart.messages import QUIET, Messages
from headstart.prediction_files import PredictionFiles
from headstart.preparation import prepare_windows, report_problems
from headstart.settings import EvaluateSettings, flag
from headstart.tasks import Task

SILENT = Messages(-1)  # not even warnings: the first process gives them
OVERRIDES = ("max_length", "doc_stride", "long_texts", "n_best_size", "max_answer_length", "null_threshold")


@dataclass(frozen=True, slots=True)
class EvaluateResult:
    """Scores by their official names, and what the evaluation took; `folder` holds the files written."""

    scores: dict[str, float]
    facts: dict[str, Any]
    folder: Path
    task: Task

    def document(self) -> dict[str, Any]:
        """One flat document for `--json` and metrics.json."""
        return {**self.scores, **self.facts}


def evaluate(settings: EvaluateSettings, *, messages: Messages = QUIET) -> EvaluateResult:
    """Score a trained model and write metrics.json, predictions.json, nbest_predictions.json, null_odds.json.

    Raises:
        HeadstartError: data or model that cannot be used.
    """
    begun = time.perf_counter()
    hardware = choose_hardware(settings)
    with connected(hardware.device) as ranks:
        return _evaluate(settings, hardware, ranks, messages if ranks.is_first else SILENT, begun)


def _evaluate(
    settings: EvaluateSettings, hardware: Hardware, ranks: Ranks, messages: Messages, begun: float
) -> EvaluateResult:
    checkpoint = load_trained(settings.model, hardware)
    task = _overridden(checkpoint.task, settings)
    data = _read(settings, task, messages)
    predictor = Predictor(
        checkpoint,
        hardware,
        task=task,
        tokens_per_batch=settings.eval_tokens_per_batch,
        messages=messages,
        ranks=ranks,
    )
    with ranks.first_goes_first():
        fresh = settings.model_copy(update={"overwrite_cache": settings.overwrite_cache and not ranks.local_rank})
        store = prepare_windows(data, task, predictor.encoder, fresh, messages, "data")
    messages.say(f"{task.name}: {settings.model} on {hardware}")
    prepared = time.perf_counter()
    folder = settings.output or _default_folder(settings.model)
    with PredictionFiles(folder, task.files, ranks) as files:

        def write(place: int, prediction: Any) -> None:
            files.add(data.examples[place].id, task.written(prediction))

        evaluation = predictor.evaluate(store, data.examples, receive=write)
    facts = {"task": task.name, "examples": len(data.examples), "seconds_prepare": round(prepared - begun, 3)}
    facts |= _facts(evaluation) | {"seconds": round(time.perf_counter() - begun, 3)}
    result = EvaluateResult(evaluation.scores, facts, folder, task)
    if ranks.is_first:
        write_json(folder / "metrics.json", result.document())
    return result


def _read(settings: EvaluateSettings, task: Task, messages: Messages) -> ReadData[Any]:
    data = task.read(
        settings.data,
        role="validation",
        columns=settings.columns,
        on_bad_data=settings.on_bad_data,
        limit=settings.limit,
    )
    report_problems(data, messages)
    for remark in task.remarks(data.examples):
        messages.warn(remark)
    return data


def _default_folder(model: str) -> Path:
    """Inside the model's folder; for a model of the hub, in the current one."""
    return Path(model) / "evaluation" if Path(model).is_dir() else Path("evaluation") / Path(model).name


def _overridden(task: Task, settings: EvaluateSettings) -> Task:
    """The task as it was trained, with what the command line changes."""
    given = {name: value for name in OVERRIDES if (value := getattr(settings, name)) is not None}
    foreign = [name for name in given if name not in task.options()]
    if foreign:
        flags = ", ".join(map(flag, foreign))
        raise SettingsError(f"options of {task.name}", flags, "leave it out, or give another model")
    changed = {"no_answer": True} if "null_threshold" in given else {}
    return task.from_options({**task.options(), **given, **changed})


def _facts(evaluation: Evaluation) -> dict[str, Any]:
    task = evaluation.task
    return {**task.tuned(), "loss": round(evaluation.loss, 6), **evaluation.work.summary()}
