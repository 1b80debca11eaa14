"""Open one place: choose the reader by its format, take its fingerprint."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from headstart.data.arrow_files import hash_file, hash_folder, load_saved, read_dataset, read_parquet
from headstart.data.contents import Content, Lines
from headstart.data.hub import Role, choose_split, load_hub
from headstart.data.json_files import read_json
from headstart.data.locating import Place, format_of
from headstart.data.records import Origin, Problem
from headstart.data.texts import decode, read_bytes, sha256


@dataclass(frozen=True, slots=True)
class Opened:
    """An opened source: what it holds, still to be read, and what is known of it already."""

    label: str
    format: str
    split: str | None
    fingerprint: str
    content: Content
    notes: tuple[Problem, ...] = ()


def open_place(place: Place, origin: Origin, role: Role) -> Opened:
    """Open a file, a saved data set or a hub data set.

    Raises:
        DataError: it cannot be read.
    """
    if not isinstance(place.target, Path):
        opened = _open_hub(place, origin, role)
    elif place.target.is_dir():
        opened = _open_saved(place.target, origin, role)
    else:
        opened = _open_file(place.target, origin)
    return replace(opened, notes=place.notes + opened.notes)


def _open_file(path: Path, origin: Origin) -> Opened:
    kind = format_of(path.name)
    if kind == "parquet":
        return Opened(origin.label, kind, None, hash_file(path), read_parquet(path, origin))
    data = read_bytes(path, origin.label)
    text = decode(data, origin.label, origin.noun)
    content: Content = Lines(text, kind)
    if kind in ("json", "jsonl"):
        kind, content = read_json(text, origin)
    return Opened(origin.label, kind, None, sha256(data), content)


def _open_saved(folder: Path, origin: Origin, role: Role) -> Opened:
    dataset, fingerprint = load_saved(folder, origin.label), hash_folder(folder)
    if not isinstance(dataset, dict):
        return Opened(origin.label, "datasets", None, fingerprint, read_dataset(dataset, origin))
    split, note = choose_split(list(dataset), role, origin.label)
    origin = replace(origin, label=f"{origin.label}@{split}")
    content = read_dataset(dataset[split], origin)
    return Opened(origin.label, "datasets", split, fingerprint, content, _notes(origin, note))


def _open_hub(place: Place, origin: Origin, role: Role) -> Opened:
    assert not isinstance(place.target, Path)
    loaded = load_hub(place.label, place.target, role)
    if place.target.split is None:
        origin = replace(origin, label=f"{origin.label}@{loaded.split}")
    content = read_dataset(loaded.dataset, origin)
    return Opened(origin.label, "hub", loaded.split, loaded.fingerprint, content, _notes(origin, loaded.note))


def _notes(origin: Origin, note: str | None) -> tuple[Problem, ...]:
    if note is None:
        return ()
    return (Problem(origin.label, "", "other split", note, "name a split to have another (…@split)"),)
