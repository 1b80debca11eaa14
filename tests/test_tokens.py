"""Offsets that lead back to the text, and the layout of a pair, for every family of tokenizers."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from headstart.errors import TokenizerError
from headstart.tokens import TextEncoder, reclaim_marks, trim_blanks
from texts_made_here import passages, trimmed
from tokenizers_made_here import FAMILIES, baked, bert, bert_backend, roberta, word_tokenizer, wrap_bert

# family → ids of prefix, middle, suffix; their types; types of the two texts; CLS
LAYOUTS = {
    "bert": ([2], [3], [3], [0], [0], [1], (0, 1), 0),
    "roberta": ([0], [2, 2], [2], [0], [0, 0], [0], (0, 0), 0),
    "roberta-untrimmed": ([0], [2, 2], [2], [0], [0, 0], [0], (0, 0), 0),
    "sentencepiece": ([1], [2], [2], [0], [0], [1], (0, 1), 0),
    "xlm-roberta": ([0], [2, 2], [2], [0], [0, 0], [0], (0, 0), 0),
    "xlnet": ([], [4], [4, 3], [], [0], [1, 2], (0, 1), -1),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_layout_is_learnt_from_the_tokenizer(encoders, family):
    layout = encoders[family].layout
    parts = [part.tolist() for part in (layout.prefix, layout.middle, layout.suffix, *layout.types)]
    assert (*parts, layout.text_types, layout.cls) == LAYOUTS[family]
    assert layout.special_tokens == sum(len(ids) for ids in LAYOUTS[family][:3])


@pytest.mark.parametrize("family", FAMILIES)
def test_joined_pair_is_the_tokenizers_own(tokenizers, encoders, family):
    encoder = encoders[family]
    first, second = encoder.encode_ids(["The old key, Zoë", "старый мост 1874"])
    theirs = tokenizers[family]("The old key, Zoë", "старый мост 1874", return_token_type_ids=True)
    assert encoder.layout.join(first, second).tolist() == theirs["input_ids"]
    assert encoder.layout.type_ids(len(first), len(second)).tolist() == theirs["token_type_ids"]


def test_cls_is_counted_from_the_end_where_it_stands_there(encoders):
    assert encoders["bert"].layout.cls_index(12) == 0
    assert encoders["xlnet"].layout.cls_index(12) == 11


def test_sides_types_and_padding_are_known(encoders):
    bert_like, left = encoders["bert"], encoders["xlnet"]
    assert (bert_like.question_first, bert_like.uses_token_types, bert_like.pad_id) == (True, True, 0)
    assert (left.question_first, left.uses_token_types, left.pad_id, left.pad_type) == (False, True, 5, 3)
    assert not encoders["roberta"].uses_token_types


def test_slow_tokenizer_is_refused_with_the_reason():
    from transformers import CanineTokenizer

    with pytest.raises(TokenizerError, match=r"a fast tokenizer.*CanineTokenizer, which cannot say which characters"):
        TextEncoder(CanineTokenizer())


def test_tokenizer_without_special_tokens_is_refused():
    backend = bert_backend()
    backend.post_processor = None
    with pytest.raises(TokenizerError, match=r"CLS.*adds none"):
        TextEncoder(wrap_bert(backend))


def test_cls_between_the_texts_is_refused():
    from tokenizers.processors import TemplateProcessing

    backend = bert_backend()
    backend.post_processor = TemplateProcessing(single="$A", pair="$A [CLS] $B", special_tokens=[("[CLS]", 2)])
    with pytest.raises(TokenizerError, match="one between them"):
        TextEncoder(wrap_bert(backend))


def test_tokenizer_that_gives_no_tokens_is_refused():
    from tokenizers import Regex
    from tokenizers.normalizers import Replace

    backend = bert_backend()
    backend.normalizer = Replace(Regex("."), "")
    with pytest.raises(TokenizerError, match="joins two texts"):
        TextEncoder(wrap_bert(backend))


def test_without_cls_the_first_token_of_the_text_stands_for_no_answer():
    tokenizer = bert()
    tokenizer.cls_token = None
    assert TextEncoder(tokenizer).layout.cls == 0


def test_baked_truncation_and_padding_are_switched_off():
    tokenizer = baked()
    encoder = TextEncoder(tokenizer)
    short, long = encoder.encode(["river", "river " * 300])
    assert len(short) == len(encoder.encode_ids(["river"])[0]) < 128
    assert len(long) == 300 * len(short)
    assert len(encoder.encode_ids(["river " * 300])[0]) == 300 * len(short)


def test_what_the_tokenizer_is_used_for_later_does_not_matter():
    tokenizer = bert()
    encoder = TextEncoder(tokenizer)
    whole = len(encoder.encode(["river " * 300])[0])
    tokenizer("river", truncation=True, max_length=8, padding="max_length")
    assert len(encoder.encode(["river " * 300])[0]) == whole >= 300


@pytest.mark.parametrize("family", FAMILIES)
def test_ids_are_the_same_with_and_without_offsets_alone_and_in_a_batch(encoders, family):
    texts = ["The old key", "", "東京タワーは1958年", "a \r\n b"]
    together = [tokens.ids.tolist() for tokens in encoders[family].encode(texts)]
    assert together == [ids.tolist() for ids in encoders[family].encode_ids(texts)]
    assert together == [encoders[family].encode([text])[0].ids.tolist() for text in texts]
    assert encoders[family].encode([]) == []


@pytest.mark.parametrize("family", FAMILIES)
def test_blanks_are_cut_off_the_offsets(encoders, family):
    """Published trainers lose EM points here: " Paris" instead of "Paris"."""
    text = "  old river\r\n\tand\u00a0key  door "
    (tokens,) = encoders[family].encode([text])
    cuts = [text[start:end] for start, end in zip(tokens.starts, tokens.ends, strict=True)]
    assert cuts == [cut.strip() for cut in cuts]
    assert "".join(cuts) == "oldriverandkeydoor"


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("text", ["Cafe\u0301", "か\u3099", "☃\ufe0f", "مَ", "e\u0301\u0323", "नमस्ते"])
def test_marks_on_the_last_letter_belong_to_the_token(encoders, family, text):
    """BERT strips accents and sentencepiece composes them: either way the mark is left out of their offsets."""
    (tokens,) = encoders[family].encode([f"x {text} y"])
    inside = tokens.ends[(tokens.starts < tokens.ends) & (tokens.starts >= 2) & (tokens.starts < 2 + len(text))]
    assert inside.max() == 2 + len(text)


@pytest.mark.parametrize("family", ["sentencepiece", "xlm-roberta", "xlnet"])
def test_blank_that_the_tokenizer_adds_stands_for_nothing(encoders, family):
    """`▁` before the first letter would otherwise borrow that letter's characters."""
    (tokens,) = encoders[family].encode(["Zoë"])
    blank = encoders[family].backend.token_to_id("▁")
    assert tokens.ids[0] == blank
    assert (tokens.starts[0], tokens.ends[0]) == (0, 0)
    assert (tokens.starts[1], tokens.ends[-1]) == (0, 3)


@pytest.mark.parametrize("family", FAMILIES)
def test_blank_sign_written_in_the_text_is_a_character(encoders, family):
    (tokens,) = encoders[family].encode(["fill ▁ in"])
    assert any(start <= 5 < end for start, end in zip(tokens.starts, tokens.ends, strict=True))


def test_trim_blanks_by_hand():
    starts, ends = trim_blanks(" a  b ", np.array([0, 2, 3, 0, 4]), np.array([2, 4, 6, 0, 5]))
    assert list(zip(starts.tolist(), ends.tolist(), strict=True)) == [(1, 2), (4, 4), (4, 5), (0, 0), (4, 5)]
    assert [part.tolist() for part in trim_blanks("", np.zeros(2, int), np.zeros(2, int))] == [[0, 0], [0, 0]]


def test_reclaim_marks_by_hand():
    text = "e\u0301 e\u0301\u0323"
    whole = reclaim_marks(text, np.array([0, 3]), np.array([1, 4]))
    assert whole.tolist() == [2, 6]
    own_token = reclaim_marks(text, np.array([0, 1, 3]), np.array([1, 2, 4]))
    assert own_token.tolist() == [1, 2, 6]
    nothing = reclaim_marks(text, np.array([1, 3]), np.array([1, 3]))
    assert nothing.tolist() == [1, 3]


@pytest.mark.parametrize("family", FAMILIES)
@hypothesis_settings(max_examples=60)
@given(data=st.data())
def test_offsets_are_honest_in_every_script(encoders, family, data):
    encoder = encoders[family]
    text, _ = data.draw(passages())
    (tokens,) = encoder.encode([text])
    raw = encoder.backend.encode(text, add_special_tokens=False)
    theirs = [(s, s if token == "▁" else e) for token, (s, e) in zip(raw.tokens, raw.offsets, strict=True)]
    ours = zip(tokens.starts.tolist(), tokens.ends.tolist(), strict=True)
    for mine, honest in zip(ours, trimmed(text, theirs), strict=True):
        assert mine == honest


def test_ids_take_two_bytes_where_the_vocabulary_is_small(encoders):
    assert encoders["bert"].id_type == np.uint16


def test_ids_take_four_bytes_where_one_of_them_is_large():
    tokenizer = word_tokenizer(["a", "b"])
    holes = TextEncoder(tokenizer)
    holes.backend = SimpleNamespace(get_vocab_size=lambda: 3, get_vocab=lambda: {"a": 0, "b": 70_000})
    large = TextEncoder(tokenizer)
    large.backend = SimpleNamespace(get_vocab_size=lambda: 250_002)
    assert (holes.id_type, large.id_type) == (np.int32, np.int32)


def test_blanks_are_those_of_python():
    """Every character, one by one, against `str.isspace`."""
    text = "".join(chr(code) for code in (*range(0x3200), 0xD800, 0xFEFF, 0xFFFF, 0x10000, 0x1F389, 0x10FFFF))
    places = np.arange(len(text))
    starts, ends = trim_blanks(text, places, places + 1)
    assert (ends > starts).tolist() == [not char.isspace() for char in text]


def test_fingerprint_is_the_same_for_the_same_tokenizer_whatever_it_did_before():
    used = word_tokenizer(["a", "b"])
    used("a b", truncation=True, max_length=4, padding="max_length")
    assert TextEncoder(used).fingerprint() == TextEncoder(word_tokenizer(["a", "b"])).fingerprint()


def test_fingerprint_changes_with_all_that_changes_windows():
    other_side = word_tokenizer(["a", "b"])
    other_side.padding_side = "left"
    no_types = word_tokenizer(["a", "b"])
    no_types.model_input_names = ["input_ids", "attention_mask"]
    variants = [word_tokenizer(["a", "b"]), word_tokenizer(["b", "a"]), other_side, no_types, roberta()]
    assert len({TextEncoder(variant).fingerprint() for variant in variants}) == len(variants)
