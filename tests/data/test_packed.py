"""Packed examples are the examples that were put in, in less memory."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.data import packed
from headstart.data.packed import PackedExamples
from headstart.examples import Answer, QuestionExample, TextExample, WordsExample

texts = st.text(max_size=12)
examples_drawn = st.lists(
    st.builds(
        QuestionExample,
        texts,
        texts,
        st.sampled_from(["One passage.", "", "另一段。"]),
        st.none() | st.lists(st.builds(Answer, texts, st.integers(0, 9)), max_size=3).map(tuple),
        st.sampled_from(["", "A title"]),
        texts,
    ),
    max_size=14,
)


def pack(examples: list[QuestionExample]) -> PackedExamples:
    found = PackedExamples()
    for example in examples:
        found.append(example)
    return found


@given(examples_drawn, st.integers(1, 5))
def test_what_comes_out_is_what_went_in(examples, block):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packed, "BLOCK", block)
        found = pack(examples)
        assert len(found) == len(examples)
        assert list(found) == examples
        assert [found[place] for place in range(-len(examples), len(examples))] == 2 * examples
        assert found[1:-1:2] == tuple(examples[1:-1:2])
        assert found == examples
        assert found == tuple(examples)


labels = st.none() | st.sampled_from(["yes", 1.5])
words_drawn = st.lists(texts, max_size=3).map(tuple)


@given(
    st.lists(st.builds(TextExample, texts, texts, st.none() | texts, labels, texts), max_size=9)
    | st.lists(st.builds(WordsExample, texts, words_drawn, st.none() | words_drawn, texts), max_size=9)
)
def test_every_kind_can_be_packed(examples):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packed, "BLOCK", 2)
        found = pack(examples)
        assert found == examples
        assert [type(one) for one in found] == [type(one) for one in examples]
        assert [found[place] for place in range(len(examples))] == examples


def test_there_is_nothing_behind_the_end():
    with pytest.raises(IndexError):
        pack([])[0]


def test_other_examples_are_not_equal():
    one, other = QuestionExample("1", "Who?", "Ada."), QuestionExample("2", "Who?", "Ada.")
    assert pack([one]) != [other]
    assert pack([one]) != [one, one]
    assert pack([one]) != "1"


def test_questions_share_their_context():
    examples = pack([QuestionExample(str(n), "Who?", "".join(["A long ", "passage."])) for n in range(1_200)])
    assert len({id(example.context) for example in examples[: 2 * packed.BLOCK]}) == 1


def test_memory_is_a_fifth_of_a_list():
    def made(number: int) -> QuestionExample:
        answers = tuple(Answer(f"answer {number}", place) for place in range(3))
        return QuestionExample(f"id-{number}", f"What is number {number}?", "Passage.", answers, "", f"row {number}")

    def bytes_of(collect) -> int:
        tracemalloc.start()
        kept = collect(made(number) for number in range(5_120))
        size = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        assert len(kept) == 5_120
        return size

    assert bytes_of(lambda examples: pack(list(examples))) < bytes_of(list) / 5
