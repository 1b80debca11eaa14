"""`evaluate()`: a trained model and labelled data → scores, and files that the field's other tools read."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from headstart.checkpoint import load_trained, write_json
from headstart.examples import QuestionPrediction
from headstart.hardware import choose_hardware
from headstart.inference import Evaluation, Predictor
from headstart.messages import QUIET, Messages
from headstart.preparation import prepare_windows, report_problems
from headstart.settings import EvaluateSettings
from headstart.tasks import QuestionAnswering

OVERRIDES = ("max_length", "doc_stride", "n_best_size", "max_answer_length", "null_threshold")


@dataclass(frozen=True, slots=True)
class EvaluateResult:
    """Scores by their official names, and what the evaluation took; `folder` holds the files written."""

    scores: dict[str, float]
    facts: dict[str, Any]
    folder: Path

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
    checkpoint = load_trained(settings.model, hardware)
    task = _overridden(checkpoint.task, settings)
    data = task.read(
        settings.data,
        role="validation",
        columns=settings.columns,
        on_bad_data=settings.on_bad_data,
        limit=settings.limit,
    )
    report_problems(data, messages)
    predictor = Predictor(
        checkpoint, hardware, task=task, tokens_per_batch=settings.eval_tokens_per_batch, messages=messages
    )
    store = prepare_windows(data, task, predictor.encoder, settings, messages, "data")
    messages.say(f"{task.name}: {settings.model} on {hardware}")
    evaluation = predictor.evaluate(store, data.examples)
    folder = settings.output or _default_folder(settings.model)
    result = EvaluateResult(evaluation.scores, _facts(evaluation, len(data.examples), begun), folder)
    _write(folder, result, evaluation)
    return result


def _default_folder(model: str) -> Path:
    """Inside the model's folder; for a model of the hub, in the current one."""
    return Path(model) / "evaluation" if Path(model).is_dir() else Path("evaluation") / Path(model).name


def _overridden(task: QuestionAnswering, settings: EvaluateSettings) -> QuestionAnswering:
    """The task as it was trained, with what the command line changes."""
    given = {name: value for name in OVERRIDES if (value := getattr(settings, name)) is not None}
    return replace(task, **given, no_answer=task.no_answer or "null_threshold" in given)


def _facts(evaluation: Evaluation, questions: int, begun: float) -> dict[str, Any]:
    task = evaluation.task
    threshold = {"null_threshold": task.null_threshold} if task.no_answer else {}
    return {
        **threshold,
        "loss": round(evaluation.loss, 6),
        "questions": questions,
        "seconds": round(time.perf_counter() - begun, 3),
        **evaluation.work.summary(),
    }


def _write(folder: Path, result: EvaluateResult, evaluation: Evaluation) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    predictions: Sequence[QuestionPrediction] = evaluation.predictions
    write_json(folder / "metrics.json", result.document())
    write_json(folder / "predictions.json", {p.id: evaluation.task.answer(p).text for p in predictions})
    write_json(folder / "nbest_predictions.json", {p.id: _nbest(p) for p in predictions})
    odds = {p.id: p.null_odds for p in predictions if p.null_odds is not None}
    if odds:
        write_json(folder / "null_odds.json", odds)


def _nbest(prediction: QuestionPrediction) -> list[dict[str, Any]]:
    """The form of run_qa, with characters of the context as offsets."""
    return [
        {
            "text": answer.text,
            "probability": answer.probability,
            "start_logit": answer.start_logit,
            "end_logit": answer.end_logit,
            "offsets": [answer.start, answer.end],
        }
        for answer in prediction.nbest
    ]
