import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.data.records import Entry, Origin, Problem, RawAnswer, RawQuestion
from headstart.data.sources import read_questions
from headstart.data.squad import is_squad, read_squad, write_squad
from headstart.errors import DataError
from headstart.examples import Answer, QuestionExample

ANSWERED = {"id": 12, "question": "Who?", "answers": [{"text": "Ada", "answer_start": 7}]}
IMPOSSIBLE = {
    "id": "b", "question": "Where?", "answers": [], "is_impossible": True,
    "plausible_answers": [{"text": "Ada", "answer_start": 7}],
}  # fmt: skip


def document(*items: Any) -> dict[str, Any]:
    return {"version": "v2.0", "data": [{"title": "T", "paragraphs": [{"context": "It was Ada.", "qas": [*items]}]}]}


def read(value: dict[str, Any], *, labelled: bool = True) -> list[Entry]:
    assert is_squad(value)
    return list(read_squad(value, Origin("a.json", "a", labelled=labelled)))


def test_questions_of_both_versions() -> None:
    first, second = read(document(ANSWERED, IMPOSSIBLE))
    place = "a.json, article 0, paragraph 0, question 0"
    assert isinstance(first, RawQuestion)
    assert isinstance(second, RawQuestion)
    assert (first.place, first.id, first.title) == (place, 12, "T")
    assert first.answers == (RawAnswer("Ada", 7),)
    assert second.answers == ()
    assert second.impossible is True
    assert first.context is second.context


def test_parts_that_are_wrongly_nested_are_named_and_the_rest_is_read() -> None:
    value = document(ANSWERED, "no object", {**ANSWERED, "answers": 7})
    value["data"] += [{"title": "no paragraphs"}, "no article", {"paragraphs": [{"context": "no qas"}, 5]}]
    entries = read(value)
    assert isinstance(entries[0], RawQuestion)
    problems = [entry for entry in entries if isinstance(entry, Problem)]
    assert [(one.kind, one.place.removeprefix("a.json, "), one.id) for one in problems] == [
        ("wrong nesting", "article 0, paragraph 0, question 1", ""),
        ("wrong type", "article 0, paragraph 0, question 2", "12"),
        ("wrong nesting", "article 1", ""),
        ("wrong nesting", "article 2", ""),
        ("wrong nesting", "article 3, paragraph 0", ""),
        ("wrong nesting", "article 3, paragraph 1", ""),
    ]
    assert all(one.left_out == "example" for one in problems)
    assert "\"paragraphs\", found the keys 'title'" in problems[2].found


def test_a_file_without_any_answers() -> None:
    value = document({"id": "a", "question": "Who?"})
    with pytest.raises(DataError, match="keys of its questions: id, question"):
        read(value)
    (entry,) = read(value, labelled=False)
    assert isinstance(entry, RawQuestion)
    assert entry.answers is None


def test_what_is_not_squad() -> None:
    assert not is_squad({"data": [{"question": "Who?"}]})
    assert not is_squad({"data": []})
    assert not is_squad([{"paragraphs": []}])
    assert not is_squad("data")


def test_writing_the_official_form(tmp_path: Path) -> None:
    path = tmp_path / "new" / "out.json"
    examples = [
        QuestionExample("1", "Who?", "It was Ada.", (Answer("Ada", 7),), "T"),
        QuestionExample("2", "Wo in Zürich?", "It was Ada.", (), "T"),
        QuestionExample("3", "When?", "In 1815.", None, "U"),
    ]
    write_squad(examples, path)
    assert json.loads(path.read_text(encoding="utf-8")) == {
        "version": "v2.0",
        "data": [
            {
                "title": "T",
                "paragraphs": [
                    {
                        "context": "It was Ada.",
                        "qas": [
                            {
                                "id": "1",
                                "question": "Who?",
                                "answers": [{"text": "Ada", "answer_start": 7}],
                                "is_impossible": False,
                            },
                            {"id": "2", "question": "Wo in Zürich?", "answers": [], "is_impossible": True},
                        ],
                    }
                ],
            },
            {"title": "U", "paragraphs": [{"context": "In 1815.", "qas": [{"id": "3", "question": "When?"}]}]},
        ],
    }
    assert [one.name for one in path.parent.iterdir()] == ["out.json"]


def test_version_1_1_has_no_room_for_questions_without_answer(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    write_squad([QuestionExample("1", "Who?", "Ada.", (Answer("Ada", 0),))], path, version="1.1")
    (article,) = json.loads(path.read_text(encoding="utf-8"))["data"]
    assert "is_impossible" not in article["paragraphs"][0]["qas"][0]
    before = path.read_bytes()
    with pytest.raises(DataError, match="id '2'"):
        write_squad([QuestionExample("2", "Who?", "Ada.", ())], path, version="1.1")
    assert path.read_bytes() == before


CHARACTERS = st.characters(exclude_categories=["Cs"])
WORDS = st.text(CHARACTERS, min_size=1, max_size=6).filter(lambda text: text == text.strip())


@st.composite
def examples(draw: st.DrawFn) -> list[QuestionExample]:
    contexts = draw(st.lists(st.lists(WORDS, min_size=1, max_size=4), min_size=1, max_size=3))
    found = []
    for number in range(draw(st.integers(1, 5))):
        words = draw(st.sampled_from(contexts))
        marked = draw(st.lists(st.integers(0, len(words) - 1), max_size=2))
        answers = tuple(Answer(words[n], len(" ".join([*words[:n], ""]))) for n in marked)
        title = draw(st.sampled_from(["", "T", "Ü"]))
        found.append(QuestionExample(str(number), draw(WORDS), " ".join(words), answers, title))
    return found


@settings(deadline=None)
@given(examples())
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, written: list[QuestionExample]) -> None:
    path = tmp_path_factory.mktemp("squad") / "out.json"
    write_squad(written, path)
    data = read_questions([str(path)])
    plain = [(one.id, one.question, one.context, one.answers, one.title) for one in data.examples]
    assert plain == [(one.id, one.question, one.context, one.answers, one.title) for one in written]
    assert data.problems == ()
    assert data.sources[0].format == "squad"
