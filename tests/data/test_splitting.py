from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.data import ReadData, SourceInfo, split, split_by_context
from headstart.data.records import Problem
from headstart.data.splitting import split_by_text
from headstart.errors import DataError, SettingsError
from headstart.examples import QuestionExample, TextExample, WordsExample

CONTEXTS = st.lists(st.sampled_from("abcdefgh"), min_size=2, max_size=60).filter(lambda drawn: len(set(drawn)) > 1)


def questions(contexts: str | list[str]) -> list[QuestionExample]:
    return [QuestionExample(str(number), "Who?", context) for number, context in enumerate(contexts)]


@settings(deadline=None)
@given(CONTEXTS, st.floats(0, 1, exclude_min=True, exclude_max=True), st.integers())
def test_split_keeps_everything_and_parts_no_context(contexts: list[str], share: float, seed: int) -> None:
    examples = questions(contexts)
    train, validation = split_by_context(examples, share, seed=seed)
    assert train
    assert validation
    assert not {one.context for one in train} & {one.context for one in validation}
    assert sorted([*train, *validation], key=lambda one: int(one.id)) == examples
    assert list(train) == sorted(train, key=lambda one: int(one.id))
    assert (train, validation) == split_by_context(examples, share, seed=seed)


def test_the_share_counts_questions() -> None:
    examples = questions([f"passage {number % 200}" for number in range(1000)])
    for share in (0.05, 0.1, 0.5):
        _, validation = split_by_context(examples, share, seed=0)
        assert len(validation) == pytest.approx(1000 * share, abs=5)


def test_a_large_context_does_not_blow_the_share() -> None:
    examples = questions(["large"] * 500 + [f"small {number}" for number in range(500)])
    for seed in range(10):
        _, validation = split_by_context(examples, 0.1, seed=seed)
        assert len(validation) == 100


def test_seeds_draw_differently_and_order_does_not_matter() -> None:
    examples = questions([f"passage {number}" for number in range(50)])
    drawn = {frozenset(one.context for one in split_by_context(examples, 0.2, seed=seed)[1]) for seed in range(5)}
    assert len(drawn) == 5
    turned = split_by_context(examples[::-1], 0.2, seed=0)[1]
    assert {one.context for one in turned} == {one.context for one in split_by_context(examples, 0.2, seed=0)[1]}


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5, float("nan")])
def test_shares_that_are_none(share: float) -> None:
    with pytest.raises(SettingsError, match="between 0 and 1"):
        split_by_context(questions("ab"), share, seed=0)


@pytest.mark.parametrize("contexts", ["", "a", "aaaa"])
def test_one_context_cannot_be_split(contexts: str) -> None:
    with pytest.raises(DataError, match="at least two different contexts"):
        split_by_context(questions(contexts), 0.1, seed=0)


# -- texts and sentences ----------------------------------------------------------------------------------------------

TEXTS = st.lists(
    st.builds(lambda text, pair, label: (text, pair, label), st.sampled_from("abcdefg"), st.sampled_from(["x", None]),
              st.sampled_from(["yes", "no", 1.5, None])),
    min_size=2,
    max_size=40,
).filter(lambda drawn: len({one[:2] for one in drawn}) > 1)  # fmt: skip


@given(TEXTS, st.floats(0, 1, exclude_min=True, exclude_max=True), st.integers())
def test_split_keeps_every_text_and_parts_no_equal_ones(drawn: list[Any], share: float, seed: int) -> None:
    examples = [TextExample(str(number), *one) for number, one in enumerate(drawn)]
    train, validation = split_by_text(examples, share, seed=seed)
    assert train
    assert validation
    assert not {(one.text, one.text_pair) for one in train} & {(one.text, one.text_pair) for one in validation}
    assert sorted([*train, *validation], key=lambda one: int(one.id)) == examples
    assert list(train) == sorted(train, key=lambda one: int(one.id))
    assert (train, validation) == split_by_text(examples, share, seed=seed)


@pytest.mark.parametrize("seed", range(5))
def test_labels_keep_their_shares(seed: int) -> None:
    sizes = {"common": 800, "rare": 150, "odd": 50}
    examples = [TextExample(f"{label}{n}", f"{label} {n}", label=label) for label in sizes for n in range(sizes[label])]
    _, validation = split_by_text(examples, 0.1, seed=seed)
    assert len(validation) == pytest.approx(100, abs=1)
    for label, size in sizes.items():
        assert sum(one.label == label for one in validation) == pytest.approx(size / 10, abs=1)


def test_a_text_that_stands_many_times_does_not_blow_the_share() -> None:
    examples = [TextExample(str(n), "often" if n < 500 else f"text {n}", label="x") for n in range(1000)]
    for seed in range(5):
        assert len(split_by_text(examples, 0.1, seed=seed)[1]) == pytest.approx(100, abs=1)


def test_sentences_are_split_by_their_words() -> None:
    examples = [WordsExample(str(n), ("word", str(n // 2)), ("O", "O")) for n in range(40)]
    train, validation = split_by_text(examples, 0.25, seed=3)
    assert len(validation) == pytest.approx(10, abs=2)
    assert not {one.words for one in train} & {one.words for one in validation}


def test_one_function_splits_every_kind() -> None:
    info = (SourceInfo("a", None, "json", "f", 8, 8),)
    problems = (Problem("a", "1", "header", "x", "y"),)
    for examples in (
        questions("aabbccdd"),
        [TextExample(str(n), f"text {n}", label=1.5) for n in range(8)],
        [WordsExample(str(n), ("word", str(n))) for n in range(8)],
    ):
        train, validation = split(ReadData(examples, info, problems), 0.25, 7)
        assert (len(train.examples), len(validation.examples)) == (6, 2)
        assert (train.problems, validation.problems) == (problems, ())
        assert train.sources == validation.sources == info
    with pytest.raises(SettingsError, match="between 0 and 1"):
        split(ReadData(examples, info), 1.0, 7)


@pytest.mark.parametrize("texts", ["", "a", "aaa"])
def test_one_text_cannot_be_split(texts: str) -> None:
    examples = [TextExample(str(number), text) for number, text in enumerate(texts)]
    with pytest.raises(DataError, match="at least two different texts"):
        split(ReadData(examples, ()), 0.1, 1)
