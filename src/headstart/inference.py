"""The one way from examples to predictions and scores: in training, on the command line, in Python, in a server.

Three things happen at once: the next batch is read and padded, the model works on this one, and the last one is
decoded, scored and written.

    ahead(prepare)  →  model  →  Behind(finish)
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from headstart.ahead import ahead
from headstart.batching import Collator, pools
from headstart.behind import Behind
from headstart.checkpoint import Checkpoint
from headstart.distribution import ALONE, Ranks
from headstart.hardware import Hardware
from headstart.messages import QUIET, Messages
from headstart.ragged import Array
from headstart.stages import Batch, Finish, Modelled, Prepare, Receive
from headstart.tasks import Task
from headstart.tokens import TextEncoder
from headstart.window_store import WindowStore, store_in_memory
from headstart.work import Work, peak_memory_mb

__all__ = ["Evaluation", "Predictor", "Work", "forward_arguments", "peak_memory_mb", "pool_size"]

POOL = 4_096  # windows sorted by length together, and decoded together


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What predictions on labelled examples are worth. `task` carries the thresholds they were scored at."""

    task: Task
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
        task: Task | None = None,
        tokens_per_batch: int | None = None,
        messages: Messages = QUIET,
        ranks: Ranks = ALONE,
    ) -> None:
        self.model = checkpoint.model
        self.task = task or checkpoint.task
        self.encoder = TextEncoder(checkpoint.tokenizer)
        self.hardware = hardware
        self.on_gpu = hardware.device.type == "cuda"
        self.tokens_per_batch = tokens_per_batch or hardware.evaluation_tokens
        self.messages = messages
        self.ranks = ranks
        self.collator = Collator(self.encoder, accepts=forward_arguments(self.model))

    def predict(self, examples: Sequence[Any]) -> list[Any]:
        """One prediction an example, in their order; by this process alone."""
        store = store_in_memory(self.task.windows(examples, self.encoder))
        predictions: list[Any] = [None] * len(examples)
        finish = Finish(self.task, examples, predictions.__setitem__, left=self.collator.left)
        self._run(store, list(pools(store, windows=POOL)), finish)
        return predictions

    def evaluate(
        self, store: WindowStore, examples: Sequence[Any], *, tune: bool = False, receive: Receive | None = None
    ) -> Evaluation:
        """Predict and score; with `tune` the thresholds are fitted on these very examples.

        Several processes share the work: `receive` hears only of the predictions of this one, from another thread and
        in order; the scores are those of all, everywhere.
        """
        begun = time.perf_counter()
        scorer = self.task.scorer(examples)

        def hear(place: int, prediction: Any) -> None:
            scorer.add(place, prediction)
            if receive:
                receive(place, prediction)

        share = self.ranks.share(list(pools(store, windows=pool_size(len(store), self.ranks.size))))
        with self.messages.bar(sum(map(len, share)), "evaluating", unit="windows") as bar:
            finish = Finish(self.task, examples, hear, left=self.collator.left, done=bar.update)
            self._run(store, share, finish)
        work = finish.work
        self.ranks.add_up(scorer.table)
        work.add_up(self.ranks)
        task = scorer.tune() if tune else self.task
        scores = scorer.scores(task)
        work.seconds = time.perf_counter() - begun
        return Evaluation(task, scores, work.loss / work.learnt if work.learnt else float("nan"), work)

    def _run(self, store: WindowStore, share: Sequence[Array], finish: Finish) -> None:
        """Bring the windows of these pools through the model, and each batch to `finish`."""
        import torch

        prepare = Prepare(self.task, self.collator, store, tokens=self.tokens_per_batch, on_gpu=self.on_gpu)
        was_training = self.model.training
        self.model.eval()
        try:
            with torch.inference_mode(), self.hardware.autocast(), Behind(finish) as give:
                for batch in ahead(prepare, prepare.batches(share)):
                    give(self._model(batch))
        finally:
            self.model.train(was_training)

    def _model(self, batch: Batch) -> Modelled:
        inputs, targets = (
            {name: tensor.to(self.hardware.device, non_blocking=self.on_gpu) for name, tensor in tensors.items()}
            for tensors in (batch.inputs, batch.targets)
        )
        outputs = self.model(**inputs)
        losses = self.task.loss(outputs, targets, inputs["attention_mask"]) if targets else None
        return Modelled.on_its_way(batch, outputs, losses, on_gpu=self.on_gpu)


def pool_size(windows: int, ranks: int) -> int:
    """Windows of a pool, so that every rank gets as many pools as the others.

    >>> pool_size(10_000, 1), pool_size(10_000, 4), pool_size(7, 4)
    (3334, 2500, 2)
    """
    pools_each = max(-(-windows // (ranks * POOL)), 1)
    return max(-(-windows // (ranks * pools_each)), 1)


def forward_arguments(model: Any) -> list[str]:
    """The names a model's forward takes: some know no token_type_ids."""
    import inspect

    return list(inspect.signature(model.forward).parameters)
