"""The self-test before training: what it lets through, and what it refuses."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from headstart.alignment import Alignment, letters, self_test
from headstart.errors import TokenizerError
from headstart.examples import Answer, QuestionExample
from headstart.tokens import TextEncoder
from tokenizers_made_here import FAMILIES, SENTENCES, baked, bert, scrambling, word_tokenizer


def examples(count: int | None = None) -> list[QuestionExample]:
    """One answer a sentence: each second word."""
    made = []
    for sentence in SENTENCES:
        for place, word in enumerate(sentence.split()):
            if place % 2:
                start = len(" ".join(sentence.split()[:place])) + 1
                context = " ".join(sentence.split())
                made.append(QuestionExample(f"q{len(made)}", " what?", context, (Answer(word, start),)))
    return made[:count]


class Shifted:
    """A tokenizer library with a fault: every offset is off by one."""

    def __init__(self, backend: Any, by: int = 1) -> None:
        self.backend, self.by = backend, by

    def encode_batch(self, texts: list[str], **options: Any) -> list[SimpleNamespace]:
        encodings = self.backend.encode_batch(texts, **options)
        return [self._shift(text, encoding) for text, encoding in zip(texts, encodings, strict=True)]

    def encode_batch_fast(self, texts: list[str], **options: Any) -> Any:
        return self.backend.encode_batch_fast(texts, **options)

    def _shift(self, text: str, encoding: Any) -> SimpleNamespace:
        moved = [[min(max(place + self.by, 0), len(text)) for place in pair] for pair in encoding.offsets]
        return SimpleNamespace(ids=encoding.ids, offsets=moved)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_passes(encoders, family):
    count = len(examples())
    assert self_test(examples(), encoders[family]) == f"self-test: {count} of {count} sampled answers read back"


def test_tokenizer_file_with_truncation_and_padding_passes():
    long = "river " * 200
    asked = QuestionExample("q", "what?", long + "the key", (Answer("the key", len(long)),))
    assert self_test([asked], TextEncoder(baked())) == "self-test: 1 of 1 sampled answers read back"


@pytest.mark.parametrize("by", [1, -1, 5])
def test_shifted_offsets_are_refused(by):
    encoder = TextEncoder(bert())
    encoder.backend = Shifted(encoder.backend, by)
    with pytest.raises(TokenizerError, match=r"offsets lead back to the answers; found \d+ of \d+ sampled answers"):
        self_test(examples(), encoder)


def test_refusal_shows_answers_beside_what_their_labels_read():
    encoder = TextEncoder(bert())
    encoder.backend = Shifted(encoder.backend, 4)
    asked = QuestionExample("q", "what?", "The old river rose", (Answer("old", 4),))
    with pytest.raises(TokenizerError) as caught:
        self_test([asked], encoder)
    assert "'old' reads 'old' by offsets, 'the' by ids" in str(caught.value)


def test_ids_that_tell_nothing_are_refused_although_offsets_hold():
    with pytest.raises(TokenizerError, match="'old' reads 'old' by offsets, 'eee' by ids"):
        self_test(examples(), TextEncoder(scrambling()))


def test_a_tokenizer_that_joins_pairs_in_its_own_way_is_refused():
    """Windows are joined by hand, so a layout that depends on the text must be noticed."""

    class Moody(type(bert())):
        def __call__(self, *texts: str, **options: Any) -> Any:
            made = super().__call__(*texts, **options)
            if "river" in texts[-1]:
                made["input_ids"] = made["input_ids"][:-1]
            return made

    tokenizer = bert()
    tokenizer.__class__ = Moody
    asked = QuestionExample("q7", "what?", "The old river rose", (Answer("old", 4),))
    with pytest.raises(TokenizerError, match=r"joins two texts the same way.*question 'q7'"):
        self_test([asked], TextEncoder(tokenizer))


def test_few_odd_answers_are_tolerated_and_counted(encoders):
    """An answer of characters that no token stands for cannot be read back; two in a hundred may be so."""
    odd = QuestionExample("odd", "what?", "river \u200b key", (Answer("\u200b", 6),))
    good = examples(98)
    assert len(good) == 98
    assert self_test([*good, odd], encoders["bert"]) == "self-test: 98 of 99 sampled answers read back"
    with pytest.raises(TokenizerError, match="3 of 101"):
        self_test([*good, odd, odd, odd], encoders["bert"])


def test_only_a_sample_is_read_and_it_spreads_over_the_data():
    encoder = TextEncoder(bert())
    good, context = examples(1)[0], "The old river rose"
    bad = QuestionExample("bad", "what?", context, (Answer("key", 4),))
    assert self_test([good] * 500, encoder, sample=50) == "self-test: 50 of 50 sampled answers read back"
    with pytest.raises(TokenizerError, match="5 of 50"):
        self_test([good] * 450 + [bad] * 50, encoder, sample=50)


def test_nothing_to_align_is_nothing_wrong(encoders):
    unlabelled = QuestionExample("q", "what?", "river")
    impossible = QuestionExample("q", "what?", "river", ())
    for asked in ([], [unlabelled, impossible]):
        assert self_test(asked, encoders["bert"]) == "self-test: 0 of 0 sampled answers read back"


def test_a_vocabulary_of_another_language_is_pointed_out():
    asked = QuestionExample("q", "w1?", "w0 river rose w1", (Answer("river", 3),))
    said = self_test([asked], TextEncoder(word_tokenizer(["w0", "w1"])))
    assert said == (
        "self-test: 1 of 1 sampled answers read back"
        "; WARNING: 50% of the tokens are unknown to the vocabulary: is this its language?"
    )


def test_letters_are_what_a_tokenizer_keeps():
    assert letters("Cafe\u0301 №5, “ÜBER”") == letters("café no5 uber") == "cafeno5uber"
    assert letters("Ὀδυσσεύς") == letters("οδυσσευσ")
    assert letters("1 000 €") == "1000"
    assert letters("…!?") == ""


@pytest.mark.parametrize(
    ("answer", "cut", "decoded", "unknown", "holds"),
    [
        ("Jay Z", "Jay Z", "jay z", False, True),
        ("ay", "Jay", "jay", False, True),
        ("Jay Z", "Jay", "jay z", False, False),
        ("Jay Z", "Jay Z", "jay", False, False),
        ("Jay Ζ", "Jay Ζ", "jay [UNK]", True, True),
        ("Jay Ζ", "Jay", "jay [UNK]", True, False),
        ("€", "€", "", False, True),
        ("€", "", "", False, False),
    ],
)
def test_alignment_holds_only_if_both_ways_show_the_answer(answer, cut, decoded, unknown, holds):
    assert Alignment(answer, cut, decoded, unknown).holds is holds
