"""The task that data show by themselves, and the doubts that have to be named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from headstart.data import TaskGuess, guess_task, read_texts, read_words
from headstart.errors import DataError, SettingsError

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data"
ASKED = {"question": "Who?", "context": "Ada."}
CONLL = "Ada B-x\nis O\n\nYes O\nNo O\n"


def save(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def save_lines(path: Path, *rows: object) -> str:
    return save(path, "".join(json.dumps(row) + "\n" for row in rows))


def labelled(*labels: object, name: str = "label", **more: object) -> list[dict[str, object]]:
    return [{"sentence": f"This is text {number}.", name: label, **more} for number, label in enumerate(labels)]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([{**ASKED, "answers": []}], ("qa", "columns question, context and answers")),
        ([{**ASKED, "answer": "Ada"}], ("qa", "columns question, context and answer")),
        ([{"tokens": ["Ada"], "ner_tags": ["O"]}], ("tagging", "lists in the columns tokens and ner_tags")),
        ([{"tokens": ["Ada"], "pos": [1], "ner": [0]}], ("tagging", "lists in the columns tokens and ner, pos")),
        (labelled("good", "bad", "good"), ("classification", "columns sentence, label with 2 different labels")),
        (labelled(0, 1, 2), ("classification", "columns sentence, label with 3 different labels")),
        (labelled(True, False), ("classification", "columns sentence, label with 2 different labels")),
        (labelled(0.5, 3, -1.25), ("regression", "columns sentence, label with numbers from -1.25 to 3")),
        (labelled("0.5", "3", name="score"), ("regression", "columns sentence, score with numbers from 0.5 to 3")),
        (
            [{"premise": "a b", "hypothesis": "c", "label": "yes"}, {"premise": "a", "hypothesis": "c", "label": "no"}],
            ("classification", "columns premise, hypothesis, label with 2 different labels"),
        ),
    ],
)
def test_tables(tmp_path: Path, rows: list[Any], expected: tuple[Any, str]) -> None:
    assert guess_task([save_lines(tmp_path / "a.jsonl", *rows)]) == TaskGuess(*expected)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (labelled(*range(20)), "20 different whole numbers from 0 to 19 in the column 'label'.*--task classification"),
        (labelled(1, 2, name="rating"), "2 different whole numbers from 1 to 2 in the column 'rating'"),
        (labelled(1.5, "none"), "1 numbers among 2 labels"),
        (labelled(None, None), "no labels in the column 'label'"),
        (labelled("a", score=1.5), "'label' is fit for classes and 'score' for numbers"),
        ([{"a": "x", "b": "y"}], "the columns 'a', 'b'.*--task classification.*--columns text"),
        ([{"sentence": "a b", "class": 1, "topic": 2}], "'class', 'topic' could be it.*--columns label=class"),
    ],
)
def test_doubts_name_the_flag(tmp_path: Path, rows: list[Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message) as caught:
        guess_task([save_lines(tmp_path / "a.jsonl", *rows)])
    assert "--task" in caught.value.remedy


@pytest.mark.parametrize(
    ("name", "text", "task"),
    [
        ("a.conll", CONLL, "tagging"),
        ("a.tsv", CONLL.replace(" ", "\t"), "tagging"),
        ("a.txt", CONLL, "tagging"),
        ("a.tsv", "a fine film\t1\na bad film\t0\n", "classification"),
        ("a.tsv", "a fine film\t1\n\na bad film\t0\n", "classification"),
        ("a.csv", "A man sings.,A man is singing.,4.5\n", "regression"),
        ("a.csv", "question,context,answer_text\nWho?,Ada.,Ada\n", "qa"),
        ("a.tsv", 'tokens\tpos_tags\n["Ada"]\t["O"]\n', "tagging"),
        ("a.csv", "label,text\nx,a b c\ny,d e f\n", "classification"),
    ],
)
def test_files_of_lines(tmp_path: Path, name: str, text: str, task: str) -> None:
    assert guess_task([save(tmp_path / name, text)]).name == task


def test_what_is_mapped_says_more_than_the_names(tmp_path: Path) -> None:
    row = {"question": "Who?", "context": "Ada.", "answers": [], "kind": "x", "words": ["a"], "mine": ["b"]}
    source = save_lines(tmp_path / "a.jsonl", row)
    assert guess_task([source], columns={"context": "context"}) == TaskGuess("qa", "columns mapped to context")
    assert guess_task([source], columns={"tags": "mine"}) == TaskGuess("tagging", "columns mapped to tags")
    guess = guess_task([source], columns={"text": "question", "label": "kind"})
    assert guess == TaskGuess("classification", "columns question, kind with one label only")
    assert guess_task([source], columns={"id": "kind"}).name == "qa"


def test_names_of_classes_are_classes_however_many(tmp_path: Path) -> None:
    import datasets

    names = [f"class {number}" for number in range(77)]
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=names)})
    rows = [{"text": f"Text {number}.", "label": number} for number in range(77)]
    datasets.disable_progress_bars()
    datasets.Dataset.from_list(rows, features=features).save_to_disk(str(tmp_path / "saved"))
    guess = guess_task([str(tmp_path / "saved")])
    assert guess == TaskGuess("classification", "columns text, label with the names of 77 labels")


def test_only_the_first_source_and_its_first_rows_are_looked_at(tmp_path: Path) -> None:
    first = save_lines(tmp_path / "a.jsonl", *labelled(*["x"] * 400))
    second = save_lines(tmp_path / "b.jsonl", {"question": "Who?", "context": "Ada.", "answers": []})
    assert guess_task([first, second]).reason == "columns sentence, label with one label only in the first 300 rows"
    assert guess_task([second, first]).name == "qa"


def test_the_sample_is_question_answering() -> None:
    assert guess_task("sample").name == "qa"  # type: ignore[arg-type]  # one source may be given as a string
    with pytest.raises(SettingsError, match="at least one source"):
        guess_task([])
    with pytest.raises(DataError, match="no such file"):
        guess_task(["nowhere.csv"])


PUBLISHED: list[tuple[str, dict[str, str] | None, str]] = [
    ("sst2/train.tsv", None, "classification"),
    ("cola/train.tsv", {"text": "4", "label": "2"}, "classification"),
    ("sick/train.tsv", {"label": "entailment_judgment"}, "classification"),
    ("sick/train.tsv", {"label": "relatedness_score"}, "regression"),
    ("stsb/train.csv", None, "regression"),
    ("ud-ewt/validation.conllu", None, "tagging"),
    ("wnut17/validation.conll", None, "tagging"),
    ("qa/covid-qa.json", None, "qa"),
]


@pytest.mark.parametrize(("name", "columns", "task"), PUBLISHED)
def test_published_files(name: str, columns: dict[str, str] | None, task: str) -> None:
    if not (FOLDER / name).is_file():
        pytest.skip(f"the published data are not here: no ../shared/data/{name} beside the repository")
    guess = guess_task([str(FOLDER / name)], columns=columns)
    assert guess.name == task
    readers: dict[str, Any] = {"tagging": read_words, "classification": read_texts, "regression": read_texts}
    if task in readers:
        options = {"numbers": True} if task == "regression" else {}
        assert readers[task]([str(FOLDER / name)], columns=columns, limit=5, **options).rows == 5


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("sick/train.tsv", "--task classification for entailment_judgment, --task regression for relatedness_score"),
        ("cola/train.tsv", "--task classification; .*--columns text=4 label=2"),
    ],
)
def test_published_files_in_doubt(name: str, message: str) -> None:
    if not (FOLDER / name).is_file():
        pytest.skip(f"the published data are not here: no ../shared/data/{name} beside the repository")
    with pytest.raises(SettingsError, match=message):
        guess_task([str(FOLDER / name)])
