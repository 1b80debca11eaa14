"""Work behind the caller's back: in order, bounded, and never silent about what went wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.behind import WAITING, Behind


def hand_over(items: Iterable[int], work: Callable[[int], object]) -> None:
    with Behind(work) as give:
        for item in items:
            give(item)


@given(st.lists(st.integers(), max_size=20))
def test_every_item_is_worked_on_once_in_order(items):
    seen: list[int] = []
    hand_over(items, seen.append)
    assert seen == items


def test_a_single_item_needs_no_thread():
    threads: list[threading.Thread] = []
    hand_over([1], lambda _: threads.append(threading.current_thread()))
    assert threads == [threading.main_thread()]


def test_several_items_are_worked_on_in_one_thread_beside_the_caller():
    threads: list[threading.Thread] = []
    hand_over(range(9), lambda _: threads.append(threading.current_thread()))
    assert len(set(threads)) == 1
    assert threads[0] is not threading.main_thread()
    assert not threads[0].is_alive()


def test_the_caller_waits_when_too_much_has_gathered():
    begun, may_go_on = [], threading.Event()

    def work(item: int) -> None:
        begun.append(item)
        may_go_on.wait(10)

    given_out = []

    def caller() -> None:
        with Behind(work) as give:
            for item in range(20):
                give(item)
                given_out.append(item)

    thread = threading.Thread(target=caller)
    thread.start()
    thread.join(0.3)
    assert len(given_out) <= WAITING + 2
    may_go_on.set()
    thread.join(10)
    assert begun == list(range(20))


@pytest.mark.parametrize("count", [1, 2, 3, 30])
def test_what_goes_wrong_behind_comes_to_the_caller(count):
    def work(item: int) -> None:
        if item == 0:
            raise ZeroDivisionError("item 0")

    with pytest.raises(ZeroDivisionError, match="item 0"):
        hand_over(range(count), work)


@pytest.mark.parametrize("count", [1, 5])
def test_a_caller_who_is_interrupted_leaves_no_thread_and_drops_what_waits(count):
    def interrupted() -> Iterator[int]:
        yield from range(count)
        raise KeyboardInterrupt

    seen: list[int] = []
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        hand_over(interrupted(), seen.append)
    assert threading.active_count() == before
    assert seen == list(range(len(seen)))
    assert count > 1 or not seen
