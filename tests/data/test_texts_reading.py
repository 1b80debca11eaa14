"""Texts and pairs of texts with a label or a number, from every form they are written in."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.data import read_texts
from headstart.data.records import Origin
from headstart.data.text_columns import find_text_layout, text_candidates
from headstart.errors import DataError, SettingsError

REVIEWS = [("what a fine little film", "good"), ("a waste of my time", "bad"), ("I want to see it again", "good")]
FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data"


def save(path: Path, text: str) -> str:
    path.write_bytes(text.encode())
    return str(path)


def save_lines(path: Path, *rows: object) -> str:
    return save(path, "".join(json.dumps(row) + "\n" for row in rows))


def content(source: str, **options: Any) -> list[tuple[str, str | None, object]]:
    return [(one.text, one.text_pair, one.label) for one in read_texts([source], **options).examples]


def test_one_content_in_every_format(tmp_path: Path) -> None:
    import datasets
    import pyarrow
    import pyarrow.parquet

    rows = [{"id": str(number), "sentence": text, "label": label} for number, (text, label) in enumerate(REVIEWS)]
    commas = "".join(f"{label},{text},{number}\r\n" for number, (text, label) in enumerate(REVIEWS))
    plain = "\n".join(f"{row['id']}\t{row['sentence']}\t{row['label']}" for row in rows)
    sources = [
        save_lines(tmp_path / "a.jsonl", *rows),
        save(tmp_path / "b.json", json.dumps(rows, indent=1)),
        save(tmp_path / "c.tsv", "id\tsentence\tlabel\n" + plain),
        save(tmp_path / "d.csv", "label,sentence,id\r\n" + commas),
        str(tmp_path / "e.parquet"),
        str(tmp_path / "f"),
    ]  # fmt: skip
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), sources[4])
    datasets.Dataset.from_list(rows).save_to_disk(sources[5])
    read = [read_texts([source]) for source in sources]
    read.append(read_texts([save(tmp_path / "g.tsv", plain)], columns={"id": "1", "text": "2", "label": "3"}))
    assert {data.fingerprint for data in read} == {read[0].fingerprint}
    assert [data.sources[0].format for data in read] == ["jsonl", "json", "tsv", "csv", "parquet", "datasets", "tsv"]
    assert all(data.problems == () and data.rows == 3 and not data.has_impossible for data in read)
    assert [(one.text, one.label) for one in read[0].examples] == REVIEWS


@pytest.mark.parametrize(
    ("names", "text", "pair", "label"),
    [
        (["text", "label"], "text", None, "label"),
        (["sentence", "label", "idx"], "sentence", None, "label"),
        (["sentence1", "sentence2", "label", "idx"], "sentence1", "sentence2", "label"),
        (["premise", "hypothesis", "label"], "premise", "hypothesis", "label"),
        (["question1", "question2", "is_duplicate"], "question1", "question2", "is_duplicate"),
        (["pair_ID", "Sentence_A", "Sentence_B", "judgment"], "Sentence_A", "Sentence_B", "judgment"),
        (["question", "sentence", "label"], "question", "sentence", "label"),
        (["question", "passage", "answer"], "question", "passage", "answer"),
        (["text", "text_pair", "category"], "text", "text_pair", "category"),
        (["tweet", "count", "class"], "tweet", None, "class"),
        (["question", "target"], "question", None, "target"),
        (["label", "title", "content"], "content", None, "label"),
        (["label", "score", "text"], "text", None, "label"),
    ],
)  # fmt: skip
def test_names_in_common_use(names: list[str], text: str, pair: str | None, label: str) -> None:
    layout = find_text_layout(names, Origin("a.csv", "a"))
    assert (layout.text, layout.text_pair, layout.label) == (text, pair, label)


def test_a_number_is_looked_for_where_numbers_are_wanted() -> None:
    names = ["sentence_A", "sentence_B", "label", "relatedness_score", "entailment_judgment"]
    assert find_text_layout(names, Origin("a", "a"), numbers=True).label == "relatedness_score"
    assert find_text_layout(names, Origin("a", "a")).label == "label"


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            ["text", "sentence1", "sentence2", "label"],
            "one column that holds the text; .*'text', 'sentence1'.*text=text",
        ),
        (["question", "sentence", "passage", "label"], "one column that holds the text|'question'"),
        (["text", "category", "sentiment"], "one column that holds the label; .*'category', 'sentiment'"),
        (["text", "labl"], "a column label; .*'text', 'labl'.*--columns label=labl"),
        (["words", "label"], "a column text"),
    ],
)
def test_columns_in_doubt(names: list[str], message: str) -> None:
    with pytest.raises(DataError) as caught:
        find_text_layout(names, Origin("a.csv", "a"))
    parts = message.split(".*")
    assert all(any(choice in str(caught.value) for choice in part.split("|")) for part in parts)


def test_more_pairs_than_one_are_a_doubt() -> None:
    assert text_candidates(["question", "sentence", "passage"]) == [("question", "sentence"), ("question", "passage")]
    with pytest.raises(DataError, match="one column that holds the text"):
        find_text_layout(["question", "sentence", "passage", "label"], Origin("a.csv", "a"))


def test_mapping(tmp_path: Path) -> None:
    source = save_lines(
        tmp_path / "a.jsonl", {"premise": "a b", "hypothesis": "c d", "text": "e f", "label": 1, "mark": "x"}
    )
    assert content(source, columns={"text": "premise", "text_pair": "hypothesis"}) == [("a b", "c d", "1")]
    assert content(source, columns={"text": "premise"}) == [("a b", None, "1")]
    assert content(source, columns={"text": "text", "label": "mark"}) == [("e f", None, "x")]
    assert content(source, columns={"text": "nowhere"}) == [("e f", None, "1")]
    with pytest.raises(DataError, match="a column 'nowhere'"):
        content(source, columns={"text": "text", "text_pair": "nowhere"})
    with pytest.raises(SettingsError, match="id, text, text_pair, label"):
        content(source, columns={"context": "premise"})


@pytest.mark.parametrize(
    ("value", "label"),
    [
        ("good", "good"),
        (1, "1"),
        (0, "0"),
        (True, "1"),
        (False, "0"),
        (2.0, "2"),
        (2.5, "2.5"),
        (-1, "-1"),
        ("-1", "-1"),
    ],
)
def test_labels(tmp_path: Path, value: object, label: str) -> None:
    assert content(save_lines(tmp_path / "a.jsonl", {"text": "a b", "label": value})) == [("a b", None, label)]


@pytest.mark.parametrize(("value", "number"), [(1, 1.0), (4.5, 4.5), ("4.50", 4.5), (" -1e1", -10.0), (0, 0.0)])
def test_numbers(tmp_path: Path, value: object, number: float) -> None:
    source = save_lines(tmp_path / "a.jsonl", {"text": "a b", "score": value})
    ((_, _, found),) = content(source, numbers=True)
    assert isinstance(found, float)
    assert found == number


@pytest.mark.parametrize("value", ["high", "4,5", "1_0", True, "inf", "nan"])
def test_labels_that_are_no_numbers(tmp_path: Path, value: object) -> None:
    source = save_lines(tmp_path / "a.jsonl", {"text": "a b", "label": 3}, {"text": "c d", "label": value})
    data = read_texts([source], numbers=True, on_bad_data="skip")
    assert [one.label for one in data.examples] == [3.0]
    assert data.counts == {"no number": 1}


def test_blanks_around_labels_are_taken_off_and_counted(tmp_path: Path) -> None:
    data = read_texts([save(tmp_path / "a.tsv", "text\tlabel\na b\tgood \nc d\tgood\n")])
    assert [one.label for one in data.examples] == ["good", "good"]
    assert (data.counts, data.repaired) == ({"blanks around label": 1}, 1)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"text": " "}, "empty text"),
        ({"text": None}, "empty text"),
        ({"text": 7}, "wrong type"),
        ({"text_pair": ""}, "empty text_pair"),
        ({"text": "half \ud83d"}, "broken character"),
        ({"label": None}, "missing label"),
        ({"label": ""}, "missing label"),
        ({"label": ["a", "b"]}, "wrong type"),
        ({"label": "half \ud83d"}, "broken character"),
        ({"id": [1]}, "wrong type"),
        ({"id": "1"}, "duplicate id"),
    ],
)
def test_faults(tmp_path: Path, changes: dict[str, object], kind: str) -> None:
    good = {"id": "1", "text": "a b", "text_pair": "c d", "label": "x"}
    source = save_lines(tmp_path / "a.jsonl", good, {**good, "id": "2", **changes})
    with pytest.raises(DataError, match=f"examples without faults; found 1 in 2 examples .{kind}: 1.") as caught:
        read_texts([source])
    assert f"{source}, row 1, line 2" in str(caught.value)
    data = read_texts([source], on_bad_data="skip")
    assert (data.rows, len(data.examples), data.left_out, data.counts) == (2, 1, 1, {kind: 1})


def test_rows_that_lack_a_column_are_named(tmp_path: Path) -> None:
    source = save_lines(tmp_path / "a.jsonl", {"text": "a b", "label": 1}, {"label": 1}, {"text": "c d"}, "x")
    data = read_texts([source], on_bad_data="skip")
    assert [(one.kind, one.place[-13:]) for one in data.problems] == [
        ("missing column", "row 1, line 2"), ("missing label", "row 2, line 3"), ("wrong type", "row 3, line 4")
    ]  # fmt: skip


def test_unlabelled_texts(tmp_path: Path) -> None:
    source = save_lines(
        tmp_path / "a.jsonl", {"text": "a b"}, {"text": "c d", "label": None}, {"text": "e f", "label": 1}
    )
    assert [label for _, _, label in content(source, labelled=False)] == [None, None, "1"]
    assert content(save(tmp_path / "b.txt", "One text.\nAnother, longer one.\n\nYes\n"), labelled=False) == [
        ("One text.", None, None), ("Another, longer one.", None, None), ("Yes", None, None)
    ]  # fmt: skip
    assert content(save(tmp_path / "c.json", '{"text": "a b"}'), labelled=False) == [("a b", None, None)]


# -- data sets with features ------------------------------------------------------------------------------------------


def save_set(folder: Path, rows: list[dict[str, Any]], **features: Any) -> str:
    import datasets

    known = {name: datasets.Value("string") for name in rows[0] if name not in features}
    datasets.disable_progress_bars()
    datasets.Dataset.from_list(rows, features=datasets.Features({**known, **features})).save_to_disk(str(folder))
    return str(folder)


def test_names_of_classes_from_a_saved_data_set_and_its_parquet(tmp_path: Path) -> None:
    import datasets

    rows = [{"sentence": "a b", "label": 1}, {"sentence": "c d", "label": 0}]
    label = datasets.ClassLabel(names=["unacceptable", "acceptable"])
    source = save_set(tmp_path / "saved", rows, label=label)
    assert [found for _, _, found in content(source)] == ["acceptable", "unacceptable"]
    datasets.load_from_disk(source).to_parquet(str(tmp_path / "a.parquet"))
    assert [found for _, _, found in content(str(tmp_path / "a.parquet"))] == ["acceptable", "unacceptable"]


def test_a_row_without_agreement_is_named(tmp_path: Path) -> None:
    """SNLI writes -1 where the annotators did not agree."""
    import datasets

    rows = [{"premise": "a b", "hypothesis": "c", "label": label} for label in (0, -1)]
    source = save_set(tmp_path / "saved", rows, label=datasets.ClassLabel(names=["yes", "no"]))
    data = read_texts([source], on_bad_data="skip")
    assert ([one.label for one in data.examples], data.counts) == (["yes"], {"missing label": 1})
    assert [label for _, _, label in content(source, labelled=False)] == ["yes", None]


@pytest.mark.parametrize("is_class", [True, False])
@pytest.mark.parametrize("packed", [True, False])
def test_a_split_whose_labels_are_not_published(tmp_path: Path, is_class: bool, packed: bool) -> None:
    import datasets

    feature = datasets.ClassLabel(names=["yes", "no"]) if is_class else datasets.Value("float32")
    rows = [{"sentence1": text, "sentence2": "x", "label": -1} for text in ("a b", "c d")]
    source = save_set(tmp_path / "saved", rows, label=feature)
    if packed:
        datasets.load_from_disk(source).to_parquet(str(tmp_path / "a.parquet"))
        source = str(tmp_path / "a.parquet")
    with pytest.raises(DataError, match="label is -1 in every row"):
        read_texts([source], numbers=not is_class)
    unlabelled = content(source, numbers=not is_class, labelled=False)
    assert unlabelled == [("a b", "x", None), ("c d", "x", None)]


# -- files of lines ---------------------------------------------------------------------------------------------------


def tsv(*rows: tuple[object, ...]) -> str:
    return "".join("\t".join(map(str, row)) + "\n" for row in rows)


def test_columns_without_a_header_are_told_by_what_they_hold(tmp_path: Path) -> None:
    news, match = "Oil is up, again, today", "A team has won"
    sung, singing = "A man sings a song.", "A man is singing."
    cases = {
        "a.tsv": (tsv(*REVIEWS), [(text, None, label) for text, label in REVIEWS]),
        "b.csv": (f'3,"{news}"\n1,{match}\n', [(news, None, "3"), (match, None, "1")]),
        "c.tsv": (tsv((sung, singing, 4.5)), [(sung, singing, "4.5")]),
    }
    for name, (text, expected) in cases.items():
        source = save(tmp_path / name, text)
        assert content(source) == expected
        (note,) = read_texts([source]).problems
        assert note.kind == "columns inferred"
        assert not note.fatal
    assert "--columns text=2 label=1" in read_texts([str(tmp_path / "b.csv")]).problems[0].found


def test_texts_of_a_word_are_told_by_how_many_there_are(tmp_path: Path) -> None:
    names = [(f"Name{number}", "male" if number % 2 else "female") for number in range(12)]
    assert content(save(tmp_path / "a.tsv", tsv(*names)))[0] == ("Name0", None, "female")


@pytest.mark.parametrize(
    ("rows", "example"),
    [
        (
            [("gj04", 1, "", "Our friends won't buy it."), ("gj04", 0, "*", "They drank the pub of it.")],
            "text=4 label=2",
        ),
        (
            [(7, "A man sings.", "It is a song.", 1), (8, "A boy sings.", "No one sings.", 0)],
            "text=2 text_pair=3 label=1",
        ),
        ([(number, f"The text of number {number}.") for number in range(20)], "text=2 label=1"),
        ([("one text here", "another text there", "and a third one", 1)], "text=1 text_pair=2 label=4"),
    ],
)
def test_a_doubt_shows_the_first_row_and_a_ready_flag(tmp_path: Path, rows: list[Any], example: str) -> None:
    source = save(tmp_path / "a.tsv", tsv(*rows))
    with pytest.raises(DataError) as caught:
        read_texts([source])
    assert f"--columns {example}" in caught.value.remedy
    assert f"2={str(rows[0][1])!r}" in caught.value.found


def test_a_file_with_the_wrong_separator(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"by commas .* or tabs"):
        read_texts([save(tmp_path / "a.csv", "a fine film;1\na bad film;0\n")])
    with pytest.raises(DataError, match=r"by commas .* or tabs"):
        read_texts([save(tmp_path / "b.csv", "text;label\na fine film;1\n")])


@pytest.mark.parametrize(
    ("first", "has_header"),
    [
        (("verdict", "utterance_en"), True),  # no known names, but a label that is no number
        (("label", "text"), True),
        (("0", "a text like others"), False),
        (("2", "Whatever"), False),  # a class that occurs once
    ],
)
def test_a_header_above_numbered_columns(tmp_path: Path, first: tuple[str, str], has_header: bool) -> None:
    rows = [(number % 2, f"This is text {number}.") for number in range(8)]
    source = save(tmp_path / "a.tsv", tsv(first, *rows))
    assert len(content(source, columns={"label": "1", "text": "2"})) == 9 - has_header


def test_a_header_of_unknown_names_is_seen_and_named(tmp_path: Path) -> None:
    rows = [(f"This is text {number}.", "good" if number % 2 else "bad") for number in range(8)]
    data = read_texts([save(tmp_path / "a.tsv", tsv(("utterance_en", "verdict"), *rows))])
    assert [one.kind for one in data.problems] == ["header", "columns inferred"]
    assert "'utterance_en', 'verdict'" in data.problems[0].found
    assert len(data.examples) == 8


def test_names_need_a_header(tmp_path: Path) -> None:
    source = save(tmp_path / "a.tsv", tsv(*REVIEWS))
    with pytest.raises(DataError, match=r"1='what a fine little film'.*--columns text=1 label=2"):
        read_texts([source], columns={"text": "review_body", "label": "stars"})
    headed = save(tmp_path / "b.tsv", tsv(("review_body", "stars"), *REVIEWS))
    assert len(content(headed, columns={"text": "review_body", "label": "stars"})) == 3
    assert len(content(headed, columns={"text": "review_body", "label": "2"})) == 3


@pytest.mark.parametrize("number", ["0", "3", "12"])
def test_numbers_of_no_column(tmp_path: Path, number: str) -> None:
    with pytest.raises(DataError, match="column number from 1 to 2"):
        read_texts([save(tmp_path / "a.tsv", tsv(*REVIEWS))], columns={"text": "1", "label": number})


def test_numbers_need_text_and_label(tmp_path: Path) -> None:
    source = save(tmp_path / "a.tsv", tsv(*REVIEWS))
    with pytest.raises(DataError, match="--columns text=1 label=2"):
        read_texts([source], columns={"label": "2"})
    with pytest.raises(DataError, match="--columns text=1 label=2"):
        read_texts([source], columns={"text": "1"})
    assert [label for _, _, label in content(source, columns={"text": "1"}, labelled=False)] == [None] * 3


def test_stray_quotes_are_text_between_tabs(tmp_path: Path) -> None:
    rows = [('"Hello," he said.', "1"), ('"A whole quotation."', "0"), ('It is 5" long', "1"), ('"open', "0")]
    assert content(save(tmp_path / "a.tsv", tsv(*rows))) == [(text, None, label) for text, label in rows]


@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_a_tsv_of_a_csv_writer_is_read_by_its_rules(tmp_path: Path, quoting: Any) -> None:
    rows = [
        ('He said "no" to it', "1"),
        ("two\nlines of text", "0"),
        ("a tab\there or there", "1"),
        ("a plain text", "0"),
    ]
    with (tmp_path / "a.tsv").open("w", newline="") as file:
        csv.writer(file, delimiter="\t", quoting=quoting).writerows([("text", "label"), *rows])
    assert content(str(tmp_path / "a.tsv")) == [(text, None, label) for text, label in rows]


def test_rows_of_another_number_of_fields_are_named(tmp_path: Path) -> None:
    source = save(tmp_path / "a.tsv", tsv(*REVIEWS) + "a text without label\n\t\n")
    data = read_texts([source], on_bad_data="skip")
    assert len(data.examples) == 3
    assert data.counts == {"columns inferred": 1, "wrong number of fields": 1, "empty text": 1, "missing label": 1}
    assert data.rows == 5


LINE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters='\t\r\n"\0'), min_size=1, max_size=9)
WORDS = LINE.map(lambda line: f"some words and {line}")


@given(st.lists(st.tuples(WORDS, st.sampled_from(["0", "1"])), min_size=1, max_size=12))
def test_any_lines_with_numbered_columns_come_back(tmp_path_factory: pytest.TempPathFactory, rows: list[Any]) -> None:
    source = save(tmp_path_factory.mktemp("data") / "a.tsv", tsv(*rows))
    assert content(source, columns={"text": "1", "label": "2"}) == [(text, None, label) for text, label in rows]


def test_questions_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="--task qa"):
        read_texts(["sample"])


def test_the_same_guarantees_as_for_questions(tmp_path: Path) -> None:
    source = save(tmp_path / "a.tsv", tsv(*REVIEWS))
    assert [one.id for one in read_texts([source], limit=2).examples] == ["a:0", "a:1"]
    with pytest.raises(SettingsError, match="which are the same"):
        read_texts([source, source])
    with pytest.raises(SettingsError, match="at least one source of examples"):
        read_texts([])
    with pytest.raises(DataError, match=r"examples; found .*empty\.tsv, which is empty"):
        read_texts([save(tmp_path / "empty.tsv", "\n")])
    with pytest.raises(DataError, match=r"examples; found .*none\.tsv, which has none"):
        read_texts([save(tmp_path / "none.tsv", "text\tlabel\n")])


# -- published files --------------------------------------------------------------------------------------------------

COLA = {"text": "4", "label": "2"}
PUBLISHED: list[tuple[str, int, dict[str, Any], object]] = [  # file, rows, options, first label
    ("cola/train.tsv", 8551, {"columns": COLA}, "1"),
    ("cola/validation.tsv", 527, {"columns": COLA}, "1"),
    ("cola/test.tsv", 516, {"columns": COLA}, "1"),
    ("sst2/train.tsv", 6920, {}, "1"),
    ("sst2/test.tsv", 1821, {}, "0"),
    ("sick/train.tsv", 4500, {}, "NEUTRAL"),
    ("sick/validation.tsv", 500, {}, "CONTRADICTION"),
    ("sick/test.tsv", 4927, {"numbers": True}, 3.3),
    ("sick/train.tsv", 4500, {"columns": {"label": "relatedness_score"}, "numbers": True}, 4.5),
    ("stsb/train.csv", 5749, {"numbers": True}, 5.0),
    ("stsb/validation.csv", 1500, {"numbers": True}, 5.0),
    ("stsb/test.csv", 1379, {"numbers": True}, 2.5),
]


@pytest.mark.parametrize(("name", "rows", "options", "first"), PUBLISHED)
def test_published_files(name: str, rows: int, options: dict[str, Any], first: object) -> None:
    if not (FOLDER / name).is_file():
        pytest.skip(f"the published data are not here: no ../shared/data/{name} beside the repository")
    data = read_texts([str(FOLDER / name)], **options)
    assert (data.rows, len(data.examples), data.left_out, data.repaired) == (rows, rows, 0, 0)
    assert data.examples[0].label == first
    assert all((one.text_pair is None) == name.startswith(("cola", "sst2")) for one in data.examples)
    kinds = {str: {"cola": 2, "sst2": 2, "sick": 3}.get(name[:4])}
    if isinstance(first, str):
        assert len({one.label for one in data.examples}) == kinds[str]
    else:
        assert all(isinstance(one.label, float) and 0 <= one.label <= 5 for one in data.examples)


def test_the_columns_of_cola_are_in_doubt() -> None:
    if not (FOLDER / "cola").is_dir():
        pytest.skip("the published data are not here: no ../shared/data/cola beside the repository")
    with pytest.raises(DataError, match="--columns text=4 label=2") as caught:
        read_texts([str(FOLDER / "cola" / "train.tsv")])
    assert "1='gj04', 2='1', 3='', 4=" in caught.value.found
