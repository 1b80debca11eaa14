"""What holds for every tokenizer, whatever the text: labels lead back to answers, windows are the tokenizer's own."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.alignment import letters
from headstart.examples import Answer, QuestionExample
from headstart.tokens import TextEncoder, Tokens
from headstart.windows import Window, WindowOptions, make_windows
from texts_made_here import known_words, labelled, trimmed
from tokenizers_made_here import FAMILIES

every_family = pytest.mark.parametrize("family", FAMILIES)


def draw_options(data: st.DataObject, encoder: TextEncoder, example: QuestionExample) -> WindowOptions:
    """Any overlap and any room above it: down to windows that move on by a single token."""
    (question,) = encoder.encode_ids([example.question.strip()])
    overlap = data.draw(st.integers(0, 12), label="doc_stride")
    room = overlap + data.draw(st.integers(1, 40), label="tokens of a step")
    return WindowOptions(encoder.layout.special_tokens + len(question) + room, overlap)


def whole(encoder: TextEncoder, example: QuestionExample) -> Tokens:
    return encoder.encode([example.context])[0]


def begins(windows: list[Window], overlap: int) -> list[int]:
    """The first context token of each window, if neighbours overlap by so many tokens."""
    places = [0]
    for window in windows[:-1]:
        places.append(places[-1] + len(window.starts) - overlap)
    return places


def characters(tokens: Tokens | Window, first: int, last: int) -> set[int]:
    """The characters that tokens first..last stand for."""
    return {place for k in range(first, last + 1) for place in range(tokens.starts[k], tokens.ends[k])}


@every_family
@settings(max_examples=80)
@given(data=st.data())
def test_windows_are_those_the_tokenizer_makes_itself(tokenizers, encoders, family, data):
    tokenizer, encoder = tokenizers[family], encoders[family]
    example = data.draw(labelled(annotators=0))
    options = draw_options(data, encoder, example)
    texts = [example.question.strip(), example.context]
    theirs = tokenizer(
        *(texts if encoder.question_first else texts[::-1]),
        truncation="only_second" if encoder.question_first else "only_first",
        max_length=options.max_length,
        stride=options.doc_stride,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
        return_token_type_ids=True,
    )
    ours = list(make_windows([example], encoder, options))
    assert [window.input_ids.tolist() for window in ours] == theirs["input_ids"]
    if encoder.uses_token_types:  # in overflowing windows of RoBERTa, which has none, tokenizers leaves a stray 1
        assert [window.token_type_ids.tolist() for window in ours] == theirs["token_type_ids"]
    check_offsets(ours, theirs, encoder, example.context)


def check_offsets(ours: list[Window], theirs, encoder: TextEncoder, context: str) -> None:
    """Theirs, without the blanks they fold in and with the marks they leave out."""
    side = 1 if encoder.question_first else 0
    blank = encoder.backend.token_to_id("▁")
    rows = []
    for row, window in enumerate(ours):
        sides = theirs.sequence_ids(row)
        places = range(window.context_begin, window.context_begin + len(window.starts))
        assert [place for place, where in enumerate(sides) if where == side] == list(places)
        tokens = zip(theirs["input_ids"][row], theirs["offset_mapping"][row], sides, strict=True)
        rows.append([(s, s if token == blank else e) for token, (s, e), where in tokens if where == side])
    found = [list(zip(window.starts.tolist(), window.ends.tolist(), strict=True)) for window in ours]
    assert list(chain(*found)) == trimmed(context, list(chain(*rows)))


@every_family
@settings(max_examples=80)
@given(data=st.data())
def test_windows_cover_the_context_and_overlap_by_exactly_doc_stride(encoders, family, data):
    encoder = encoders[family]
    example = data.draw(labelled(annotators=0))
    options = draw_options(data, encoder, example)
    made, tokens = list(make_windows([example], encoder, options)), whole(encoder, example)
    places = begins(made, options.doc_stride)
    for place, window in zip(places, made, strict=True):
        end = place + len(window.starts)
        context = slice(window.context_begin, window.context_begin + len(window.starts))
        assert window.input_ids[context].tolist() == tokens.ids[place:end].tolist()
        assert window.starts.tolist() == tokens.starts[place:end].tolist()
    assert places[-1] + len(made[-1].starts) == len(tokens)
    assert all(len(window.input_ids) == options.max_length for window in made[:-1])
    assert len(made[-1].input_ids) <= options.max_length
    assert all(before < after for before, after in pairwise(places))


@every_family
@settings(max_examples=120)
@given(data=st.data())
def test_labels_are_the_answers_that_lie_whole_in_the_window(encoders, family, data):
    """Against a slow and plain reading: look at every token of the context, for every answer."""
    encoder = encoders[family]
    example = data.draw(labelled())
    options = draw_options(data, encoder, example)
    made, tokens = list(make_windows([example], encoder, options)), whole(encoder, example)
    expected = [span for span in (touching(tokens, answer) for answer in example.answers) if span]
    for place, window in zip(begins(made, options.doc_stride), made, strict=True):
        end = place + len(window.starts)
        shift = window.context_begin - place
        inside = tuple((s + shift, e + shift) for s, e in expected if place <= s and e < end)
        nothing = ((window.cls_index, window.cls_index),) if expected or not example.answers else ()
        assert window.labels == (inside or nothing)
        assert window.input_ids[window.cls_index] == encoder.tokenizer.cls_token_id


def touching(tokens: Tokens, answer: Answer) -> tuple[int, int] | None:
    wanted = set(range(answer.start, answer.end))
    touched = [place for place in range(len(tokens)) if wanted & characters(tokens, place, place)]
    return (touched[0], touched[-1]) if touched else None


@every_family
@settings(max_examples=120)
@given(data=st.data())
def test_labelled_spans_cover_their_answers_and_no_token_too_many(encoders, family, data):
    encoder = encoders[family]
    example = data.draw(labelled(annotators=1))
    options = draw_options(data, encoder, example)
    known = characters(whole(encoder, example), 0, len(whole(encoder, example)) - 1)
    for window in make_windows([example], encoder, options):
        for label in window.labels:
            if label != (window.cls_index, window.cls_index):
                wanted = set(range(example.answers[0].start, example.answers[0].end)) & known
                check_span(window, label, wanted)


def check_span(window: Window, label: tuple[int, int], wanted: set[int]) -> None:
    first, last = (place - window.context_begin for place in label)
    assert 0 <= first <= last < len(window.starts)
    assert wanted <= characters(window, first, last)
    for end, kept in ((first, (first + 1, last)), (last, (first, last - 1))):
        lost = characters(window, end, end) & wanted
        assert lost  # without it the answer would not be covered, unless several tokens stand for one character
        assert not wanted <= characters(window, *kept) or lost <= characters(window, *kept)


@every_family
@settings(max_examples=120)
@given(example=labelled(annotators=1))
def test_answer_between_token_borders_is_cut_exactly(encoders, family, example):
    encoder = encoders[family]
    tokens = whole(encoder, example)
    for answer in example.answers:
        (window,) = make_windows([replace(example, answers=(answer,))], encoder, WindowOptions(max_length=100_000))
        for first, last in window.labels:
            if on_borders(tokens, answer):
                begin = window.context_begin
                text = example.context[window.starts[first - begin] : window.ends[last - begin]]
                assert text == answer.text


def on_borders(tokens: Tokens, answer: Answer) -> bool:
    """Whether the answer begins with a token and ends with one, and none crosses its ends (as unknown ones may)."""
    pairs = [(s, e) for s, e in zip(tokens.starts.tolist(), tokens.ends.tolist(), strict=True) if s < e]
    crossed = any(s < answer.start < e or s < answer.end < e for s, e in pairs)
    return not crossed and answer.start in {s for s, _ in pairs} and answer.end in {e for _, e in pairs}


@every_family
@settings(max_examples=120)
@given(example=labelled(words=known_words, annotators=1, whole_words=True))
def test_ids_of_a_labelled_span_decode_to_the_answer(encoders, family, example):
    """The second way back, by ids: what a wrong offset cannot fake."""
    encoder = encoders[family]
    for answer in example.answers:
        (window,) = make_windows([example], encoder, WindowOptions(max_length=100_000))
        for first, last in window.labels:
            span = window.input_ids[first : last + 1].tolist()
            assert encoder.unknown_id not in span
            assert letters(encoder.tokenizer.decode(span)) == letters(answer.text)
