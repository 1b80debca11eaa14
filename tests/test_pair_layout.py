"""Many pairs joined at once: the same as one by one, and a layout that survives being written down."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.pair_layout import PairLayout
from headstart.ragged import Ragged
from tokenizers_made_here import FAMILIES

pairs = st.lists(st.tuples(*[st.lists(st.integers(10, 99), max_size=5)] * 2), min_size=1, max_size=5)


@pytest.mark.parametrize("family", FAMILIES)
@given(pairs=pairs)
def test_rows_of_pairs_are_the_pairs_one_by_one(encoders, family, pairs):
    layout = encoders[family].layout
    firsts, seconds = (Ragged.of(list(side)) for side in zip(*pairs, strict=True))
    parts = [part.tolist() for part in (layout.prefix, layout.middle, layout.suffix)]
    wanted = [[*parts[0], *first, *parts[1], *second, *parts[2]] for first, second in pairs]
    assert [row.tolist() for row in layout.join_rows(firsts, seconds)] == wanted
    types = layout.type_rows(firsts.lengths, seconds.lengths)
    assert [row.tolist() for row in types] == [layout.type_ids(len(a), len(b)).tolist() for a, b in pairs]
    assert types.lengths.tolist() == [len(row) for row in wanted]


@pytest.mark.parametrize("family", FAMILIES)
def test_layout_survives_being_written_down(encoders, family):
    layout = encoders[family].layout
    again = PairLayout.from_json(layout.to_json())
    assert repr(again) == repr(layout)
    assert again.prefix.dtype == np.int32


def test_places_in_the_joined_pair(encoders):
    lengths = np.array([2, 0])
    bert, xlnet = encoders["bert"].layout, encoders["xlnet"].layout
    assert bert.context_begins(lengths).tolist() == [4, 2]
    assert xlnet.context_begins(lengths).tolist() == [0, 0]
    assert bert.cls_indices(np.array([12, 7])).tolist() == [0, 0]
    assert xlnet.cls_indices(np.array([12, 7])).tolist() == [11, 6]
    assert bert.in_order("question", "context") == ("question", "context")
    assert xlnet.in_order("question", "context") == ("context", "question")
