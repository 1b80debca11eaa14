"""The processes of one run, as `torchrun` and `accelerate launch` start them: who they are and what they share.

Whatever is exchanged here is small and lies on the host, so it goes through gloo, also beside the nccl that adds up
gradients.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import IO, TYPE_CHECKING, Any, TypeVar

from headstart.ragged import Array

if TYPE_CHECKING:
    import torch

T = TypeVar("T")

PATIENCE = timedelta(hours=12)  # the others wait while the first one prepares a large data set
CHUNK = 2**22  # bytes sent at once


@dataclass(frozen=True, slots=True)
class Ranks:
    """This process among those of its run; every method must be called by all of them, in the same order.

    >>> Ranks(1, 3).share([10, 11, 12, 13, 14])
    [12, 13]
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0  # among the processes of its machine
    group: Any = None

    @property
    def is_first(self) -> bool:
        """Whether this process writes the files and talks."""
        return self.rank == 0

    def share(self, items: Sequence[T]) -> Sequence[T]:
        """The neighbouring items that are this process's; the shares in the order of the ranks are all items.

        The first process has something to do wherever there is anything.
        """
        begin, end = (-(-len(items) * rank // self.size) for rank in (self.rank, self.rank + 1))
        return items[begin:end]

    @contextmanager
    def first_goes_first(self) -> Iterator[None]:
        """The first process of each machine does the work of the block, then the others: they find it in the cache."""
        if self.local_rank:
            self.wait()
        try:
            yield
        finally:
            if not self.local_rank:
                self.wait()

    def wait(self) -> None:
        """Until all have come this far."""
        if self.size > 1:
            import torch.distributed

            torch.distributed.barrier(group=self.group)

    def add_up(self, numbers: Array) -> None:
        """Put the sum over all processes into `numbers`, everywhere."""
        if self.size > 1:
            import torch

            torch.distributed.all_reduce(torch.from_numpy(numbers), group=self.group)

    def gathered(self, stream: IO[bytes]) -> Iterator[bytes]:
        """Pieces of what the other processes have in their streams, in the order of the ranks: for the first one.

        Elsewhere nothing comes out, and the stream is sent.
        """
        if self.is_first:
            for source in range(1, self.size):
                yield from self._received(source)
        else:
            self._send(stream)

    def _received(self, source: int) -> Iterator[bytes]:
        import torch

        length = torch.zeros(1, dtype=torch.int64)
        while True:
            torch.distributed.recv(length, src=source, group=self.group)
            if not length:
                return
            piece = torch.empty(int(length), dtype=torch.uint8)
            torch.distributed.recv(piece, src=source, group=self.group)
            yield piece.numpy().tobytes()

    def _send(self, stream: IO[bytes]) -> None:
        import torch

        while piece := stream.read(CHUNK):
            torch.distributed.send(torch.tensor([len(piece)]), dst=0, group=self.group)
            torch.distributed.send(torch.frombuffer(bytearray(piece), dtype=torch.uint8), dst=0, group=self.group)
        torch.distributed.send(torch.zeros(1, dtype=torch.int64), dst=0, group=self.group)


ALONE = Ranks()


@contextmanager
def connected(device: torch.device) -> Iterator[Ranks]:
    """Join the other processes of this run, if there are any, until the end of the block.

    A process group that is already there is used and left as it is.
    """
    import torch.distributed as dist

    there = dist.is_available() and dist.is_initialized()
    if not there and int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield ALONE
        return
    if not there:
        _start(device)
    try:
        rank = dist.get_rank()
        group = dist.new_group(backend="gloo", timeout=PATIENCE)
        yield Ranks(rank, dist.get_world_size(), int(os.environ.get("LOCAL_RANK", rank)), group)
    finally:
        if not there:
            dist.destroy_process_group()


def _start(device: torch.device) -> None:
    """GPUs talk through nccl, hosts through gloo."""
    import torch
    import torch.distributed as dist

    if device.type == "cuda" and dist.is_nccl_available():
        torch.cuda.set_device(device)
        dist.init_process_group("cpu:gloo,cuda:nccl", timeout=PATIENCE)
    else:
        dist.init_process_group("gloo", timeout=PATIENCE)


def silence_others() -> None:
    """Let only the first process of a run print: the others would repeat its results."""
    if int(os.environ.get("RANK", "0")):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
