"""Parquet files and folders written by `Dataset.save_to_disk`: Arrow tables → rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from headstart.data.contents import Row, Table
from headstart.data.records import Origin
from headstart.errors import DataError


def read_parquet(path: Path, origin: Origin) -> Table:
    """Read a Parquet file batch by batch."""
    batches = _parquet_batches(path, origin)
    schema = next(batches).schema  # the first batch is empty: it only shows the columns
    names = tuple(schema.names)
    return Table(_rows(batches, origin), names, _parquet_labels(schema), _always_minus_one(path, names))


def _parquet_labels(schema: Any) -> dict[str, tuple[str, ...]]:
    """The names of ClassLabel features: `datasets` writes them into the file's schema."""
    try:
        written = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        return label_names(written["info"]["features"])
    except (ValueError, KeyError, TypeError):
        return {}


def _always_minus_one(path: Path, names: tuple[str, ...]) -> frozenset[str]:
    """Columns of nothing but -1, by the statistics in the file's own index."""
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(path) as file:
        groups = [file.metadata.row_group(number) for number in range(file.metadata.num_row_groups)]
        found = {name for name in names if groups and all(_is_minus_one(group, name) for group in groups)}
    return frozenset(found)


def _is_minus_one(group: Any, name: str) -> bool:
    columns = (group.column(number) for number in range(group.num_columns))
    statistics = next((column.statistics for column in columns if column.path_in_schema == name), None)
    return statistics is not None and statistics.has_min_max and statistics.min == statistics.max == -1


def label_names(features: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The names behind whole numbers, by column: of ClassLabel features, or lists of them, as plain values.

    >>> label_names({"label": {"_type": "ClassLabel", "names": ["no", "yes"]}, "text": {"_type": "Value"}})
    {'label': ('no', 'yes')}
    """
    found = {name: _names_in(feature) for name, feature in features.items()}
    return {name: names for name, names in found.items() if names}


def _names_in(feature: Any) -> tuple[str, ...]:
    if isinstance(feature, list):  # [feature]: how lists were written of old
        return _names_in(feature[0]) if len(feature) == 1 else ()
    if not isinstance(feature, Mapping):
        return ()
    if feature.get("_type") == "ClassLabel":
        return tuple(feature.get("names") or ())
    return _names_in(feature.get("feature"))


def _parquet_batches(path: Path, origin: Origin) -> Iterator[Any]:
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            yield file.schema_arrow.empty_table()
            yield from file.iter_batches()
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError("a Parquet file", f"{origin.label}: {error}", "download or write it again") from error


def read_dataset(dataset: Any, origin: Origin) -> Table:
    """Read a `datasets.Dataset`."""
    batches = dataset.with_format("arrow").iter(batch_size=1000)
    names = tuple(dataset.column_names)
    labels = label_names(dataset.features.to_dict())
    unpublished = frozenset(name for name in names if _is_all_minus_one(dataset.data.column(name)))
    return Table(_rows(batches, origin), names, labels, unpublished)


def _is_all_minus_one(column: Any) -> bool:
    import pyarrow
    import pyarrow.compute

    if not (pyarrow.types.is_integer(column.type) or pyarrow.types.is_floating(column.type)):
        return False
    extremes = pyarrow.compute.min_max(column).as_py()
    return bool(extremes["min"] == extremes["max"] == -1)


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
