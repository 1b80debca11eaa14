"""Windows on disk: written once, memory-mapped ever after, found again by what went into them.

A store is one Arrow file under the cache folder, named by a fingerprint of the examples, the tokenizer and the
options. The same input is never prepared twice; a changed option is another fingerprint. The file is what
`datasets.Dataset.from_file` reads; here it is mapped without it, so that pages once read can be given back.
"""

from __future__ import annotations

import hashlib
import mmap
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.pair_layout import PairLayout
from headstart.ragged import Array, Ragged, bounds_of
from headstart.window_rows import LABEL, OFFSETS, WindowRows, Windows

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["WindowRows", "WindowStore", "cache_folder", "fingerprint", "store_in_memory", "stored_windows"]

FORMAT = "windows-4"  # part of every fingerprint: raise the number when the columns or their meaning change
NUMBERS = ("example", "context_begin", "context_length", "cls_index")
TOUCHED = 512  # places of a file that are read before its pages are given back; each brings in up to 64 KB


class WindowStore:
    """The windows of a data set, picked row by row from a mapped file or from memory.

    What was read is given back to the system every few hundred windows: the memory of a process that goes through
    a store, in order or at random, does not grow with its size.
    """

    def __init__(self, source: Path | pa.Buffer) -> None:
        import pyarrow as pa

        self.source = source
        self._map = _mapped(source) if isinstance(source, Path) else None
        self._touched = 0
        with pa.ipc.open_stream(pa.py_buffer(self._map) if self._map else source) as reader:
            self._columns = [name for name in reader.schema.names if name not in ("length", "input_ids", *NUMBERS)]
            self._layout = PairLayout.from_json(reader.schema.metadata[b"layout"].decode())
            self.offsets_left_out = reader.schema.metadata[b"offsets"] == b"left out"
            batches = [self._opened(batch) for batch in reader]
        self._ragged = [batch.ragged for batch in batches]
        self._begins = bounds_of([len(batch.numbers["length"]) for batch in batches])
        names = ("length", *NUMBERS)
        self._numbers = {name: _joined([batch.numbers[name] for batch in batches]) for name in names}

    def __len__(self) -> int:
        return len(self.lengths)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.source,)  # a worker process maps the file itself

    @property
    def lengths(self) -> Array:
        """How many tokens each window has, (windows,)."""
        return self._numbers["length"]

    @property
    def examples(self) -> Array:
        """The place of each window's example in its data set, (windows,)."""
        return self._numbers["example"]

    def rows(self, indices: Sequence[int] | Array, *, offsets: bool = True) -> WindowRows:
        """The windows at these places, in this order; without `offsets` no characters are read (training).

        Raises:
            IndexError: there is no such window.
            ValueError: offsets are asked for and were not stored.
        """
        places = np.asarray(indices, np.int64)
        if places.size and not 0 <= places.min() <= places.max() < len(self):
            raise IndexError(f"windows {places.min()} to {places.max()} of a store of {len(self)}")
        if offsets and self.offsets_left_out:
            raise ValueError("these windows were stored without offsets, for training: ask with offsets=False")
        numbers: dict[str, Any] = {name: self._numbers[name][places] for name in NUMBERS}
        columns = {name: self._pick(name, places) for name in self._columns if offsets or name not in OFFSETS}
        return WindowRows(self._layout, **numbers, input_ids=self._pick("input_ids", places), columns=columns)

    def labelled(self) -> Array:
        """The places of the windows a model can learn from, (labelled windows,)."""
        return np.flatnonzero(self.label_counts)

    @property
    def label_counts(self) -> Array:
        """How many labels each window has to learn from, (windows,)."""
        name = next((name for name in self._columns if name.startswith(LABEL)), None)
        return np.zeros(len(self), np.int64) if name is None else self.counts(name)

    def counts(self, name: str) -> Array:
        """How many values each window has in a column, (windows,); none in a column that is not there."""
        if name not in self._columns:
            return np.zeros(len(self), np.int64)
        return _joined([ragged[name].lengths for ragged in self._ragged])

    def _pick(self, name: str, places: Array) -> Ragged:
        numbers = np.searchsorted(self._begins, places, side="right") - 1
        rows = (places - self._begins[numbers]).tolist()
        picked = [self._ragged[number][name][row] for number, row in zip(numbers.tolist(), rows, strict=True)]
        joined = Ragged.of(picked, picked[0].dtype if picked else np.int32)
        self._release(len(places))
        return joined

    def _opened(self, batch: pa.RecordBatch) -> _Batch:
        ragged = {name: _ragged(batch[name]) for name in ("input_ids", *self._columns)}
        numbers = {name: _values(batch[name]).copy() for name in ("length", *NUMBERS)}
        self._release(len(batch.schema))
        return _Batch(numbers, ragged)

    def _release(self, places: int) -> None:
        """Pages of the file count as memory of the process until they are given back; the system keeps them cached."""
        self._touched += places
        if self._map and self._touched >= TOUCHED and hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)
            self._touched = 0


@dataclass(frozen=True, slots=True)
class _Batch:
    """A record batch: numbers and bounds in memory, values where they are in the file."""

    numbers: dict[str, Array]
    ragged: dict[str, Ragged]


def _mapped(path: Path) -> mmap.mmap:
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _ragged(column: pa.ListArray) -> Ragged:
    bounds = _values(column.offsets)
    return Ragged(_values(column.values)[bounds[0] : bounds[-1]], bounds - bounds[0])


def _joined(parts: list[Array]) -> Array:
    return np.concatenate([np.zeros(0, np.int32), *parts])


def _values(column: pa.Array) -> Array:
    """As `to_numpy`, which would import pandas: half a second that nobody asked for."""
    kind = column.type.to_pandas_dtype()
    return np.frombuffer(column.buffers()[1] or b"", kind)[column.offset : column.offset + len(column)]


def cache_folder() -> Path:
    """Where prepared windows are kept: $HEADSTART_CACHE, else headstart in the user's cache folder."""
    if given := os.environ.get("HEADSTART_CACHE"):
        return Path(given)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "headstart"


def fingerprint(*parts: str) -> str:
    """A short name for everything that decides what the windows look like."""
    return hashlib.sha256("\0".join((FORMAT, *parts)).encode()).hexdigest()[:24]


def stored_windows(
    name: str, windows: Windows, *, folder: Path | None = None, force: bool = False, offsets: bool = True
) -> tuple[WindowStore, bool]:
    """Open the store of this name, or write it from `windows` (which is not touched when the store is there).

    Without `offsets` the way back to characters is left out: less than half the disk, enough to train.

    Returns:
        the store, and whether it was found ready.
    """
    folder = folder or cache_folder() / "windows"
    path = folder / f"{name}.arrow"
    found = path.exists() and not force
    if not found:
        folder.mkdir(parents=True, exist_ok=True)
        _write_whole(path, windows, offsets=offsets)
    return WindowStore(path), found


def store_in_memory(windows: Windows) -> WindowStore:
    """A store that leaves nothing behind: for questions asked one at a time."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    _write(sink, windows, offsets=True)
    return WindowStore(sink.getvalue())


def _write_whole(path: Path, windows: Windows, *, offsets: bool) -> None:
    """Write beside the place and move there at the end: a reader never meets half a file."""
    import pyarrow as pa

    partial = path.with_suffix(f".{os.getpid()}.partial")
    try:
        with pa.OSFile(str(partial), "wb") as sink:
            _write(sink, windows, offsets=offsets)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _write(sink: Any, windows: Windows, *, offsets: bool) -> None:
    """One record batch a chunk: no more than a chunk is ever in memory."""
    import pyarrow as pa

    chunks = iter(windows.chunks)
    first = _table(next(chunks, WindowRows.none(windows.layout)), offsets=offsets)
    with pa.ipc.new_stream(sink, first.schema) as writer:
        writer.write_table(first)
        for rows in chunks:
            writer.write_table(_table(rows, offsets=offsets))


def _table(rows: WindowRows, *, offsets: bool) -> pa.Table:
    import pyarrow as pa

    columns = {name: _column(getattr(rows, name), np.int32) for name in NUMBERS}
    columns["length"] = _column(rows.input_ids.lengths, np.int32)
    for name, ragged in {"input_ids": rows.input_ids, **rows.columns}.items():
        if offsets or name not in OFFSETS:
            columns[name] = pa.ListArray.from_arrays(_column(ragged.bounds, np.int32), _column(ragged.values))
    metadata = {"layout": rows.layout.to_json(), "offsets": "left in" if offsets else "left out"}
    return pa.table(columns).replace_schema_metadata(metadata)


def _column(values: Array, dtype: Any = None) -> pa.Array:
    """As `pa.array`, which would import pandas, too."""
    import pyarrow as pa

    values = np.ascontiguousarray(values, dtype)
    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), [None, pa.py_buffer(values)])
