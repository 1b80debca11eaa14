import csv
import io
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.data.delimited import parse_tabs, read_delimited
from headstart.data.records import Entry, Origin, Problem, RawQuestion
from headstart.data.table import read_table
from headstart.errors import DataError

ORIGIN = Origin("a.csv", "a", labelled=False)
FIELD = st.text(st.sampled_from('ab",;\t\r\n 字\u2028\x85'), max_size=8)


def read(text: str, delimiter: Literal[",", "\t"] = ",") -> list[Entry]:
    table = read_delimited(text, ORIGIN, delimiter=delimiter)
    return list(read_table(table.rows, ORIGIN, table.names))


def pairs(entries: list[Entry]) -> list[tuple[object, object]]:
    return [(entry.question, entry.context) for entry in entries if isinstance(entry, RawQuestion)]


@pytest.mark.parametrize("delimiter", [",", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@settings(deadline=None)
@given(st.lists(st.tuples(FIELD, FIELD), min_size=1, max_size=4))
def test_fields_come_back_to_the_letter(delimiter: Literal[",", "\t"], end: str, rows: list[tuple[str, str]]) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([("question", "context"), *rows])
    assert pairs(read(file.getvalue(), delimiter)) == rows


def test_places_count_rows_and_lines() -> None:
    entries = read('question,context\n"Wh\no?",It was Ada.\n\nWhen?,In 1815.\n')
    assert [entry.place for entry in entries] == ["a.csv, row 0, line 2", "a.csv, row 1, line 5"]
    assert [entry.made_up_id for entry in entries if isinstance(entry, RawQuestion)] == ["a:0", "a:1"]


def test_fields_larger_than_the_limit_of_the_csv_module() -> None:
    context = "word " * 50_000
    before = csv.field_size_limit()
    assert pairs(read(f'question,context\nWho?,"{context}"\n')) == [("Who?", context)]
    assert csv.field_size_limit() == before


def test_rows_of_the_wrong_length_are_named() -> None:
    entries = read("question,context\nWho?,It was, I think, Ada.\nWho?,It was Ada.\nWho?\n")
    first, good, last = entries
    assert isinstance(good, RawQuestion)
    assert isinstance(first, Problem)
    assert isinstance(last, Problem)
    assert (first.kind, first.place, first.left_out) == (
        "wrong number of fields", "a.csv, row 0, line 2", "example"
    )  # fmt: skip
    assert "4 fields" in first.found
    assert "1 fields" in last.found


def test_an_unclosed_quote_does_not_swallow_the_rest() -> None:
    text = 'question,context\nWho?,It was Ada.\nWho?,"It was\nWhen?,In 1815.\n'
    with pytest.raises(DataError, match=r"a\.csv, in the row that starts on line 3") as caught:
        read(text)
    assert "quotes" in caught.value.remedy


def test_a_tsv_without_quoting_rules_is_taken_literally() -> None:
    text = 'question\tcontext\nWho?\t"Ada" was the one\r\nWhat?\t"Open\n'
    assert pairs(read(text, "\t")) == [("Who?", '"Ada" was the one'), ("What?", '"Open')]


def test_a_tsv_that_is_none_either_way() -> None:
    with pytest.raises(DataError, match="well-formed TSV"):
        read('question\tcontext\nWho?\t"Ada" was\nWhat?\n', "\t")


def test_repeated_column_names() -> None:
    with pytest.raises(DataError, match="'question' more than once"):
        read("question,context,question\na,b,c\n")


def test_a_wrong_separator_is_named() -> None:
    with pytest.raises(DataError, match="question;context") as caught:
        read("question;context\nWho?;It was Ada.\n")
    assert "commas" in caught.value.remedy


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ('a\t"b"\nc\td\n', [["a", '"b"'], ["c", "d"]]),  # a quotation
        ('a\t"b""c"\n', [["a", 'b"c']]),  # a quote inside a quoted field
        ('a\t"b""c"\nd"\te\n', [["a", '"b""c"'], ['d"', "e"]]),  # but not where another stands alone
        ('"a"\tb\n"c"\td\n', [["a", "b"], ["c", "d"]]),  # a column in quotes
        ('a\t"b\tc"\nd\te\n', [["a", "b\tc"], ["d", "e"]]),  # a tab inside a quoted field
        ('a\t"b\nc\td"\n', [["a", '"b'], ["c", 'd"']]),  # two lines of two fields
        ('a\t"b\nc\td\n', [["a", '"b'], ["c", "d"]]),  # a quote that is never closed
        ("a\tb\r\n\r\n\t\r\n", [["a", "b"], ["", ""]]),
    ],
)
def test_tabs_rule_over_quotes_that_are_part_of_the_text(text: str, fields: list[list[str]]) -> None:
    assert [found for _, found in parse_tabs(text)] == fields
