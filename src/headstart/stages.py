"""What stands before and behind the model: windows become padded batches, and its logits predictions."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.batching import Collator, batch_widths, evaluation_batches, padded_lengths
from headstart.ragged import Array
from headstart.tasks import Task
from headstart.window_rows import WindowRows
from headstart.window_store import WindowStore
from headstart.work import Work

if TYPE_CHECKING:
    import torch

TOGETHER = 64  # windows decoded together: fewer cost numpy more in calls than in work
Receive = Callable[[int, Any], None]  # takes the place of an example and the prediction for it


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

    @property
    def width(self) -> int:
        """The padded length of its windows."""
        return int(self.batch.inputs["input_ids"].shape[1])

    @classmethod
    def on_its_way(cls, batch: Batch, outputs: Any, losses: torch.Tensor | None, *, on_gpu: bool) -> Modelled:
        """Begin to copy; nobody waits for the device here, so that it never waits for the next batch."""
        import torch

        def copy(tensor: torch.Tensor) -> torch.Tensor:
            return tensor.detach().to("cpu", non_blocking=on_gpu)

        copies = SimpleNamespace(**{n: copy(t) for n, t in outputs.items() if isinstance(t, torch.Tensor)})
        losses = None if losses is None else copy(losses)
        arrived = torch.cuda.Event() if on_gpu else None  # type: ignore[no-untyped-call]
        if arrived:
            arrived.record()
        return cls(batch, copies, losses, arrived)


class Prepare:
    """Places of windows → a batch, read and padded. What a model of any shape costs is paid once for each width."""

    def __init__(self, task: Task, collator: Collator, store: WindowStore, *, tokens: int, on_gpu: bool) -> None:
        self.task, self.collator, self.store = task, collator, store
        self.tokens, self.on_gpu = tokens, on_gpu
        self.widths = batch_widths(store.lengths, multiple_of=8 if on_gpu else 1)  # tensor cores work on eights
        self.lengths = padded_lengths(store.lengths, self.widths)

    def batches(self, share: Sequence[Array]) -> Iterator[tuple[Array, bool]]:
        """The windows of each batch, and whether it is the last of its pool."""
        for pool in share:
            *batches, last = evaluation_batches(self.lengths, pool, tokens=self.tokens)
            yield from ((batch, False) for batch in batches)
            yield last, True

    def __call__(self, item: tuple[Array, bool]) -> Batch:
        """One of `batches`, ready for the model."""
        places, ends_pool = item
        rows = self.store.rows(places)
        inputs, targets = self.collator.inputs(rows, self.widths), {}
        if rows.label_counts.any():
            arrays = self.task.targets(rows, inputs["input_ids"].shape[1], left=self.collator.left)
            targets = {name: _tensor(array) for name, array in arrays.items()}
        if self.on_gpu:
            inputs, targets = (
                {name: tensor.pin_memory() for name, tensor in tensors.items()} for tensors in (inputs, targets)
            )
        return Batch(rows, inputs, targets, ends_pool)


class Finish:
    """Batches from the model → predictions for `receive`, example by example, and the counts of `work`."""

    def __init__(
        self,
        task: Task,
        examples: Sequence[Any],
        receive: Receive,
        *,
        left: bool,
        done: Callable[[int], object] = id,
    ) -> None:
        self.task, self.examples, self.receive, self.left, self.done = task, examples, receive, left, done
        self.work = Work()
        self._waiting: list[Modelled] = []  # batches of one width, to be shrunk together
        self._parts: list[Any] = []
        self._seen: list[Array] = []  # examples of the windows in `_parts`

    def __call__(self, modelled: Modelled) -> None:
        """Decode a batch; with the last one of a pool, hand its predictions over."""
        if modelled.arrived:
            modelled.arrived.synchronize()
        batch = modelled.batch
        self._count(batch, modelled.losses)
        begun = time.perf_counter()
        if self._waiting and self._waiting[-1].width != modelled.width:
            self._shrink()
        self._waiting.append(modelled)
        if batch.ends_pool or sum(len(one.batch.rows) for one in self._waiting) >= TOGETHER:
            self._shrink()
        self.work.decode += time.perf_counter() - begun
        if batch.ends_pool:
            self._hand_over()
        self.done(len(batch.rows))

    def _shrink(self) -> None:
        """Keep of the batches that wait what decoding needs."""
        rows = WindowRows.join([modelled.batch.rows for modelled in self._waiting])
        outputs = _joined([modelled.outputs for modelled in self._waiting])
        self._waiting = []
        self._parts.append(self.task.shrink(outputs, rows, left=self.left))
        self._seen.append(rows.example)

    def _hand_over(self) -> None:
        """The predictions of a pool are few numbers each: whoever looks at one has its texts and objects made."""
        begun = time.perf_counter()
        places = np.unique(np.concatenate(self._seen)).tolist()
        predictions = self.task.decode(self._parts, self.examples)
        self.work.decode += time.perf_counter() - begun
        self._parts, self._seen = [], []
        for place, prediction in zip(places, predictions, strict=True):
            self.receive(place, prediction)

    def _count(self, batch: Batch, losses: torch.Tensor | None) -> None:
        self.work.windows += len(batch.rows)
        self.work.tokens += len(batch.rows.input_ids.values)
        self.work.padded += batch.inputs["input_ids"].numel()
        if losses is not None:
            counts = batch.rows.label_counts
            self.work.loss += float(losses.float().numpy()[counts > 0].sum())
            self.work.learnt += self.task.learnt(counts)


def _joined(outputs: Sequence[SimpleNamespace]) -> SimpleNamespace:
    """The outputs of batches of one width as those of a single batch."""
    import torch

    if len(outputs) == 1:
        return outputs[0]
    return SimpleNamespace(**{name: torch.cat([vars(one)[name] for one in outputs]) for name in vars(outputs[0])})


def _tensor(array: Array) -> torch.Tensor:
    import torch

    return torch.from_numpy(array)
