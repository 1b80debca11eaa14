"""From the words a person gives (files, folders, `sample`, hub ids) to the single things that can be opened."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Final, Literal

from headstart.data.arrow_files import is_saved
from headstart.data.hub import HubId, Role, parse_hub_id
from headstart.data.records import Problem
from headstart.errors import DataError

FORMATS: Final = {
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".parquet": "parquet",
}
"""Suffixes and what they promise; all but Parquet may be packed (.gz)."""

_SPLIT_WORDS: Final[dict[str, Role | Literal["test"]]] = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
}
_ROLE_PREFERENCE: Final[dict[Role, tuple[str, ...]]] = {"train": ("train",), "validation": ("validation", "test")}
_KNOWN: Final = ", ".join(FORMATS) + " (text formats also as .gz)"


@dataclass(frozen=True, slots=True)
class Place:
    """One thing to open: a file, a saved data set or a hub data set. `label` is its name in messages."""

    label: str
    target: Path | HubId
    notes: tuple[Problem, ...] = ()

    @property
    def stem(self) -> str:
        """What made-up ids start with."""
        name = self.target.name.rpartition("/")[2] if isinstance(self.target, HubId) else self.target.name
        return name[: -len(suffix)] if (suffix := data_suffix(name)) else name

    @property
    def identity(self) -> object:
        """Equal for two words that mean the same thing."""
        return self.target.resolve() if isinstance(self.target, Path) else self.target


def data_suffix(name: str) -> str:
    """Return the suffix that promises a known format, `.gz` included; empty where there is none.

    >>> data_suffix("train-v2.0.jsonl.gz"), data_suffix("notes.txt")
    ('.jsonl.gz', '')
    """
    lower = name.lower()
    packed = ".gz" if lower.endswith(".gz") else ""
    suffix = Path(lower.removesuffix(".gz")).suffix
    known = suffix in FORMATS and not (packed and suffix == ".parquet")
    return suffix + packed if known else ""


def locate(source: str, role: Role) -> list[Place]:
    """Find what a source string means: an existing path first, then the sample, then the hub.

    Raises:
        DataError: it means nothing, or a folder without data.
    """
    path = Path(source).expanduser()
    if source and path.is_dir():
        return [Place(source, path)] if is_saved(path) else _in_folder(source, path, role)
    if source and path.exists():
        return [Place(source, _known_file(source, path))]
    if source == "sample":
        return [_sample(role)]
    hub_id = None if _looks_like_path(source) else parse_hub_id(source)
    if hub_id is None:
        raise _missing(source, path)
    return [Place(source, hub_id)]


def _known_file(source: str, path: Path) -> Path:
    if data_suffix(path.name):
        return path
    remedy = "give the file the suffix of its format, or convert it"
    raise DataError(f"a file that ends in {_KNOWN}", source, remedy)


def _sample(role: Role) -> Place:
    file = resources.files("headstart.data") / "sample" / f"{role}.json"
    if not file.is_file():
        raise DataError("the built-in sample", f"no {role}.json in this installation", "install headstart again")
    return Place(f"sample ({role})", Path(str(file)))


def _looks_like_path(source: str) -> bool:
    """Whether a string that names nothing on disk was yet meant as a path.

    A hub id may hold one slash and dots ("user/squad.v2"); a path starts with . / or ~, has more slashes, or ends
    in a suffix of letters.
    """
    if source.startswith((".", "/", "~")) or source.count("/") > 1 or "\\" in source:
        return True
    suffix = Path(source).suffix
    return bool(data_suffix(source)) or ("/" in source and re.fullmatch(r"\.[A-Za-z]{2,8}", suffix) is not None)


def _missing(source: str, path: Path) -> DataError:
    """Say that a path names nothing, and what stands near it."""
    folder = path.parent
    if not folder.is_dir():
        remedy = "check the path; a data set on the hub is named user/name"
        return DataError("an existing file, folder or hub id", f"{source!r}, and no folder {str(folder)!r}", remedy)
    near = get_close_matches(path.name, [one.name for one in folder.iterdir()], n=3, cutoff=0.5)
    remedy = f"perhaps {' or '.join(str(folder / name) for name in near)} was meant" if near else "check the path"
    if set(source) & set("*?["):
        remedy = "name the files one by one, or their folder: patterns are not expanded here"
    return DataError("an existing file, folder or hub id", f"{source!r}: there is no such file", remedy)


def _in_folder(source: str, folder: Path, role: Role) -> list[Place]:
    """Take a folder's data files; where their names tell several splits apart, those of the role."""
    files = sorted(one for one in folder.iterdir() if one.is_file() and data_suffix(one.name) and one.name[0] != ".")
    if not files:
        names = ", ".join(sorted(one.name for one in folder.iterdir())[:5]) or "nothing"
        raise DataError(f"a folder with data files ({_KNOWN})", f"{source!r} with {names}", "name the files themselves")
    chosen = _of_role(source, files, role)
    formats = sorted({FORMATS[data_suffix(file.name).removesuffix(".gz")] for file in chosen})
    if len(formats) > 1:
        found = f"{source!r} with {' and '.join(formats)} files"
        raise DataError("a folder with data files of one format", found, "name the files themselves")
    notes = tuple(_not_read(source, file, role) for file in files if file not in chosen)
    places = [Place(str(Path(source) / file.name), file) for file in chosen]
    return [Place(places[0].label, places[0].target, notes), *places[1:]]


def _of_role(source: str, files: list[Path], role: Role) -> list[Path]:
    by_split: dict[str | None, list[Path]] = defaultdict(list)
    for file in files:
        by_split[_split_of(file.name)].append(file)
    if len(by_split.keys() - {None}) < 2:
        return files
    split = next((split for split in _ROLE_PREFERENCE[role] if split in by_split), None)
    if split is None:
        found = f"{source!r} with {', '.join(file.name for file in files)}"
        raise DataError(f"a folder with files of the split {role}", found, "name the files themselves")
    return by_split[split]


def _split_of(name: str) -> str | None:
    words = re.split(r"[^a-z]+", name.lower())
    return next((_SPLIT_WORDS[word] for word in words if word in _SPLIT_WORDS), None)


def _not_read(source: str, file: Path, role: Role) -> Problem:
    found = f"{file.name} is not of the split {role} by its name"
    return Problem(source, "", "file not read", found, f"name {Path(source) / file.name} itself to have it read")
