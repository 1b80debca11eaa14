"""Texts, pairs and tagged words from a file to a model that plain transformers can use, through the command line."""

from __future__ import annotations

import csv
import io
import json
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file

import headstart
from headstart.cli import main
from tokenizers_made_here import SENTENCES

QUICK = ["--max-length", "48", "--doc-stride", "12", "--train-tokens-per-batch", "300", "--precision", "fp32"]
SHORT = ["--max-steps", "6", "--eval-steps", "3", "--logging-steps", "1", "--learning-rate", "1e-3"]
TWO = ["--max-steps", "2"]
TEXTS = [" ".join(text.split()) for text in SENTENCES[:16]]  # some are longer than a window


@dataclass(frozen=True)
class Ran:
    """What a command gave."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        assert self.code == 0, self.err
        return json.loads(self.out)


def command(*words: object) -> Ran:
    """Run the command in this process; it leaves environment and warnings as they were."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        patch.setattr(os, "environ", os.environ.copy())
        with redirect_stdout(out), redirect_stderr(err):
            code = main([str(word) for word in words])
    return Ran(code, out.getvalue(), err.getvalue())


def train(model: Path, data: Path, output: Path, *more: object) -> Ran:
    return command("train", "--model", model, "--train", data, "--output", output, *QUICK, *more, "--json")


def evaluate(model: Path, data: Path, output: Path, *more: object) -> Ran:
    return command("evaluate", model, "--data", data, "--output", output, "--precision", "fp32", *more, "--json")


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


@pytest.fixture(scope="module", autouse=True)
def _on_the_processor() -> Iterator[None]:
    """Equal to the last digit is a promise of the processor: a GPU adds up in an order of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.cuda, "is_available", lambda: False)
        patch.setattr(torch.backends.mps, "is_available", lambda: False)
        yield


# -- the data ----------------------------------------------------------------------------------------------------

LABELS = ("river", "town", "food")


def table(rows: list[list[Any]]) -> str:
    stream = io.StringIO()
    csv.writer(stream).writerows(rows)
    return stream.getvalue()


def tag(word: str) -> str:
    return "B-NAME" if word[0].isupper() else "B-NUMBER" if word[0].isdigit() else "O"


def sentences(texts: list[str], tag: Callable[[str], str]) -> str:
    return "\n\n".join("\n".join(f"{word} {tag(word)}" for word in text.split()) for text in texts) + "\n"


def part(word: str) -> str:
    return "NOUN" if len(word) > 5 else "VERB" if len(word) > 3 else "DET"


def contents(texts: list[str]) -> dict[str, str]:
    """Name of a file → what it holds, of a form of its own each."""
    both = list(enumerate(zip(texts, texts[1:] + texts[:1], strict=True)))
    return {
        "topics.csv": table([["text", "label"], *([text, LABELS[n % 5 % 3]] for n, (text, _) in both)]),
        "accepted.tsv": "".join(f"gj04\t{n % 3 % 2}\t{'*' * (n % 2)}\t{text}\n" for n, (text, _) in both),
        "judged.jsonl": "".join(
            json.dumps({"premise": one, "hypothesis": two, "label": "no" if n % 3 else "yes"}) + "\n"
            for n, (one, two) in both
        ),
        "alike.jsonl": "".join(
            json.dumps({"sentence1": one, "sentence2": two, "score": n % 4 + 0.25}) + "\n" for n, (one, two) in both
        ),
        "entities.conll": sentences(texts, tag),
        "parts.conll": sentences(texts, part),
    }


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """A folder with train/… and dev/…."""
    folder = tmp_path_factory.mktemp("data")
    for role, texts in (("train", TEXTS[:10]), ("dev", TEXTS[10:])):
        (folder / role).mkdir()
        for name, text in contents(texts).items():
            (folder / role / name).write_text(text, encoding="utf-8")
    return folder


@dataclass(frozen=True)
class Kind:
    """A file of a form, what it is taken for, and what a model trained on it is."""

    file: str
    task: str
    said: str  # of the guess
    head: str
    scores: tuple[str, ...]
    asked: dict[str, str]
    flags: tuple[str, ...] = ()


NUMBERS = ("pearson", "spearman", "mse", "total")
CLASSES = ("accuracy", "f1_macro", "f1_micro", "matthews_correlation", "total")
SEQUENCE, TOKENS = "AutoModelForSequenceClassification", "AutoModelForTokenClassification"
ONE = {"text": "The old bridge rose in April."}
BOTH = {"text": "The old bridge rose.", "text_pair": "On 4 April the river rose."}
KINDS = {
    "topics": Kind(
        "topics.csv", "classification", "columns text, label with 3 different labels", SEQUENCE, CLASSES, ONE
    ),
    "accepted": Kind(
        "accepted.tsv",
        "classification",
        "columns 4, 2 with 2 different labels",
        SEQUENCE,
        CLASSES,
        ONE,
        ("--columns", "text=4", "label=2"),
    ),
    "judged": Kind(
        "judged.jsonl",
        "classification",
        "columns premise, hypothesis, label with 2 different labels",
        SEQUENCE,
        CLASSES,
        BOTH,
    ),
    "alike": Kind(
        "alike.jsonl",
        "regression",
        "columns sentence1, sentence2, score with numbers from 0.25 to 3.25",
        SEQUENCE,
        NUMBERS,
        BOTH,
    ),
    "entities": Kind(
        "entities.conll",
        "tagging",
        "a word a line with its tag",
        TOKENS,
        ("accuracy", "precision", "recall", "f1", "total"),
        ONE,
    ),
    "parts": Kind("parts.conll", "tagging", "a word a line with its tag", TOKENS, ("accuracy", "total"), ONE),
}


@dataclass(frozen=True)
class Trained:
    """A finished run, what it was of, and what its command said."""

    name: str
    kind: Kind
    folder: Path
    ran: Ran


@pytest.fixture(scope="module")
def runs(tmp_path_factory, tiny_bert, data) -> Callable[[str], Trained]:
    """Kind → a run of six steps, made once; tests only read it."""
    made: dict[str, Trained] = {}

    def run(name: str) -> Trained:
        if name not in made:
            kind, folder = KINDS[name], tmp_path_factory.mktemp("runs") / name
            words = ("--validation", data / "dev" / kind.file, *kind.flags, *SHORT)
            made[name] = Trained(name, kind, folder, train(tiny_bert, data / "train" / kind.file, folder, *words))
        return made[name]

    return run


@pytest.fixture(params=KINDS)
def trained(request, runs) -> Trained:
    return runs(request.param)


# -- train and evaluate ------------------------------------------------------------------------------------------


def test_the_task_is_guessed_and_said_aloud(trained):
    assert trained.ran.document["task"] == trained.kind.task
    assert f"task: {trained.kind.task} ({trained.kind.said})" in trained.ran.err
    settings = yaml.safe_load((trained.folder / "run" / "settings.yaml").read_text(encoding="utf-8"))
    assert settings["task"] == trained.kind.task, "what was guessed is written down"


def test_scores_are_those_of_the_task(trained):
    document = trained.ran.document
    assert tuple(document["scores"]) == trained.kind.scores
    assert (document["steps"], document["train"]["examples"], document["validation"]["examples"]) == (6, 10, 6)
    assert "self-test: " in trained.ran.err
    assert trained.ran.err.count("validation loss") == 2
    assert "Traceback" not in trained.ran.err


def test_evaluate_reports_what_training_reported(trained, data, tmp_path):
    kind = trained.kind
    document = evaluate(trained.folder, data / "dev" / kind.file, tmp_path, *kind.flags).document
    for name, value in trained.ran.document["scores"].items():
        assert document[name] == pytest.approx(value, abs=1e-6), name
    predictions = read(tmp_path / "predictions.json")
    assert len(predictions) == 6
    assert read(tmp_path / "metrics.json") == document
    labels = read(trained.folder / "headstart.json")["options"].get("labels")
    if kind.task == "tagging":
        words = [text.split() for text in TEXTS[10:]]
        assert [len(tags.split()) for tags in predictions.values()] == [len(sentence) for sentence in words]
        assert {tag for tags in predictions.values() for tag in tags.split()} <= set(labels)
    elif kind.task == "classification":
        assert set(predictions.values()) <= set(labels)
        for shares in read(tmp_path / "probabilities.json").values():
            assert list(shares) == labels
            assert sum(shares.values()) == pytest.approx(1)
    else:
        assert all(type(number) is float for number in predictions.values())


def test_the_card_and_the_configuration_name_the_labels(runs):
    for name, labels in (
        ("topics", ["food", "river", "town"]),
        ("accepted", ["0", "1"]),
        ("judged", ["no", "yes"]),
        ("entities", ["B-NAME", "B-NUMBER", "O"]),
        ("parts", ["DET", "NOUN", "VERB"]),
    ):
        folder = runs(name).folder
        config = read(folder / "config.json")
        assert read(folder / "headstart.json")["options"]["labels"] == labels
        assert config["id2label"] == {str(number): label for number, label in enumerate(labels)}
        assert config["label2id"] == {label: number for number, label in enumerate(labels)}
    config = read(runs("alike").folder / "config.json")
    assert (len(config["id2label"]), config["problem_type"]) == (1, "regression")


def test_a_head_for_numbers_begins_with_their_mean(runs, tiny_bert, data, tmp_path):
    words = ("--max-steps", "1", "--learning-rate", "1e-12")
    assert train(tiny_bert, data / "train" / "alike.jsonl", tmp_path, *words).code == 0
    assert weights(tmp_path)["classifier.bias"].item() == pytest.approx(1.55, abs=1e-6)  # of 0.25 … 3.25
    assert read(tmp_path / "headstart.json")["options"]["mean"] == pytest.approx(1.55)


def test_texts_that_are_cut_are_counted_and_windows_read_them_whole(data, tiny_bert, tmp_path):
    said = "texts are too long and were cut (--long-texts windows reads them whole)"
    words = (tiny_bert, data / "train" / "topics.csv")
    short = ("--max-length", "12", "--doc-stride", "3", *TWO)
    cut = train(*words, tmp_path / "cut", *short)
    assert said in cut.err
    whole = train(*words, tmp_path / "whole", "--long-texts", "windows", *short)
    assert said not in whole.err
    windows = [int(ran.err.split("training: 10 texts, ")[1].split()[0]) for ran in (cut, whole)]
    assert windows[0] == 10 < windows[1]
    options = read(tmp_path / "whole" / "headstart.json")["options"]
    assert options["long_texts"] == "windows"
    read_whole = evaluate(tmp_path / "cut", data / "train" / "topics.csv", tmp_path / "e", "--long-texts", "windows")
    assert read_whole.document["windows"] == windows[1]


def test_a_doubt_names_the_flag(tiny_bert, tmp_path):
    path = tmp_path / "rated.csv"
    path.write_text(table([["text", "rating"], *([text, n % 5] for n, text in enumerate(TEXTS))]), encoding="utf-8")
    ran = train(tiny_bert, path, tmp_path / "out", *TWO)
    assert ran.code == 2
    assert "--task classification if they name classes, --task regression if they measure" in ran.err
    sure = train(tiny_bert, path, tmp_path / "out", *TWO, "--task", "regression")
    assert sure.code == 0
    assert "5 different whole numbers: are they classes? (--task classification)" in sure.err


def test_labels_that_training_did_not_have_are_reported(tiny_bert, data, tmp_path):
    path = tmp_path / "more.csv"
    path.write_text(table([["text", "label"], ["The river", "river"], ["The sky", "sky"]]), encoding="utf-8")
    words = ("--validation", path, *TWO)
    ran = train(tiny_bert, data / "train" / "topics.csv", tmp_path / "out", *words)
    said = "1 texts have the label 'sky', which was not in the training data and counts as wrong"
    assert f"validation data: {said}" in ran.err
    assert ran.document["scores"]["accuracy"] <= 0.5
    assert said in evaluate(tmp_path / "out", path, tmp_path / "e").err


def test_validation_as_a_share(tiny_bert, data, tmp_path):
    ran = train(tiny_bert, data / "train" / "entities.conll", tmp_path, "--validation", "0.3", *TWO)
    assert (ran.document["train"]["examples"], ran.document["validation"]["examples"]) == (7, 3)


# -- options of training -----------------------------------------------------------------------------------------


def test_a_resumed_run_goes_on_as_if_nothing_had_happened(tiny_bert, data, tmp_path):
    steady = ("--lr-scheduler-type", "constant", "--warmup-steps", "0", "--eval-steps", "2", "--save-total-limit", "2")
    words = (tiny_bert, data / "train" / "entities.conll")
    more = ("--validation", data / "dev" / "entities.conll", "--learning-rate", "1e-3", *steady)
    assert train(*words, tmp_path / "whole", *more, "--max-steps", "6").code == 0
    assert train(*words, tmp_path / "cut", *more, "--max-steps", "4").code == 0
    resumed = command("train", "--output", tmp_path / "cut", "--resume", "--max-steps", "6", "--json")
    assert resumed.document["steps"] == 6
    ends = [tmp_path / name / "checkpoints" / "checkpoint-6" / "model.safetensors" for name in ("whole", "cut")]
    assert ends[0].read_bytes() == ends[1].read_bytes()
    logs = [read(tmp_path / name / "run" / "log_history.json") for name in ("whole", "cut")]
    losses = [[e["eval_loss"] for e in log if "eval_loss" in e] for log in logs]
    assert losses[0] == losses[1]
    assert len(losses[0]) == 3


def test_early_stopping_stops_where_the_error_no_longer_falls(tiny_bert, data, tmp_path):
    """Of errors the lower one is better: with growing steps it can only rise."""
    words = ("--validation", data / "dev" / "alike.jsonl", "--eval-steps", "1", "--max-steps", "30")
    more = ("--early-stopping-patience", "2", "--metric-for-best-model", "mse", "--learning-rate", "1e-12")
    ran = train(tiny_bert, data / "train" / "alike.jsonl", tmp_path, *words, *more)
    assert ran.document["steps"] < 30


@pytest.mark.parametrize(
    ("name", "metric", "better"),
    [("topics", "matthews_correlation", max), ("alike", "mse", min), ("entities", "recall", max)],
)
def test_the_best_model_is_picked_by_the_score_asked_for(tiny_bert, data, tmp_path, name, metric, better):
    kind = KINDS[name]
    words = ("--validation", data / "dev" / kind.file, "--metric-for-best-model", metric, "--learning-rate", "3e-2")
    ran = train(tiny_bert, data / "train" / kind.file, tmp_path, *words, "--max-steps", "5", "--eval-steps", "1")
    assert f"  {metric} " in ran.err
    log = read(tmp_path / "run" / "log_history.json")
    found = [entry[f"eval_{metric}"] for entry in log if f"eval_{metric}" in entry]
    assert len(found) == 5
    assert ran.document["scores"][metric] == pytest.approx(better(found), abs=1e-6)
    assert read(tmp_path / "headstart.json")["options"]["metric"] == metric


def test_a_score_of_another_task_is_refused_by_name(tiny_bert, data, tmp_path):
    words = ("--validation", data / "dev" / "topics.csv", "--metric-for-best-model", "pearson")
    ran = train(tiny_bert, data / "train" / "topics.csv", tmp_path / "out", *words)
    assert ran.code == 2
    assert "a score of classification for the best model: accuracy, f1_macro" in ran.err
    assert "--metric-for-best-model pearson" in ran.err


def test_parts_of_speech_have_no_score_of_entities(tiny_bert, data, tmp_path):
    words = ("--validation", data / "dev" / "parts.conll", "--metric-for-best-model", "f1")
    ran = train(tiny_bert, data / "train" / "parts.conll", tmp_path / "out", *words, *TWO)
    assert ran.code == 2
    assert "the score accuracy for tags that mark no entities; found f1" in ran.err


def test_rare_labels_can_weigh_as_much_as_common_ones(tiny_bert, data, tmp_path):
    path = data / "train" / "judged.jsonl"  # yes four times, no six times
    for name, more in (("plain", ()), ("balanced", ("--class-weights", "balanced"))):
        assert train(tiny_bert, path, tmp_path / name, *TWO, *more).code == 0
    options = [read(tmp_path / name / "headstart.json")["options"] for name in ("plain", "balanced")]
    assert options[0]["weights"] == []
    assert options[1]["weights"] == pytest.approx([10 / 12, 10 / 8])
    assert not torch.equal(*(weights(tmp_path / name)["classifier.bias"] for name in ("plain", "balanced")))


# -- plain transformers ------------------------------------------------------------------------------------------


def test_the_folder_loads_with_transformers_alone(trained):
    import transformers

    head = getattr(transformers, trained.kind.head)
    model, info = head.from_pretrained(trained.folder, output_loading_info=True)
    assert not any(info[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    assert type(model).__name__.endswith(trained.kind.head.removeprefix("AutoModel"))
    assert weights(trained.folder)["classifier.weight"].dtype == torch.float32


def piped(folder: Path, task: str, given: Any, **options: Any) -> Any:
    from transformers import pipeline

    return pipeline(task, model=str(folder), device="cpu")(given, **options)


@pytest.mark.parametrize("name", ["topics", "accepted", "judged"])
def test_a_pipeline_gives_the_same_labels_and_probabilities(runs, name):
    run = runs(name)
    reply = headstart.load(run.folder, precision="fp32")(**run.kind.asked)
    theirs = piped(run.folder, "text-classification", run.kind.asked, top_k=None)
    found = {row["label"]: row["score"] for row in theirs}
    assert found == pytest.approx(reply["probabilities"], abs=1e-4)
    assert theirs[0]["label"] == reply["label"]
    assert theirs[0]["score"] == pytest.approx(reply["score"], abs=1e-4)


def test_a_pipeline_gives_the_same_number(runs):
    run = runs("alike")
    reply = headstart.load(run.folder, precision="fp32")(**run.kind.asked)
    theirs = piped(run.folder, "text-classification", run.kind.asked, function_to_apply="none")
    assert theirs["score"] == pytest.approx(reply["number"], abs=1e-4)


@pytest.mark.parametrize("name", ["entities", "parts"])
def test_a_pipeline_gives_the_same_tags(runs, name):
    run = runs(name)
    text = SENTENCES[0]
    reply = headstart.load(run.folder, precision="fp32")(text=text)
    theirs = {row["start"]: row for row in piped(run.folder, "token-classification", text, ignore_labels=[])}
    assert len(reply["tags"]) == 17  # 14 words, a comma among them, and marks
    for word in reply["tags"]:
        assert theirs[word["start"]]["entity"] == word["tag"]
        assert theirs[word["start"]]["score"] == pytest.approx(word["score"], abs=1e-4)


# -- on from a trained folder ------------------------------------------------------------------------------------

STILL = ["--max-steps", "1", "--learning-rate", "1e-12"]  # learns nothing that can be seen


def test_going_on_with_the_same_labels_keeps_head_and_order(runs, data, tmp_path):
    """The model knows three labels, this data has two of them."""
    folder = runs("topics").folder
    path = tmp_path / "two.csv"
    path.write_text(table([["text", "label"], ["The river", "town"], ["A cake", "food"]]), encoding="utf-8")
    assert train(folder, path, tmp_path / "on", *STILL).code == 0
    assert read(tmp_path / "on" / "headstart.json")["options"]["labels"] == ["food", "river", "town"]
    before, after = weights(folder), weights(tmp_path / "on")
    torch.testing.assert_close(after["classifier.weight"], before["classifier.weight"], atol=1e-6, rtol=0)


@pytest.mark.parametrize("labels", [("sky", "sea", "land"), ("sky", "sea")])
def test_other_labels_get_a_new_head(runs, tmp_path, labels):
    """As many or not: what an output meant before it no longer means."""
    folder = runs("topics").folder
    path = tmp_path / "other.csv"
    rows = [[text, labels[n % len(labels)]] for n, text in enumerate(TEXTS[:6])]
    path.write_text(table([["text", "label"], *rows]), encoding="utf-8")
    assert train(folder, path, tmp_path / "on", *STILL).code == 0
    assert read(tmp_path / "on" / "headstart.json")["options"]["labels"] == sorted(labels)
    before, after = weights(folder), weights(tmp_path / "on")
    assert len(after["classifier.weight"]) == len(labels)
    assert not torch.allclose(after["classifier.weight"], before["classifier.weight"][: len(labels)], atol=1e-3)
    name = "bert.encoder.layer.0.output.dense.weight"
    torch.testing.assert_close(after[name], before[name], atol=1e-6, rtol=0)


def test_a_model_of_one_task_can_be_trained_for_another(runs, data, tmp_path):
    ran = train(runs("alike").folder, data / "train" / "parts.conll", tmp_path, *STILL)
    assert ran.document["task"] == "tagging"
    assert len(weights(tmp_path)["classifier.weight"]) == 3


# -- refusals ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "words", "found"),
    [
        ("topics", ("--n-best-size", "3"), "options of classification; found --n-best-size"),
        ("topics", ("--max-answer-length", "3", "--null-threshold", "1"), "--max-answer-length, --null-threshold"),
        ("alike", ("--null-threshold", "1"), "options of regression; found --null-threshold"),
        ("entities", ("--long-texts", "windows"), "options of tagging; found --long-texts"),
    ],
)
def test_an_option_of_another_task_is_refused_by_name(runs, data, tmp_path, name, words, found):
    run = runs(name)
    ran = evaluate(run.folder, data / "dev" / run.kind.file, tmp_path / "e", *words)
    assert ran.code == 2
    assert found in ran.err
    assert not (tmp_path / "e").exists()


@pytest.mark.parametrize("option", [("--n-best-size", "3"), ("--answers", "first"), ("--long-texts", "windows")])
def test_training_refuses_options_of_another_task_too(tiny_bert, data, tmp_path, option):
    ran = train(tiny_bert, data / "train" / "parts.conll", tmp_path / "out", *TWO, *option)
    assert ran.code == 2
    assert option[0] in ran.err
    assert not (tmp_path / "out" / "checkpoints").exists()


def test_a_loaded_model_refuses_the_threshold_of_another_task(runs):
    with pytest.raises(headstart.HeadstartError, match="threshold; found classification"):
        headstart.load(runs("topics").folder, null_threshold=0.5)


def test_data_of_another_task_are_refused(runs, data, tmp_path):
    ran = evaluate(runs("topics").folder, data / "dev" / "entities.conll", tmp_path / "e")
    assert ran.code == 3
    assert "Traceback" not in ran.err


def test_python_trains_without_a_warning(tiny_bert, data, tmp_path):
    """The command line silences libraries; here every warning is an error."""
    options = {"max_length": 48, "doc_stride": 12, "max_steps": 2, "precision": "fp32"}
    for name in ("judged", "alike", "entities"):
        file = KINDS[name].file
        settings = headstart.TrainSettings(
            model=str(tiny_bert),
            train=[str(data / "train" / file)],
            validation=[str(data / "dev" / file)],
            output=tmp_path / name,
            **options,
        )
        result = headstart.train(settings)
        assert result.task.name == KINDS[name].task
        assert headstart.load(tmp_path / name)(**KINDS[name].asked)
