"""The benchmark says what was measured: the recipe does what it should, and the table holds its figures."""

from __future__ import annotations

import doctest
import inspect
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from headstart.data import read_questions
from headstart.examples import QuestionExample
from headstart.tasks import QuestionAnswering
from headstart.tokens import TextEncoder

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))  # scripts that import each other by name

import bench  # noqa: E402
import commands  # noqa: E402
import inputs  # noqa: E402
import machine  # noqa: E402
import measures  # noqa: E402
import old_transformers  # noqa: E402
import pipeline_rules  # noqa: E402
import recipe  # noqa: E402
import rows  # noqa: E402
import run  # noqa: E402
import table  # noqa: E402

SAMPLE = read_questions(["sample"], limit=12).examples
DATA = inputs.find_data(ROOT / "no such folder")


@pytest.mark.parametrize("module", [commands, inputs, table], ids=lambda module: module.__name__)
def test_the_examples_in_docstrings_hold(module):
    found = doctest.testmod(module)
    assert found.attempted
    assert not found.failed


# -- the recipe --------------------------------------------------------------------------------------------------

OFFSETS = [(0, 0), (0, 3), (0, 0), (0, 2), (3, 8), (9, 10), (0, 0), (0, 0)]  # [CLS] Who [SEP] in Paris . [SEP] [PAD]
SIDES = [None, 0, None, 1, 1, 1, None, None]


@pytest.mark.parametrize(
    ("start", "text", "span"),
    [
        (3, "Paris", (4, 4)),
        (0, "in Paris .", (3, 5)),
        (4, "ari", (4, 4)),
        (9, ". Then", (0, 0)),  # ends behind the window
    ],
)
def test_a_label_is_the_tokens_of_the_answer_or_cls(start, text, span):
    assert recipe.label(OFFSETS, SIDES, 0, {"text": [text], "answer_start": [start]}) == span


def test_no_answer_is_labelled_cls():
    assert recipe.label(OFFSETS, SIDES, 0, {"text": [], "answer_start": []}) == (0, 0)


def test_the_recipe_cuts_and_labels_as_headstart_does(tokenizers):
    """Where the first answer counts alone, both make the same windows: the same work is measured."""
    tokenizer = tokenizers["bert"]
    firsts = [QuestionExample(e.id, e.question, e.context * 3, (e.answers or ())[:1]) for e in SAMPLE]
    theirs = recipe.training_features(recipe.as_dataset(firsts), tokenizer)
    ours = list(QuestionAnswering().windows(firsts, TextEncoder(tokenizer)))
    assert len(theirs) == len(ours) > len(firsts)
    for window, row in zip(ours, theirs, strict=True):
        count = len(window.input_ids)
        assert row["input_ids"][:count] == window.input_ids.tolist()
        assert len(row["input_ids"]) == 384
        assert sum(row["attention_mask"]) == count
        assert [(row["start_positions"], row["end_positions"])] == list(window.labels)


def test_candidates_are_the_valid_pairs_of_the_best_starts_and_ends():
    offsets = [None, (0, 2), (3, 8), None]
    found = recipe.candidates(offsets, np.array([9.0, 1, 2, 0]), np.array([9.0, 3, 4, 0]), "in Paris")
    ranked = sorted(found, key=lambda candidate: -candidate["score"])
    assert [(candidate["text"], candidate["score"]) for candidate in ranked] == [
        ("Paris", 6),
        ("in Paris", 5),
        ("in", 4),
    ]
    shares = [candidate["probability"] for candidate in recipe.with_probabilities(ranked)]
    assert shares == pytest.approx([np.exp(6 - k) / (np.exp(6) + np.exp(5) + np.exp(4)) for k in range(3)])
    assert recipe.with_probabilities([]) == []


@pytest.mark.filterwarnings("ignore")  # of what the recipe uses
def test_the_recipe_trains_and_answers(tiny_bert, tokenizers, tmp_path):
    tokenizer = tokenizers["bert"]
    questions = recipe.as_dataset(SAMPLE)
    windows = recipe.training_features(questions, tokenizer)
    trainer, clock = recipe.make_trainer(str(tiny_bert), windows, tmp_path, max_steps=3, warm_up=1)
    trainer.train()
    assert trainer.state.global_step == 3
    assert trainer.args.train_batch_size == 8
    assert 0 < clock.begun < clock.ended
    asked = recipe.validation_features(questions, tokenizer)
    nbest = recipe.decode(questions, asked, *recipe.predict(trainer, asked))
    for example in SAMPLE:
        candidates = nbest[example.id]
        assert 0 < len(candidates) <= 20
        assert sum(candidate["probability"] for candidate in candidates) == pytest.approx(1, abs=1e-4)
        assert all(candidate["text"] in example.context for candidate in candidates)


# -- what is measured on -----------------------------------------------------------------------------------------


def test_without_data_sets_the_sample_serves_and_the_report_says_so():
    assert DATA.train == DATA.real_run == ("sample",)
    assert "built-in sample" in DATA.name
    assert "squad-v1.1-train.json" in DATA.name


def test_data_sets_are_found_in_their_folder(tmp_path):
    for name in (*inputs.SHIFTS, *inputs.QAMR, inputs.TRAIN, inputs.VALIDATION):
        (tmp_path / name).touch()
    data = inputs.find_data(tmp_path)
    assert [Path(path).name for path in data.real_run] == [*inputs.SHIFTS, *inputs.QAMR]
    assert data.train == (str(tmp_path / "squad-v1.1-train.json"),)


def test_repeated_questions_have_ids_of_their_own_and_can_be_read(tmp_path):
    inputs.write_repeated(tmp_path / "many.json", ["sample"], ["sample"], 3_000)
    examples = read_questions([str(tmp_path / "many.json")]).examples
    assert len({example.id for example in examples}) == len(examples) == 3_000


def test_windows_to_decode_are_nearly_full_and_one_for_each_question(tokenizers):
    tokenizer = tokenizers["bert"]
    made = inputs.full_windows(SAMPLE, tokenizer, 30)
    windows = list(QuestionAnswering().windows(made, TextEncoder(tokenizer)))
    assert len(windows) == len(made) == 30
    assert np.median([len(window.input_ids) for window in windows]) > 300


def test_likely_logits_are_the_same_for_both_sides():
    one, other = inputs.likely_logits(5), inputs.likely_logits(5)
    assert one[0].shape == one[1].shape == (5, 384)
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_likely_logits_give_as_many_candidates_as_real_ones():
    offsets = [None] * 20 + [(place, place + 1) for place in range(362)] + [None] * 2
    logits = inputs.likely_logits(100)
    counts = [len(recipe.candidates(offsets, *one, "")) for one in zip(*logits, strict=True)]
    assert 40 < np.mean(counts) < 65


# -- the pipeline's rules ----------------------------------------------------------------------------------------


def test_the_pipeline_widens_to_words_and_adds_up_what_reads_the_same(word_encoder, monkeypatch):
    rules = pipeline_rules.PipelineRules(backend=word_encoder.backend)
    context = "w1 w23 w4 w1"
    spans = SimpleNamespace(
        example=np.array([0, 0]),
        scores=np.log([[0.4, 0.3], [0.25, 0.0001]]),
        starts=np.array([[4, 0], [10, 0]]),
        ends=np.array([[6, 2], [12, 2]]),  # "w2", "w1"; "w1" again, "w1" of the first window again
    )
    monkeypatch.setattr(pipeline_rules, "join", lambda parts: parts[0])
    [prediction] = rules.decode([spans], [QuestionExample("q", "?", context)])
    assert prediction.nbest[0].text == "w1"
    assert prediction.nbest[0].probability == pytest.approx(0.5501)
    assert pipeline_rules.whole_words(rules.backend.encode(context), 4, 5) == (3, 6)


# -- rows and the table ------------------------------------------------------------------------------------------

SUBJECTS = rows.Subjects(DATA, "encoder", "model", "python")


@pytest.mark.parametrize("form", rows.FORMS)
def test_every_row_names_measures_that_take_its_options(form):
    for row in rows.make_rows(rows.FORMS[form], SUBJECTS):
        for side in row.sides:
            options = side.options | ({"seed": 42} if row.seeds else {})
            inspect.signature(measures.MEASURES[side.measure]).bind(**options)
            assert json.loads(json.dumps(options))


def test_rows_are_told_apart_and_chosen_by_name():
    made = rows.make_rows(rows.FORMS["short"], SUBJECTS)
    names = [row.name for row in made]
    assert len(set(names)) == len(names) == 11
    assert [row.name for row in run.chosen(made, ["decode", "epoch-qamr"])] == ["epoch-qamr", "decode"]
    assert "epoch-squad" not in {row.name for row in run.chosen(made, None)}
    full = run.chosen(rows.make_rows(rows.FORMS["full"], SUBJECTS), None)
    assert {"epoch-squad"} == {row.name for row in full} & {"epoch-squad", "epoch-qamr"}


A, B = rows.Side("a", {}), rows.Side("b", {})
SPEED = rows.Row("speed", "how fast", "windows/s", A, B, 5, 8)


class Recorded(bench.Bench):
    """Gives values that were written down, and remembers the order they were asked for in."""

    def __init__(self, values, **options):
        super().__init__(3, makers=options.get("makers", {}), environment={})
        self.values = {name: iter(found) for name, found in values.items()}
        self.order = []

    def _run(self, words):
        self.order.append(words[0])
        value = next(self.values[words[0]])
        return {"value": value, **json.loads(words[1])}


def test_sides_alternate_and_medians_make_the_ratio():
    measured = Recorded({"a": [10, 30, 20], "b": [100, 170, 90]})
    found = measured.row(SPEED)
    assert measured.order == ["a", "b"] * 3
    assert (found["recipe"]["median"], found["headstart"]["median"]) == (20, 100)
    assert (found["ratio"], found["verdict"]) == (5, "met")
    assert "| how fast | windows/s | 20.0 | 100 | 5.00× | 5× | 8× | met |" in table.render([found]).splitlines()


def test_what_two_rows_share_is_measured_once():
    measured = Recorded({"a": [1, 1, 1], "b": [1, 1, 1]})
    measured.row(SPEED)
    measured.row(rows.Row("again", "again", "windows/s", A, B, 5, 8))
    assert measured.order == ["a", "b"] * 3


def test_seeds_get_a_repeat_each():
    measured = Recorded({"a": [1, 1], "b": [1, 1]})
    found = measured.row(rows.Row("seeds", "seeds", "windows/s", A, B, 5, 8, seeds=(7, 8)))
    assert [one["seed"] for one in found["headstart"]["runs"]] == [7, 8]


@pytest.mark.parametrize(
    ("kind", "values", "verdict"),
    [
        ("times", (10, 79), "met"),
        ("times", (10, 80), "aim met"),
        ("times", (10, 49), "not met"),
        ("growth", (100, 104), "met"),
        ("growth", (100, 100), "aim met"),
        ("growth", (100, 106), "not met"),
        ("megabytes", (None, 4_000), "met"),
        ("megabytes", (None, 5_000), "not met"),
    ],
)
def test_verdicts(kind, values, verdict):
    goals = {"times": (5, 8), "growth": (1.05, 1), "megabytes": (4_096, 3_072)}[kind]
    row = rows.Row("row", "row", "unit", A if values[0] else None, B, *goals, kind)
    theirs, ours = ([{"value": value}] if value else [] for value in values)
    found = table.summary(row, theirs, ours)
    assert found["verdict"] == verdict
    assert verdict in table.render([found])


def test_memory_is_measured_once():
    measured = Recorded({"a": [100], "b": [101]})
    found = measured.row(rows.Row("memory", "memory", "MB", A, B, 1.05, 1, "growth"))
    assert measured.order == ["a", "b"]
    assert found["ratio"] == 1.01


def test_notes_say_f1_agreement_and_what_an_epoch_takes():
    theirs = [{"value": 2.0, "f1": 70.0, "answers": {"q": "Paris", "r": "1874"}}]
    ours = [{"value": 40.0, "f1": 71.0, "answers": {"q": "Paris", "r": "in 1874"}, "epoch_windows": 4_800}]
    assert table.notes(theirs, ours) == [
        "F1 70.00 against 71.00",
        "the same answer on 50.00% of 2 questions",
        "an epoch has 4,800 windows: computed 40.0 minutes against 2.0",
    ]
    seeds = [{"value": 1.0, "f1": 70.0}, {"value": 1.0, "f1": 72.0}]
    assert table.notes(seeds, seeds) == ["F1 71.00 (70.00, 72.00) against 71.00 (70.00, 72.00)"]


def test_a_row_that_lacks_something_is_left_out_and_says_why():
    def fail():
        raise subprocess.CalledProcessError(1, ["pip"], stderr="looking …\nERROR: no network\n")

    row = rows.Row("old", "the pipeline", "questions/s", rows.Side("a", {"python": "x"}), B, 6, 12)
    found = Recorded({}, makers={"python": fail}).row(row)
    assert found["skipped"] == "no python: ERROR: no network"
    assert not found["failed"]
    assert "* old: not measured: no python: ERROR: no network" in table.render([found])


def test_an_environment_that_is_there_is_not_made_again(tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(subprocess, "run", lambda words, **_: made.append(words[-1]))
    for _ in range(2):
        tmp_path.joinpath("venv").mkdir(exist_ok=True)
        old_transformers.make(tmp_path / "venv")
    assert made == [str(tmp_path / "venv"), "torch==2.13.0", "transformers==4.57.6"]


@pytest.mark.slow
def test_a_command_that_fails_says_what_the_command_said(tmp_path):
    with pytest.raises(RuntimeError, match=r"headstart evaluate: headstart: expected a model"):
        commands.evaluate(str(tmp_path), ["sample"], str(tmp_path / "output"))


@pytest.mark.slow
def test_a_row_is_measured_in_processes_of_its_own(tiny_bert):
    options = {"train": ["sample"], "encoder": str(tiny_bert), "limit": 20}
    sides = [rows.Side(f"prepare_{who}", options) for who in ("recipe", "headstart")]
    measured = bench.Bench(1, makers={}, environment={})
    found = measured.row(rows.Row("prepare", "prepare", "questions/s", *sides, 5, 8))
    theirs, ours = found["recipe"]["runs"][0], found["headstart"]["runs"][0]
    assert theirs["windows"] == ours["windows"] >= 20
    assert found["ratio"] == pytest.approx(ours["value"] / theirs["value"])
    broken = measured.row(rows.Row("broken", "broken", "windows/s", rows.Side("no_such", {}), sides[1], 5, 8))
    assert broken["failed"]
    assert "KeyError" in broken["skipped"]


def test_the_machine_is_named():
    about = machine.describe()
    assert about["cores"] >= 1
    assert "torch" in about["versions"]
    assert "12,346 GFLOP/s in bf16" in machine.headline(about | {"peak_gflops": {"bf16": 12_345.6}})
