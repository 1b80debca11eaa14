"""Tables for a terminal."""

from __future__ import annotations

from headstart.cli.tables import score_table


def test_numbers_stand_below_each_other():
    table = score_table({"exact": 7.0, "f1": 100.0, "HasAns_total": 1234, "total": 3})
    assert table.splitlines() == [
        "exact          7.00",
        "f1            100.00",
        "HasAns_total  1234",
        "total          3",
    ]


def test_an_empty_table_is_empty():
    assert score_table({}) == ""


def test_a_negative_threshold_keeps_its_sign():
    assert score_table({"best_f1_thresh": -3.14159}) == "best_f1_thresh  -3.14"
