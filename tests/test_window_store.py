"""Windows on disk and in memory: what goes in comes out, nothing is prepared twice, memory does not grow."""

from __future__ import annotations

import os
import pickle
import sys
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from headstart import chunks, window_store
from headstart.examples import Answer, QuestionExample
from headstart.ragged import Ragged
from headstart.window_rows import Window, WindowRows, Windows
from headstart.window_store import WindowStore, cache_folder, fingerprint, store_in_memory, stored_windows
from headstart.windows import WindowOptions, make_windows

RAGGED = ("input_ids", "token_type_ids", "starts", "ends")


@dataclass(frozen=True)
class Made:
    """Windows in several chunks, to be handed out as often as a test likes."""

    rows: list[WindowRows]

    @property
    def windows(self) -> list[Window]:
        return [window for rows in self.rows for window in rows]

    def anew(self) -> Windows:
        return Windows(self.rows[0].layout, iter(self.rows))

    def first(self, count: int) -> Windows:
        return Windows(self.rows[0].layout, iter(self.rows[:count]))


@pytest.fixture(scope="module")
def made(encoders) -> Made:
    """Windows of four examples, with several labels, one, CLS and none; of a tokenizer with CLS last."""
    context = "The old key opened the door by the river, and nobody asked who had made it. " * 3
    two = (Answer("key", 8), Answer("old key", 4))
    asked = [
        QuestionExample("a", "what opened the door", context, two),
        QuestionExample("b", "who made it", context, ()),
        QuestionExample("c", "which river", context),
        QuestionExample("d", "which door", "A green door", (Answer("green", 2),)),
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "CHARACTERS", 200)
        return Made(list(make_windows(asked, encoders["xlnet"], WindowOptions(max_length=40, doc_stride=8)).chunks))


def never(made: Made) -> Windows:
    """Windows that must not be asked for."""

    def stream() -> Iterator[WindowRows]:
        raise AssertionError("windows were prepared a second time")
        yield

    return Windows(made.rows[0].layout, stream())


def check_rows(rows: WindowRows, windows: list[Window]) -> None:
    assert len(rows) == len(windows)
    assert rows.example.tolist() == [window.example for window in windows]
    assert rows.context_begin.tolist() == [window.context_begin for window in windows]
    assert rows.context_length.tolist() == [len(window.starts) for window in windows]
    assert rows.cls_index.tolist() == [window.cls_index for window in windows]
    for name in RAGGED:
        wanted = [getattr(window, name).tolist() for window in windows]
        assert [row.tolist() for row in getattr(rows, name)] == wanted
    check_labels(rows, windows)


def check_labels(rows: WindowRows, windows: list[Window]) -> None:
    assert [row.tolist() for row in rows.label_starts] == [[first for first, _ in w.labels] for w in windows]
    assert [row.tolist() for row in rows.label_ends] == [[last for _, last in w.labels] for w in windows]


def test_the_windows_of_this_file_are_worth_testing(made):
    assert len(made.rows) > 2
    assert len(made.windows) > 6
    assert {len(window.labels) for window in made.windows} == {0, 1, 2}
    assert len({window.cls_index for window in made.windows}) > 1


def test_round_trip_through_a_file(made, tmp_path):
    store, found = stored_windows("x", made.anew(), folder=tmp_path / "new" / "folder")
    assert not found
    assert len(store) == len(made.windows)
    assert store.lengths.tolist() == [len(window.input_ids) for window in made.windows]
    assert store.examples.tolist() == [window.example for window in made.windows]
    check_rows(store.rows(range(len(store))), made.windows)


def test_rows_in_any_order_more_than_once_or_none(made, tmp_path):
    store, _ = stored_windows("x", made.anew(), folder=tmp_path)
    for order in ([5, 0, 3], [2, 2], list(reversed(range(len(store)))), [len(store) - 1]):
        check_rows(store.rows(order), [made.windows[place] for place in order])
        check_rows(store.rows(np.asarray(order)), [made.windows[place] for place in order])
    check_rows(store.rows([]), [])


@pytest.mark.parametrize("beyond", [-1, 100])
def test_windows_that_are_not_there_are_refused(made, beyond):
    with pytest.raises(IndexError, match=f"{beyond}"):
        store_in_memory(made.anew()).rows([beyond, beyond])


def test_a_slice_of_an_arrow_column_gives_its_own_rows_only():
    """Arrow hands out slices that still hold the values of the rows before and behind them."""
    import pyarrow as pa

    column = pa.array([[1, 2], [3], [], [4, 5, 6]], pa.list_(pa.int32())).slice(1, 2)
    rows = window_store._ragged(column)
    assert [row.tolist() for row in rows] == [[3], []]
    assert rows.pad(1, fill=0).tolist() == [[3], [0]]


def test_labelled_windows_are_those_one_can_learn_from(made, tmp_path):
    store, _ = stored_windows("x", made.anew(), folder=tmp_path)
    wanted = [place for place, window in enumerate(made.windows) if window.labels]
    assert store.labelled().tolist() == wanted
    assert 0 < len(wanted) < len(store)


def test_file_is_what_datasets_reads(made, tmp_path):
    from datasets import Dataset

    stored_windows("x", made.anew(), folder=tmp_path)
    dataset = Dataset.from_file(str(tmp_path / "x.arrow"))
    assert dataset["input_ids"][:] == [window.input_ids.tolist() for window in made.windows]
    assert dataset["context_begin"][:] == [window.context_begin for window in made.windows]
    assert "token_type_ids" not in dataset.column_names  # they follow from the lengths


def test_small_vocabularies_take_two_bytes_a_token(made, tmp_path):
    store, _ = stored_windows("x", made.anew(), folder=tmp_path)
    assert store.rows([0]).input_ids.values.dtype == np.uint16


def test_large_token_ids_are_kept_whole(encoders, monkeypatch, tmp_path):
    monkeypatch.setattr(encoders["bert"], "id_type", np.int32)
    rows = next(iter(make_windows([QuestionExample("a", "who", "Zoë", ())], encoders["bert"]).chunks))
    large = Ragged(rows.input_ids.values + 100_000, rows.input_ids.bounds)
    changed = replace(rows, input_ids=large)
    store, _ = stored_windows("x", Windows(rows.layout, [changed]), folder=tmp_path)
    assert store.rows([0]).input_ids[0].tolist() == large[0].tolist()


def test_training_needs_no_offsets_and_stores_none(made, tmp_path):
    whole, _ = stored_windows("whole", made.anew(), folder=tmp_path)
    store, _ = stored_windows("small", made.anew(), folder=tmp_path, offsets=False)
    assert (whole.offsets_left_out, store.offsets_left_out) == (False, True)
    assert (tmp_path / "small.arrow").stat().st_size < (tmp_path / "whole.arrow").stat().st_size
    for one in (whole, store):
        rows = one.rows([1, 0], offsets=False)
        assert [row.tolist() for row in rows.input_ids] == [made.windows[n].input_ids.tolist() for n in (1, 0)]
        assert [row.tolist() for row in rows.token_type_ids] == [
            made.windows[n].token_type_ids.tolist() for n in (1, 0)
        ]
        check_labels(rows, [made.windows[1], made.windows[0]])
        assert len(rows.starts) == len(rows.ends) == 0
    with pytest.raises(ValueError, match=r"without offsets.*offsets=False"):
        store.rows([0])


def test_a_worker_process_maps_the_file_itself(made, tmp_path):
    store, _ = stored_windows("x", made.anew(), folder=tmp_path)
    for one in (store, store_in_memory(made.anew())):
        check_rows(pickle.loads(pickle.dumps(one)).rows([3, 1]), [made.windows[3], made.windows[1]])
    assert len(pickle.dumps(store)) < 500


def test_same_name_is_found_and_windows_are_not_touched(made, tmp_path):
    stored_windows("x", made.anew(), folder=tmp_path)
    before = (tmp_path / "x.arrow").stat().st_mtime_ns
    store, found = stored_windows("x", never(made), folder=tmp_path)
    assert found
    assert (tmp_path / "x.arrow").stat().st_mtime_ns == before
    check_rows(store.rows(range(len(store))), made.windows)


def test_force_writes_anew(made, tmp_path):
    old, _ = stored_windows("x", made.anew(), folder=tmp_path)
    store, found = stored_windows("x", made.first(1), folder=tmp_path, force=True)
    assert not found
    assert len(store) == len(made.rows[0])
    check_rows(old.rows(range(len(old))), made.windows)  # who has the old file open keeps it
    assert len(stored_windows("x", never(made), folder=tmp_path)[0]) == len(made.rows[0])


def test_another_name_is_another_file(made, tmp_path):
    stored_windows("x", made.anew(), folder=tmp_path)
    store, found = stored_windows("y", made.first(1), folder=tmp_path)
    assert not found
    assert len(store) == len(made.rows[0])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.arrow", "y.arrow"]


def test_a_crash_in_the_middle_leaves_nothing(made, tmp_path):
    def broken() -> Iterator[WindowRows]:
        yield from made.rows[:2]
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        stored_windows("x", Windows(made.rows[0].layout, broken()), folder=tmp_path)
    assert list(tmp_path.iterdir()) == []
    _, found = stored_windows("x", made.anew(), folder=tmp_path)
    assert not found


def test_a_crash_while_forcing_keeps_the_old_file(made, tmp_path):
    stored_windows("x", made.anew(), folder=tmp_path)
    with pytest.raises(AssertionError, match="second time"):
        stored_windows("x", never(made), folder=tmp_path, force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["x.arrow"]
    store, found = stored_windows("x", never(made), folder=tmp_path)
    assert (found, len(store)) == (True, len(made.windows))


def test_nobody_sees_the_file_before_it_is_whole(made, tmp_path):
    """Several ranks may prepare the same windows at once."""
    seen: list[list[str]] = []

    def watched() -> Iterator[WindowRows]:
        for rows in made.rows:
            seen.append([path.suffix for path in tmp_path.iterdir()])
            yield rows

    stored_windows("x", Windows(made.rows[0].layout, watched()), folder=tmp_path)
    assert seen == [[".partial"]] * len(made.rows)


def test_store_in_memory_holds_the_same_as_the_file(made, tmp_path):
    stored, _ = stored_windows("x", made.anew(), folder=tmp_path)
    memory = store_in_memory(made.anew())
    check_rows(memory.rows(range(len(memory))), made.windows)
    check_rows(memory.rows([6, 1]), [made.windows[6], made.windows[1]])
    assert memory.lengths.tolist() == stored.lengths.tolist()
    assert memory.labelled().tolist() == stored.labelled().tolist()


@pytest.mark.parametrize("size", [1, 3, 4, 100])
def test_pools_of_a_store_in_memory_are_those_of_the_file(made, tmp_path, size):
    from headstart.batching import pools

    stored, _ = stored_windows("x", made.anew(), folder=tmp_path)
    ours, theirs = (list(pools(store, windows=size)) for store in (store_in_memory(made.anew()), stored))
    assert [pool.tolist() for pool in ours] == [pool.tolist() for pool in theirs]
    assert np.concatenate(ours).tolist() == list(range(len(stored)))
    homes = [set(stored.examples[pool].tolist()) for pool in ours]
    assert sum(map(len, homes)) == 4  # no example is in two pools


@pytest.mark.parametrize("kind", ["file", "memory"])
def test_empty_store(made, tmp_path, kind):
    store = stored_windows("x", made.first(0), folder=tmp_path)[0] if kind == "file" else store_in_memory(made.first(0))
    assert len(store) == 0
    assert store.lengths.tolist() == store.labelled().tolist() == []
    check_rows(store.rows([]), [])


def test_padding_on_the_left_moves_tokens(made):
    store = store_in_memory(made.anew())
    rows = store.rows([0, len(store) - 1])
    short = len(made.windows[-1].input_ids)
    assert rows.shift(40, left=True).tolist() == [0, 40 - short]
    assert rows.shift(40, left=False).tolist() == [0, 0]


# -- memory ------------------------------------------------------------------------------------------------------


def resident() -> int:
    """Bytes of memory that this process holds now."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="how much memory a process holds is read from /proc")
@pytest.mark.parametrize("order", ["in order", "at random"])
def test_reading_a_large_store_holds_little_of_it(word_encoder, tmp_path, order):
    context = " ".join(f"w{place % 100}" for place in range(350))
    (rows,) = make_windows([QuestionExample("a", "w1", context, (Answer("w0", 0),))] * 700, word_encoder).chunks
    store, _ = stored_windows("x", Windows(rows.layout, iter([rows] * 60)), folder=tmp_path)
    size = (tmp_path / "x.arrow").stat().st_size
    assert size > 140e6
    places = np.arange(len(store)) if order == "in order" else np.random.default_rng(0).permutation(len(store))
    held, before = 0, resident()
    for begin in range(0, len(store), 40):
        store.rows(places[begin : begin + 40])
        held = max(held, resident() - before)
    assert held < size / 2


def test_preparing_holds_a_chunk_or_two_however_many_there_are(word_encoder, monkeypatch, tmp_path):
    monkeypatch.setattr(chunks, "CHARACTERS", 50_000)

    def peak(count: int) -> int:
        asked = [QuestionExample("a", "w1", " ".join(["w2"] * (100 + n % 9)), ()) for n in range(count)]
        tracemalloc.start()
        try:
            window_store._write_whole(tmp_path / "x.arrow", make_windows(asked, word_encoder), offsets=True)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(10)  # imports
    assert peak(6_000) < 1.25 * peak(1_000)


# -- names and places --------------------------------------------------------------------------------------------


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


def test_without_a_folder_windows_go_into_the_cache(made, monkeypatch, tmp_path):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path))
    stored_windows("x", made.first(1))
    assert (tmp_path / "windows" / "x.arrow").is_file()
    assert not WindowStore(tmp_path / "windows" / "x.arrow").offsets_left_out
