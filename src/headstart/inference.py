"""The one way from examples to predictions and scores: in training, on the command line, in Python, in a server."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from headstart.batching import Collator, evaluation_batches, pools
from headstart.checkpoint import Checkpoint
from headstart.hardware import Hardware
from headstart.messages import QUIET, Messages
from headstart.tasks import QuestionAnswering
from headstart.tokens import TextEncoder
from headstart.window_store import WindowRows, WindowStore, store_in_memory


@dataclass(slots=True)
class Work:
    """What a run did, counted while it did it. Tokens are real ones; `padded` counts padding too."""

    windows: int = 0
    tokens: int = 0
    padded: int = 0
    loss: float = 0.0
    labelled: int = 0
    seconds: dict[str, float] = field(default_factory=lambda: {"model": 0.0, "decode": 0.0})

    def summary(self) -> dict[str, Any]:
        """The counts by the names that `--json` gives."""
        total = max(sum(self.seconds.values()), 1e-9)
        return {
            "windows": self.windows,
            "windows_per_second": round(self.windows / total, 2),
            "tokens_per_second": round(self.tokens / total, 1),
            "padding_share": round(1 - self.tokens / self.padded, 4) if self.padded else 0.0,
            "peak_memory_mb": peak_memory_mb(),
            **{f"seconds_{stage}": round(seconds, 3) for stage, seconds in self.seconds.items()},
        }


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Predictions on labelled examples and what they are worth. `task` carries the thresholds they were scored at."""

    task: QuestionAnswering
    predictions: list[Any]
    scores: dict[str, float]
    loss: float
    work: Work


class Predictor:
    """A model, ready to make predictions of examples. Memory does not grow with their number."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        hardware: Hardware,
        *,
        task: QuestionAnswering | None = None,
        tokens_per_batch: int = 8_192,
        messages: Messages = QUIET,
    ) -> None:
        self.model = checkpoint.model
        self.task = task or checkpoint.task
        self.encoder = TextEncoder(checkpoint.tokenizer)
        self.hardware = hardware
        self.tokens_per_batch = tokens_per_batch
        self.messages = messages
        self.collator = Collator(self.encoder, accepts=forward_arguments(self.model))

    def predict(self, examples: Sequence[Any]) -> list[Any]:
        """One prediction an example, in their order."""
        store = store_in_memory(self.task.windows(examples, self.encoder))
        return list(self.run(store, examples, Work()))

    def evaluate(self, store: WindowStore, examples: Sequence[Any], *, tune: bool = False) -> Evaluation:
        """Predict, then score; with `tune` the thresholds are first fitted on these very examples."""
        work = Work()
        watched = self.messages.progress(self.run(store, examples, work), len(examples), "evaluating", "q")
        predictions = list(watched)
        task = self.task.tune(examples, predictions) if tune else self.task
        loss = work.loss / work.labelled if work.labelled else float("nan")
        return Evaluation(task, predictions, task.score(examples, predictions), loss, work)

    def run(self, store: WindowStore, examples: Sequence[Any], work: Work) -> Iterator[Any]:
        """Stream predictions in order; `work` counts what was done."""
        import torch

        was_training = self.model.training
        self.model.eval()
        try:
            for pool in pools(store):
                with torch.inference_mode():
                    parts = [
                        self._batch(store.rows(batch), work)
                        for batch in evaluation_batches(store, pool, tokens=self.tokens_per_batch)
                    ]
                begun = time.perf_counter()
                predictions = self.task.decode(parts, examples)
                work.seconds["decode"] += time.perf_counter() - begun
                yield from predictions
        finally:
            self.model.train(was_training)

    def _batch(self, rows: WindowRows, work: Work) -> Any:
        begun = time.perf_counter()
        inputs = {name: tensor.to(self.hardware.device) for name, tensor in self.collator.inputs(rows).items()}
        with self.hardware.autocast():
            outputs = self.model(**inputs)
        self._count(rows, outputs, inputs, work)
        modelled = time.perf_counter()
        shrunk = self.task.shrink(outputs, rows, left=self.collator.left)
        work.seconds["model"] += modelled - begun
        work.seconds["decode"] += time.perf_counter() - modelled
        return shrunk

    def _count(self, rows: WindowRows, outputs: Any, inputs: Any, work: Work) -> None:
        import torch

        work.windows += len(rows)
        work.tokens += len(rows.input_ids.values)
        work.padded += inputs["input_ids"].numel()
        labelled = rows.label_starts.lengths > 0
        if labelled.any():
            targets = self.task.targets(rows, inputs["input_ids"].shape[1], left=self.collator.left)
            tensors = {name: torch.from_numpy(array).to(self.hardware.device) for name, array in targets.items()}
            losses = self.task.loss(outputs, tensors, inputs["attention_mask"]).float().cpu().numpy()
            work.loss += float(losses[labelled].sum())
            work.labelled += int(labelled.sum())


def peak_memory_mb() -> float | None:
    """The most memory this process ever held; None where the system does not say (Windows)."""
    try:
        import resource
    except ImportError:  # pragma: no cover
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1024**2 if sys.platform == "darwin" else 1024), 1)


def forward_arguments(model: Any) -> list[str]:
    """The names a model's forward takes: some know no token_type_ids."""
    import inspect

    return list(inspect.signature(model.forward).parameters)
