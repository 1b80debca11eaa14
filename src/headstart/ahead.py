"""The next piece of work is done while the last one is used."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def ahead(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """As `map`, with one item worked on in a thread while the caller uses the result before it.

    Worth it where `work` leaves Python's lock to others, as the Rust tokenizer does. Results come in order, an
    exception comes where its result would have; a caller who stops waits for one item at most. Items are taken
    by the caller's own thread. A single item is worked on without a thread.

    >>> list(ahead(len, ["a", "bb", "ccc"]))
    [1, 2, 3]
    """
    stream = iter(items)
    head = list(islice(stream, 2))
    if len(head) < 2:
        yield from map(work, head)
        return
    with ThreadPoolExecutor(1) as worker:
        running = worker.submit(work, head[0])
        for item in chain(head[1:], stream):
            following = worker.submit(work, item)
            yield running.result()
            running = following
        yield running.result()
