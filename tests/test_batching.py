"""Every window once an epoch, batches within their budget, the same for one seed, shared out among processes."""

from __future__ import annotations

from itertools import combinations, pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart import batching
from headstart.batching import (
    Collator,
    TokenBudgetSampler,
    batch_widths,
    by_length,
    evaluation_batches,
    pack,
    padded_lengths,
    pools,
)
from headstart.examples import Answer, QuestionExample
from headstart.ragged import Array
from headstart.window_store import store_in_memory
from headstart.windows import WindowOptions, make_windows

LENGTHS = np.random.default_rng(0).integers(8, 60, 400)
EVERY = np.arange(len(LENGTHS))

lengths_drawn = st.lists(st.integers(1, 40), min_size=1, max_size=60).map(np.array)


def sampler(**options) -> TokenBudgetSampler:
    return TokenBudgetSampler(LENGTHS, EVERY, **{"tokens": 240, "seed": 7, **options})


def epoch(sampler: TokenBudgetSampler, number: int) -> list[list[int]]:
    sampler.set_epoch(number)
    return list(sampler)


def padded(batch: list[int] | Array, lengths: Array = LENGTHS) -> int:
    return int(lengths[batch].max()) * len(batch)


def seen(batches: list[list[int]]) -> list[int]:
    return sorted(window for batch in batches for window in batch)


# -- packing -----------------------------------------------------------------------------------------------------


@given(lengths_drawn, st.integers(1, 100))
def test_packing_keeps_the_budget_and_loses_nothing(lengths, tokens):
    order = by_length(lengths, np.arange(len(lengths)))
    batches = pack(lengths, order, tokens=tokens)
    assert np.concatenate(batches).tolist() == order.tolist()
    assert all(len(batch) == 1 or padded(batch, lengths) <= tokens for batch in batches)


@given(lengths_drawn, st.integers(1, 100))
def test_packing_leaves_no_two_batches_that_would_go_into_one(lengths, tokens):
    order = by_length(lengths, np.arange(len(lengths)))
    for one, next_one in pairwise(pack(lengths, order, tokens=tokens)):
        assert padded(np.append(one, next_one[0]), lengths) > tokens


def test_by_length_is_stable():
    assert by_length(np.array([5, 9, 5, 9]), np.array([3, 2, 1, 0])).tolist() == [3, 1, 2, 0]


# -- widths ------------------------------------------------------------------------------------------------------


def fewest_padded_tokens(lengths: Array, count: int) -> int:
    """By trying every choice of widths."""
    *shorter, longest = np.unique(lengths).tolist()
    choices = (chosen for n in range(count) for chosen in combinations(shorter, n))
    return min(int(padded_lengths(lengths, np.array([*chosen, longest])).sum()) for chosen in choices)


@given(st.lists(st.integers(1, 12), min_size=1, max_size=15).map(np.array), st.integers(1, 4))
def test_widths_are_few_and_pad_as_little_as_so_few_can(lengths, count):
    widths = batch_widths(lengths, count=count)
    assert len(widths) <= count
    assert padded_lengths(lengths, widths).sum() == fewest_padded_tokens(lengths, count)


@given(lengths_drawn, st.integers(1, 16))
def test_widths_are_multiples_but_never_beyond_the_longest_window(lengths, multiple):
    *shorter, longest = batch_widths(lengths, count=50, multiple_of=multiple).tolist()
    assert longest == lengths.max(), "the model may have no position behind it"
    assert all(width % multiple == 0 for width in shorter)


def test_widths_of_windows_of_thousands_of_tokens_are_found_at_once():
    lengths = np.random.default_rng(1).integers(1, 8_192, 3_000)
    widths = batch_widths(lengths)
    assert len(widths) == batching.WIDTHS
    assert padded_lengths(lengths, widths).sum() < 1.04 * lengths.sum()


def test_a_sampler_forms_few_shapes():
    drawn = sampler()
    shapes = {(len(batch), int(padded_lengths(LENGTHS[batch].max(), drawn.widths))) for batch in epoch(drawn, 0)}
    assert len(shapes) <= batching.WIDTHS + 1, "one for each width, and the rest of the pool"


# -- training batches --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"windows_per_batch": 7}])
def test_every_window_stands_in_exactly_one_batch_of_an_epoch(options):
    drawn = sampler(**options)
    for number in range(4):
        assert seen(epoch(drawn, number)) == EVERY.tolist()


@given(lengths_drawn, st.integers(1, 100), st.integers(0, 5))
def test_every_window_once_whatever_the_lengths(lengths, tokens, number):
    indices = np.arange(len(lengths))
    drawn = TokenBudgetSampler(lengths, indices, tokens=tokens)
    assert seen([batch.tolist() for batch in drawn.epoch_batches(number)]) == indices.tolist()


def test_only_the_windows_asked_for_are_drawn():
    labelled = EVERY[::3]
    assert seen(list(TokenBudgetSampler(LENGTHS, labelled, tokens=240))) == labelled.tolist()


def test_every_epoch_has_the_same_number_of_batches(monkeypatch):
    monkeypatch.setattr(batching, "POOL", 90)  # several pools, so that chance changes their number
    drawn = sampler()
    counts = {len(drawn._draw(number)) for number in range(20)}
    assert len(counts) > 1, "chance has to be given a chance"
    assert {len(epoch(drawn, number)) for number in range(20)} == {len(drawn)}
    assert all(seen(epoch(drawn, number)) == EVERY.tolist() for number in range(20))


def test_one_seed_gives_the_same_batches_and_another_others():
    assert epoch(sampler(), 3) == epoch(sampler(), 3)
    assert epoch(sampler(seed=8), 3) != epoch(sampler(), 3)


def test_every_epoch_has_batches_of_its_own():
    drawn = sampler()
    first, second = epoch(drawn, 0), epoch(drawn, 1)
    assert {frozenset(batch) for batch in first} != {frozenset(batch) for batch in second}
    assert epoch(drawn, 0) == first


def test_batches_come_in_random_order():
    longest = [int(LENGTHS[batch].max()) for batch in epoch(sampler(), 0)]
    assert longest not in (sorted(longest), sorted(longest, reverse=True))


def test_the_token_budget_is_kept_in_an_epoch_as_it_was_drawn():
    assert all(padded(batch) <= 240 for batch in epoch(sampler(), 0))


def test_a_window_longer_than_the_budget_stands_alone():
    drawn = TokenBudgetSampler(np.array([900, 10, 10, 700]), np.arange(4), tokens=100)
    assert sorted(map(sorted, drawn)) == [[0], [1, 2], [3]]


def test_windows_per_batch_is_the_classic_form():
    drawn = epoch(sampler(windows_per_batch=32), 0)
    assert sorted(map(len, drawn)) == [16, *[32] * 12]
    mixed = [np.ptp(LENGTHS[batch]) for batch in drawn]
    assert min(mixed) > 20, "windows of all lengths meet"


@pytest.mark.parametrize("options", [{}, {"windows_per_batch": 7}])
@pytest.mark.parametrize("world", [2, 3, 4])
def test_ranks_share_an_epoch_without_loss_or_doubling(options, world):
    ranks = [sampler(**options, rank=rank, world_size=world) for rank in range(world)]
    assert len({len(rank) for rank in ranks}) == 1
    for number in range(3):
        shares = [epoch(rank, number) for rank in ranks]
        assert {len(share) for share in shares} == {len(ranks[0])}
        assert seen([batch for share in shares for batch in share]) == EVERY.tolist()


def test_fewer_windows_than_ranks_double_a_window_rather_than_leave_a_rank_waiting():
    ranks = [TokenBudgetSampler(np.array([5, 5, 5]), np.arange(3), tokens=5, rank=r, world_size=2) for r in (0, 1)]
    assert [len(list(rank)) for rank in ranks] == [2, 2]
    assert {window for rank in ranks for batch in rank for window in batch} == {0, 1, 2}


# -- batches without gradients -----------------------------------------------------------------------------------


class Windows:
    """What `pools` needs of a store: example n has counts[n] windows."""

    def __init__(self, counts: list[int]) -> None:
        self.examples = np.repeat(np.arange(len(counts)), counts)

    def __len__(self) -> int:
        return len(self.examples)


@given(st.lists(st.integers(1, 6), max_size=40), st.integers(1, 9))
def test_pools_never_part_an_example(counts, size):
    store = Windows(counts)
    drawn = list(pools(store, windows=size))
    assert [place for pool in drawn for place in pool.tolist()] == list(range(len(store)))
    owners = [set(store.examples[pool].tolist()) for pool in drawn]
    assert all(one.isdisjoint(other) for one, other in pairwise(owners))
    assert all(len(pool) < size + 6 for pool in drawn)


def test_pools_of_one_long_document():
    assert [pool.tolist() for pool in pools(Windows([7, 1]), windows=2)] == [list(range(7)), [7]]


def test_evaluation_batches_begin_with_the_longest():
    store = SimpleNamespace(lengths=LENGTHS)
    pool = EVERY[100:200]
    batches = evaluation_batches(store.lengths, pool, tokens=300)
    widths = [int(LENGTHS[batch].max()) for batch in batches]
    assert widths == sorted(widths, reverse=True)
    assert seen([batch.tolist() for batch in batches]) == pool.tolist()


# -- collation ---------------------------------------------------------------------------------------------------


def two_windows(encoder):
    """The rows of a short and a long window."""
    asked = [QuestionExample(str(n), "old key", " ".join(["river"] * n), (Answer("river", 0),)) for n in (2, 9)]
    return store_in_memory(make_windows(asked, encoder, WindowOptions(64, 8))).rows([0, 1])


ALL = ("input_ids", "attention_mask", "token_type_ids")


def test_padding_stands_on_the_right_of_bert(encoders):
    encoder = encoders["bert"]
    rows = two_windows(encoder)
    inputs = Collator(encoder, accepts=ALL).inputs(rows)
    short, width = len(rows.input_ids[0]), len(rows.input_ids[1])
    assert inputs["input_ids"].shape == (2, width)
    assert inputs["input_ids"][0].tolist() == rows.input_ids[0].tolist() + [encoder.pad_id] * (width - short)
    assert inputs["attention_mask"].tolist() == [[1] * short + [0] * (width - short), [1] * width]
    assert inputs["token_type_ids"][0].tolist() == rows.token_type_ids[0].tolist() + [0] * (width - short)
    assert {str(tensor.dtype) for tensor in inputs.values()} == {"torch.int64"}


def test_padding_stands_on_the_left_of_xlnet_with_a_type_of_its_own(encoders):
    encoder = encoders["xlnet"]
    rows = two_windows(encoder)
    inputs = Collator(encoder, accepts=ALL).inputs(rows)
    gap = len(rows.input_ids[1]) - len(rows.input_ids[0])
    assert gap > 0
    assert inputs["input_ids"][0].tolist() == [5] * gap + rows.input_ids[0].tolist()
    assert inputs["attention_mask"][0].tolist() == [0] * gap + [1] * len(rows.input_ids[0])
    assert inputs["token_type_ids"][0].tolist() == [3] * gap + rows.token_type_ids[0].tolist()


@pytest.mark.parametrize(
    ("family", "accepts", "given_types"),
    [
        ("bert", ALL, True),
        ("bert", ("input_ids", "attention_mask"), False),  # DistilBERT's forward with BERT's tokenizer
        ("roberta", ALL, False),  # the tokenizer knows none, the model's table has one row
    ],
)
def test_token_types_only_where_tokenizer_and_model_know_them(encoders, family, accepts, given_types):
    inputs = Collator(encoders[family], accepts=accepts).inputs(two_windows(encoders[family]))
    assert ("token_type_ids" in inputs) is given_types


def test_batches_are_padded_to_one_of_the_widths(encoders):
    rows = two_windows(encoders["bert"])
    longest = int(rows.input_ids.lengths.max())
    widths = np.array([longest - 1, longest + 3, longest + 9])
    inputs = Collator(encoders["bert"], accepts=ALL).inputs(rows, widths)
    assert {tensor.shape[1] for tensor in inputs.values()} == {longest + 3}
    assert inputs["attention_mask"].sum(1).tolist() == rows.input_ids.lengths.tolist()


def test_what_is_left_of_a_pool_makes_no_shape_of_its_own():
    """53 windows of 10 tokens in batches of 8: six whole ones, and five windows as four and one."""
    sizes = [len(b) for b in evaluation_batches(np.full(53, 10), np.arange(53), tokens=80)]
    assert sizes == [8, 8, 8, 8, 8, 8, 4, 1]
    assert [len(b) for b in evaluation_batches(np.full(7, 10), np.arange(7), tokens=80)] == [7], "one batch stays one"
