"""Work done one item ahead: the results of `map`, and a thread that never stays behind."""

from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.ahead import ahead


@given(st.lists(st.integers(), max_size=6))
def test_results_are_those_of_map(items):
    assert list(ahead(lambda item: item + 1, items)) == [item + 1 for item in items]


def test_the_next_item_is_worked_on_while_the_last_one_is_used():
    begun = [threading.Event() for _ in range(3)]
    results = ahead(lambda number: begun[number].set() or number, range(3))
    assert next(results) == 0
    assert begun[1].wait(5)  # nobody has asked for it
    assert not begun[2].is_set()
    assert list(results) == [1, 2]


def test_an_exception_comes_where_its_result_would_have():
    results = ahead(lambda number: 12 // number, [3, 0, 2])
    assert next(results) == 4
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert list(results) == []


def test_an_exception_of_the_items_comes_through():
    def items():
        yield 1
        yield 2
        raise RuntimeError("no more")

    results = ahead(str, items())
    with pytest.raises(RuntimeError, match="no more"):
        list(results)


def test_who_stops_early_leaves_no_thread_and_no_work_behind():
    before, done = threading.active_count(), []

    def work(number: int) -> int:
        time.sleep(0.01)
        done.append(number)
        return number

    results = ahead(work, range(100))
    next(results)
    results.close()
    assert len(done) <= 3
    assert threading.active_count() == before


def test_a_single_item_needs_no_thread():
    assert list(ahead(lambda _: threading.current_thread(), ["one"])) == [threading.current_thread()]
    assert threading.current_thread() not in list(ahead(lambda _: threading.current_thread(), ["one", "two"]))
