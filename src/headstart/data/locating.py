"""From the words a person gives (files, folders, `sample`, hub ids) to the single things that can be opened."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
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

COLUMN_FORMATS: Final = {
    ".conll": "conll",
    ".conllu": "conll",
    ".iob": "conll",
    ".iob2": "conll",
    ".bio": "conll",
}
"""Suffixes of files with a word a line."""

NAMED_FORMATS: Final = {".txt": "txt"}
"""Suffixes of files that are only read when they are named themselves: a folder's README.txt is no data."""

TEXT_FORMATS: Final = FORMATS | NAMED_FORMATS
WORD_FORMATS: Final = FORMATS | COLUMN_FORMATS | NAMED_FORMATS

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
        return name[: -len(suffix)] if (suffix := data_suffix(name, WORD_FORMATS)) else name

    @property
    def identity(self) -> object:
        """Equal for two words that mean the same thing."""
        return self.target.resolve() if isinstance(self.target, Path) else self.target


def data_suffix(name: str, formats: Mapping[str, str] = FORMATS) -> str:
    """Return the suffix that promises a known format, `.gz` included; empty where there is none.

    >>> data_suffix("train-v2.0.jsonl.gz"), data_suffix("notes.txt")
    ('.jsonl.gz', '')
    """
    lower = name.lower()
    packed = ".gz" if lower.endswith(".gz") else ""
    suffix = Path(lower.removesuffix(".gz")).suffix
    known = suffix in formats and not (packed and suffix == ".parquet")
    return suffix + packed if known else ""


def format_of(name: str) -> str:
    """Return the format that a known suffix promises.

    >>> format_of("train.conllu.gz")
    'conll'
    """
    return WORD_FORMATS[data_suffix(name, WORD_FORMATS).removesuffix(".gz")]


def locate(source: str, role: Role, formats: Mapping[str, str] = FORMATS) -> list[Place]:
    """Find what a source string means: an existing path first, then the sample, then the hub.

    `formats` are the suffixes to read, with the formats they promise.

    Raises:
        DataError: it means nothing, or a folder without data.
    """
    path = Path(source).expanduser()
    if source and path.is_dir():
        return [Place(source, path)] if is_saved(path) else _in_folder(source, path, role, formats)
    if source and path.exists():
        return [Place(source, _known_file(source, path, formats))]
    if source == "sample":
        return [_sample(role)]
    hub_id = None if _looks_like_path(source, formats) else parse_hub_id(source)
    if hub_id is None:
        raise _missing(source, path)
    return [Place(source, hub_id)]


def _known_file(source: str, path: Path, formats: Mapping[str, str]) -> Path:
    if data_suffix(path.name, formats):
        return path
    remedy = "give the file the suffix of its format, or convert it"
    raise DataError(f"a file that ends in {_known(formats)}", source, remedy)


def _known(formats: Mapping[str, str]) -> str:
    return ", ".join(formats) + " (text formats also as .gz)"


def _sample(role: Role) -> Place:
    file = resources.files("headstart.data") / "sample" / f"{role}.json"
    if not file.is_file():
        raise DataError("the built-in sample", f"no {role}.json in this installation", "install headstart again")
    return Place(f"sample ({role})", Path(str(file)))


def _looks_like_path(source: str, formats: Mapping[str, str]) -> bool:
    """Whether a string that names nothing on disk was yet meant as a path.

    A hub id may hold one slash and dots ("user/squad.v2"); a path starts with . / or ~, has more slashes, or ends
    in a suffix of letters.
    """
    if source.startswith((".", "/", "~")) or source.count("/") > 1 or "\\" in source:
        return True
    suffix = Path(source).suffix
    return bool(data_suffix(source, formats)) or (
        "/" in source and re.fullmatch(r"\.[A-Za-z]{2,8}", suffix) is not None
    )


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


def _in_folder(source: str, folder: Path, role: Role, formats: Mapping[str, str]) -> list[Place]:
    """Take a folder's data files; where their names tell several splits apart, those of the role."""
    formats = {suffix: kind for suffix, kind in formats.items() if suffix not in NAMED_FORMATS}
    names = sorted(one.name for one in folder.iterdir() if one.is_file() and one.name[0] != ".")
    files = [folder / name for name in names if data_suffix(name, formats)]
    if not files:
        there = ", ".join(sorted(one.name for one in folder.iterdir())[:5]) or "nothing"
        expected = f"a folder with data files ({_known(formats)})"
        raise DataError(expected, f"{source!r} with {there}", "name the files themselves")
    chosen = _of_role(source, files, role)
    kinds = sorted({format_of(file.name) for file in chosen})
    if len(kinds) > 1:
        found = f"{source!r} with {' and '.join(kinds)} files"
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
