"""Windows and labels written down by hand. One word is one token: `[CLS] question [SEP] context [SEP]`."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart import chunks
from headstart.errors import DataError, SettingsError
from headstart.examples import Answer, QuestionExample
from headstart.tokens import TextEncoder, Tokens
from headstart.windows import WindowOptions, align, cut, make_windows
from tokenizers_made_here import FAMILIES, bert_backend, word_tokenizer, wrap_bert

TEN = " ".join(f"w{place}" for place in range(10))  # word n starts at character 3 n


def answer(*words: int) -> Answer:
    """The answer from one word of `TEN` to another."""
    return Answer(" ".join(f"w{place}" for place in range(words[0], words[-1] + 1)), 3 * words[0])


def example(*answers: Answer, question: str = "w20 w21", context: str = TEN) -> QuestionExample:
    return QuestionExample("q1", question, context, answers, place="file.json, row 7")


def ids(words: str) -> list[int]:
    return [5 + int(word[1:]) for word in words.split()]


# room 5, overlap 2: as in the drawing of windows.py
OPTIONS = WindowOptions(max_length=10, doc_stride=2)


def test_cut_by_hand():
    assert cut(10, room=5, overlap=2) == [(0, 5), (3, 8), (6, 10)]
    assert cut(11, room=5, overlap=2) == [(0, 5), (3, 8), (6, 11)]
    assert cut(12, room=5, overlap=2) == [(0, 5), (3, 8), (6, 11), (9, 12)]
    assert cut(6, room=5, overlap=0) == [(0, 5), (5, 6)]


def test_context_of_exactly_the_room_is_one_window_and_one_token_more_two():
    assert cut(5, room=5, overlap=2) == [(0, 5)]
    assert cut(6, room=5, overlap=2) == [(0, 5), (3, 6)]


@given(st.integers(0, 60), st.integers(1, 20), st.data())
def test_cut_leaves_nothing_out_and_overlaps_by_exactly_what_was_asked(tokens, room, data):
    overlap = data.draw(st.integers(0, room - 1))
    spans = cut(tokens, room, overlap)
    assert spans[0][0] == 0
    assert spans[-1][1] == tokens
    assert all(end - begin == room for begin, end in spans[:-1])
    assert spans[-1][1] - spans[-1][0] <= room
    assert [end - begin for (_, end), (begin, _) in pairwise(spans)] == [overlap] * (len(spans) - 1)
    assert all(end < tokens for _, end in spans[:-1])


def test_windows_of_the_drawing(word_encoder):
    made = list(make_windows([example(answer(4, 5))], word_encoder, OPTIONS))
    question = [2, *ids("w20 w21"), 3]
    assert [window.input_ids.tolist() for window in made] == [
        [*question, *ids("w0 w1 w2 w3 w4"), 3],
        [*question, *ids("w3 w4 w5 w6 w7"), 3],
        [*question, *ids("w6 w7 w8 w9"), 3],
    ]
    assert [window.token_type_ids.tolist() for window in made] == [
        [0] * 4 + [1] * 6,
        [0] * 4 + [1] * 6,
        [0] * 4 + [1] * 5,
    ]
    assert [window.starts.tolist() for window in made] == [[0, 3, 6, 9, 12], [9, 12, 15, 18, 21], [18, 21, 24, 27]]
    assert [window.ends.tolist() for window in made] == [[2, 5, 8, 11, 14], [11, 14, 17, 20, 23], [20, 23, 26, 29]]
    assert {(window.example, window.context_begin, window.cls_index) for window in made} == {(0, 4, 0)}


def test_answer_partly_in_a_window_is_no_answer_of_it(word_encoder):
    made = make_windows([example(answer(4, 5))], word_encoder, OPTIONS)
    assert [window.labels for window in made] == [((0, 0),), ((5, 6),), ((0, 0),)]


def test_answer_in_the_overlap_is_labelled_in_both_windows(word_encoder):
    made = make_windows([example(answer(3, 4))], word_encoder, OPTIONS)
    assert [window.labels for window in made] == [((7, 8),), ((4, 5),), ((0, 0),)]


def test_answer_longer_than_a_window_is_in_none(word_encoder):
    made = make_windows([example(answer(1, 8))], word_encoder, OPTIONS)
    assert [window.labels for window in made] == [((0, 0),)] * 3


def test_answers_of_several_annotators_are_all_labelled_duplicates_kept(word_encoder):
    several = example(answer(3, 4), answer(4), answer(3, 4), answer(0))
    made = make_windows([several], word_encoder, OPTIONS)
    assert [window.labels for window in made] == [((7, 8), (8, 8), (7, 8), (4, 4)), ((4, 5), (5, 5), (4, 5)), ((0, 0),)]


def test_impossible_example_points_at_cls_in_every_window(word_encoder):
    made = make_windows([example()], word_encoder, OPTIONS)
    assert [window.labels for window in made] == [((0, 0),)] * 3


def test_unlabelled_example_has_no_labels(word_encoder):
    made = make_windows([QuestionExample("q", "w20", TEN)], word_encoder, OPTIONS)
    assert {window.labels for window in made} == {()}


def test_left_padding_puts_the_context_first_and_cls_last(encoders):
    encoder = encoders["xlnet"]
    context = "Zoë old key door river"
    asked = QuestionExample("q", "which river", context, (Answer("key", 8),))
    (window,) = make_windows([asked], encoder)
    question, passage = encoder.encode_ids(["which river", context])
    assert window.input_ids.tolist() == [*passage, 4, *question, 4, 3]
    assert window.token_type_ids.tolist() == [0] * (len(passage) + 1) + [1] * (len(question) + 1) + [2]
    assert (window.context_begin, window.cls_index) == (0, len(window.input_ids) - 1)
    ((first, last),) = window.labels
    assert context[window.starts[first] : window.ends[last]] == "key"


def test_left_padding_points_at_the_real_cls(encoders):
    (window,) = make_windows([QuestionExample("q", "which river", "Zoë", ())], encoders["xlnet"])
    cls = len(window.input_ids) - 1
    assert window.labels == ((cls, cls),)
    assert window.input_ids[cls] == encoders["xlnet"].tokenizer.cls_token_id


def test_special_tokens_written_in_the_text_do_not_move_cls(word_encoder):
    asked = QuestionExample("q", "[SEP] w1 [CLS]", "w0 [CLS] w1 [SEP] w2", (Answer("w2", 18),))
    (window,) = make_windows([asked], word_encoder)
    assert (window.cls_index, window.context_begin, window.labels) == (0, 5, ((9, 9),))
    assert make_labels(word_encoder, "w0 [CLS] w1", ()) == ((0, 0),)


def make_labels(encoder: TextEncoder, context: str, answers: tuple[Answer, ...] | None):
    (window,) = make_windows([QuestionExample("q", "w1", context, answers)], encoder)
    return window.labels


def test_blanks_around_questions_are_left_out(encoders):
    """SQuAD questions with leading blanks make some tokenizers lose the room they counted on."""
    for encoder in encoders.values():
        plain, blank = (
            [window.input_ids.tolist() for window in make_windows([example(question=question)], encoder)]
            for question in ("which river", " \t\r\n which river\u00a0 ")
        )
        assert plain == blank


def test_question_longer_than_the_room_is_named_and_no_panic(word_encoder):
    with pytest.raises(DataError) as caught:
        list(make_windows([example(question="w1 " * 50)], word_encoder, OPTIONS))
    message = str(caught.value)
    assert "question 'q1' with 50 tokens, which leaves 0 (file.json, row 7)" in message
    assert "--max-question-length" in message
    assert "--max-length" in message


def test_question_that_leaves_no_more_than_the_overlap_is_refused(word_encoder):
    assert len(list(make_windows([example(question="w1 " * 4)], word_encoder, OPTIONS))) == 8  # room 3, one new a step
    with pytest.raises(DataError, match=r"leaves 2 .*--doc-stride"):
        list(make_windows([example(question="w1 " * 5)], word_encoder, OPTIONS))


def test_short_context_needs_no_more_room_than_it_has(word_encoder):
    (window,) = make_windows([example(question="w1 " * 6, context="w0")], word_encoder, OPTIONS)
    assert len(window.input_ids) == 10
    with pytest.raises(DataError, match="leaves 0"):
        list(make_windows([example(question="w1 " * 7, context="w0")], word_encoder, OPTIONS))


def test_max_question_length_cuts_the_question_only(word_encoder):
    options = WindowOptions(max_length=10, doc_stride=2, max_question_length=2)
    long = example(answer(4, 5), question="w20 w21 " + "w22 " * 50)
    made = list(make_windows([long], word_encoder, options))
    usual = list(make_windows([example(answer(4, 5))], word_encoder, OPTIONS))
    assert [window.input_ids.tolist() for window in made] == [window.input_ids.tolist() for window in usual]
    assert [window.labels for window in made] == [window.labels for window in usual]


@pytest.mark.parametrize(
    ("options", "remedy"),
    [
        ({"max_length": 100, "doc_stride": 100}, "lower --doc-stride, for example to 33"),
        ({"max_length": 100}, "lower --doc-stride"),
        ({"doc_stride": -1}, "--doc-stride 128"),
        ({"max_length": 0, "doc_stride": 0}, "--max-length 384"),
        ({"max_question_length": 0}, "leave --max-question-length out"),
        ({"max_question_length": -1}, "leave --max-question-length out"),
    ],
)
def test_impossible_options_are_refused_with_a_remedy(options, remedy):
    with pytest.raises(SettingsError) as caught:
        WindowOptions(**options)
    assert remedy in caught.value.remedy


@pytest.mark.parametrize("context", ["", " ", "\r\n\t \u00a0"])
@pytest.mark.parametrize("family", FAMILIES)
def test_context_without_ink_is_one_window_without_answer(encoders, family, context):
    encoder = encoders[family]
    (window,) = make_windows([QuestionExample("q", "which river", context, ())], encoder)
    assert window.labels == ((window.cls_index, window.cls_index),)
    assert (window.starts == window.ends).all()


def test_answer_that_the_tokenizer_drops_leaves_its_example_unlabelled():
    from tokenizers import Regex
    from tokenizers.normalizers import Replace

    backend = bert_backend()
    backend.normalizer = Replace(Regex("[0-9]+"), "")
    encoder = TextEncoder(wrap_bert(backend))
    dropped, kept = Answer("1874", 6), Answer("river", 0)
    assert make_labels(encoder, "river 1874 key", (dropped,)) == ()
    assert make_labels(encoder, "river 1874 key", (dropped, kept)) == make_labels(encoder, "river 1874 key", (kept,))
    assert make_labels(encoder, "river 1874 key", ()) == ((0, 0),)


NASTY = {
    "CRLF": ("first line\r\nsecond\r\nthird", "second"),
    "blanks folded into offsets": ("the  old \t key", "old"),
    "hard blank": ("12\u00a0500\u00a0km away", "500"),
    "emoji": ("We sang 🎉 and 👨‍👩‍👧 came", "👨‍👩‍👧"),
    "emoji with a skin tone": ("she waved 👋🏽 twice", "👋🏽"),
    "combining character": ("a Cafe\u0301 here", "Cafe\u0301"),
    "marks of another script": ("x مَدينةَ y", "مَدينةَ"),
    "CJK": ("东京塔在1958年完成。", "1958年"),
    "Japanese": ("古い寺の庭", "寺"),
    "at the very start": ("Zoë came", "Zoë"),
    "at the very end": ("it was Zoë", "Zoë"),
    "in punctuation": ('he said "(Zoë)".', "Zoë"),
}


@pytest.mark.parametrize("case", NASTY)
@pytest.mark.parametrize("family", FAMILIES)
def test_label_reads_the_answer_in_nasty_texts(encoders, family, case):
    context, text = NASTY[case]
    marked = Answer(text, context.index(text))
    (window,) = make_windows([QuestionExample("q", "who", context, (marked,))], encoders[family])
    ((first, last),) = window.labels
    first, last = first - window.context_begin, last - window.context_begin
    cut_text = context[window.starts[first] : window.ends[last]]
    assert text in cut_text
    if case != "CJK" and case != "Japanese":  # no blanks there: a token may hold a neighbour's character
        assert cut_text == text


def test_align_where_no_token_is_touched():
    tokens = Tokens(np.arange(3), np.array([0, 3, 9]), np.array([2, 8, 10]))  # "in Paris ."
    assert align(tokens, [Answer("-", 2), Answer("?", 8), Answer("x", 50)]) == [None, None, None]
    nothing = Tokens(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.int32))
    assert align(nothing, [Answer("x", 0)]) == [None]
    assert align(tokens, []) == []


def test_align_takes_whole_tokens_and_all_tokens_of_one_character():
    bytes_of_emoji = Tokens(np.arange(5), np.array([0, 2, 2, 2, 4]), np.array([1, 3, 3, 3, 5]))
    assert align(bytes_of_emoji, [Answer("x", 2)]) == [(1, 3)]
    assert align(bytes_of_emoji, [Answer("a x", 0)]) == [(0, 3)]
    paris = Tokens(np.arange(3), np.array([0, 3, 9]), np.array([2, 8, 10]))
    assert align(paris, [Answer("ari", 4), Answer("s .", 7)]) == [(1, 1), (1, 2)]


def test_align_skips_tokens_without_characters():
    starts, ends = (np.array(side, np.int32) for side in ([0, 0, 2, 3, 3, 7], [0, 2, 2, 3, 7, 7]))
    blanks = Tokens(np.arange(6), starts, ends)
    assert align(blanks, [Answer("ab", 0), Answer("Lima", 3), Answer("ab Lima", 0)]) == [(1, 1), (4, 4), (1, 4)]
    assert align(blanks, [Answer("ab ", 0), Answer(" Lima", 2), Answer(" ", 2)]) == [(1, 1), (4, 4), None]


def test_examples_keep_their_places_over_chunks(word_encoder, monkeypatch):
    asked = [example(answer(place), question=f"w20 w{place}") for place in range(7)]
    whole = list(make_windows(asked, word_encoder, OPTIONS))
    monkeypatch.setattr(chunks, "CHARACTERS", 2 * len(TEN))
    made = list(make_windows(asked, word_encoder, OPTIONS).chunks)
    assert len(made) == 4
    parts = [window for rows in made for window in rows]
    assert [window.example for window in parts] == [place for place in range(7) for _ in range(3)]
    assert [window.input_ids.tolist() for window in parts] == [window.input_ids.tolist() for window in whole]
    assert [window.labels for window in parts] == [window.labels for window in whole]


def test_windows_are_made_as_they_are_asked_for(word_encoder, monkeypatch):
    monkeypatch.setattr(chunks, "CHARACTERS", 1)
    stream = iter(make_windows([example(context="w0"), example(question="w1 " * 99)], word_encoder, OPTIONS))
    assert next(stream).example == 0
    with pytest.raises(DataError):
        next(stream)


def test_a_passage_is_tokenised_once_for_all_its_questions(word_encoder, monkeypatch):
    """Also where its questions are parted by the end of a chunk."""
    texts: list[str] = []
    tokenise = word_encoder.tokenise
    monkeypatch.setattr(word_encoder, "tokenise", lambda batch, **more: texts.extend(batch) or tokenise(batch, **more))
    monkeypatch.setattr(chunks, "CHARACTERS", 2 * len(TEN))
    asked = [example(context=context) for context in (TEN, TEN, TEN, TEN, "w1 w2 w3", TEN)]
    assert len(list(make_windows(asked, word_encoder, OPTIONS).chunks)) == 3
    assert [text for text in texts if len(text) > 7] == [TEN, "w1 w2 w3"]


def test_answers_beside_the_context_touch_no_token_of_its_neighbours(word_encoder):
    """Contexts of a chunk lie behind each other in one array: a wrong offset must not reach into the next."""
    wrong = [Answer("w9 w", 27), Answer("w", 40), Answer("w1", -3), Answer("w", -1)]
    asked = [example(answer(2)), *(example(one) for one in wrong), example(answer(3), context=TEN + " w11")]
    options = WindowOptions(max_length=40, doc_stride=2)
    labels = [window.labels for window in make_windows(asked, word_encoder, options)]
    assert labels == [((6, 6),), ((13, 13),), (), (), (), ((7, 7),)]


def test_without_examples_there_are_no_windows(word_encoder):
    assert list(make_windows([], word_encoder, OPTIONS)) == []


# -- known mistakes of published recipes ---------------------------------------------------------------------------


def test_mistake_answer_matched_against_the_questions_tokens(word_encoder):
    """The answer's characters are also characters of the question, and its words words of the question."""
    asked = QuestionExample("q", "w1 w2 w3 w4", "w0 w1 w2", (Answer("w1", 3),))
    (window,) = make_windows([asked], word_encoder)
    assert window.labels == ((7, 7),)
    assert window.context_begin == 6


def test_mistake_contexts_cut_without_overlap_so_that_the_answer_is_gone(word_encoder):
    """Cut at 5 without overlap, 4..5 would be whole in no window; the default options do overlap."""
    without = make_windows([example(answer(4, 5))], word_encoder, WindowOptions(max_length=10, doc_stride=0))
    assert [window.labels for window in without] == [((0, 0),), ((0, 0),)]
    made = make_windows([example(answer(4, 5))], word_encoder, OPTIONS)
    assert sum(window.labels != ((0, 0),) for window in made) == 1
    assert WindowOptions().doc_stride == 128


def test_mistake_window_without_the_answer_labelled_sep_to_first_token(word_encoder):
    """The offsets of an answer before or behind a window must not run into its border tokens."""
    first, *_, last = make_windows([example(answer(9))], word_encoder, OPTIONS)
    assert (first.labels, last.labels) == (((0, 0),), ((7, 7),))
    first, *_, last = make_windows([example(answer(0))], word_encoder, OPTIONS)
    assert (first.labels, last.labels) == (((4, 4),), ((0, 0),))


def test_mistake_only_the_first_annotators_answer_known(word_encoder):
    """The first annotator's answer is not in window 0, the second's is: window 0 has an answer."""
    window, *_ = make_windows([example(answer(9), answer(1))], word_encoder, OPTIONS)
    assert window.labels == ((5, 5),)


def test_mistake_tokenizer_file_truncates_to_128():
    tokenizer = word_tokenizer([f"w{place}" for place in range(100)])
    tokenizer.backend_tokenizer.enable_truncation(128)
    tokenizer.backend_tokenizer.enable_padding(length=128)
    context = " ".join(f"w{place % 100}" for place in range(1000))
    asked = QuestionExample("q", "w1", context, (Answer("w99", len(context) - 3),))
    made = list(make_windows([asked], TextEncoder(tokenizer)))
    assert [len(window.input_ids) for window in made] == [384, 384, 384, 1000 - 3 * (380 - 128) + 4]
    assert made[-1].labels == ((len(made[-1].input_ids) - 2,) * 2,)
