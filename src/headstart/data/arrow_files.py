"""Parquet files and folders written by `Dataset.save_to_disk`: Arrow tables → rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from headstart.data.records import Entry, Origin
from headstart.data.table import Row, read_table
from headstart.errors import DataError


def read_parquet(path: Path, origin: Origin) -> Iterator[Entry]:
    """Read a Parquet file batch by batch."""
    batches = _parquet_batches(path, origin)
    names = next(batches).schema.names  # the first batch is empty: it only shows the columns
    return read_table(_rows(batches, origin), origin, names)


def _parquet_batches(path: Path, origin: Origin) -> Iterator[Any]:
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            yield file.schema_arrow.empty_table()
            yield from file.iter_batches()
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError("a Parquet file", f"{origin.label}: {error}", "download or write it again") from error


def read_dataset(dataset: Any, origin: Origin) -> Iterator[Entry]:
    """Read a `datasets.Dataset`."""
    batches = dataset.with_format("arrow").iter(batch_size=1000)
    return read_table(_rows(batches, origin), origin, dataset.column_names)


def load_saved(folder: Path, label: str) -> Any:
    """Load what `save_to_disk` wrote: a Dataset or a DatasetDict."""
    import datasets

    try:
        return datasets.load_from_disk(str(folder))
    except Exception as error:  # whatever Arrow, JSON or the file system say of a damaged folder
        found = f"{label}: {type(error).__name__}: {error}"
        raise DataError("a folder written by Dataset.save_to_disk", found, "write it again") from error


def is_saved(folder: Path) -> bool:
    """Whether a folder was written by `Dataset.save_to_disk` or `DatasetDict.save_to_disk`."""
    return (folder / "dataset_dict.json").is_file() or (folder / "state.json").is_file()


def hash_file(path: Path) -> str:
    """Compute the sha256 of a file's bytes without holding them all."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def hash_folder(folder: Path) -> str:
    """Compute the sha256 over the names and bytes of a folder's files."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    names = "".join(f"{path.relative_to(folder).as_posix()} {hash_file(path)}\n" for path in files)
    return hashlib.sha256(names.encode()).hexdigest()


def _rows(batches: Iterable[Any], origin: Origin) -> Iterator[Row]:
    number = 0
    for batch in batches:
        for values in batch.to_pylist():
            yield Row(number, f"{origin.label}, row {number}", values)
            number += 1
