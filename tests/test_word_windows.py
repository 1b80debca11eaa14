"""Words → windows: every word has one first piece, whatever the tokenizer makes of it and wherever it is cut."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart import chunks
from headstart.errors import SettingsError
from headstart.examples import WordsExample
from headstart.ragged import Ragged
from headstart.tokens import TextEncoder
from headstart.window_rows import WindowRows
from headstart.window_store import store_in_memory
from headstart.word_windows import WordOptions, WordPieces, best_seen, make_word_windows
from texts_made_here import any_words
from tokenizers_made_here import FAMILIES

every_family = pytest.mark.parametrize("family", FAMILIES)
ODD = ("\u0301", "\u200b", "New York", "w1.w2", "can not", "a" * 200, "\u00a0", "☃\ufe0f")
some_words = st.lists(st.one_of(any_words, st.sampled_from(ODD)), max_size=25)


def sentence(*words: str, tags: Sequence[str] | None = None, between: str = " ", id: str = "s") -> WordsExample:
    starts, text = [], ""
    for word in words:
        text += between if text else ""
        starts.append(len(text))
        text += word
    return WordsExample(id, words, None if tags is None else tuple(tags), text, tuple(starts))


def numbered(examples: Sequence[WordsExample]) -> Ragged:
    """The tags of these tests are numbers already."""
    return Ragged.of([[int(tag) for tag in example.tags or ()] for example in examples])


def rows_of(examples: Sequence[WordsExample], encoder: TextEncoder, **options: Any) -> WindowRows:
    store = store_in_memory(make_word_windows(examples, encoder, WordOptions(**options), numbered))
    return store.rows(range(len(store)))


def lists(rows: WindowRows, name: str) -> list[list[int]]:
    return [row.tolist() for row in rows.columns[name]]


# -- by hand: one token a word -----------------------------------------------------------------------------------


def test_a_short_sentence_by_hand(word_encoder):
    rows = rows_of([sentence("w0", "w3", "w1", tags="201"), sentence("w2", id="t")], word_encoder)
    assert [row.tolist() for row in rows.input_ids] == [[2, 5, 8, 6, 3], [2, 7, 3]]
    assert lists(rows, "words") == [[0, 1, 2], [0]]
    assert lists(rows, "places") == [[1, 2, 3], [1]]
    assert lists(rows, "edges") == [[1, 1], [1, 1]]
    assert lists(rows, "labels") == [[2, 0, 1], []], "what has no tags teaches nothing"
    assert rows.example.tolist() == [0, 1]
    assert rows.label_counts.tolist() == [3, 0]


def test_words_of_several_pieces_stand_at_the_first(word_encoder):
    """Marks are pieces of their own for this tokenizer, and so are words with a blank between them."""
    rows = rows_of([sentence("w0", "w1.w2", "w3 w4", "w5", tags="1234")], word_encoder)
    assert rows.input_ids[0].tolist() == [2, 5, 6, 1, 7, 8, 9, 10, 3]
    assert lists(rows, "places") == [[1, 2, 5, 7]]
    assert lists(rows, "labels") == [[1, 2, 3, 4]]


def test_a_word_without_any_piece_stands_as_the_unknown_token(word_encoder):
    assert not len(word_encoder.encode_ids(["\u00a0"])[0])
    rows = rows_of([sentence("w0", "\u00a0", "w1", tags="123")], word_encoder)
    assert rows.input_ids[0].tolist() == [2, 5, 1, 6, 3]
    assert lists(rows, "words") == [[0, 1, 2]]


@pytest.mark.parametrize(("without", "stand_in"), [("unk_token", 4), ("unk_token mask_token", 0)])
def test_where_there_is_no_unknown_token_mask_or_padding_stands_in(without, stand_in):
    from tokenizers_made_here import word_tokenizer

    tokenizer = word_tokenizer(["w0"])
    for name in without.split():
        setattr(tokenizer, name, None)
    rows = rows_of([sentence("\u00a0")], TextEncoder(tokenizer))
    assert rows.input_ids[0].tolist() == [2, stand_in, 3]


def test_a_sentence_that_is_too_long_by_hand(word_encoder):
    """Room for 5, overlap 2: a window every 3 tokens; the second piece of w5 begins the third one."""
    words = [f"w{n}" for n in range(5)] + ["w5.", "w7", "w8"]
    rows = rows_of([sentence(*words, tags="01234567")], word_encoder, max_length=7, doc_stride=2)
    shown = [[5, 6, 7, 8, 9], [8, 9, 10, 1, 12], [1, 12, 13]]
    assert [row.tolist() for row in rows.input_ids] == [[2, *part, 3] for part in shown]
    assert lists(rows, "words") == [[0, 1, 2, 3, 4], [3, 4, 5, 6], [6, 7]]
    assert lists(rows, "places") == [[1, 2, 3, 4, 5], [1, 2, 3, 5], [2, 3]]
    assert lists(rows, "labels") == [[0, 1, 2, 3, 4], [3, 4, 5, 6], [6, 7]]
    assert lists(rows, "edges") == [[1, 0], [0, 0], [0, 1]]
    assert rows.context_begin.tolist() == [1, 1, 1]
    assert rows.context_length.tolist() == [5, 5, 3]


def test_a_word_of_many_pieces_keeps_half_a_window_of_them(word_encoder):
    long = ".".join(["w1"] * 50)
    rows = rows_of([sentence("w0", long, "w2")], word_encoder, max_length=12, doc_stride=3)
    assert [row.tolist() for row in rows.input_ids] == [[2, 5, 6, 1, 6, 1, 6, 7, 3]]
    assert lists(rows, "places") == [[1, 2, 7]]


def test_no_room_to_move_on_is_refused_with_a_number_that_helps(word_encoder):
    with pytest.raises(SettingsError, match=r"more than doc_stride \(8\).*max_length 10.*for example to 2"):
        make_word_windows([sentence("w0")], word_encoder, WordOptions(10, 8), numbered)
    assert len(rows_of([sentence("w0")], word_encoder, max_length=10, doc_stride=7)) == 1
    assert len(rows_of([sentence("w0")], word_encoder, max_length=10, doc_stride=2)) == 1


def test_no_sentences_no_windows(word_encoder):
    assert len(rows_of([], word_encoder)) == 0


def test_chunks_begin_anywhere(word_encoder, monkeypatch):
    monkeypatch.setattr(chunks, "CHARACTERS", 9)
    many = [sentence(*(f"w{k}" for k in range(n, 2 * n)), tags="1" * n, id=str(n)) for n in range(1, 9)]
    together = rows_of(many, word_encoder)
    assert together.example.tolist() == list(range(8))
    for place, example in enumerate(many):
        alone = rows_of([example], word_encoder)
        assert together.input_ids[place].tolist() == alone.input_ids[0].tolist()
        assert all(lists(together, name)[place] == lists(alone, name)[0] for name in alone.columns)


# -- pieces ------------------------------------------------------------------------------------------------------


def test_a_blank_before_a_word_is_what_the_text_has(text_encoders):
    """Byte-level tokenizers tell "river" at the start, or behind a bracket, from " river"."""
    encoder = text_encoders["roberta"]
    example = WordsExample("s", ("river", "(", "river", "river"), None, "river (river\nriver", (0, 6, 7, 13))
    rows = list(WordPieces(encoder, most=99)([example]))
    bare, blank = (encoder.encode_ids([text])[0].tolist() for text in ("river", " river"))
    assert bare != blank
    assert [rows[word].tolist() for word in (0, 2, 3)] == [bare, bare, blank]


def test_a_word_is_tokenised_once(word_encoder, monkeypatch):
    seen: list[str] = []
    tokenise = word_encoder.tokenise
    monkeypatch.setattr(word_encoder, "tokenise", lambda texts, **more: seen.extend(texts) or tokenise(texts, **more))
    pieces = WordPieces(word_encoder, most=9)
    first = pieces([sentence("w1", "w2", "w1", between="")])
    again = pieces([sentence("w2", "w3.w4", "w1", between="")])
    assert seen == ["w1", "w2", "w3.w4"]
    assert [row.tolist() for row in first] == [[6], [7], [6]]
    assert [row.tolist() for row in again] == [[7], [8, 1, 9], [6]]


# -- any words, any tokenizer ------------------------------------------------------------------------------------


@every_family
@settings(max_examples=60)
@given(words=some_words, between=st.sampled_from(("", " ", "\n")), overlap=st.integers(0, 10), room=st.integers(1, 25))
def test_every_word_is_seen_and_kept_once(text_encoders, family, words, between, overlap, room):
    """Against a slow and plain reading: all pieces in a row, windows over them, each word where it begins."""
    encoder = text_encoders[family]
    example = sentence(*words, tags=["7"] * len(words), between=between)
    special = encoder.text_layout(pairs=False).special_tokens
    rows = rows_of([example], encoder, max_length=special + overlap + room, doc_stride=overlap)
    pieces, begins = laid_out(example, encoder, most=max((overlap + room) // 2, 1))
    at, found = 0, []
    for row in range(len(rows)):
        begin, length = int(rows.context_begin[row]), int(rows.context_length[row])
        assert rows.input_ids[row][begin : begin + length].tolist() == pieces[at : at + length]
        wanted = [(word, place - at + begin) for word, place in enumerate(begins) if at <= place < at + length]
        assert list(zip(lists(rows, "words")[row], lists(rows, "places")[row], strict=True)) == wanted
        assert lists(rows, "labels")[row] == [7] * len(wanted)
        found += [word for word, _ in wanted]
        at += length - overlap
    assert sorted(set(found)) == list(range(len(words)))
    kept = best_seen(np.zeros(len(found), np.int64), np.array(found, np.int64), np.ones(len(found), np.int64))
    assert [found[place] for place in kept] == list(range(len(words)))


def laid_out(example: WordsExample, encoder: TextEncoder, *, most: int) -> tuple[list[int], list[int]]:
    """The pieces of all words behind each other, and where each word begins."""
    pieces: list[int] = []
    begins = []
    for start, word in zip(example.starts, example.words, strict=True):
        blank = " " if start and example.text[start - 1].isspace() else ""
        ids = encoder.encode_ids([blank + word])[0].tolist() or [encoder.stand_in]
        begins.append(len(pieces))
        pieces += ids[:most]
    return pieces, begins


@every_family
def test_ids_of_plain_words_are_those_of_their_text(text_encoders, family):
    """What `pipeline` of transformers feeds the model for the same text."""
    encoder = text_encoders[family]
    example = sentence("The", "old", "river", "rose", "by", "metres")
    rows = rows_of([example], encoder)
    assert rows.input_ids[0].tolist() == encoder.tokenizer(example.text)["input_ids"]


# -- which sight counts ------------------------------------------------------------------------------------------


def test_the_sight_with_the_most_context_is_kept_and_of_equals_the_first():
    example = np.array([1, 0, 0, 1, 0, 0])
    word = np.array([0, 1, 0, 0, 1, 1])
    margin = np.array([3, 2, 9, 3, 8, 8])
    assert best_seen(example, word, margin).tolist() == [2, 4, 0]


def test_no_sights_no_words():
    nothing = np.zeros(0, np.int64)
    assert best_seen(nothing, nothing, nothing).tolist() == []


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(-2, 5)), max_size=30))
def test_sights_against_a_plain_loop(sights):
    best: dict[tuple[int, int], int] = {}
    for place, (example, word, margin) in enumerate(sights):
        known = best.get((example, word))
        if known is None or margin > sights[known][2]:
            best[example, word] = place
    columns = (np.array([sight[part] for sight in sights], np.int64) for part in range(3))
    assert best_seen(*columns).tolist() == [best[key] for key in sorted(best)]
