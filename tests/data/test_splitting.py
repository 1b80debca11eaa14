import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.data import split_by_context
from headstart.errors import DataError, SettingsError
from headstart.examples import QuestionExample

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
