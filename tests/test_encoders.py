"""Names of encoders: folders stay, the packaged one is found and checked, hub ids go through."""

from __future__ import annotations

import hashlib
import importlib.util
from types import SimpleNamespace

import pytest

from headstart import encoders
from headstart.encoders import HUB_NAME, SHORT_NAME, resolve
from headstart.errors import MissingExtraError, ModelError


def package(monkeypatch, folder) -> None:
    """Make it look as if the extra were installed in this folder, or nowhere."""
    spec = None if folder is None else SimpleNamespace(submodule_search_locations=[str(folder)])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)


@pytest.fixture
def packaged(tmp_path, monkeypatch):
    """A stand-in for the package, with weights of the right or the wrong sum."""
    (tmp_path / "model").mkdir()
    weights = tmp_path / "model" / "model.safetensors"
    weights.write_bytes(b"weights")
    package(monkeypatch, tmp_path)
    encoders._check.cache_clear()
    yield weights
    encoders._check.cache_clear()


@pytest.mark.parametrize("name", [SHORT_NAME, HUB_NAME])
def test_both_names_lead_to_the_packaged_folder(packaged, monkeypatch, name):
    monkeypatch.setattr(encoders, "WEIGHTS_SHA256", hashlib.sha256(b"weights").hexdigest())
    assert resolve(name) == str(packaged.parent)


def test_weights_that_are_not_the_published_ones_are_refused(packaged):
    with pytest.raises(ModelError, match=r"sha256 53aa51172d14.*found model\.safetensors with sha256"):
        resolve(SHORT_NAME)


def test_the_full_name_goes_to_the_hub_where_the_extra_is_missing(monkeypatch):
    package(monkeypatch, None)
    assert resolve(HUB_NAME) == HUB_NAME


def test_the_short_name_asks_for_the_extra(monkeypatch):
    package(monkeypatch, None)
    with pytest.raises(MissingExtraError, match=r"pip install 'headstart\[offline\]'") as refused:
        resolve(SHORT_NAME)
    assert HUB_NAME in str(refused.value)


def test_other_names_are_left_alone(monkeypatch, tmp_path):
    package(monkeypatch, None)
    assert resolve("bert-base-uncased") == "bert-base-uncased"
    assert resolve(str(tmp_path)) == str(tmp_path)


def test_a_folder_of_the_same_name_comes_first(monkeypatch, tmp_path):
    package(monkeypatch, None)
    monkeypatch.chdir(tmp_path)
    (tmp_path / SHORT_NAME).mkdir()
    assert resolve(SHORT_NAME) == SHORT_NAME
