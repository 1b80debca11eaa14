import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.data import ReadData, read_questions
from headstart.errors import DataError, SettingsError
from headstart.examples import Answer

CONTEXT = "In 1815 Ada was born in London. Ada wrote notes."


def row(name: object, text: object = "London", start: object = 24, **changes: object) -> dict[str, Any]:
    answers = {"text": [text], "answer_start": [start]}
    return {"id": name, "question": f"Question {name}?", "context": CONTEXT, "answers": answers, **changes}


def save(path: Path, *rows: object) -> str:
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    return str(path)


def ids(data: ReadData) -> list[str]:
    return [example.id for example in data.examples]


def test_one_content_in_every_format_is_one_fingerprint(tmp_path: Path) -> None:
    rows = [row("1"), row("2", "1815", 3), row("3", answers={"text": [], "answer_start": []})]
    save(tmp_path / "a.jsonl", *rows)
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress((tmp_path / "a.jsonl").read_bytes()))
    (tmp_path / "c.json").write_text(json.dumps(rows))
    (tmp_path / "d.json").write_text(json.dumps({"data": rows}), encoding="utf-8-sig")
    for name, delimiter in (("e.csv", ","), ("f.tsv", "\t")):
        with (tmp_path / name).open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
            writer.writeheader()
            writer.writerows({**one, "answers": json.dumps(one["answers"])} for one in rows)
    with (tmp_path / "g.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["id", "question", "context", "answer_text", "answer_start"])
        writer.writeheader()
        for one in rows:
            text, start = ((one["answers"][key] or [""])[0] for key in ("text", "answer_start"))
            writer.writerow({**{key: one[key] for key in ("id", "question", "context")},
                             "answer_text": text, "answer_start": start})  # fmt: skip
    items = [{key: one[key] for key in ("id", "question")} for one in rows]
    for item, one in zip(items, rows, strict=True):
        texts, starts = one["answers"]["text"], one["answers"]["answer_start"]
        item["answers"] = [{"text": text, "answer_start": start} for text, start in zip(texts, starts, strict=True)]
    (tmp_path / "h.json").write_text(json.dumps({"data": [{"paragraphs": [{"context": CONTEXT, "qas": items}]}]}))
    read = {path.name: read_questions([str(path)]) for path in sorted(tmp_path.iterdir())}
    formats = [data.sources[0].format for data in read.values()]
    assert formats == ["jsonl", "jsonl", "json", "json", "csv", "tsv", "csv", "squad"]
    assert len({data.fingerprint for data in read.values()}) == 1
    assert len({data.sources[0].fingerprint for data in read.values()}) == 8
    assert all(data.problems == () and data.has_impossible for data in read.values())


def test_several_sources_share_contexts_and_ids(tmp_path: Path) -> None:
    first, second = save(tmp_path / "a.jsonl", row(1), row(2)), save(tmp_path / "b.jsonl", row(2), row(3))
    with pytest.raises(DataError, match="duplicate id: 1") as caught:
        read_questions([first, second])
    assert f"{second}, row 0, line 1" in caught.value.found
    assert f"{first}, row 1, line 2" in caught.value.found
    data = read_questions([first, second], on_bad_data="skip")
    assert ids(data) == ["1", "2", "3"]
    assert [(source.rows, source.examples) for source in data.sources] == [(2, 2), (2, 1)]
    assert len({id(example.context) for example in data.examples}) == 1


def test_a_twin_of_a_question_that_was_left_out_stays(tmp_path: Path) -> None:
    data = read_questions([save(tmp_path / "a.jsonl", row(1, "Paris"), row(1))], on_bad_data="skip")
    assert ids(data) == ["1"]
    assert data.left_out == 1


def test_made_up_ids(tmp_path: Path) -> None:
    plain = {"question": "Who?", "context": CONTEXT, "answer_text": "1815"}
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        save(tmp_path / folder / "a.jsonl", plain, plain)
    first, second = (str(tmp_path / folder / "a.jsonl") for folder in ("one", "two"))
    assert ids(read_questions([first])) == ["a:0", "a:1"]
    assert ids(read_questions([first, second])) == [f"{first}:0", f"{first}:1", f"{second}:0", f"{second}:1"]


def test_repairs_do_not_stop_a_run_and_are_counted(tmp_path: Path) -> None:
    source = save(tmp_path / "a.jsonl", row(1, start=20), row(2, " London", 23), row(3, "Ada", None))
    data = read_questions([source])
    assert [example.answers for example in data.examples] == [
        (Answer("London", 24),), (Answer("London", 24),), (Answer("Ada", 8),)
    ]  # fmt: skip
    assert data.counts == {"shifted offset": 1, "blanks around answer": 1, "answer found more than once": 1}
    assert (data.repaired, data.left_out) == (2, 0)


def test_a_stopped_run_names_the_first_faults_and_counts_all(tmp_path: Path) -> None:
    rows = [row(number, "Paris") for number in range(12)] + [row(12, question=""), row(13), row(14, start=20)]
    source = save(tmp_path / "a.jsonl", *rows)
    with pytest.raises(DataError) as caught:
        read_questions([source])
    message = str(caught.value)
    assert "13 in 15 questions (answer not in context: 12, empty question: 1)" in message
    assert f"{source}, row 9, line 10, id '9': answer not in context: answer 'Paris' does not stand" in message
    assert "line 11" not in message
    assert "… and 3 more" in message
    assert "shifted" not in message
    assert message.endswith("--on-bad-data skip.")
    data = read_questions([source], on_bad_data="skip")
    assert ids(data) == ["13", "14"]
    assert data.left_out == 13


def test_nothing_left_stops_in_any_case(tmp_path: Path) -> None:
    source = save(tmp_path / "a.jsonl", row(1, "Paris"))
    with pytest.raises(DataError, match="at least one question without a fault") as caught:
        read_questions([source], on_bad_data="skip")
    assert "skip" not in caught.value.remedy


def test_a_source_without_questions(tmp_path: Path) -> None:
    for name, content in (("a.json", "[]"), ("b.json", '{"data": []}'), ("c.csv", "question,context,answers\n")):
        (tmp_path / name).write_text(content)
        with pytest.raises(DataError, match=f"{name}, which has none"):
            read_questions([str(tmp_path / name)])


def test_limit_counts_over_all_sources(tmp_path: Path) -> None:
    sources = [save(tmp_path / f"{name}.jsonl", row(f"{name}1"), row(f"{name}2")) for name in "abc"]
    data = read_questions(sources, limit=3)
    assert ids(data) == ["a1", "a2", "b1"]
    assert [source.rows for source in data.sources] == [2, 1]
    assert ids(read_questions(sources, limit=100)) == ["a1", "a2", "b1", "b2", "c1", "c2"]
    with pytest.raises(DataError, match=r"missing\.jsonl"):
        read_questions([*sources, str(tmp_path / "missing.jsonl")], limit=1)


def test_columns_and_labels(tmp_path: Path) -> None:
    source = save(tmp_path / "a.jsonl", {"query": "Who?", "context": CONTEXT})
    with pytest.raises(DataError, match="columns 'query', 'context'"):
        read_questions([source])
    with pytest.raises(DataError, match="a column answers, or answer_text"):
        read_questions([source], columns={"question": "query"})
    data = read_questions([source], columns={"question": "query"}, labelled=False)
    assert data.examples[0].answers is None
    assert not data.has_impossible


def test_one_source_may_be_given_as_a_string(tmp_path: Path) -> None:
    assert ids(read_questions(save(tmp_path / "a.jsonl", row(1)))) == ["1"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sources": []}, "at least one source"),
        ({"role": "test"}, "the role train or validation"),
        ({"on_bad_data": "ignore"}, "stop or skip"),
        ({"limit": 0}, "limit of at least 1"),
        ({"columns": {"frage": "question"}}, "frage"),
    ],
)
def test_arguments_that_make_no_sense(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    arguments = {"sources": [save(tmp_path / "a.jsonl", row(1))], **changes}
    with pytest.raises(SettingsError, match=message):
        read_questions(**arguments)


def test_the_same_source_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "a.jsonl", row(1))
    with pytest.raises(SettingsError, match=r"\./a\.jsonl and a\.jsonl, which are the same"):
        read_questions(["a.jsonl", "./a.jsonl"])


NAMES = st.none() | st.integers(0, 3) | st.sampled_from(["x", "y", ""])
TEXTS = st.sampled_from(["London", "Ada", " born", "Paris", "", None, "london"])
STARTS = st.none() | st.integers(-2, 60) | st.sampled_from(["24", 24.0, "x"])
ROWS = st.lists(
    st.builds(
        lambda name, answers, question, more: {
            **row(name, question=question), "answers": [{"text": t, "answer_start": s} for t, s in answers], **more
        },
        NAMES,
        st.lists(st.tuples(TEXTS, STARTS), max_size=3),
        st.sampled_from(["Who?", "", None]),
        st.sampled_from([{}, {"is_impossible": True}, {"context": " "}, {"answers": 3}]),
    )
    | st.sampled_from(["broken", 7]),
    min_size=1,
    max_size=8,
)  # fmt: skip


@settings(deadline=None)
@given(ROWS, st.booleans())
def test_nothing_is_lost_in_silence(tmp_path_factory: pytest.TempPathFactory, rows: list[Any], nested: bool) -> None:
    """Every row is an example or named in a problem that says that the question was left out, and never both."""
    path = tmp_path_factory.mktemp("data") / "a.json"
    good = row("good")
    if nested:
        paragraph = {"context": CONTEXT, "qas": [{**good, "answers": [{"text": "Ada", "answer_start": 8}]}, *rows]}
        path.write_text(json.dumps({"data": [{"paragraphs": [paragraph]}]}))
    else:
        path.write_text(json.dumps([good, *rows]))
    data = read_questions([str(path)], on_bad_data="skip")
    kept = {example.place for example in data.examples}
    lost = {problem.place for problem in data.problems if problem.left_out == "example"}
    assert data.rows == len(rows) + 1 == len(data.examples) + data.left_out
    assert not kept & lost
    assert len(kept | lost) == data.rows
    assert {problem.place for problem in data.problems} <= kept | lost
    assert len(set(ids(data))) == len(data.examples)
    fatal = [problem for problem in data.problems if problem.fatal]
    if fatal:
        with pytest.raises(DataError, match=f"found {len(fatal)} in"):
            read_questions([str(path)])
    else:
        assert read_questions([str(path)]) == data


@pytest.mark.parametrize("role", ["train", "validation"])
def test_the_built_in_sample_has_no_faults(role: Any) -> None:
    try:
        data = read_questions(["sample"], role=role)
    except DataError as error:
        if "the built-in sample" in error.expected:
            pytest.skip(f"the built-in sample is not there: {error.found}")
        raise
    assert data.problems == ()
    assert data.has_impossible
