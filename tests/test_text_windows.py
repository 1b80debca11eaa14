"""Texts and pairs → windows: cut as the tokenizer cuts them, or read whole in several windows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart import chunks
from headstart.errors import DataError
from headstart.examples import TextExample
from headstart.pair_layout import probe_single_layout
from headstart.ragged import Ragged
from headstart.text_windows import TextOptions, fitted, make_text_windows
from headstart.tokens import TextEncoder
from headstart.window_rows import WindowRows
from headstart.window_store import store_in_memory
from texts_made_here import any_words, passages
from tokenizers_made_here import FAMILIES

every_family = pytest.mark.parametrize("family", FAMILIES)
texts = st.one_of(passages(any_words).map(lambda made: made[0]), st.just(""))


def numbered(examples: Sequence[TextExample]) -> Ragged:
    """The labels of these tests are numbers already."""
    return Ragged.of([[] if example.label is None else [example.label] for example in examples])


def rows_of(examples: Sequence[TextExample], encoder: TextEncoder, **options: Any) -> WindowRows:
    store = store_in_memory(make_text_windows(examples, encoder, TextOptions(**options), numbered))
    return store.rows(range(len(store)))


def words(count: int, first: int = 0) -> str:
    """Of `word_encoder`: token 5 + n is the word w<n>."""
    return " ".join(f"w{number}" for number in range(first, first + count))


# -- how much of two texts is kept -------------------------------------------------------------------------------


@lru_cache
def word_backend() -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers

    backend = Tokenizer(models.WordLevel({"w": 0}, unk_token="w"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    return backend


@settings(max_examples=300)
@given(st.integers(0, 40), st.integers(0, 40), st.integers(1, 50))
def test_as_much_is_kept_as_the_tokenizer_keeps_with_longest_first(first, second, room):
    backend = word_backend()
    backend.enable_truncation(room, strategy="longest_first")
    theirs = backend.encode("w " * first, "w " * second).sequence_ids
    ours = fitted(np.array([first]), np.array([second]), room)
    assert [int(side[0]) for side in ours] == [theirs.count(0), theirs.count(1)]


@pytest.mark.parametrize(
    ("first", "second", "room", "kept"),
    [
        (3, 4, 7, (3, 4)),  # both fit
        (9, 2, 8, (6, 2)),  # the longer one is cut
        (2, 9, 8, (2, 6)),
        (9, 9, 8, (4, 4)),
        (9, 9, 7, (3, 4)),  # the odd token
        (9, 8, 7, (4, 3)),  # goes to the longer one
        (0, 9, 5, (0, 5)),
        (9, 0, 5, (5, 0)),
    ],
)
def test_the_longer_one_is_cut_first(first, second, room, kept):
    assert tuple(int(side[0]) for side in fitted(np.array([first]), np.array([second]), room)) == kept


def test_many_pairs_are_fitted_at_once():
    first, second = np.array([3, 9, 2, 9]), np.array([4, 2, 9, 9])
    assert [side.tolist() for side in fitted(first, second, 8)] == [[3, 6, 2, 4], [4, 2, 6, 4]]


# -- cut: what the tokenizer itself makes ------------------------------------------------------------------------


@every_family
@settings(max_examples=40)
@given(first=texts, second=texts, pairs=st.booleans(), max_length=st.integers(8, 60))
def test_inputs_are_those_the_tokenizer_makes_itself(text_encoders, family, first, second, pairs, max_length):
    encoder = text_encoders[family]
    given = [[first], [second]] if pairs else [[first]]  # in lists: beside a text "" would be no second one at all
    types = encoder.uses_token_types
    theirs = encoder.tokenizer(*given, truncation=True, max_length=max_length, return_token_type_ids=types)
    rows = rows_of([TextExample("e", first, second if pairs else None)], encoder, max_length=max_length)
    assert rows.input_ids[0].tolist() == theirs["input_ids"][0]
    if types:
        assert rows.token_type_ids[0].tolist() == theirs["token_type_ids"][0]
    whole = encoder.tokenizer(*given, truncation=False, verbose=False)["input_ids"][0]
    lost = len(whole) - len(theirs["input_ids"][0])
    assert rows.columns["cut"][0].tolist() == [lost] * (lost > 0)


@every_family
def test_many_texts_at_once_are_those_alone(text_encoders, family, monkeypatch):
    """In chunks of a few characters, so that they begin in the middle."""
    monkeypatch.setattr(chunks, "CHARACTERS", 40)
    encoder = text_encoders[family]
    many = [TextExample(str(n), f"The river {'rose ' * n}", f"by {n} metres " * (9 - n), n % 2) for n in range(9)]
    together = rows_of(many, encoder, max_length=24)
    assert together.example.tolist() == list(range(9))
    for place, example in enumerate(many):
        alone = rows_of([example], encoder, max_length=24)
        assert together.input_ids[place].tolist() == alone.input_ids[0].tolist()
        assert together.columns["labels"][place].tolist() == [example.label]
        assert together.columns["cut"][place].tolist() == alone.columns["cut"][0].tolist()
        assert together.cls_index[place] == alone.cls_index[0]


def test_a_single_text_by_hand(word_encoder):
    rows = rows_of(
        [TextExample("a", words(3), None, 4), TextExample("b", words(7), None, 2)], word_encoder, max_length=7
    )
    assert [row.tolist() for row in rows.input_ids] == [[2, 5, 6, 7, 3], [2, 5, 6, 7, 8, 9, 3]]
    assert [row.tolist() for row in rows.token_type_ids] == [[0] * 5, [0] * 7]
    assert [row.tolist() for row in rows.columns["cut"]] == [[], [2]]
    assert [row.tolist() for row in rows.columns["labels"]] == [[4], [2]]
    assert rows.context_begin.tolist() == [1, 1]
    assert rows.context_length.tolist() == [3, 5]


def test_a_pair_by_hand(word_encoder):
    rows = rows_of([TextExample("a", words(5), words(2, 50), 1)], word_encoder, max_length=8)
    assert rows.input_ids[0].tolist() == [2, 5, 6, 7, 3, 55, 56, 3]
    assert rows.token_type_ids[0].tolist() == [0, 0, 0, 0, 0, 1, 1, 1]
    assert rows.columns["cut"][0].tolist() == [2]
    assert (rows.context_begin[0], rows.context_length[0], rows.cls_index[0]) == (5, 2, 0)


def test_texts_without_a_label_teach_nothing(word_encoder):
    rows = rows_of([TextExample("a", words(2)), TextExample("b", words(2), None, 1)], word_encoder)
    assert rows.label_counts.tolist() == [0, 1]


@every_family
def test_pairs_stand_in_the_order_given_also_where_questions_come_second(text_encoders, family):
    """XLNet reads a context before its question: nothing of that for two texts."""
    encoder = text_encoders[family]
    rows = rows_of([TextExample("e", "The river", "rose in April")], encoder)
    first, second = (encoder.encode_ids([text])[0].tolist() for text in ("The river", "rose in April"))
    ids = rows.input_ids[0].tolist()
    begin = int(rows.context_begin[0])
    assert ids[begin : begin + len(second)] == second
    before = begin - len(first) - len(encoder.layout.middle)
    assert ids[before : before + len(first)] == first


# -- windows: nothing is lost ------------------------------------------------------------------------------------


@every_family
@settings(max_examples=40)
@given(text=texts, room=st.integers(2, 30), overlap=st.integers(0, 12))
def test_windows_cover_a_text(text_encoders, family, text, room, overlap):
    encoder = text_encoders[family]
    options = {"doc_stride": overlap, "long_texts": "windows"}
    layout = encoder.text_layout(pairs=False)
    rows = rows_of([TextExample("e", text)], encoder, max_length=layout.special_tokens + overlap + room, **options)
    (tokens,) = encoder.encode_ids([text])
    assert seen(rows, overlap) == tokens.tolist()
    assert not len(rows.columns["cut"].values)
    assert rows.input_ids.lengths.max() <= layout.special_tokens + overlap + room


def seen(rows: WindowRows, overlap: int) -> list[int]:
    """The tokens of the text that is cut, put together again; neighbours must agree on what they share."""
    shown = [
        rows.input_ids[row][rows.context_begin[row] :][: rows.context_length[row]].tolist() for row in range(len(rows))
    ]
    found = list(shown[0])
    for before, part in pairwise(shown):
        assert part[:overlap] == before[len(before) - overlap :]
        assert len(part) > overlap
        found += part[overlap:]
    return found


@every_family
@settings(max_examples=40)
@given(first=texts, second=texts, room=st.integers(2, 30), overlap=st.integers(0, 12))
def test_windows_of_a_pair_cover_its_second_text_beside_the_first(text_encoders, family, first, second, room, overlap):
    encoder = text_encoders[family]
    layout = encoder.text_layout(pairs=True)
    free = 2 * (overlap + room)
    rows = rows_of(
        [TextExample("e", first, second)],
        encoder,
        max_length=layout.special_tokens + free,
        doc_stride=overlap,
        long_texts="windows",
    )
    one, other = (tokens.tolist() for tokens in encoder.encode_ids([first, second]))
    assert seen(rows, overlap) == other
    beside = one[: free // 2]
    for row in range(len(rows)):
        begin = int(rows.context_begin[row]) - len(layout.middle) - len(beside)
        assert rows.input_ids[row][begin : begin + len(beside)].tolist() == beside
    lost = len(one) - len(beside)
    assert [row.tolist() for row in rows.columns["cut"]] == [[lost] * (lost > 0)] * len(rows)


def test_windows_by_hand(word_encoder):
    """Room for 5, overlap 2: a window every 3 tokens, each with the label of the text."""
    rows = rows_of(
        [TextExample("a", words(10), None, 1), TextExample("b", words(2), None, 0)],
        word_encoder,
        max_length=7,
        doc_stride=2,
        long_texts="windows",
    )
    assert rows.example.tolist() == [0, 0, 0, 1]
    shown = [[5, 6, 7, 8, 9], [8, 9, 10, 11, 12], [11, 12, 13, 14], [5, 6]]
    assert [row.tolist() for row in rows.input_ids] == [[2, *part, 3] for part in shown]
    assert [row.tolist() for row in rows.columns["labels"]] == [[1], [1], [1], [0]]


def test_windows_of_a_pair_with_a_long_first_text_by_hand(word_encoder):
    """Of 8 tokens half are for the first text, and what it lost is told of every window."""
    options = {"max_length": 11, "doc_stride": 1, "long_texts": "windows"}
    rows = rows_of([TextExample("a", words(6), words(6, 50))], word_encoder, **options)
    assert [row.tolist() for row in rows.input_ids] == [
        [2, 5, 6, 7, 8, 3, 55, 56, 57, 58, 3],
        [2, 5, 6, 7, 8, 3, 58, 59, 60, 3],
    ]
    assert [row.tolist() for row in rows.columns["cut"]] == [[2], [2]]


def test_no_room_to_move_on_is_refused_with_both_numbers(word_encoder):
    pair = TextExample("a", words(3), words(20, 40))
    with pytest.raises(DataError, match=r"doc_stride \(5\).*found 4 of max_length 10"):
        rows_of([pair], word_encoder, max_length=10, doc_stride=5, long_texts="windows")
    fits = TextExample("a", words(3), words(4, 40))
    assert len(rows_of([fits], word_encoder, max_length=10, doc_stride=5, long_texts="windows")) == 1
    assert len(rows_of([pair], word_encoder, max_length=10, doc_stride=5)) == 1, "cut texts do not move on"


# -- what does not belong together -------------------------------------------------------------------------------

PAIR = TextExample("pair", "w0", "w1", place="row 1")
SINGLE = TextExample("single", "w0")


@pytest.mark.parametrize(
    ("examples", "found"),
    [([PAIR, SINGLE], "a single text at single and a pair before it"), ([SINGLE, PAIR], "a pair at row 1")],
)
def test_single_texts_and_pairs_do_not_mix(word_encoder, examples, found):
    with pytest.raises(DataError, match=found):
        make_text_windows(examples, word_encoder, TextOptions(), numbered)


def test_an_empty_second_text_is_still_a_pair(word_encoder):
    rows = rows_of([PAIR, TextExample("e", "w0", "")], word_encoder)
    assert rows.input_ids[1].tolist() == [2, 5, 3, 3]


def test_no_texts_no_windows(word_encoder):
    assert len(rows_of([], word_encoder)) == 0


# -- the layout of a single text ---------------------------------------------------------------------------------


@every_family
def test_a_single_text_is_dressed_as_the_tokenizer_does(text_encoders, family):
    encoder = text_encoders[family]
    layout = probe_single_layout(encoder.tokenizer)
    theirs = encoder.tokenizer("The old river", return_token_type_ids=True)
    tokens = encoder.encode_ids(["", "The old river"])
    assert layout.join(*tokens).tolist() == theirs["input_ids"]
    assert layout.special_tokens == len(theirs["input_ids"]) - len(tokens[1])
    assert layout.type_ids(0, len(tokens[1])).tolist() == theirs["token_type_ids"]
