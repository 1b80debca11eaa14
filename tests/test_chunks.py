"""Chunks: neighbours together, bounded in size, every text tokenised as it would be alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart import chunks
from headstart.chunks import tokenised_chunks
from headstart.examples import QuestionExample
from texts_made_here import passages
from tokenizers_made_here import FAMILIES


def asked(*contexts: str) -> list[QuestionExample]:
    return [QuestionExample(str(n), f" w{n} ", context) for n, context in enumerate(contexts)]


@pytest.fixture
def small(monkeypatch):
    """Chunks end behind 20 characters."""
    monkeypatch.setattr(chunks, "CHARACTERS", 20)


@pytest.mark.usefixtures("small")
def test_chunks_by_hand(word_encoder):
    made = list(tokenised_chunks(asked("w1 w2 w3", "w1 w2 w3", "w1 w2 w3", "w4", "w5 w6"), word_encoder))
    assert [chunk.begin for chunk in made] == [0, 2]
    assert [len(chunk.examples) for chunk in made] == [2, 3]
    assert [chunk.homes.tolist() for chunk in made] == [[0, 0], [0, 1, 2]]
    assert [row.tolist() for row in made[1].questions] == [[7], [8], [9]]  # w0 is token 5
    assert [row.tolist() for row in made[1].contexts.ids] == [[6, 7, 8], [9], [10, 11]]
    assert made[1].contexts.places.tolist() == [0, 9, 12, 18]
    assert made[1].contexts.starts.tolist() == [0, 3, 6, 9, 12, 15]


@pytest.mark.usefixtures("small")
def test_one_text_larger_than_a_chunk_is_a_chunk(word_encoder):
    long = "w1 " * 40
    made = list(tokenised_chunks(asked(long, long, "w2"), word_encoder))
    assert [len(chunk.examples) for chunk in made] == [1, 1, 1]


def test_no_examples_no_chunks(word_encoder):
    assert list(tokenised_chunks([], word_encoder)) == []


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=40)
@given(data=st.data())
def test_texts_of_a_chunk_do_not_touch_each_other(encoders, family, data):
    """They lie behind each other in one array: offsets, blanks and marks must be those of each text alone."""
    encoder = encoders[family]
    texts = passages().map(lambda drawn: drawn[0]) | st.sampled_from(["", " \n", "\u0301a", "e\u0301"])
    contexts = data.draw(st.lists(texts, min_size=1, max_size=5))
    (chunk,) = tokenised_chunks(asked(*contexts), encoder)
    together = chunk.contexts.each()
    for context, home in zip(contexts, chunk.homes, strict=True):
        (alone,) = encoder.encode([context])
        for name in ("ids", "starts", "ends"):
            assert np.array_equal(getattr(together[home], name), getattr(alone, name))
