"""`load(folder)(…)`: a trained model as a Python object, whatever its task."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from headstart.checkpoint import load_trained
from headstart.errors import SettingsError
from headstart.hardware import choose_hardware
from headstart.inference import Predictor
from headstart.settings import AskSettings, build
from headstart.tasks.base import examples_of


class TrainedModel:
    """A trained model that takes what its task is about.

    * question answering: `model(question=…, context=…)` → `Reply`
    * classification: `model(text=…)`, or with `text_pair=…` → `{"label", "score", "probabilities"}`
    * regression: the same → `{"number"}`
    * tagging: `model(text=…)` or `model(words=[…])` → `{"tags": […], "entities": […]}`

    A list of texts gives a list of replies, in their order.

    Args:
        model: a folder or hub id with a trained head.
        null_threshold: of question answering: call a question unanswerable when the no-answer score beats the best
            span by more than this (default: the threshold saved with the model). Giving one makes "no answer" a
            candidate.
    """

    def __init__(self, model: str | Path, *, null_threshold: float | None = None, **hardware: Any) -> None:
        settings = build(AskSettings, hardware, source="the arguments of load")
        chosen = choose_hardware(settings)
        checkpoint = load_trained(model, chosen)
        self.task = checkpoint.task
        if null_threshold is not None:
            if "null_threshold" not in self.task.options():
                raise SettingsError("a question-answering model for a threshold", self.task.name, "leave it out")
            options = {"null_threshold": null_threshold, "no_answer": True}
            self.task = self.task.from_options({**self.task.options(), **options})
        self.predictor = Predictor(checkpoint, chosen, task=self.task, tokens_per_batch=settings.eval_tokens_per_batch)

    def __call__(self, **inputs: Any) -> Any:
        """Reply to one input, or to many in their order.

        Raises:
            DataError: inputs that are empty, or do not belong together.
        """
        examples, single = examples_of(self.task, inputs)
        predictions = self.predictor.predict(examples) if examples else []
        replies = [self.task.reply(e, p) for e, p in zip(examples, predictions, strict=True)]
        return replies[0] if single else replies


def load(model: str | Path, **options: Any) -> TrainedModel:
    """Load a trained model to ask it; options as for `TrainedModel`."""
    return TrainedModel(model, **options)
