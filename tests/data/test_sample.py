"""The built-in sample: good enough to teach with, and provably sound."""

import json
import re
from collections import Counter
from importlib.resources import files

import pytest

from headstart.data import read_questions

SPLITS = ("train", "validation")
LONG = 384  # tokens, at the very least one for each word or Chinese character


@pytest.fixture(scope="module")
def published():
    folder = files("headstart.data") / "sample"
    return {split: json.loads((folder / f"{split}.json").read_text(encoding="utf-8")) for split in SPLITS}


def paragraphs(document):
    return [paragraph for article in document["data"] for paragraph in article["paragraphs"]]


def questions(document):
    return [question for paragraph in paragraphs(document) for question in paragraph["qas"]]


def both(published, part):
    return [item for split in SPLITS for item in part(published[split])]


def test_is_large_enough_to_teach_with(published):
    assert len(both(published, paragraphs)) >= 150
    assert len(both(published, questions)) >= 1200
    assert len({article["title"] for split in SPLITS for article in published[split]["data"]}) >= 60


def test_has_the_official_form(published):
    for document in published.values():
        assert document["version"] == "v2.0"
        for question in questions(document):
            assert question["is_impossible"] == (not question["answers"])
            assert question["id"].startswith("hs-")
            assert question["question"].strip()[-1] in "?？."


def test_about_a_quarter_has_no_answer(published):
    for document in published.values():
        share = sum(question["is_impossible"] for question in questions(document)) / len(questions(document))
        assert 0.22 <= share <= 0.30


def test_every_offset_is_right(published):
    for paragraph in both(published, paragraphs):
        for question in paragraph["qas"]:
            for answer in question["answers"] + question.get("plausible_answers", []):
                start = answer["answer_start"]
                assert paragraph["context"][start : start + len(answer["text"])] == answer["text"], question["id"]


def test_answers_are_short_and_often_phrased_in_several_ways(published):
    answered = [question for question in both(published, questions) if question["answers"]]
    assert all(0 < len(answer["text"]) <= 120 for question in answered for answer in question["answers"])
    assert sum(len(question["answers"]) > 1 for question in answered) >= len(answered) / 3
    for question in answered:
        places = [(answer["answer_start"], answer["text"]) for answer in question["answers"]]
        assert len(set(places)) == len(places), question["id"]


def test_nothing_stands_twice(published):
    ids = Counter(question["id"] for question in both(published, questions))
    assert max(ids.values()) == 1
    pairs = Counter(
        (fold(paragraph["context"]), fold(question["question"]))
        for paragraph in both(published, paragraphs)
        for question in paragraph["qas"]
    )
    assert max(pairs.values()) == 1


def test_no_passage_stands_on_both_sides(published):
    train, validation = ({fold(p["context"]) for p in paragraphs(published[split])} for split in SPLITS)
    assert not train & validation
    assert len(train) + len(validation) == len(both(published, paragraphs))


def test_a_dozen_passages_are_longer_than_a_window_and_some_are_chinese(published):
    contexts = [paragraph["context"] for paragraph in both(published, paragraphs)]
    assert sum(len(re.findall(r"[一-鿿]|[^\W一-鿿]+|[^\w\s]", context)) > LONG for context in contexts) >= 12
    for split in SPLITS:
        assert sum(len(re.findall(r"[一-鿿]", p["context"])) > 50 for p in paragraphs(published[split])) >= 2


def test_the_readers_find_no_fault_in_it(published):
    for split in SPLITS:
        data = read_questions(["sample"], role=split)
        assert data.problems == ()
        assert len(data.examples) == len(questions(published[split]))


def test_the_demo_s_closing_questions_are_not_in_it(published):
    text = json.dumps(published, ensure_ascii=False).lower()
    for held_out in ("samarkand", "timur", "scaly-foot", "iron sulfide", "iron sulphide"):
        assert held_out not in text


def fold(text):
    return re.sub(r"\s+", " ", text.strip().lower())
