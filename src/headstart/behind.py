"""The last piece of work is finished while the next one is begun: the counterpart of `ahead`."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Generic, TypeVar

Item = TypeVar("Item")

WAITING = 2  # items that may wait for the thread: what they hold is all the memory this takes


class Behind(Generic[Item]):
    """Hand items to `work`, which runs in a thread, one after the other; leaving the `with` block waits for the rest.

    What `work` raises is raised at the next item or at the end of the block. If the block itself fails, what waits
    is dropped. A single item is worked on at the end of the block, without a thread.

    >>> seen = []
    >>> with Behind(seen.append) as give:
    ...     give("a")
    ...     give("b")
    >>> seen
    ['a', 'b']
    """

    def __init__(self, work: Callable[[Item], object]) -> None:
        self.work = work
        self._held: list[Item] = []  # the first item, until there is a second
        self._running: deque[Future[object]] = deque()
        self._worker: ThreadPoolExecutor | None = None

    def __enter__(self) -> Callable[[Item], None]:
        return self._give

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        try:
            while self._running and not kind:
                self._running.popleft().result()
        finally:
            if self._worker:
                self._worker.shutdown(cancel_futures=True)
        if not self._worker and not kind:
            for item in self._held:
                self.work(item)

    def _give(self, item: Item) -> None:
        if not self._worker and not self._held:
            self._held = [item]
            return
        if not self._worker:
            self._worker = ThreadPoolExecutor(1)
            self._running.append(self._worker.submit(self.work, self._held.pop()))
        while len(self._running) > WAITING:
            self._running.popleft().result()
        self._running.append(self._worker.submit(self.work, item))
