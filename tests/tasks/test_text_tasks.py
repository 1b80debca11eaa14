"""What the tasks on plain texts share: the mean over windows, what people pass in, self-tests."""

from __future__ import annotations

import itertools
import unicodedata
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given

from headstart.errors import DataError, TokenizerError
from headstart.examples import TextExample, WordsExample
from headstart.tasks import Classification
from headstart.tasks.text_tasks import (
    TextLogits,
    averaged,
    check_joins,
    check_pieces,
    in_words,
    joined_words,
    sentence_examples,
    text_examples,
    text_logits,
)
from headstart.tokens import TextEncoder
from texts_made_here import passages
from tokenizers_made_here import FAMILIES, SENTENCES, scrambling, word_tokenizer

# -- the mean over windows ---------------------------------------------------------------------------------------


def test_a_text_has_the_mean_logits_of_its_windows_whatever_their_order():
    parts = [
        TextLogits(np.array([7, 2]), np.array([[1.0, 2.0], [5.0, 5.0]], np.float32)),
        TextLogits(np.array([7, 7]), np.array([[4.0, 2.0], [1.0, -1.0]], np.float32)),
    ]
    found = averaged(parts)
    assert found.example.tolist() == [2, 7]
    assert found.logits.tolist() == [[5.0, 5.0], [2.0, 1.0]]


def test_logits_are_kept_in_float32_beside_their_examples():
    rows = SimpleNamespace(example=np.array([3, 3]))
    found = text_logits(SimpleNamespace(logits=torch.tensor([[1.5], [2.5]], dtype=torch.bfloat16)), rows)
    assert found.logits.dtype == np.float32
    assert found.logits.tolist() == [[1.5], [2.5]]
    assert found.example.tolist() == [3, 3]


# -- texts -------------------------------------------------------------------------------------------------------


def texts(examples: list[TextExample]) -> list[tuple[str, str | None]]:
    return [(example.text, example.text_pair) for example in examples]


def test_one_text_or_one_pair():
    found, single = text_examples("one")
    assert (texts(found), single) == ([("one", None)], True)
    found, single = text_examples("one", "two")
    assert (texts(found), single) == ([("one", "two")], True)


def test_lists_of_texts_and_one_partner_for_all():
    found, single = text_examples(["a", "b"])
    assert (texts(found), single) == ([("a", None), ("b", None)], False)
    assert texts(text_examples(("a", "b"), ["c", "d"])[0]) == [("a", "c"), ("b", "d")]
    assert texts(text_examples(["a", "b"], "c")[0]) == [("a", "c"), ("b", "c")]
    assert [example.id for example in found] == ["0", "1"]
    assert found[1].place == "text 1"
    assert text_examples([]) == ([], False)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((["a", "b"], ["c"]), "2 texts and 1 second ones"),
        (("a", ["b", "c"]), "1 texts and 2 second ones"),
        ((["a", 3],), "found 3"),
        ((["a", None],), "found None"),
        ((["a"], [b"c"]), "found b'c'"),
    ],
)
def test_what_is_no_text_is_refused(words, message):
    with pytest.raises(DataError, match=message):
        text_examples(*words)


# -- sentences ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The river rose.", ("The", "river", "rose", ".")),
        ("It cost 2.5 or 1,000!", ("It", "cost", "2.5", "or", "1,000", "!")),
        ('"Where?" - (there)', ('"', "Where", "?", '"', "-", "(", "there", ")")),
        ("  two  \n words\t", ("two", "words")),
        ("naïve Zoë", ("naïve", "Zoë")),
        ("", ()),
        (" \n", ()),
    ],
)
def test_a_text_is_cut_at_blanks_and_punctuation(text, words):
    assert in_words("1", text).words == words


@given(passages())
def test_nothing_but_blanks_is_lost_and_words_stand_where_they_say(made):
    text, _ = made
    example = in_words("1", text)
    assert example.text == text
    assert [text[start:end] for start, end in example.spans] == list(example.words)
    shown = "".join(example.words)
    assert "".join(shown.split()) == "".join(text.split())
    assert all(not any(char.isspace() for char in word) for word in example.words)
    assert list(example.starts) == sorted(example.starts)


def test_words_are_joined_by_a_blank():
    example = joined_words("1", ("New York", "is", "big"))
    assert (example.text, example.starts) == ("New York is big", (0, 9, 12))
    assert [example.text[start:end] for start, end in example.spans] == ["New York", "is", "big"]
    assert joined_words("1", ()) == WordsExample("1", (), None, "", ())


def test_one_sentence_or_many_as_text_or_as_words():
    found, single = sentence_examples("A river.")
    assert (found[0].words, single) == (("A", "river", "."), True)
    found, single = sentence_examples(["A river.", "b"])
    assert ([example.words for example in found], single) == ([("A", "river", "."), ("b",)], False)
    found, single = sentence_examples(words=["A", "river."])
    assert (found[0].words, single) == (("A", "river."), True)
    found, single = sentence_examples(words=[["A"], ("b", "c")])
    assert ([example.words for example in found], single) == ([("A",), ("b", "c")], False)
    assert [example.id for example in found] == ["0", "1"]
    assert sentence_examples([]) == ([], False)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "a text or its words; found neither"),
        ({"text": "a", "words": ["a"]}, "a text or its words; found both"),
        ({"text": ["a", 3]}, "give texts as strings"),
        ({"words": ["a", " "]}, "words with some text"),
        ({"words": [["a", ""]]}, "words with some text"),
        ({"words": [["a", 3]]}, "give each sentence as a list of strings"),
    ],
)
def test_what_is_no_sentence_is_refused(inputs, message):
    with pytest.raises(DataError, match=message):
        sentence_examples(**inputs)


# -- self-tests --------------------------------------------------------------------------------------------------

PAIRS = [TextExample(str(n), *pair) for n, pair in enumerate(itertools.pairwise(SENTENCES))]
SINGLES = [TextExample(str(n), text) for n, text in enumerate(SENTENCES)]
TAGGED = [in_words(str(n), unicodedata.normalize("NFC", text)) for n, text in enumerate(SENTENCES[:8])]


@pytest.mark.parametrize("family", FAMILIES)
def test_texts_are_joined_as_the_tokenizer_joins_them(text_encoders, family):
    assert check_joins(PAIRS, text_encoders[family]) == "self-test: 19 texts joined as the tokenizer joins them"
    assert check_joins(SINGLES, text_encoders[family]) == "self-test: 20 texts joined as the tokenizer joins them"
    assert check_joins(SINGLES * 50, text_encoders[family]).startswith("self-test: 200 texts")


def test_a_tokenizer_that_joins_them_otherwise_is_refused():
    encoder = TextEncoder(word_tokenizer(["w0"]))
    encoder.tokenizer = word_tokenizer(["w1", "w0"])
    with pytest.raises(TokenizerError, match=r"3 tokens where the learnt layout gives 3 \(text 'odd'\)"):
        check_joins([TextExample("odd", "w0")], encoder)


@pytest.mark.parametrize("family", FAMILIES)
def test_words_are_spelt_by_their_pieces(text_encoders, family):
    words = len({word for example in TAGGED for word in example.words})
    assert check_pieces(TAGGED, text_encoders[family]).startswith(f"self-test: {words} words spelt by their pieces")


def test_pieces_that_spell_something_else_are_refused():
    with pytest.raises(TokenizerError, match=r"words that do not, such as 'The'"):
        check_pieces(TAGGED, TextEncoder(scrambling()))


def test_a_vocabulary_that_knows_few_of_the_words_is_told():
    example = joined_words("1", ("w0", "w1", "river", "rose"))
    assert check_pieces([example], TextEncoder(word_tokenizer(["w0", "w1"]))) == (
        "self-test: 4 words spelt by their pieces; WARNING: 50% of the words are unknown to the vocabulary"
    )


def test_marks_stay_with_their_letters():
    assert in_words("1", "नमस्ते दुनिया").words == ("नमस्ते", "दुनिया")
    assert in_words("1", "Cafe\u0301 au lait").words == ("Cafe\u0301", "au", "lait")


@pytest.mark.parametrize(
    "inputs", [{"words": "New York"}, {"words": [["a"], "bcd"]}, {"words": 5}, {"text": 5}, {"words": [["a", " "]]}]
)
def test_other_things_than_sentences_are_refused(inputs):
    with pytest.raises(DataError):
        sentence_examples(**inputs)


@pytest.mark.parametrize("inputs", [{"text": " "}, {"text": 5}, {"text": "a", "text_pair": 5}, {"text": ["a", ""]}])
def test_other_things_than_texts_are_refused(inputs):
    with pytest.raises(DataError):
        text_examples(**inputs)


def test_a_model_of_pairs_wants_pairs():
    pairs, singles = Classification(labels=("a", "b"), pairs=True), Classification(labels=("a", "b"), pairs=False)
    with pytest.raises(DataError, match="two texts"):
        pairs.asked(text="a")
    with pytest.raises(DataError, match="one text"):
        singles.asked(text="a", text_pair="b")
    assert len(pairs.asked(text="a", text_pair="b")[0]) == len(singles.asked(text="a")[0]) == 1
