"""The one way from examples to predictions and scores: in training, on the command line, in Python, in a server.

Three things happen at once: the next batch is read and padded, the model works on this one, and the last one is
decoded, scored and written.

    ahead(prepare)  →  model  →  Behind(finish)
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.ahead import ahead
from headstart.batching import Collator, batch_widths, evaluation_batches, pools
from headstart.behind import Behind
from headstart.checkpoint import Checkpoint
from headstart.distribution import ALONE, Ranks
from headstart.hardware import Hardware
from headstart.messages import QUIET, Messages
from headstart.ragged import Array
from headstart.tasks import QuestionAnswering
from headstart.tokens import TextEncoder
from headstart.window_rows import WindowRows
from headstart.window_store import WindowStore, store_in_memory

if TYPE_CHECKING:
    import torch

Receive = Callable[[int, Any], None]  # takes the place of an example and the prediction for it
POOL = 4_096  # windows sorted by length together, and decoded together


@dataclass(slots=True)
class Work:
    """What a run did, counted while it did it. Tokens are real ones; `padded` counts padding too.

    `seconds` are those of the whole pass, `decode` those of it that went, beside the model, into decoding.
    """

    windows: int = 0
    tokens: int = 0
    padded: int = 0
    loss: float = 0.0
    labelled: int = 0
    seconds: float = 0.0
    decode: float = 0.0

    def add_up(self, ranks: Ranks) -> None:
        """Count what all processes did; seconds stay this one's."""
        counts = np.array([self.windows, self.tokens, self.padded, self.labelled, self.loss], np.float64)
        ranks.add_up(counts)
        self.windows, self.tokens, self.padded, self.labelled = counts[:4].astype(int).tolist()
        self.loss = float(counts[4])

    def summary(self) -> dict[str, Any]:
        """The counts by the names that `--json` gives."""
        seconds = max(self.seconds, 1e-9)
        return {
            "windows": self.windows,
            "windows_per_second": round(self.windows / seconds, 2),
            "tokens_per_second": round(self.tokens / seconds, 1),
            "padding_share": round(1 - self.tokens / self.padded, 4) if self.padded else 0.0,
            "peak_memory_mb": peak_memory_mb(),
            "seconds_evaluate": round(self.seconds, 3),
            "seconds_decode": round(self.decode, 3),
        }


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What predictions on labelled examples are worth. `task` carries the thresholds they were scored at."""

    task: QuestionAnswering
    scores: dict[str, float]
    loss: float
    work: Work


@dataclass(frozen=True, slots=True)
class Batch:
    """Windows that go through the model together."""

    rows: WindowRows
    inputs: Mapping[str, torch.Tensor]
    targets: Mapping[str, torch.Tensor]  # none where no window has labels
    ends_pool: bool  # whether all windows of their examples have been seen then


@dataclass(frozen=True, slots=True)
class Modelled:
    """A batch with what the model made of it, on its way to the host; `arrived` is None where it is there."""

    batch: Batch
    outputs: SimpleNamespace
    losses: torch.Tensor | None  # (windows,)
    arrived: torch.cuda.Event | None


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
        ranks: Ranks = ALONE,
    ) -> None:
        self.model = checkpoint.model
        self.task = task or checkpoint.task
        self.encoder = TextEncoder(checkpoint.tokenizer)
        self.hardware = hardware
        self.tokens_per_batch = tokens_per_batch
        self.messages = messages
        self.ranks = ranks
        self.collator = Collator(self.encoder, accepts=forward_arguments(self.model))

    def predict(self, examples: Sequence[Any]) -> list[Any]:
        """One prediction an example, in their order; by this process alone."""
        store = store_in_memory(self.task.windows(examples, self.encoder))
        predictions: list[Any] = [None] * len(examples)
        finish = _Finish(self.task, examples, predictions.__setitem__, left=self.collator.left)
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
            finish = _Finish(self.task, examples, hear, left=self.collator.left, done=bar.update)
            self._run(store, share, finish)
        work = finish.work
        self.ranks.add_up(scorer.table)
        work.add_up(self.ranks)
        task = scorer.tune() if tune else self.task
        scores = scorer.scores(task)
        work.seconds = time.perf_counter() - begun
        return Evaluation(task, scores, work.loss / work.labelled if work.labelled else float("nan"), work)

    def _run(self, store: WindowStore, share: Sequence[Array], finish: _Finish) -> None:
        """Bring the windows of these pools through the model, and each batch to `finish`."""
        import torch

        prepare = _Prepare(self, store)
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
            {name: tensor.to(self.hardware.device, non_blocking=True) for name, tensor in tensors.items()}
            for tensors in (batch.inputs, batch.targets)
        )
        outputs = self.model(**inputs)
        losses = self.task.loss(outputs, targets, inputs["attention_mask"]) if targets else None
        return self._to_host(batch, outputs, losses)

    def _to_host(self, batch: Batch, outputs: Any, losses: torch.Tensor | None) -> Modelled:
        """Begin to copy; nobody waits for the device here, so that it never waits for the next batch."""
        import torch

        on_gpu = self.hardware.device.type == "cuda"

        def copy(tensor: torch.Tensor) -> torch.Tensor:
            return tensor.detach().to("cpu", non_blocking=on_gpu)

        copies = SimpleNamespace(**{n: copy(t) for n, t in outputs.items() if isinstance(t, torch.Tensor)})
        losses = None if losses is None else copy(losses)
        arrived = torch.cuda.Event() if on_gpu else None  # type: ignore[no-untyped-call]
        if arrived:
            arrived.record()
        return Modelled(batch, copies, losses, arrived)


class _Prepare:
    """Places of windows → a batch, read and padded. What a model of any shape costs is paid once for each width."""

    def __init__(self, predictor: Predictor, store: WindowStore) -> None:
        self.task, self.collator, self.store = predictor.task, predictor.collator, store
        self.tokens = predictor.tokens_per_batch
        self.on_gpu = predictor.hardware.device.type == "cuda"
        self.widths = batch_widths(store.lengths, multiple_of=8 if self.on_gpu else 1)

    def batches(self, share: Sequence[Array]) -> Iterator[tuple[Array, bool]]:
        """The windows of each batch, and whether it is the last of its pool."""
        for pool in share:
            *batches, last = evaluation_batches(self.store, pool, tokens=self.tokens, widths=self.widths)
            yield from ((batch, False) for batch in batches)
            yield last, True

    def __call__(self, item: tuple[Array, bool]) -> Batch:
        places, ends_pool = item
        rows = self.store.rows(places)
        inputs, targets = self.collator.inputs(rows, self.widths), {}
        if rows.label_starts.lengths.any():
            arrays = self.task.targets(rows, inputs["input_ids"].shape[1], left=self.collator.left)
            targets = {name: _tensor(array) for name, array in arrays.items()}
        if self.on_gpu:
            inputs, targets = (
                {name: tensor.pin_memory() for name, tensor in tensors.items()} for tensors in (inputs, targets)
            )
        return Batch(rows, inputs, targets, ends_pool)


class _Finish:
    """Batches from the model → predictions for `receive`, example by example, and the counts of `work`."""

    def __init__(
        self,
        task: QuestionAnswering,
        examples: Sequence[Any],
        receive: Receive,
        *,
        left: bool,
        done: Callable[[int], object] = id,
    ) -> None:
        self.task, self.examples, self.receive, self.left, self.done = task, examples, receive, left, done
        self.work = Work()
        self._parts: list[Any] = []
        self._seen: list[Array] = []  # examples of the windows in `_parts`

    def __call__(self, modelled: Modelled) -> None:
        if modelled.arrived:
            modelled.arrived.synchronize()
        batch = modelled.batch
        self._count(batch, modelled.losses)
        begun = time.perf_counter()
        self._parts.append(self.task.shrink(modelled.outputs, batch.rows, left=self.left))
        self._seen.append(batch.rows.example)
        self.work.decode += time.perf_counter() - begun
        if batch.ends_pool:
            self._hand_over()
        self.done(len(batch.rows))

    def _hand_over(self) -> None:
        """One prediction at a time: none of them outlives its turn."""
        places = np.unique(np.concatenate(self._seen)).tolist()
        predictions = self._timed(self.task.decode(self._parts, self.examples))
        self._parts, self._seen = [], []
        for place, prediction in zip(places, predictions, strict=True):
            self.receive(place, prediction)

    def _timed(self, predictions: Iterator[Any]) -> Iterator[Any]:
        while True:
            begun = time.perf_counter()
            prediction = next(predictions, self)
            self.work.decode += time.perf_counter() - begun
            if prediction is self:
                return
            yield prediction

    def _count(self, batch: Batch, losses: torch.Tensor | None) -> None:
        self.work.windows += len(batch.rows)
        self.work.tokens += len(batch.rows.input_ids.values)
        self.work.padded += batch.inputs["input_ids"].numel()
        if losses is not None:
            labelled = batch.rows.label_starts.lengths > 0
            self.work.loss += float(losses.float().numpy()[labelled].sum())
            self.work.labelled += int(labelled.sum())


def _tensor(array: Array) -> torch.Tensor:
    import torch

    return torch.from_numpy(array)


def pool_size(windows: int, ranks: int) -> int:
    """Windows of a pool, so that every rank gets as many pools as the others.

    >>> pool_size(10_000, 1), pool_size(10_000, 4), pool_size(7, 4)
    (3334, 2500, 2)
    """
    pools_each = max(-(-windows // (ranks * POOL)), 1)
    return max(-(-windows // (ranks * pools_each)), 1)


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
