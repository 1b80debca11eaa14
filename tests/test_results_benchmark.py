"""The benchmark of the other tasks: plain transformers trains and is scored as it should be, both sides are kept apart
and put side by side, and nothing is measured twice."""

from __future__ import annotations

import doctest
import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from headstart.examples import TextExample, WordsExample

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))  # scripts that import each other by name

import commands  # noqa: E402
import plain_trainer  # noqa: E402
import results  # noqa: E402

ROWS = {row.name: row for row in results.ROWS}


@pytest.mark.parametrize("module", [plain_trainer, results], ids=lambda module: module.__name__)
def test_the_examples_in_docstrings_hold(module):
    found = doctest.testmod(module)
    assert found.attempted
    assert not found.failed


# -- the data ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", results.ROWS, ids=lambda row: row.name)
def test_the_columns_of_every_row_are_those_of_its_files(row):
    if results.missing_files([row], results.DATA):
        pytest.skip(f"../shared/data/{row.train} is not here")
    family = plain_trainer.FAMILIES[row.task]
    for role, name in (("train", row.train), ("validation", row.validation)):
        examples = family.read([str(results.DATA / name)], role=role, columns=row.columns, limit=200)
        assert len(examples) == 200
        kinds = {
            "cola": lambda one: one.label in ("0", "1") and one.text_pair is None,
            "sst2": lambda one: one.label in ("0", "1") and one.text_pair is None,
            "sick-judgment": lambda one: one.label in ("NEUTRAL", "ENTAILMENT", "CONTRADICTION") and one.text_pair,
            "sick-relatedness": lambda one: 1 <= one.label <= 5 and one.text_pair,
            "stsb": lambda one: 0 <= one.label <= 5 and one.text_pair,
            "ud-ewt-upos": lambda one: all(tag.isupper() and tag.isalpha() for tag in one.tags),
            "wnut17": lambda one: all(tag == "O" or tag[:2] in ("B-", "I-") for tag in one.tags),
        }
        assert all(map(kinds[row.name], examples))


# -- plain transformers ------------------------------------------------------------------------------------------


def test_texts_become_ids_without_padding_and_labels_in_their_order(tokenizers):
    examples = [TextExample("a", "an old river", "one day", "yes"), TextExample("b", "a", "b", "no")]
    kind = plain_trainer.Classification(examples)
    rows = kind.tokenized(examples, tokenizers["bert"], labelled=True)
    assert rows["label"][:] == [1, 0]
    assert [len(ids) for ids in rows["input_ids"]] == [len(ids) for ids in rows["attention_mask"]]
    assert len(rows["input_ids"][0]) > len(rows["input_ids"][1])
    assert {0, 1} == set(rows["token_type_ids"][0])
    assert "label" not in kind.tokenized(examples, tokenizers["bert"], labelled=False).column_names


def test_a_label_that_training_did_not_show_counts_as_wrong():
    kind = plain_trainer.Classification([TextExample("a", "a", label="no"), TextExample("b", "b", label="yes")])
    asked = [TextExample(str(place), "?", label=label) for place, label in enumerate(["no", "yes", "yes", "perhaps"])]
    logits = np.array([[2.0, 1.0], [1.0, 2.0], [3.0, 0.0], [0.0, 1.0]])
    scores = kind.scores(asked, logits, None)
    assert scores["accuracy"] == 0.5
    assert scores["f1_macro"] == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)


def test_numbers_are_learnt_as_they_are_and_scored():
    examples = [TextExample(str(number), "?", label=number) for number in (1.0, 2.5, 4.0)]
    kind = plain_trainer.Regression(examples)
    assert [kind.target(one) for one in examples] == [1.0, 2.5, 4.0]
    assert kind.config == {"num_labels": 1}
    scores = kind.scores(examples, np.array([[2.0], [3.5], [5.0]]), None)
    assert scores == pytest.approx({"pearson": 1.0, "spearman": 1.0, "mse": 1.0})


def test_the_first_piece_of_a_word_is_labelled_and_read(tokenizers):
    tokenizer = tokenizers["bert"]
    sentence = WordsExample("a", ("lighthouse", "Zzyzx", "keeper"), ("B-x", "I-x", "O"))
    kind = plain_trainer.Tagging([sentence])
    rows = kind.tokenized([sentence], tokenizer, labelled=True)
    words, labels = rows["word_ids"][0], rows["labels"][0]
    assert len(words) == len(labels) == len(rows["input_ids"][0]) > 5  # some word has several pieces
    firsts = [words.index(word) for word in range(3)]
    assert [labels[place] for place in firsts] == [kind.names.index(tag) for tag in sentence.tags]
    assert labels.count(-100) == len(labels) - 3
    logits = np.zeros((1, len(labels) + 4, 3))  # padded, as predictions of several batches are
    logits[0, [place for place in range(len(labels)) if place not in firsts], 2] = 1  # other pieces say O
    for place, tag in zip(firsts, sentence.tags, strict=True):
        logits[0, place, kind.names.index(tag)] = 2
    assert kind.scores([sentence], logits, rows) == {"accuracy": 1, "precision": 1, "recall": 1, "f1": 1}


def test_words_behind_the_cut_count_as_outside():
    gold = [["B-x", "O", "B-x"]]
    found = [plain_trainer.word_tags([None, 0, None], ["O", "B-x", "O"], 3)]
    scores = plain_trainer.tag_scores(gold, found, marks_entities=True)
    assert scores == pytest.approx({"accuracy": 2 / 3, "precision": 1.0, "recall": 0.5, "f1": 2 / 3})


def test_trainer_has_its_defaults(tmp_path):
    arguments = plain_trainer.arguments(str(tmp_path), epochs=2, learning_rate=1e-4, seed=7)
    assert (arguments.per_device_train_batch_size, arguments.gradient_accumulation_steps) == (8, 1)
    assert (arguments.lr_scheduler_type, arguments.warmup_steps, arguments.weight_decay) == ("linear", 0, 0.0)
    assert not arguments.bf16
    assert not arguments.fp16
    assert (arguments.num_train_epochs, arguments.learning_rate, arguments.seed) == (2, 1e-4, 7)


TEXTS = [("a fine day by the river", "1"), ("no water in the valley", "0"), ("an old key", "1"), ("a door", "0")]


@pytest.fixture
def data(tmp_path):
    """Files in the forms of the real ones."""
    folder = tmp_path / "data"
    folder.mkdir()
    pairs = [(text, other, number) for (text, _), (other, number) in zip(TEXTS, TEXTS[1:] + TEXTS[:1], strict=True)]
    (folder / "labels.tsv").write_text("".join(f"{text}\t{label}\n" for text, label in TEXTS * 3))
    (folder / "numbers.csv").write_text("".join(f"{a},{b},{number}.5\n" for a, b, number in pairs * 3))
    (folder / "tags.conll").write_text("Zoë\tB-person\nMüller\tI-person\nsang\tO\n\nnobody\tO\ncame\tO\n\n" * 4)
    return folder


TINY = {
    "labels": results.ResultRow(
        "labels", "classification", *["labels.tsv"] * 2, {"text": "1", "label": "2"}, "accuracy", 2
    ),
    "numbers": results.ResultRow("numbers", "regression", *["numbers.csv"] * 2, results.PAIR, "pearson", 1),
    "tags": results.ResultRow("tags", "tagging", *["tags.conll"] * 2, {"words": "1", "tags": "2"}, "f1", 3),
}


@pytest.mark.filterwarnings("ignore")  # of what transformers uses
@pytest.mark.parametrize(("name", "steps"), [("labels", 4), ("numbers", 2), ("tags", 3)])
def test_plain_transformers_trains_and_is_scored(name, steps, data, tiny_bert):
    row = TINY[name]
    options = {"task": row.task, "columns": row.columns, "encoder": str(tiny_bert), "epochs": row.epochs}
    options |= {"train": [str(data / row.train)], "validation": [str(data / row.validation)]}
    first, again = (plain_trainer.run(**options, learning_rate=1e-3, seed=3, limit=None) for _ in range(2))
    assert first["steps"] == steps
    assert first["scores"] == again["scores"]
    assert row.score in first["scores"]
    assert set(first["scores"]) <= set(results.SCORES)
    assert all(math.isfinite(score) for score in first["scores"].values())
    assert min(first["seconds"][stage] for stage in ("prepare", "train", "evaluate")) > 0


@pytest.mark.slow
def test_a_plain_run_is_a_process_of_its_own(data, tiny_bert):
    plan = results.Plan("labels", "plain", 1, str(tiny_bert), 1, 1e-3, 8)
    found = results.plain(TINY["labels"], plan, data)
    assert found["examples"] == 8
    assert "accuracy" in found["scores"]
    with pytest.raises(results.FailedError, match="no such encoder"):
        results.plain(TINY["labels"], replace(plan, encoder=str(data / "no such encoder")), data)


# -- headstart ---------------------------------------------------------------------------------------------------


def test_headstart_runs_as_a_person_runs_it(monkeypatch):
    asked = []

    def answer(*words, **options):
        asked.append((*words, *commands.flags(options)))
        return {"accuracy": 0.5, "f1": 0.4, "total": 9, "seconds": {"prepare": 1, "train": 2, "evaluate": 3}}

    monkeypatch.setattr(commands, "headstart", answer)
    found = results.headstart(TINY["labels"], PLAN, Path("data"))
    assert found["scores"] == {"accuracy": 0.5, "f1": 0.4}
    assert found["seconds"]["train"] == 2
    train, evaluate = asked
    shared = ("--columns", "text=1", "label=2")
    assert train[:10] == (
        *("train", "--task", "classification", "--model", "tiny", "--train", str(Path("data/labels.tsv"))),
        *shared,
    )
    model = train[train.index("--output") + 1]
    assert evaluate[:7] == ("evaluate", model, "--data", str(Path("data/labels.tsv")), *shared)
    for flag, value in (("--num-train-epochs", "2"), ("--learning-rate", "0.0001"), ("--seed", "1")):
        assert train[train.index(flag) + 1] == value
    for words in asked:
        assert words[words.index("--limit") + 1] == "8"
    assert train[train.index("--cache-dir") + 1] == evaluate[evaluate.index("--cache-dir") + 1]


def test_a_command_that_fails_is_a_failed_run(monkeypatch):
    def fail(*words, **options):
        raise RuntimeError(f"headstart {words[0]}: expected a model")

    monkeypatch.setattr(commands, "headstart", fail)
    with pytest.raises(results.FailedError, match="headstart train: expected a model"):
        results.headstart(TINY["tags"], PLAN, Path("data"))


# -- runs that are kept ------------------------------------------------------------------------------------------

PLAN = results.Plan("labels", "plain", 1, "tiny", 2, 1e-4, 8)


def test_runs_are_kept_line_by_line_and_found_again(tmp_path):
    path = tmp_path / "build" / "runs.jsonl"
    first, other = results.Records(path), results.Records(path)
    assert first.find(PLAN) is None
    first.add({**results.asdict(PLAN), "scores": {"accuracy": 0.5}})
    other.add({**results.asdict(replace(PLAN, seed=2)), "scores": {"accuracy": 0.25}})
    assert [json.loads(line)["seed"] for line in path.read_text().splitlines()] == [1, 2]
    both = results.Records(path)
    assert both.find(PLAN)["scores"] == {"accuracy": 0.5}
    assert both.find(replace(PLAN, seed=2))["scores"] == {"accuracy": 0.25}
    for change in ({"side": "headstart"}, {"epochs": 1}, {"learning_rate": 2e-4}, {"limit": None}, {"encoder": "x"}):
        assert both.find(replace(PLAN, **change)) is None


@pytest.fixture
def command(data, monkeypatch, capsys, tmp_path):
    """Runs the command on the tiny rows, with sides that give values and are written down; gives its three outputs."""
    calls = []

    def side(name, score, seconds):
        def measured(row, plan, folder):
            calls.append((row.name, name, plan.seed))
            if (row.name, plan.seed) == ("tags", 9):
                raise results.FailedError("out of memory")
            return {"scores": {row.score: score + plan.seed / 100}, "seconds": {"train": seconds + plan.seed}}

        return measured

    def run(*words):
        calls.clear()
        monkeypatch.setattr(sys, "argv", ["results.py", "--data", str(data), *words])
        code = results.main()
        return code, capsys.readouterr(), list(calls)

    monkeypatch.setattr(results.os, "getloadavg", lambda: (1.5, 0, 0))
    monkeypatch.setattr(results, "ROWS", tuple(TINY.values()))
    monkeypatch.setattr(results, "MEASURES", {"plain": side("plain", 0.5, 100), "headstart": side("ours", 0.51, 18)})
    return run


def test_sides_take_turns_and_the_table_shows_both(command):
    code, said, calls = command("--rows", "labels", "numbers", "--seeds", "1", "2", "3")
    assert code == 0
    turns = [(side, seed) for seed in (1, 2, 3) for side in ("plain", "ours")]
    assert calls == [(row, *turn) for row in ("labels", "numbers") for turn in turns]
    assert "labels, plain, seed 1: accuracy 0.5100, training 101 s" in said.err
    lines = said.out.splitlines()
    assert max(map(len, lines)) <= 80
    [shown] = [line for line in lines if line.startswith("labels")]
    assert shown.split() == ["labels", "accuracy", "0.520", "±", "0.010", "0.530", "±", "0.010", "102", "20", "5.1×"]
    assert said.out.endswith("Lower than plain beyond both spreads: none.\n")


def test_an_interrupted_measurement_goes_on_where_it_stopped(command, tmp_path):
    path = str(tmp_path / "runs.jsonl")
    _, said, calls = command("--sides", "plain", "--seeds", "1", "--json", path)
    assert calls == [(row, "plain", 1) for row in TINY]
    assert said.out.count("-\n") == len(TINY)
    _, said, calls = command("--seeds", "1", "2", "--rows", "labels", "--json", path)
    assert calls == [("labels", "ours", 1), ("labels", "plain", 2), ("labels", "ours", 2)]
    _, said, calls = command("--seeds", "1", "2", "--rows", "labels", "--json", path)
    assert calls == []
    assert "0.515 ± 0.007" in said.out
    _, _, calls = command("--seeds", "1", "--rows", "labels", "--epochs", "1", "--sides", "plain", "--json", path)
    assert calls == [("labels", "plain", 1)]


def test_a_failed_run_is_said_not_kept_and_the_others_go_on(command, tmp_path):
    path = tmp_path / "runs.jsonl"
    code, said, _ = command("--rows", "tags", "numbers", "--seeds", "9", "--json", str(path))
    assert code == 1
    assert "tags, plain, seed 9: failed: out of memory" in said.err
    assert [json.loads(line)["row"] for line in path.read_text().splitlines()] == ["numbers", "numbers"]


def test_without_the_data_nothing_is_measured_and_a_message_says_so(command, tmp_path):
    code, said, calls = command("--data", str(tmp_path / "elsewhere"))
    assert (code, calls) == (0, [])
    assert said.out.startswith("skipped: the data sets are not here")
    assert "labels.tsv, numbers.csv, tags.conll" in said.out


def test_lower_scores_are_named_only_beyond_the_spread():
    theirs = results.Side((0.80, 0.82), (10.0, 10.0))
    near, far = results.Side((0.79, 0.81), (2.0, 2.0)), results.Side((0.70, 0.72), (2.0, 2.0))
    assert not results.is_lower(theirs, near)
    assert results.is_lower(theirs, far)
    rows = [TINY["labels"], TINY["tags"]]
    text = results.remarks(rows, [(theirs, near), (theirs, far)])
    assert text.replace("\n", " ").endswith("Lower than plain beyond both spreads: tags.")
    once = results.Side((0.1,), (1.0,))
    assert "beyond" not in results.remarks(rows[:1], [(once, once)])


def test_runs_beside_other_work_are_counted():
    run = {"row": "cola", "side": "plain", "seed": 1, "machine": {"cpu": "A processor", "cores": 2}}
    lines = results.where([{**run, "load": 2.2}, {**run, "seed": 2, "load": 3.14}])
    assert lines == ["A processor, 2 cores", "1 of 2 runs beside other work (load 3.1 to 3.1)"]


def test_every_row_has_a_name_of_its_own_and_a_known_score():
    assert len(ROWS) == len(results.ROWS) == 7
    assert {row.score for row in results.ROWS} <= set(results.SCORES)
    assert {row.task for row in results.ROWS} == set(plain_trainer.FAMILIES)


@pytest.mark.slow
def test_the_help_names_the_rows():
    words = [sys.executable, str(ROOT / "benchmarks" / "results.py"), "--help"]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert all(name in said for name in ROWS)
