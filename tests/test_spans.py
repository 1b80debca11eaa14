"""Spans against brute force, and everything that can go wrong between logits and candidates."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.pair_layout import PairLayout
from headstart.ragged import Array, Ragged
from headstart.spans import (
    RankedSpans,
    best_spans,
    join,
    log_total_of_spans,
    merge_windows,
    sliding_max,
    sliding_sum,
    top,
    window_spans,
)
from headstart.window_rows import WindowRows

INF = math.inf


LAYOUT = PairLayout(*[np.zeros(1, np.int32)] * 3, types=(np.zeros(1, np.int32),) * 3, text_types=(0, 1), cls=0)


def rows_of(*windows: dict[str, Any]) -> WindowRows:
    """Windows by hand: `characters` of the context tokens, `begin`, `length`, and perhaps `cls` and `example`."""
    return WindowRows(
        layout=LAYOUT,
        example=np.array([window.get("example", 0) for window in windows]),
        context_begin=np.array([window["begin"] for window in windows]),
        context_length=np.array([len(window["characters"]) for window in windows]),
        cls_index=np.array([window.get("cls", 0) for window in windows]),
        input_ids=Ragged.of([[1] * window["length"] for window in windows]),
        columns={
            "starts": Ragged.of([[start for start, _ in window["characters"]] for window in windows]),
            "ends": Ragged.of([[end for _, end in window["characters"]] for window in windows]),
        },
    )


def words(count: int, first: int = 0) -> list[tuple[int, int]]:
    """Characters of words of two letters with a blank between them."""
    return [(3 * place, 3 * place + 2) for place in range(first, first + count)]


def found(spans: RankedSpans, row: int = 0) -> list[tuple[float, int, int]]:
    """Score and characters of the candidates of a window that are candidates at all."""
    columns = zip(spans.scores[row].tolist(), spans.starts[row].tolist(), spans.ends[row].tolist(), strict=True)
    return [candidate for candidate in columns if candidate[0] > -INF]


def brute(start: Array, end: Array, inside: Array, reach: int) -> list[tuple[float, int, int]]:
    """Every span of one row, best first, by looking at all pairs."""
    places = np.flatnonzero(inside)
    pairs = [(i, j) for i in places for j in places if i <= j < i + reach]
    return sorted(((float(start[i] + end[j]), int(i), int(j)) for i, j in pairs), key=lambda span: (-span[0], span[1:]))


@st.composite
def logits(draw, values: st.SearchStrategy[float] | None = None) -> tuple[Array, Array, Array]:
    """Start and end logits of one row and where spans may stand."""
    width = draw(st.integers(1, 12))
    values = values if values is not None else st.integers(-400, 400).map(lambda value: value / 8)
    row = st.lists(values, min_size=width, max_size=width)
    inside = draw(st.lists(st.booleans(), min_size=width, max_size=width))
    return np.array([draw(row)]), np.array([draw(row)]), np.array([inside])


hidden = st.sampled_from([1, 2, 3, 5, 30])


@given(logits(), st.integers(1, 20), hidden)
def test_best_spans_are_those_of_brute_force(drawn, n_best, reach):
    start, end, inside = drawn
    scores, firsts, lasts = best_spans(
        np.where(inside, start, -INF), np.where(inside, end, -INF), n_best=n_best, max_answer_length=reach
    )
    wanted = brute(start[0], end[0], inside[0], reach)
    got = [
        (score, first, last)
        for score, first, last in zip(scores[0].tolist(), firsts[0].tolist(), lasts[0].tolist(), strict=True)
        if score > -INF
    ]
    assert got == wanted[:n_best], "equal scores: the earlier, then the shorter span first, also where the list ends"
    assert ((firsts >= 0) & (firsts <= lasts) & (lasts < start.shape[1]) | ~np.isfinite(scores)).all()


def test_rows_of_a_batch_do_not_meet():
    start = np.array([[9.0, 0.0, 0.0], [0.0, 0.0, 9.0]])
    end = np.array([[0.0, 0.0, 5.0], [5.0, 0.0, 0.0]])
    scores, firsts, lasts = best_spans(start, end, n_best=1, max_answer_length=3)
    assert list(zip(scores[:, 0], firsts[:, 0], lasts[:, 0], strict=True)) == [(14.0, 0, 2), (9.0, 2, 2)]


def test_start_and_end_chosen_by_two_independent_argmaxes():
    """The best start stands behind the best end: together they are no span, and neither is what wins."""
    start, end = np.array([[0.0, 4.0, 1.0, 6.0]]), np.array([[7.0, 0.0, 5.0, 1.0]])
    scores, firsts, lasts = best_spans(start, end, n_best=1, max_answer_length=4)
    assert (int(start.argmax()), int(end.argmax())) == (3, 0)
    assert (scores.item(), firsts.item(), lasts.item()) == (9.0, 1, 2)


def test_max_answer_length_counts_tokens():
    start, end = np.array([[9.0, 0.0, 0.0, 0.0]]), np.array([[0.0, 1.0, 5.0, 9.0]])
    reached = [int(best_spans(start, end, n_best=1, max_answer_length=most)[2].item()) for most in (1, 2, 3, 4, 5, 99)]
    assert reached == [0, 1, 2, 3, 3, 3]


@given(st.lists(st.lists(st.integers(-9, 9), min_size=9, max_size=9), min_size=1, max_size=3), st.integers(1, 9))
def test_sliding_max_and_sum_look_at_reach_places(values, reach):
    array = np.array(values, np.float64)
    places = range(9 - reach + 1)
    assert sliding_max(array, reach).tolist() == [[max(row[i : i + reach]) for i in places] for row in values]
    assert sliding_sum(array, reach).tolist() == [[sum(row[i : i + reach]) for i in places] for row in values]
    assert array.tolist() == values, "the argument was changed"


@given(st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=12), st.integers(1, 14))
def test_the_top_of_a_row_is_that_of_a_stable_sort(values, count):
    """Negative numbers, both zeros, infinities and the smallest steps between floats keep their order."""
    wanted = sorted(range(len(values)), key=lambda place: -values[place])[:count]
    assert top(np.array([values], np.float32), count).tolist() == [wanted]


def brute_log_total(start: Array, end: Array, inside: Array, reach: int) -> float:
    scores = [score for score, _, _ in brute(start, end, inside, reach)]
    top = max(scores, default=-INF)
    return top + math.log(math.fsum(math.exp(score - top) for score in scores)) if scores else -INF


@given(logits(), hidden)
def test_the_total_of_all_spans_is_that_of_brute_force(drawn, reach):
    """Logits up to ±50 that lie as far apart as they like: what is small beside others must not be lost."""
    start, end, inside = drawn
    wanted = brute_log_total(start[0], end[0], inside[0], reach)
    start, end = np.where(inside, start, -INF), np.where(inside, end, -INF)
    assert log_total_of_spans(start, end, reach).item() == pytest.approx(wanted, abs=1e-9)


def test_the_total_where_the_best_end_stands_far_above_and_before_the_best_start():
    """The difference of cumulative sums that this once was gives 0 here: half of the total, log 2 too little."""
    start, end = np.array([[-50.0, 0.0, 50.0]]), np.array([[50.0, -60.0, -50.0]])
    total = log_total_of_spans(start, end, 3)
    assert total.item() == pytest.approx(math.log(2), abs=1e-12)


def test_the_total_of_a_row_without_places_is_nothing():
    nowhere = np.full((2, 3), -INF)
    assert log_total_of_spans(nowhere, nowhere, 3).tolist() == [-INF, -INF]
    half = np.array([[40.0, -INF, -INF], [-INF, -INF, -INF]])
    assert log_total_of_spans(half, half, 3).tolist() == [80.0, -INF]


def test_logits_that_are_no_numbers_end_in_no_candidate_and_in_no_crash():
    """What a training that diverged gives."""
    rows = rows_of({"characters": words(3), "begin": 1, "length": 5})
    for broken in (np.nan, np.inf, -np.inf):
        logits = np.full((1, 5), broken, np.float32)
        with np.errstate(all="ignore"):
            merged = merge_windows(window_spans(logits, logits, rows))
        assert found(merged) == []


def test_many_windows_are_decoded_as_each_of_them_alone():
    """More than are decoded together, of a width that does not divide anything."""
    dice = np.random.default_rng(3)
    windows = [{"characters": words(int(n), 7), "begin": 5, "length": 60} for n in dice.integers(1, 50, 150)]
    start, end = dice.normal(size=(2, 150, 67)).astype(np.float32) * 4
    together = window_spans(start, end, rows_of(*windows), n_best=7)
    for row in (0, 63, 64, 149):
        alone = window_spans(start[[row]], end[[row]], rows_of(windows[row]), n_best=7)
        assert found(together, row) == found(alone)
        assert together.log_total[row] == pytest.approx(alone.log_total.item())


# -- windows -----------------------------------------------------------------------------------------------------


def test_an_answers_characters_matched_against_the_questions_tokens():
    """Question and special tokens have the highest logits; candidates come from the context alone."""
    rows = rows_of({"characters": words(3), "begin": 4, "length": 8})
    high = np.array([[90.0, 99.0, 99.0, 90.0, 1.0, 2.0, 3.0, 90.0]])
    spans = window_spans(high, high, rows, n_best=20, max_answer_length=30)
    assert found(spans)[0] == (6.0, 6, 8)
    assert {(start, end) for _, start, end in found(spans)} == {(0, 2), (3, 5), (6, 8), (0, 5), (3, 8), (0, 8)}


def test_tokens_that_stand_for_no_ink_neither_start_nor_end_a_span():
    rows = rows_of({"characters": [(0, 2), (2, 2), (3, 5)], "begin": 1, "length": 5})
    start = end = np.array([[0.0, 1.0, 50.0, 2.0, 0.0]])
    assert found(window_spans(start, end, rows)) == [(4.0, 3, 5), (3.0, 0, 5), (2.0, 0, 2)]


def test_null_score_read_at_position_0_although_cls_is_elsewhere():
    """XLNet's form: CLS last. Position 0 is a token of the context and has a say of its own."""
    rows = rows_of({"characters": words(2), "begin": 0, "length": 6, "cls": 5})
    start, end = np.array([[9.0, 1, 0, 0, 0, -3.0]]), np.array([[8.0, 1, 0, 0, 0, -4.0]])
    assert window_spans(start, end, rows).null.tolist() == [[-3.0, -4.0]]


def test_padding_on_the_left_moves_context_and_cls():
    short = {"characters": words(2), "begin": 0, "length": 4, "cls": 3}
    wide = {"characters": words(4), "begin": 0, "length": 6, "cls": 5, "example": 1}
    start = np.array([[99.0, 99.0, 1.0, 2.0, 0.5, -1.0], [5.0, 1.0, 1.0, 1.0, 0.5, -2.0]])
    end = np.array([[99.0, 99.0, 1.0, 3.0, 0.5, -1.5], [7.0, 1.0, 1.0, 1.0, 0.5, -2.5]])
    spans = window_spans(start, end, rows_of(short, wide), left_padded=True)
    assert found(spans, 0) == [(5.0, 3, 5), (4.0, 0, 5), (2.0, 0, 2)]
    assert found(spans, 1)[0] == (12.0, 0, 2)
    assert spans.null.tolist() == [[-1.0, -1.5], [-2.0, -2.5]]


def test_padding_on_the_right_moves_nothing_and_is_no_place_for_an_answer():
    short = {"characters": words(2), "begin": 1, "length": 4}
    start = end = np.array([[0.0, 1.0, 2.0, 0.0, 99.0, 99.0]])
    alone = window_spans(start[:, :4], end[:, :4], rows_of(short))
    padded = window_spans(start, end, rows_of(short))
    assert found(padded) == found(alone) == [(4.0, 3, 5), (3.0, 0, 5), (2.0, 0, 2)]
    assert padded.log_total == pytest.approx(alone.log_total)


def test_a_windows_total_is_never_less_than_its_candidates():
    rows = rows_of({"characters": words(3), "begin": 0, "length": 3})
    start, end = np.array([[-1000.0, 0.0, 900.0]]), np.array([[900.0, 0.0, -1000.0]])
    spans = window_spans(start, end, rows)  # out of reach of exp: only the candidates themselves are left
    assert found(spans)[0] == (0.0, 3, 5)
    assert spans.log_total.item() == pytest.approx(0.0)


# -- examples ----------------------------------------------------------------------------------------------------


def candidates(example: int, spans: list[tuple[float, int, int]], null: tuple[float, float] = (0, 0)) -> RankedSpans:
    """One window's candidates by hand, (score, start, end) each; start logits are half the scores."""
    scores = np.array([[score for score, _, _ in spans]], np.float64)
    with np.errstate(divide="ignore"):
        log_total = np.log(np.exp(scores).sum(axis=1))
    return RankedSpans(
        example=np.array([example]),
        scores=scores,
        start_logits=np.where(np.isfinite(scores), scores, 0) / 2,
        starts=np.array([[start for _, start, _ in spans]]),
        ends=np.array([[end for _, _, end in spans]]),
        null=np.array([null], np.float64),
        log_total=log_total,
    )


def ranked(spans: RankedSpans, **options: int) -> list[list[tuple[float, int, int]]]:
    merged = merge_windows(spans, **options)
    return [found(merged, row) for row in range(len(merged.example))]


def test_candidates_of_all_windows_are_ranked_together():
    one = candidates(0, [(3.0, 0, 2), (1.0, 4, 9)])
    two = candidates(0, [(2.0, 6, 9), (0.5, 6, 12)])
    assert ranked(join([one, two])) == [[(3.0, 0, 2), (2.0, 6, 9), (1.0, 4, 9), (0.5, 6, 12)]]


def test_a_span_of_two_overlapping_windows_is_kept_once_with_its_higher_score():
    one, two = candidates(0, [(2.0, 5, 9), (1.0, 0, 2)]), candidates(0, [(4.0, 5, 9), (3.0, 5, 12)])
    merged = merge_windows(join([one, two]))
    assert found(merged) == [(4, 5, 9), (3, 5, 12), (1, 0, 2)]
    assert merged.start_logits[0, :3].tolist() == [2.0, 1.5, 0.5]


def test_two_tokens_of_one_character_give_one_span():
    """Byte-level tokenizers cut a character in two: both tokens have its offsets."""
    rows = rows_of({"characters": [(0, 1), (0, 1), (2, 3)], "begin": 0, "length": 3})
    logits = np.array([[2.0, 1.0, 0.0]], np.float32)
    assert found(merge_windows(window_spans(logits, logits, rows))) == [(4, 0, 1), (2, 0, 3), (0, 2, 3)]


def test_equal_spans_of_different_examples_are_no_twins():
    parts = [candidates(3, [(2.0, 5, 9)]), candidates(1, [(2.0, 5, 9)])]
    merged = merge_windows(join(parts))
    assert (merged.example.tolist(), merged.scores.tolist()) == ([1, 3], [[2.0], [2.0]])


def test_no_answer_score_taken_as_the_maximum_over_windows():
    """A passage of three windows; the middle one sees the answer. The maximum would call it unanswerable."""
    nulls = [(6.0, 5.0), (-2.0, -3.0), (4.0, 9.0)]
    merged = merge_windows(join([candidates(0, [(1.0, 0, 2)], null) for null in nulls]))
    assert merged.null.tolist() == [[-2.0, -3.0]]


def test_the_smallest_no_answer_score_is_that_of_the_sum_and_of_its_own_example():
    parts = [
        candidates(0, [(1.0, 0, 2)], (-9.0, 9.0)),  # sum 0
        candidates(1, [(1.0, 0, 2)], (-8.0, -8.0)),  # another example's, smaller than all
        candidates(0, [(1.0, 0, 2)], (-1.0, -1.0)),  # sum -2
    ]
    assert merge_windows(join(parts)).null.tolist() == [[-1.0, -1.0], [-8.0, -8.0]]


def test_n_best_cuts_each_example_after_merging():
    one = candidates(0, [(5.0, 0, 2), (4.0, 3, 5), (3.0, 6, 8)])
    two = candidates(0, [(4.5, 9, 12), (4.0, 3, 5), (1.0, 9, 15)])
    other = candidates(1, [(0.0, 0, 1), (-1.0, 0, 2), (-2.0, 0, 3)])
    assert ranked(join([one, two, other]), n_best=2) == [[(5.0, 0, 2), (4.5, 9, 12)], [(0.0, 0, 1), (-1.0, 0, 2)]]


def test_a_crash_where_every_candidate_is_empty():
    nothing = {"characters": [], "begin": 2, "length": 3}
    blanks = {"characters": [(0, 0), (1, 1)], "begin": 1, "length": 4, "example": 1}
    logits = np.array([[3.0, 1.0, 2.0, 4.0], [1.0, 2.0, 3.0, 4.0]])
    spans = window_spans(logits, logits, rows_of(nothing, blanks))
    assert spans.log_total.tolist() == [-INF, -INF]
    merged = merge_windows(spans)
    assert merged.example.tolist() == [0, 1]
    assert found(merged, 0) == found(merged, 1) == []
    assert merged.null.tolist() == [[3.0, 3.0], [1.0, 1.0]]
    assert merged.log_total.tolist() == [-INF, -INF]


def test_an_example_without_candidates_beside_one_that_has_some():
    empty = candidates(0, [(-INF, 0, 0), (-INF, 0, 0)])
    assert ranked(join([empty, candidates(1, [(1.0, 0, 2), (-INF, 0, 0)])])) == [[], [(1.0, 0, 2)]]


def test_batches_of_different_widths_are_joined():
    narrow, wide = candidates(0, [(1.0, 0, 2)]), candidates(1, [(3.0, 0, 2), (2.0, 3, 5), (1.5, 0, 5)])
    joined = join([narrow, wide])
    assert joined.scores.shape == (2, 3)
    assert joined.scores[0].tolist() == [1.0, -INF, -INF]
    assert ranked(joined) == [[(1.0, 0, 2)], [(3.0, 0, 2), (2.0, 3, 5), (1.5, 0, 5)]]


def test_the_total_of_an_example_is_that_of_all_its_windows():
    parts = [candidates(0, [(1.0, 0, 2)]), candidates(0, [(2.0, 3, 5), (0.0, 0, 5)]), candidates(1, [(9.0, 0, 1)])]
    log_total = merge_windows(join(parts)).log_total
    assert log_total == pytest.approx([math.log(math.e + math.e**2 + 1), 9.0])


@given(st.lists(logits(), min_size=1, max_size=4), hidden, st.integers(1, 6))
def test_shares_of_one_example_sum_to_at_most_one(windows, reach, n_best):
    parts = []
    for start, end, inside in windows:
        characters = [(3 * place, 3 * place + (2 if ink else 0)) for place, ink in enumerate(inside[0])]
        rows = rows_of({"characters": characters, "begin": 0, "length": start.shape[1]})
        parts.append(window_spans(start, end, rows, n_best=n_best, max_answer_length=reach))
    merged = merge_windows(join(parts), n_best=n_best)
    assert sum(math.exp(score - merged.log_total.item()) for score, _, _ in found(merged)) <= 1 + 1e-9
    wanted = [brute_log_total(start[0], end[0], inside[0], reach) for start, end, inside in windows]
    assert merged.log_total.item() == pytest.approx(np.logaddexp.reduce(wanted), abs=1e-9)


drawn_windows = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.lists(st.tuples(st.integers(-9, 9), st.integers(0, 3), st.integers(1, 3)), min_size=1, max_size=5),
    ),
    min_size=1,
    max_size=9,
)  # example and (score, start, length) of each window's candidates


@given(drawn_windows, st.integers(1, 6))
def test_merging_is_what_a_plain_loop_makes_of_it(windows, n_best):
    """Examples with one window and with many, in any order, with spans that several of them see."""
    parts, wanted = [], {}
    for example, spans in windows:
        ends = [(float(score), start, start + length) for score, start, length in spans]
        parts.append(candidates(example, ends))
        for score, start, end in ends:
            best = wanted.setdefault(example, {})
            best[start, end] = max(score, best.get((start, end), -INF))
    expected = [
        sorted(((score, *span) for span, score in best.items()), key=lambda c: (-c[0], c[1:]))[:n_best]
        for _, best in sorted(wanted.items())
    ]
    assert ranked(join(parts), n_best=n_best) == expected
