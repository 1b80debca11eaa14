import json
from typing import Any

import pytest

from headstart.data.json_files import read_json
from headstart.data.questions import read_entries
from headstart.data.records import Origin, Problem, RawQuestion
from headstart.errors import DataError

ROW = {"question": "Who?", "context": "It was Ada.", "answers": {"text": ["Ada"], "answer_start": [7]}}
NESTED = {"data": [{"paragraphs": [{"context": "It was Ada.", "qas": [{"question": "Who?", "answers": []}]}]}]}


def read(text: str, name: str = "a.json") -> tuple[str, list[object]]:
    origin = Origin(name, "a")
    kind, content = read_json(text, origin)
    return kind, list(read_entries(content, origin))


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.jsonl.gz"])
@pytest.mark.parametrize(
    ("text", "kind", "count"),
    [
        (json.dumps(NESTED), "squad", 1),
        (json.dumps(NESTED, indent=2), "squad", 1),
        (json.dumps([ROW, ROW]), "json", 2),
        (json.dumps([ROW, ROW], indent=1), "json", 2),
        (json.dumps({"version": 1, "data": [ROW]}), "json", 1),
        (json.dumps(ROW), "json", 1),
        (json.dumps(ROW, indent=1), "json", 1),
        (f"{json.dumps(ROW)}\r\n\r\n{json.dumps(ROW)}\r\n", "jsonl", 2),
        (f"\n{json.dumps(ROW)}\n{json.dumps(ROW)}", "jsonl", 2),
    ],
)
def test_formats_are_told_by_content(name: str, text: str, kind: str, count: int) -> None:
    found, entries = read(text, name)
    assert (found, len(entries)) == (kind, count)
    assert all(isinstance(entry, RawQuestion) for entry in entries)


def test_line_separators_inside_texts_end_no_line() -> None:
    row = {**ROW, "context": "It was\u2028Ada.\x85\x0c"}
    text = "\n".join(json.dumps(row, ensure_ascii=False) for _ in range(2))
    _, entries = read(text)
    assert [entry.context for entry in entries if isinstance(entry, RawQuestion)] == [row["context"]] * 2


def test_a_broken_line_is_named_and_the_rest_is_read() -> None:
    lines = [json.dumps(ROW), "", '{"question": "Who?",}', json.dumps(ROW)]
    _, entries = read("\n".join(lines), "a.jsonl")
    broken = entries[1]
    assert isinstance(broken, Problem)
    assert isinstance(entries[2], RawQuestion)
    assert (broken.kind, broken.place, broken.left_out) == ("broken JSON", "a.jsonl, row 1, line 3", "example")
    assert "column 20" in broken.found or "column 21" in broken.found


def test_a_broken_first_line_of_json_lines() -> None:
    _, entries = read('{"question": \n' + json.dumps(ROW), "a.jsonl")
    assert [type(entry) for entry in entries] == [Problem, RawQuestion]


def test_broken_json_is_named_by_line_and_column() -> None:
    with pytest.raises(DataError, match=r"a\.json, line 2, column 10: Expecting"):
        read('{"data": [\n  {"id": ]}')
    with pytest.raises(DataError, match=r"a\.json, line 1, column"):
        read(json.dumps(NESTED)[:-5])


def test_endless_nesting_is_no_crash() -> None:
    with pytest.raises(DataError):
        read("[" * 100_000)


@pytest.mark.parametrize(
    ("document", "found", "remedy"),
    [
        (NESTED["data"], "the top level is a list of articles", "wrap it"),
        (NESTED["data"][0], "the top level is one of articles", "wrap it"),
        (NESTED["data"][0]["paragraphs"], "the top level is a list of paragraphs", "wrap it"),
        ({"data": NESTED["data"][0]["paragraphs"]}, 'the list "data" of paragraphs', "wrap it"),
        ({"data": {"train": []}}, "dict there", "wrap it"),
        ({"question": ["Who?"], "context": ["It was Ada."]}, "columns as keys", "orient"),
        ({"train": [ROW], "dev": [ROW]}, "the keys 'train', 'dev'", "a file of its own"),
        ({"version": 2}, "the keys 'version'", "wrap it"),
        ({}, "the keys none", "wrap it"),
        ("text", "text", "wrap it"),
        (3, "3", "wrap it"),
        (["Who?"], "a row 'Who?'", "object"),
    ],
)
def test_wrong_nesting_says_what_was_found_and_what_to_do(document: Any, found: str, remedy: str) -> None:
    with pytest.raises(DataError) as caught:
        read(json.dumps(document))
    assert found in caught.value.found
    assert caught.value.found.startswith("a.json: ")
    assert remedy in caught.value.remedy
