"""Which windows go into a batch together, and how they become tensors.

Attention and matrix products cost what the *padded* batch costs, so a batch is a number of tokens, not of
windows: windows of like length are put together until the budget is full.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.ragged import Array, mask
from headstart.tokens import TextEncoder
from headstart.window_store import WindowRows, WindowStore

if TYPE_CHECKING:
    import torch

POOL = 60_000  # windows sorted by width together; larger sets are shuffled and cut into pools first
WIDTHS = 32  # padded widths of a data set: kernels keep memory for every shape they meet, so let there be few


def batch_widths(lengths: Array, *, count: int = WIDTHS, multiple_of: int = 1) -> Array:
    """The widths, at most `count` and ascending, to which windows of these lengths are padded at the least cost.

    Exact, by dynamic programming over the distinct lengths: the cheapest widths for the shortest ones are known
    before a longer one is looked at. Fewer than `count` distinct lengths need no padding at all.

    >>> batch_widths(np.array([3, 3, 4, 9, 9, 10]), count=2).tolist()
    [4, 10]
    """
    coarse = max(multiple_of, -(-int(lengths.max(initial=1)) // 1_024))  # a table of a thousand squared is enough
    coarser: Array = np.minimum(
        -(-lengths // coarse) * coarse, lengths.max(initial=1)
    )  # never beyond the model's positions
    values, counts = np.unique(coarser, return_counts=True)
    if len(values) <= count:
        return values
    below = np.concatenate([[0], np.cumsum(counts)])
    # (begin, end): the padded tokens when the lengths begin … end - 1 share the width of the longest of them
    cost = np.concatenate([[0], values])[None, :] * (below[None, :] - below[:, None]).astype(float)
    cost[np.tril_indices(len(below))] = np.inf
    least, begins = cost[0], []
    for _ in range(count - 1):
        total = least[:, None] + cost
        begins.append(total.argmin(axis=0))
        least = np.take_along_axis(total, begins[-1][None], axis=0)[0]
    ends = [len(values)]
    for begin in reversed(begins):
        ends.append(int(begin[ends[-1]]))
    widths: Array = values[np.array(ends[::-1]) - 1]
    return widths


def padded_lengths(lengths: Array, widths: Array) -> Array:
    """The width each window is padded to, (windows,).

    >>> padded_lengths(np.array([3, 9, 4]), np.array([4, 10])).tolist()
    [4, 10, 4]
    """
    padded: Array = widths[np.searchsorted(widths, lengths)]
    return padded


def pack(lengths: Array, order: Array, *, tokens: int) -> list[Array]:
    """Cut `order` (places of windows, longest first) into batches of at most `tokens` padded tokens.

    A window longer than the budget stands alone.

    >>> [batch.tolist() for batch in pack(np.array([9, 2, 3, 4]), np.array([0, 3, 2, 1]), tokens=8)]
    [[0], [3, 2], [1]]
    """
    batches, place = [], 0
    while place < len(order):
        width = max(int(lengths[order[place]]), 1)
        count = max(tokens // width, 1)
        batches.append(order[place : place + count])
        place += count
    return batches


def by_length(lengths: Array, indices: Array) -> Array:
    """Longest first; equal lengths keep their order."""
    return indices[np.argsort(-lengths[indices], kind="stable")]


class TokenBudgetSampler:
    """Batches for training: the same number every epoch, other companions every epoch, the same for one seed.

    With `windows_per_batch` the batches hold that many windows instead, in random order: the classic form.
    Each of `world_size` ranks gets every `world_size`-th batch, and all the same number.

    `widths` are what batches are to be padded to, few enough for kernels that prepare for every shape they meet.
    """

    batch_size = None  # what samplers of torch call it; there is no fixed one here
    drop_last = False

    def __init__(
        self,
        lengths: Array,
        indices: Array,
        *,
        tokens: int,
        windows_per_batch: int | None = None,
        seed: int = 0,
        rank: int = 0,
        world_size: int = 1,
        multiple_of: int = 1,
    ) -> None:
        self.indices = indices
        self.widths = batch_widths(lengths[indices], multiple_of=multiple_of)
        self.lengths = padded_lengths(lengths, np.append(self.widths, lengths.max(initial=0)))
        self.tokens, self.windows_per_batch = tokens, windows_per_batch
        self.seed, self.rank, self.world_size = seed, rank, world_size
        self.epoch = 0
        count = len(self._draw(0))
        self.batches = -(-count // world_size) * world_size

    def __len__(self) -> int:
        return self.batches // self.world_size

    def __iter__(self) -> Iterator[list[int]]:
        for batch in self.epoch_batches(self.epoch)[self.rank :: self.world_size]:
            yield batch.tolist()

    def set_epoch(self, epoch: int) -> None:
        """Called by the Trainer before each epoch, and when it resumes in the middle of one."""
        self.epoch = epoch

    def epoch_batches(self, epoch: int) -> list[Array]:
        """All batches of an epoch, over all ranks."""
        batches = _fit(self._draw(epoch), self.lengths, self.batches)
        order = np.random.default_rng([self.seed, epoch, 1]).permutation(len(batches))
        return [batches[place] for place in order]

    def _draw(self, epoch: int) -> list[Array]:
        shuffled = np.random.default_rng([self.seed, epoch]).permutation(self.indices)
        if self.windows_per_batch:
            return np.split(shuffled, np.arange(self.windows_per_batch, len(shuffled), self.windows_per_batch))
        pools = np.split(shuffled, np.arange(POOL, len(shuffled), POOL))
        return [
            batch for pool in pools for batch in pack(self.lengths, by_length(self.lengths, pool), tokens=self.tokens)
        ]


def _fit(batches: list[Array], lengths: Array, count: int) -> list[Array]:
    """Bring the number of batches to `count`: join the two lightest or halve the heaviest until it fits.

    Chance makes a batch more or less at the ends of the pools; the learning-rate schedule needs a fixed number.
    """
    batches = sorted(batches, key=lambda batch: (int(lengths[batch].sum()), int(batch[0])))
    while len(batches) > count:
        batches = [*batches[2:], np.concatenate(batches[:2])]
    while len(batches) < count:
        heaviest = max(range(len(batches)), key=lambda place: len(batches[place]))
        batch = batches.pop(heaviest)
        half = (len(batch) + 1) // 2
        batches += [batch[:half], batch[half:]] if half < len(batch) else [batch, batch]
    return batches


def evaluation_batches(lengths: Array, pool: Array, *, tokens: int) -> list[Array]:
    """The batches of one pool of windows, longest first: if memory runs out, it does so at once.

    `lengths` are the padded ones, of every window of the data set, (windows,).
    """
    *full, last = pack(lengths, by_length(lengths, pool), tokens=tokens)
    return [*full, *(_in_powers_of_two(last) if full else [last])]


def _in_powers_of_two(batch: Array) -> list[Array]:
    """What is left over at the end of a pool, cut so that its shapes are few: kernels keep memory for each shape.

    >>> [len(part) for part in _in_powers_of_two(np.arange(13))]
    [8, 4, 1]
    """
    sizes = [2**bit for bit in reversed(range(len(batch).bit_length())) if len(batch) & 2**bit]
    return np.split(batch, np.cumsum(sizes)[:-1])


def pools(store: WindowStore, *, windows: int = 4_096) -> Iterator[Array]:
    """Places of windows in order, in pools that never part the windows of one example."""
    total, begin = len(store), 0
    while begin < total:
        end = min(begin + windows, total)
        while end < total and store.examples[end] == store.examples[end - 1]:
            end += 1
        yield np.arange(begin, end)
        begin = end


class Collator:
    """Windows → the padded arrays a model takes, and the targets it learns from."""

    def __init__(self, encoder: TextEncoder, *, accepts: Sequence[str]) -> None:
        self.encoder = encoder
        self.accepts = frozenset(accepts)

    @property
    def left(self) -> bool:
        """Whether padding stands before the tokens."""
        return self.encoder.padding_side == "left"

    def inputs(self, rows: WindowRows, widths: Array | None = None) -> dict[str, torch.Tensor]:
        """The model's inputs, (windows, width) int64 each; the width is one of `widths`, or that of the longest."""
        import torch

        longest = rows.input_ids.lengths.max(initial=1)
        width = int(longest if widths is None else padded_lengths(longest, widths))
        arrays: dict[str, Any] = {
            "input_ids": rows.input_ids.pad(width, fill=self.encoder.pad_id, left=self.left),
            "attention_mask": mask(rows.input_ids.lengths, width, left=self.left),
        }
        if self.encoder.uses_token_types and "token_type_ids" in self.accepts:
            arrays["token_type_ids"] = rows.token_type_ids.pad(width, fill=self.encoder.pad_type, left=self.left)
        return {name: torch.from_numpy(array.astype(np.int64)) for name, array in arrays.items()}
