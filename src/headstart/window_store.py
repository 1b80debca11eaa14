"""Windows on disk: written once, memory-mapped ever after, found again by what went into them.

A store is one Arrow file under the cache folder, named by a fingerprint of the examples, the tokenizer and the
options. The same input is never prepared twice; a changed option is another fingerprint.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.ragged import Array, Ragged
from headstart.windows import Window

if TYPE_CHECKING:
    import pyarrow as pa
    from datasets import Dataset

FORMAT = "windows-1"  # part of every fingerprint: raise the number when the columns or their meaning change
ROWS_PER_WRITE = 2_000


@dataclass(frozen=True, slots=True)
class WindowRows:
    """Some windows side by side, not yet padded. All arrays have one row a window."""

    example: Array  # (rows,) the example's place in its data set
    context_begin: Array  # (rows,)
    cls_index: Array  # (rows,)
    input_ids: Ragged
    token_type_ids: Ragged
    starts: Ragged  # characters of the context tokens
    ends: Ragged
    label_starts: Ragged  # tokens; one value an annotator whose answer lies in the window
    label_ends: Ragged

    def __len__(self) -> int:
        return len(self.example)

    def shift(self, width: int, *, left: bool) -> Array:
        """How far padding on the left moves the tokens of each window, (rows,)."""
        return width - self.input_ids.lengths if left else np.zeros(len(self), np.int64)


class WindowStore:
    """The windows of a data set, row by row from a memory-mapped `datasets.Dataset`."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset.with_format("arrow")
        self.lengths = self._whole_column("length")  # (windows,) tokens
        self.examples = self._whole_column("example")  # (windows,)

    def __len__(self) -> int:
        return len(self.lengths)

    def rows(self, indices: Sequence[int] | Array) -> WindowRows:
        """The windows at these places, in this order."""
        table = self.dataset[np.asarray(indices).tolist()]
        scalars: dict[str, Any] = {name: table[name].to_numpy() for name in ("example", "context_begin", "cls_index")}
        ragged: dict[str, Any] = {name: _ragged(table[name]) for name in RAGGED}
        return WindowRows(**scalars, **ragged)

    def labelled(self) -> Array:
        """The places of the windows a model can learn from, (labelled windows,)."""
        return np.flatnonzero(self._whole_column("labels"))

    def _whole_column(self, name: str) -> Array:
        return np.asarray(self.dataset.data.column(name).to_numpy())


RAGGED = ("input_ids", "token_type_ids", "starts", "ends", "label_starts", "label_ends")


def _ragged(column: pa.ChunkedArray) -> Ragged:
    joined = column.combine_chunks()
    bounds = joined.offsets.to_numpy()
    values = joined.values.to_numpy()[bounds[0] : bounds[-1]]
    return Ragged(values, bounds - bounds[0])


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
    name: str, windows: Iterable[Window], *, folder: Path | None = None, force: bool = False
) -> tuple[WindowStore, bool]:
    """Open the store of this name, or write it from `windows` (which is not touched when the store is there).

    Returns:
        the store, and whether it was found ready.
    """
    from datasets import Dataset

    folder = folder or cache_folder() / "windows"
    path = folder / f"{name}.arrow"
    found = path.exists() and not force
    if not found:
        folder.mkdir(parents=True, exist_ok=True)
        _write(path, windows)
    return WindowStore(Dataset.from_file(str(path))), found


def store_in_memory(windows: Iterable[Window]) -> WindowStore:
    """A store that leaves nothing behind: for questions asked one at a time."""
    import pyarrow as pa
    from datasets import Dataset

    tables = list(_tables(windows)) or [_table([])]
    return WindowStore(Dataset(pa.concat_tables(tables)))


def _write(path: Path, windows: Iterable[Window]) -> None:
    """Write beside the place and move there at the end: a reader never meets half a file."""
    import pyarrow as pa

    schema = _table([]).schema
    partial = path.with_suffix(f".{os.getpid()}.partial")
    try:
        with pa.OSFile(str(partial), "wb") as sink, pa.ipc.new_stream(sink, schema) as writer:
            for table in _tables(windows):
                writer.write_table(table)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _tables(windows: Iterable[Window]) -> Iterator[pa.Table]:
    stream = iter(windows)
    while chunk := list(islice(stream, ROWS_PER_WRITE)):
        yield _table(chunk)


def _table(windows: Sequence[Window]) -> pa.Table:
    import pyarrow as pa

    def number(values: list[int]) -> pa.Array:
        return pa.array(np.asarray(values, np.int32))

    def rows(values: list[Any]) -> pa.Array:
        ragged = Ragged.of(values)
        return pa.ListArray.from_arrays(pa.array(ragged.bounds.astype(np.int32)), pa.array(ragged.values))

    return pa.table(
        {
            "example": number([window.example for window in windows]),
            "length": number([len(window.input_ids) for window in windows]),
            "context_begin": number([window.context_begin for window in windows]),
            "cls_index": number([window.cls_index for window in windows]),
            "labels": number([len(window.labels) for window in windows]),
            "input_ids": rows([window.input_ids for window in windows]),
            "token_type_ids": rows([window.token_type_ids for window in windows]),
            "starts": rows([window.starts for window in windows]),
            "ends": rows([window.ends for window in windows]),
            "label_starts": rows([[first for first, _ in window.labels] for window in windows]),
            "label_ends": rows([[last for _, last in window.labels] for window in windows]),
        }
    )
