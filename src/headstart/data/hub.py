"""Hub data sets, through `datasets.load_dataset`: `name`, `user/name`, each with `:config` and `@split`."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from headstart.errors import DataError

Role: TypeAlias = Literal["train", "validation"]

_FORM: Final = re.compile(
    r"(?P<name>[A-Za-z0-9][\w.-]*(?:/[A-Za-z0-9][\w.-]*)?)(?::(?P<config>[^@:/]+))?(?:@(?P<split>[^@/]+))?"
)
_NAMES_OF_SPLITS: Final[dict[Role, tuple[str, ...]]] = {
    "train": ("train",),
    "validation": ("validation", "valid", "val", "dev", "test"),
}
_MOVED: Final = {"squad": "rajpurkar/squad", "squad_v2": "rajpurkar/squad_v2", "glue": "nyu-mll/glue"}
"""Bare names of old; huggingface_hub 2 only takes `user/name`. Known here, they are also found in an offline cache."""


@dataclass(frozen=True, slots=True)
class HubId:
    """A data set on the hub: its name, configuration and split, the last two as far as they were given."""

    name: str
    config: str | None = None
    split: str | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """One split of a data set; `note` tells of a split other than the one asked for."""

    dataset: Any  # datasets.Dataset
    split: str
    fingerprint: str
    note: str | None = None


def parse_hub_id(source: str) -> HubId | None:
    """Take a hub id apart; None for a string that cannot be one.

    >>> parse_hub_id("ada/questions:short@train[:100]")
    HubId(name='ada/questions', config='short', split='train[:100]')
    """
    match = _FORM.fullmatch(source)
    return HubId(**match.groupdict()) if match else None


def load_hub(source: str, wanted: HubId, role: Role) -> Loaded:
    """Load the split asked for, or the one that fits the role.

    Raises:
        DataError: the data set cannot be reached, does not exist or has no such split.
    """
    dataset = _load(source, wanted)
    if wanted.split is not None:
        return Loaded(dataset, wanted.split, _fingerprint(wanted, wanted.split, dataset))
    split, note = choose_split(list(dataset), role, source)
    return Loaded(dataset[split], split, _fingerprint(wanted, split, dataset[split]), note)


def choose_split(splits: Sequence[str], role: Role, source: str) -> tuple[str, str | None]:
    """Choose the split for a role, with a note where it is not the one named so.

    >>> choose_split(["train", "dev"], "validation", "ada/questions")[0]
    'dev'
    """
    names = _NAMES_OF_SPLITS[role]
    split = next((name for name in names if name in splits), None)
    if split is None:
        found = f"{source} with the splits {', '.join(splits)}"
        remedy = f"name the split to use, for example {source}@{splits[0] if splits else 'train'}"
        raise DataError(f"a split named {' or '.join(names)}", found, remedy)
    return split, None if split == names[0] else f"there is no split {names[0]}; {split} is read instead"


def _load(source: str, wanted: HubId) -> Any:
    import datasets

    try:
        return datasets.load_dataset(_full_name(wanted.name), wanted.config, split=wanted.split)
    except Exception as error:  # the libraries below raise a dozen unrelated types for what ends here in one way
        raise _unreachable(source, wanted, error) from error


def _full_name(name: str) -> str:
    """Give a bare name the user it belongs to, as the hub itself does."""
    if "/" in name or name in _MOVED:
        return _MOVED.get(name, name)
    from huggingface_hub import HfApi

    return str(HfApi().dataset_info(name).id)


def _unreachable(source: str, wanted: HubId, error: Exception) -> DataError:
    """Say what was tried and by which ways the data can still be had."""
    endpoint = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
    split = f", split {wanted.split}" if wanted.split else ""
    reason = f"{type(error).__name__}: {' '.join(str(error).split())[:400]}"
    found = (
        f"no file or folder of that name, and asking {endpoint} for the data set {wanted.name!r}{split} gave {reason}"
    )
    remedy = (
        "check the spelling (user/name, user/name:config, user/name@split) and the network; set HF_ENDPOINT to use "
        "another hub, HF_HUB_OFFLINE=1 to use only what was downloaded before, HF_TOKEN for a private data set; or "
        "give the data as a file"
    )
    return DataError(f"a data set that can be loaded as {source!r}", found, remedy)


def _fingerprint(wanted: HubId, split: str, dataset: Any) -> str:
    parts = (_MOVED.get(wanted.name, wanted.name), wanted.config, split, dataset._fingerprint)
    return hashlib.sha256(repr(parts).encode()).hexdigest()
