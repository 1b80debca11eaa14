"""Fixtures for all tests: tokenizers of every family, tiny models, and a cache of their own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

if "PYTEST_XDIST_WORKER" in os.environ:  # several processes that each take every core are slower than one
    os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

settings.register_profile(
    "headstart", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)  # a busy machine is no fault
settings.load_profile("headstart")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads or fills the cache of the person who runs it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADSTART_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def tokenizers():
    """Family → tokenizer, made once. Tests must not change them: a call with truncation is no change."""
    from tokenizers_made_here import FAMILIES

    return {family: make() for family, make in FAMILIES.items()}


@pytest.fixture(scope="session")
def encoders(tokenizers):
    """Family → `TextEncoder` of its tokenizer."""
    from headstart.tokens import TextEncoder

    return {family: TextEncoder(tokenizer) for family, tokenizer in tokenizers.items()}


@pytest.fixture(scope="session")
def text_encoders():
    """As `encoders`, of tokenizers that dress single texts as the published ones do."""
    from headstart.tokens import TextEncoder
    from tiny_models import text_tokenizer
    from tokenizers_made_here import FAMILIES

    return {family: TextEncoder(text_tokenizer(family)) for family in FAMILIES}


@pytest.fixture(scope="session")
def word_encoder():
    """One token a word: for windows and labels that can be written down by hand."""
    from headstart.tokens import TextEncoder
    from tokenizers_made_here import word_tokenizer

    return TextEncoder(word_tokenizer([f"w{place}" for place in range(100)]))


@pytest.fixture(scope="session")
def make_tiny_model():
    """`make_tiny_model(family, folder)`: a seeded random encoder without a task head, beside its tokenizer."""
    from tiny_models import make_tiny_model

    return make_tiny_model


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory, make_tiny_model) -> Path:
    """The folder of a tiny BERT; tests only read it."""
    return make_tiny_model("bert", tmp_path_factory.mktemp("tiny-bert"))


@pytest.fixture(scope="session")
def text_models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of two tiny models for texts: one that pads on the right and one on the left; tests only read them."""
    from tiny_models import make_text_model

    return {family: make_text_model(family, tmp_path_factory.mktemp(family)) for family in ("bert", "xlnet")}
