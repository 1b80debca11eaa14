"""Windows on disk and in memory: what goes in comes out, and nothing is prepared twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from headstart import window_store
from headstart.examples import Answer, QuestionExample
from headstart.window_store import WindowRows, cache_folder, fingerprint, store_in_memory, stored_windows
from headstart.windows import Window, WindowOptions, make_windows

RAGGED = ("input_ids", "token_type_ids", "starts", "ends")


@pytest.fixture(scope="module")
def windows(encoders) -> list[Window]:
    """Windows of four examples, with several labels, one, CLS and none; of a tokenizer with CLS last."""
    context = "The old key opened the door by the river, and nobody asked who had made it. " * 3
    two = (Answer("key", 8), Answer("old key", 4))
    asked = [
        QuestionExample("a", "what opened the door", context, two),
        QuestionExample("b", "who made it", context, ()),
        QuestionExample("c", "which river", context),
        QuestionExample("d", "which door", "A green door", (Answer("green", 2),)),
    ]
    return list(make_windows(asked, encoders["xlnet"], WindowOptions(max_length=40, doc_stride=8)))


@pytest.fixture(autouse=True)
def _several_writes(monkeypatch):
    """More than one chunk, although there are few windows."""
    monkeypatch.setattr(window_store, "ROWS_PER_WRITE", 3)


def never() -> Iterator[Window]:
    """Windows that must not be asked for."""
    raise AssertionError("windows were prepared a second time")
    yield


def check_rows(rows: WindowRows, windows: list[Window]) -> None:
    assert len(rows) == len(windows)
    assert rows.example.tolist() == [window.example for window in windows]
    assert rows.context_begin.tolist() == [window.context_begin for window in windows]
    assert rows.cls_index.tolist() == [window.cls_index for window in windows]
    for name in RAGGED:
        wanted = [getattr(window, name).tolist() for window in windows]
        assert [row.tolist() for row in getattr(rows, name)] == wanted
    firsts = [[first for first, _ in window.labels] for window in windows]
    lasts = [[last for _, last in window.labels] for window in windows]
    assert [row.tolist() for row in rows.label_starts] == firsts
    assert [row.tolist() for row in rows.label_ends] == lasts


def test_the_windows_of_this_file_are_worth_testing(windows):
    assert len(windows) > 6
    assert {len(window.labels) for window in windows} == {0, 1, 2}
    assert len({window.cls_index for window in windows}) > 1


def test_round_trip_through_a_file(windows, tmp_path):
    store, found = stored_windows("x", iter(windows), folder=tmp_path / "new" / "folder")
    assert not found
    assert len(store) == len(windows)
    assert store.lengths.tolist() == [len(window.input_ids) for window in windows]
    assert store.examples.tolist() == [window.example for window in windows]
    check_rows(store.rows(range(len(windows))), windows)


def test_rows_in_any_order_more_than_once_or_none(windows, tmp_path):
    store, _ = stored_windows("x", iter(windows), folder=tmp_path)
    for order in ([5, 0, 3], [2, 2], list(reversed(range(len(windows)))), [len(windows) - 1]):
        check_rows(store.rows(order), [windows[place] for place in order])
        check_rows(store.rows(np.asarray(order)), [windows[place] for place in order])
    check_rows(store.rows([]), [])


def test_a_slice_of_an_arrow_column_gives_its_own_rows_only():
    """Arrow hands out slices that still hold the values of the rows before and behind them."""
    import pyarrow as pa

    column = pa.chunked_array([pa.array([[1, 2], [3], [], [4, 5, 6]], pa.list_(pa.int32())).slice(1, 2)])
    rows = window_store._ragged(column)
    assert [row.tolist() for row in rows] == [[3], []]
    assert rows.pad(1, fill=0).tolist() == [[3], [0]]


def test_labelled_windows_are_those_one_can_learn_from(windows, tmp_path):
    store, _ = stored_windows("x", iter(windows), folder=tmp_path)
    wanted = [place for place, window in enumerate(windows) if window.labels]
    assert store.labelled().tolist() == wanted
    assert 0 < len(wanted) < len(windows)


def test_file_is_memory_mapped(windows, tmp_path):
    store, _ = stored_windows("x", iter(windows), folder=tmp_path)
    assert [Path(entry["filename"]) for entry in store.dataset.cache_files] == [tmp_path / "x.arrow"]
    assert type(store.dataset.data).__name__ == "MemoryMappedTable"


def test_same_name_is_found_and_windows_are_not_touched(windows, tmp_path):
    stored_windows("x", iter(windows), folder=tmp_path)
    before = (tmp_path / "x.arrow").stat().st_mtime_ns
    store, found = stored_windows("x", never(), folder=tmp_path)
    assert found
    assert (tmp_path / "x.arrow").stat().st_mtime_ns == before
    check_rows(store.rows(range(len(windows))), windows)


def test_force_writes_anew(windows, tmp_path):
    old, _ = stored_windows("x", iter(windows), folder=tmp_path)
    store, found = stored_windows("x", iter(windows[:2]), folder=tmp_path, force=True)
    assert not found
    assert len(store) == 2
    check_rows(old.rows(range(len(windows))), windows)  # who has the old file open keeps it
    assert len(stored_windows("x", never(), folder=tmp_path)[0]) == 2


def test_another_name_is_another_file(windows, tmp_path):
    stored_windows("x", iter(windows), folder=tmp_path)
    store, found = stored_windows("y", iter(windows[:1]), folder=tmp_path)
    assert not found
    assert len(store) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.arrow", "y.arrow"]


def test_a_crash_in_the_middle_leaves_nothing(windows, tmp_path):
    def broken() -> Iterator[Window]:
        yield from windows[:5]
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        stored_windows("x", broken(), folder=tmp_path)
    assert list(tmp_path.iterdir()) == []
    _, found = stored_windows("x", iter(windows), folder=tmp_path)
    assert not found


def test_a_crash_while_forcing_keeps_the_old_file(windows, tmp_path):
    stored_windows("x", iter(windows), folder=tmp_path)
    with pytest.raises(AssertionError, match="second time"):
        stored_windows("x", never(), folder=tmp_path, force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["x.arrow"]
    store, found = stored_windows("x", never(), folder=tmp_path)
    assert (found, len(store)) == (True, len(windows))


def test_store_in_memory_holds_the_same_as_the_file(windows, tmp_path):
    stored, _ = stored_windows("x", iter(windows), folder=tmp_path)
    memory = store_in_memory(iter(windows))
    check_rows(memory.rows(range(len(windows))), windows)
    check_rows(memory.rows([6, 1]), [windows[6], windows[1]])
    assert memory.lengths.tolist() == stored.lengths.tolist()
    assert memory.labelled().tolist() == stored.labelled().tolist()
    assert memory.dataset.cache_files == []


@pytest.mark.parametrize("size", [1, 3, 4, 100])
def test_pools_of_a_store_in_memory_are_those_of_the_file(windows, tmp_path, size):
    from headstart.batching import pools

    stored, _ = stored_windows("x", iter(windows), folder=tmp_path)
    ours, theirs = (list(pools(store, windows=size)) for store in (store_in_memory(windows), stored))
    assert [pool.tolist() for pool in ours] == [pool.tolist() for pool in theirs]
    assert np.concatenate(ours).tolist() == list(range(len(windows)))
    homes = [set(stored.examples[pool].tolist()) for pool in ours]
    assert sum(map(len, homes)) == 4  # no example is in two pools


@pytest.mark.parametrize("kind", ["file", "memory"])
def test_empty_store(tmp_path, kind):
    store = stored_windows("x", iter([]), folder=tmp_path)[0] if kind == "file" else store_in_memory([])
    assert len(store) == 0
    assert store.lengths.tolist() == store.labelled().tolist() == []
    check_rows(store.rows([]), [])


def test_padding_on_the_left_moves_tokens(windows):
    rows = store_in_memory(windows).rows([0, len(windows) - 1])
    short = len(windows[-1].input_ids)
    assert rows.shift(40, left=True).tolist() == [0, 40 - short]
    assert rows.shift(40, left=False).tolist() == [0, 0]


def test_fingerprint_is_short_the_same_and_changes_with_every_part():
    names = [fingerprint(*parts) for parts in (("a", "b"), ("a", "b"), ("ab", ""), ("b", "a"), ("a",), ("a", "c"))]
    assert names[0] == names[1]
    assert len(set(names)) == 5
    assert {len(name) for name in names} == {24}


def test_fingerprint_changes_with_the_format(monkeypatch):
    before = fingerprint("a")
    monkeypatch.setattr(window_store, "FORMAT", "windows-next")
    assert fingerprint("a") != before


def test_cache_folder_is_where_it_was_asked_for(monkeypatch, tmp_path):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "here"))
    assert cache_folder() == tmp_path / "here"
    monkeypatch.delenv("HEADSTART_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "headstart"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "headstart"


def test_without_a_folder_windows_go_into_the_cache(windows, monkeypatch, tmp_path):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path))
    stored_windows("x", iter(windows[:1]))
    assert (tmp_path / "windows" / "x.arrow").is_file()
