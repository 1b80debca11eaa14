"""Prediction and reference files in every form they come in, whole and broken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from headstart.errors import DataError, SettingsError
from headstart.scoring import score_files

SHARED = Path(__file__).parents[2] / "shared" / "data" / "qa"


def write(path: Path, document: Any) -> str:
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    return str(path)


def write_lines(path: Path, rows: list[Any]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def nested(golds: dict[str, list[str]], *, context: str = "", version: str = "1.1") -> dict[str, Any]:
    """An official file with one paragraph; the default context holds none of the answers."""
    qas = [
        {"id": key, "question": "?", "answers": [{"text": text, "answer_start": 7} for text in texts]}
        for key, texts in golds.items()
    ]
    return {"version": version, "data": [{"title": "t", "paragraphs": [{"context": context, "qas": qas}]}]}


ANSWERABLE = {"q1": ["the Nile", "River Nile"], "q2": ["1,000 km"]}
MIXED = {**ANSWERABLE, "q3": [], "q4": []}
PREDICTED = {"q1": "river Nile.", "q2": "about 1000 km", "q3": "", "q4": "delta"}


@pytest.fixture
def predictions(tmp_path: Path) -> Path:
    return Path(write(tmp_path / "predictions.json", PREDICTED))


def test_an_official_file_is_scored_by_the_rules_it_asks_for(tmp_path: Path, predictions: Path) -> None:
    by_2_0 = score_files(predictions, [write(tmp_path / "v2.json", nested(MIXED))])
    assert by_2_0.rules == "2.0"
    assert by_2_0.scores["f1"] == pytest.approx(70)
    by_1_1 = score_files(predictions, [write(tmp_path / "v1.json", nested(ANSWERABLE))])
    assert by_1_1.scores == pytest.approx({"exact_match": 50, "f1": 90, "exact": 50, "total": 2})
    assert (by_1_1.rules, by_1_1.extra) == ("1.1", ("q3", "q4"))


@pytest.mark.parametrize("version", ["v2.0", "2.0", "V2"])
def test_a_file_of_version_2_is_scored_by_2_0_also_where_all_is_answerable(
    tmp_path: Path, predictions: Path, version: str
) -> None:
    references = write(tmp_path / "dev.json", nested(ANSWERABLE, version=version))
    assert score_files(predictions, [references]).rules == "2.0"
    assert score_files(predictions, [references], rules="1.1").scores["exact_match"] == 50


def test_is_impossible_alone_stands_for_no_answer(tmp_path: Path, predictions: Path) -> None:
    document = nested(ANSWERABLE)
    document["data"][0]["paragraphs"][0]["qas"].append({"id": "q3", "question": "?", "is_impossible": True})
    result = score_files(predictions, [write(tmp_path / "dev.json", document)])
    assert (result.rules, result.scores["NoAns_exact"]) == ("2.0", 100)


def test_gold_texts_count_as_published_wherever_they_stand(tmp_path: Path) -> None:
    """The context holds none of them, offsets point nowhere, blanks stick to them: no matter to the official rules."""
    references = write(tmp_path / "dev.json", nested({"q": [" Nile ", "", "delta"]}, context="other words"))
    predictions = Path(write(tmp_path / "predictions.json", {"q": "nile"}))
    assert score_files(predictions, [references]).scores["exact"] == 100
    empty = Path(write(tmp_path / "empty.json", {"q": ""}))
    assert score_files(empty, [references]).scores["exact"] == 100  # 1.1 keeps even the empty gold
    assert score_files(empty, [references], rules="2.0").scores["exact"] == 0


@pytest.mark.parametrize(
    "rows",
    [
        [{"id": key, "answers": {"text": texts, "answer_start": [9] * len(texts)}} for key, texts in MIXED.items()],
        [{"id": key, "answers": [{"text": text} for text in texts]} for key, texts in MIXED.items()],
        [{"id": key, "answers": texts} for key, texts in MIXED.items()],
    ],
)
def test_flat_references_need_no_context(tmp_path: Path, predictions: Path, rows: list[Any]) -> None:
    sources = [
        write(tmp_path / "a.json", rows),
        write(tmp_path / "b.json", {"data": rows}),
        write_lines(tmp_path / "c.jsonl", rows),
    ]
    for source in sources:
        assert score_files(predictions, [source]).scores["f1"] == pytest.approx(70)
    one = write_lines(tmp_path / "one.jsonl", rows[:1])
    assert score_files(predictions, [one]).scores["total"] == 1


def test_several_references_are_one_set_of_questions(tmp_path: Path, predictions: Path) -> None:
    first = write(tmp_path / "a.json", nested({"q1": MIXED["q1"], "q3": []}))
    second = write(tmp_path / "b.json", nested({"q2": MIXED["q2"], "q4": []}))
    result = score_files(predictions, [first, second])
    assert list(result.per_question) == ["q1", "q3", "q2", "q4"]
    assert result.scores["f1"] == pytest.approx(70)
    with pytest.raises(DataError, match=r"'q1' in .*a\.json, article 0, paragraph 0, question 0 and in .*a\.json"):
        score_files(predictions, [first, first])


def test_other_forms_are_read_as_training_reads_them(tmp_path: Path, predictions: Path) -> None:
    table = tmp_path / "dev.csv"
    table.write_text(
        "id,question,context,answer_text,answer_start\nq1,Which river?,The River Nile floods.,River Nile,4\n",
        encoding="utf-8",
    )
    assert score_files(predictions, [str(table)]).scores["exact_match"] == 100


def test_numbers_as_ids(tmp_path: Path) -> None:
    document = nested({"7": ["x"]})
    document["data"][0]["paragraphs"][0]["qas"][0]["id"] = 7
    predictions = Path(write(tmp_path / "predictions.json", [{"id": 7, "prediction_text": "x"}]))
    assert score_files(predictions, [write(tmp_path / "dev.json", document)]).scores["exact"] == 100


def test_the_form_of_the_hubs_metric(tmp_path: Path) -> None:
    references = [write(tmp_path / "dev.json", nested(MIXED))]
    rows: list[dict[str, Any]] = [{"id": key, "prediction_text": text} for key, text in PREDICTED.items()]
    for source in (write(tmp_path / "rows.json", rows), write_lines(tmp_path / "rows.jsonl", rows)):
        scores = score_files(Path(source), references).scores
        assert scores["f1"] == pytest.approx(70)
        assert "best_f1" not in scores
    assert score_files(Path(write_lines(tmp_path / "one.jsonl", rows[:1])), references).missing == ("q2", "q3", "q4")


def test_probabilities_in_the_predictions_serve_as_odds(tmp_path: Path) -> None:
    odds = {"q1": 0.1, "q2": 0.6, "q3": 0.9, "q4": 0.7}
    rows = [{"id": key, "prediction_text": PREDICTED[key], "no_answer_probability": odds[key]} for key in odds]
    predictions = Path(write(tmp_path / "rows.json", rows))
    mixed = [write(tmp_path / "v2.json", nested(MIXED))]
    assert score_files(predictions, mixed).scores["best_exact_thresh"] == 0.1
    assert score_files(predictions, mixed, threshold=0.65).scores["exact"] == 75
    other = Path(write(tmp_path / "null_odds.json", {"q1": 5, "q2": 5.5, "q3": 6, "q4": 7}))
    assert score_files(predictions, mixed, null_odds=other).scores["best_exact_thresh"] == 5
    assert score_files(predictions, [write(tmp_path / "v1.json", nested(ANSWERABLE))]).rules == "1.1"


def test_odds_threshold_and_their_order(tmp_path: Path, predictions: Path) -> None:
    references = [write(tmp_path / "dev.json", nested(MIXED))]
    odds = Path(write(tmp_path / "null_odds.json", {"q1": 0.1, "q2": 2.0, "q3": 3.0, "q4": 2.5}))
    assert score_files(predictions, references, null_odds=odds).scores["exact"] == 75  # the official default, 1.0
    assert score_files(predictions, references, null_odds=odds, threshold=0.0).scores["exact"] == 50
    with pytest.raises(SettingsError, match="no odds"):
        score_files(predictions, references, threshold=0.5)
    with pytest.raises(SettingsError, match=r"odds with rules 1.1"):
        score_files(predictions, [write(tmp_path / "v1.json", nested(ANSWERABLE))], null_odds=odds)


def test_missing_and_extra_predictions_are_named(tmp_path: Path) -> None:
    predictions = Path(write(tmp_path / "predictions.json", {"q1": "Nile", "q9": "x"}))
    result = score_files(predictions, [write(tmp_path / "dev.json", nested(MIXED))])
    assert (result.missing, result.extra) == (("q2", "q3", "q4"), ("q9",))
    assert result.scores["total"] == 4
    assert result.scores["exact"] == 25


BROKEN_PREDICTIONS = [
    ('"text"', "found a text"),
    ("[[]]", "row 0; found a list"),
    ("[{}]", "found keys of an empty object"),
    ('[{"id": true, "prediction_text": "x"}]', "found true or false as id"),
    ('[{"qid": "q1", "prediction_text": "x"}]', "found keys 'qid', 'prediction_text'"),
    ('[{"id": "q1"}]', "row 0, id 'q1'; found null or nothing"),
    ('[{"id": "q1", "prediction_text": "a"}, {"id": "q1", "prediction_text": "b"}]', "'q1' again in row 1"),
    ('{"q1": "a", "q1": "b"}', "found 'q1' twice"),
    ('{"q1": null}', "id 'q1'; found null or nothing"),
    ('{"q1": 3}', "id 'q1'; found a number"),
    ('{"q1": [{"text": "x"}]}', "not the n-best list"),
    ("{}", "found no predictions"),
    ('{"x1": "a"}', "found ids such as 'x1'.*probably the wrong file"),
    ("", "found nothing"),
    ('{"q1": "a"', "delimiter at line 1, column 11"),
    ('{\n"q1": "a",\n}', "at line (2|3), column"),
    ('{"id": "q1", "prediction_text": "a"}\n\n{"id": "q2"\n', "line 3; found"),
]


@pytest.mark.parametrize(("text", "message"), BROKEN_PREDICTIONS)
def test_broken_predictions_are_named(tmp_path: Path, text: str, message: str) -> None:
    predictions = tmp_path / "predictions.json"
    predictions.write_text(text, encoding="utf-8")
    references = write(tmp_path / "dev.json", nested(MIXED))
    with pytest.raises(DataError, match=message) as refusal:
        score_files(predictions, [references])
    assert "predictions.json" in str(refusal.value)


def test_files_that_cannot_be_opened_or_are_no_text(tmp_path: Path, predictions: Path) -> None:
    references = [write(tmp_path / "dev.json", nested(MIXED))]
    with pytest.raises(DataError, match=r"absent\.json; found No such file"):
        score_files(tmp_path / "absent.json", references)
    latin = tmp_path / "latin.json"
    latin.write_bytes('{"q1": "Café"}'.encode("latin-1"))
    with pytest.raises(DataError, match=r"UTF-8 text in .*latin\.json; found .* at byte 11"):
        score_files(latin, references)
    with pytest.raises(DataError, match=r"gone.json"):
        score_files(predictions, [str(tmp_path / "gone.json")])
    with_mark = tmp_path / "mark.json"
    with_mark.write_text(json.dumps(PREDICTED), encoding="utf-8-sig")
    assert score_files(with_mark, references).scores["f1"] == pytest.approx(70)


@pytest.mark.parametrize(
    ("odds", "message"),
    [
        ([1.0], "found a list"),
        ({"q1": "0.5"}, "id 'q1'; found a text"),
        ({"q1": None}, "found null or nothing"),
        ({"q1": True}, "found true or false"),
        ({"q1": float("nan")}, "found nan"),
        ({"q1": float("inf")}, "found inf"),
        ({"q1": 1.0}, "3 predictions without, such as 'q2'"),
    ],
)
def test_broken_odds_are_named(tmp_path: Path, predictions: Path, odds: object, message: str) -> None:
    references = [write(tmp_path / "dev.json", nested(MIXED))]
    with pytest.raises(DataError, match=message):
        score_files(predictions, references, null_odds=Path(write(tmp_path / "null_odds.json", odds)))


BROKEN_REFERENCES: list[tuple[Any, str]] = [
    ({"data": [{"paragraphs": {}}]}, "a list 'paragraphs' in .*, article 0; found an object"),
    ({"data": [{"paragraphs": []}, {"title": "x"}]}, "a list 'paragraphs' in .*, article 1; found null or nothing"),
    ({"data": [{"paragraphs": [{"context": ""}]}]}, "a list 'qas' in .*, article 0, paragraph 0; found null"),
    ({"data": [{"paragraphs": [{"qas": ["x"]}]}]}, "question 0; found a text"),
    ({"data": [{"paragraphs": [{"qas": [{"answers": []}]}]}]}, "question 0; found keys 'answers'"),
    ({"data": [{"paragraphs": [{"qas": [{"id": "q1"}]}]}]}, "question 0, id 'q1'; found no answers"),
    ({"data": [{"paragraphs": [{"qas": [{"id": "q1", "answers": [{"text": None}]}]}]}]}, r'answers \[{"text": null}\]'),
    ({"data": [{"paragraphs": []}]}, "at least one question to score; found none"),
    ([{"id": "q1", "answers": "Nile"}], "row 0, id 'q1'; found answers \"Nile\""),
]


@pytest.mark.parametrize(("document", "message"), BROKEN_REFERENCES)
def test_broken_references_are_named(tmp_path: Path, predictions: Path, document: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        score_files(predictions, [write(tmp_path / "dev.json", document)])


REAL = ["squad-v1.1-validation.json", "squad-v2.0-validation.json", "covid-qa.json"]


@pytest.mark.parametrize("name", REAL)
def test_the_gold_texts_of_real_files_score_100(tmp_path: Path, name: str) -> None:
    """Among them COVID-QA, with ids that are numbers and shifted offsets that training would have to repair."""
    source = SHARED / name
    if not source.is_file():
        pytest.skip(f"needs shared/data/qa/{name}, which is not beside this checkout")
    document = json.loads(source.read_text(encoding="utf-8"))
    questions = [qa for article in document["data"] for part in article["paragraphs"] for qa in part["qas"]]
    # The longest, since SQuAD has answers such as "a" that rules 1.1 give no F1 even when they are repeated.
    texts = {str(qa["id"]): max((a["text"] for a in qa["answers"]), key=len, default="") for qa in questions}
    result = score_files(Path(write(tmp_path / "predictions.json", texts)), [str(source)])
    assert result.scores["exact"] == result.scores["f1"] == 100
    assert result.scores["total"] == len(questions)
    assert (result.missing, result.extra) == ((), ())
