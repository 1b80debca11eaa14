"""Rows of different lengths, by hand and against plain lists."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.ragged import Ragged, beside, bounds_of, mask, ranges, slices

rows_of_numbers = st.lists(st.lists(st.integers(-9, 9), max_size=6), max_size=8)


@given(rows_of_numbers)
def test_rows_come_back(rows):
    ragged = Ragged.of(rows)
    assert [row.tolist() for row in ragged] == rows
    assert len(ragged) == len(rows)
    assert ragged.lengths.tolist() == [len(row) for row in rows]


@given(rows_of_numbers, st.integers(0, 4), st.booleans())
def test_padding_is_that_of_plain_lists(rows, more, left):
    width = max(map(len, rows), default=0) + more
    padded = Ragged.of(rows).pad(width, fill=7, left=left)
    blank = [[7] * (width - len(row)) for row in rows]
    assert padded.tolist() == [fill + row if left else row + fill for row, fill in zip(rows, blank, strict=True)]
    assert padded.shape == (len(rows), width)


@given(rows_of_numbers, st.booleans())
def test_mask_marks_what_is_not_padding(rows, left):
    width = max(map(len, rows), default=0) + 1
    ones = Ragged.of([[1] * len(row) for row in rows]).pad(width, fill=0, left=left)
    assert mask(Ragged.of(rows).lengths, width, left=left).tolist() == (ones == 1).tolist()


@given(rows_of_numbers, st.integers(0, 4))
def test_first_values_of_rows(rows, count):
    assert [row.tolist() for row in Ragged.of(rows).first(count)] == [row[:count] for row in rows]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4)), max_size=6))
def test_stretches_of_one_array_are_plain_slices(stretches):
    values = list(range(100, 109))
    begins, lengths = (np.array([pair[side] for pair in stretches], np.int64) for side in (0, 1))
    wanted = [values[begin : begin + length] for begin, length in stretches]
    assert [row.tolist() for row in slices(np.array(values), begins, lengths)] == wanted
    assert ranges(begins, lengths).tolist() == [b + k for b, length in stretches for k in range(length)]
    assert bounds_of(lengths).tolist() == [sum(map(len, wanted[:n])) for n in range(len(wanted) + 1)]


@given(st.lists(st.tuples(*[st.lists(st.integers(-9, 9), max_size=3)] * 2), max_size=5), st.lists(st.integers(0, 9)))
def test_rows_side_by_side_are_joined_lists(pairs, same):
    left, right = (Ragged.of([pair[side] for pair in pairs]) for side in (0, 1))
    joined = beside([left, np.array(same, np.int32), right, np.array(same, np.int32)])
    assert [row.tolist() for row in joined] == [[*one, *same, *two, *same] for one, two in pairs]


def test_types_are_kept():
    assert Ragged.of([[1]]).values.dtype == np.int32
    assert Ragged.of([], np.float32).pad(0, fill=0).dtype == np.float32
    assert Ragged.of([[0.5], []], np.float64).pad(1, fill=-1).tolist() == [[0.5], [-1.0]]


def test_rows_are_counted_from_the_end_and_none_is_made_up():
    ragged = Ragged.of([[1, 2], [3]])
    assert ragged[-1].tolist() == [3]
    for missing in (2, -3):
        with pytest.raises(IndexError):
            ragged[missing]


def test_rows_wider_than_the_padding_are_not_cut_in_silence():
    with pytest.raises(ValueError, match="a row of 3 values does not fit into a width of 2"):
        Ragged.of([[1, 2, 3], [4]]).pad(2, fill=0)
    with pytest.raises(ValueError, match="a row of 1 values"):
        Ragged.of([[1]]).pad(0, fill=0)
