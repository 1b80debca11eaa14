"""From a file to answers, through the command line, on a model small enough to train in a second."""

from __future__ import annotations

import io
import json
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import torch
import yaml
from safetensors.torch import load_file

import headstart
from headstart.cli import main
from headstart.examples import Answer, QuestionExample
from headstart.tasks import QuestionAnswering
from tokenizers_made_here import SENTENCES

QUICK = ["--max-length", "48", "--doc-stride", "12", "--train-tokens-per-batch", "300", "--precision", "fp32"]


def nested(contexts: list[str], *, impossible: bool) -> dict[str, Any]:
    """An official file: of each context its first word, its third by two annotators, and perhaps nothing."""
    paragraphs = []
    for number, context in enumerate(contexts):
        words = context.split()
        third = context.index(words[2], len(words[0]) + 1)
        qas: list[dict[str, Any]] = [
            {"question": f"Which word begins number {number}?", "answers": [{"text": words[0], "answer_start": 0}]},
            {
                "question": f"Which word is third after {words[1]}?",
                "answers": [
                    {"text": words[2], "answer_start": third},
                    {"text": f"{words[2]} {words[3]}", "answer_start": third},
                ],
            },
        ]
        if impossible:
            qas.append({"question": "Who discovered the comet?", "answers": [], "is_impossible": True})
        for place, row in enumerate(qas):
            row["id"] = f"c{number}-{place}"
        paragraphs.append({"context": context, "qas": qas})
    return {"version": "v2.0" if impossible else "1.1", "data": [{"title": "t", "paragraphs": paragraphs}]}


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


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def identical(one: Path, other: Path) -> bool:
    return (one / "model.safetensors").read_bytes() == (other / "model.safetensors").read_bytes()


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


CONTEXTS = [f"{one} {two} {three}" for one, two, three in zip(SENTENCES, SENTENCES[1:], SENTENCES[2:], strict=False)]
CONTEXTS = [context for context in CONTEXTS if len(context.split()) > 20]


@pytest.fixture(scope="module", autouse=True)
def _on_the_processor() -> Iterator[None]:
    """Equal to the last digit is a promise of the processor: a GPU adds up in an order of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.cuda, "is_available", lambda: False)
        patch.setattr(torch.backends.mps, "is_available", lambda: False)
        yield


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    """Training and validation data, with and without unanswerable questions."""
    folder = tmp_path_factory.mktemp("qa")
    contents = {
        "train2": nested(CONTEXTS[:6], impossible=True),
        "dev2": nested(CONTEXTS[6:10], impossible=True),
        "train1": nested(CONTEXTS[:6], impossible=False),
        "dev1": nested(CONTEXTS[6:10], impossible=False),
    }
    for name, content in contents.items():
        (folder / f"{name}.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return {name: folder / f"{name}.json" for name in contents}


@dataclass(frozen=True)
class Trained:
    """A finished run and what its command said."""

    folder: Path
    ran: Ran


LONG = ["--max-steps", "10", "--eval-steps", "3", "--logging-steps", "1", "--learning-rate", "1e-3"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory, tiny_bert, files) -> Trained:
    """Ten steps on questions with and without an answer; tests only read it."""
    folder = tmp_path_factory.mktemp("runs") / "first"
    return Trained(folder, train(tiny_bert, files["train2"], folder, "--validation", files["dev2"], *LONG))


# -- what training leaves behind ---------------------------------------------------------------------------------


def test_training_prints_one_document_and_talks_on_standard_error(trained):
    document = trained.ran.document
    assert document["output"] == str(trained.folder)
    assert document["steps"] == 10
    assert document["train"]["examples"] == 18
    assert document["validation"]["examples"] == 12
    assert {"exact", "f1", "HasAns_f1", "NoAns_f1", "best_f1", "total"} <= set(document["scores"])
    assert set(document["seconds"]) == {"prepare", "train", "evaluate"}
    said = trained.ran.err
    assert "self-test: 12 of 12 sampled answers read back" in said
    assert "M parameters) on 18 questions (" in said
    assert "cpu" in said
    assert "fp32" in said
    assert said.count("validation loss") == 4
    assert "step 10/10  loss" in said
    assert "Traceback" not in said


FILES = ("config.json", "model.safetensors", "tokenizer.json", "headstart.json", "README.md")
OF_THE_RUN = ("settings.yaml", "data.json", "versions.json", "log_history.json", "curves.svg")


def test_the_folder_explains_itself(trained):
    assert all((trained.folder / name).stat().st_size for name in FILES)
    assert sorted(path.name for path in (trained.folder / "run").iterdir()) == sorted(OF_THE_RUN)
    assert not list(trained.folder.glob(".saving*"))
    card = read(trained.folder / "headstart.json")
    assert (card["task"], card["options"]["max_length"], card["options"]["no_answer"]) == ("qa", 48, True)
    assert card["scores"] == trained.ran.document["scores"]
    run = trained.folder / "run"
    settings = yaml.safe_load((run / "settings.yaml").read_text(encoding="utf-8"))
    assert (settings["max_steps"], settings["learning_rate"], settings["seed"]) == (10, 0.001, 42)
    assert settings["num_train_epochs"] == 8, "what was left to headstart is written down"
    data = read(run / "data.json")
    assert (data["train"]["examples"], data["train"]["without_answer"]) == (18, 6)
    assert len(data["train"]["fingerprint"]) == 64
    assert {"torch", "transformers", "python", "headstart"} <= set(read(run / "versions.json"))
    assert ElementTree.parse(run / "curves.svg").getroot().tag.endswith("svg")
    log = read(run / "log_history.json")
    assert [entry["step"] for entry in log if "loss" in entry] == list(range(1, 11))
    assert [entry["step"] for entry in log if "eval_f1" in entry] == [3, 6, 9, 10]
    card_text = (trained.folder / "README.md").read_text(encoding="utf-8")
    assert card_text.startswith("---\nlibrary_name: transformers\n")
    assert f"| f1 | {card['scores']['f1']:.2f} |" in card_text


def test_the_best_model_is_the_one_that_is_kept(trained):
    log = read(trained.folder / "run" / "log_history.json")
    best = max(entry["eval_f1"] for entry in log if "eval_f1" in entry)
    assert trained.ran.document["scores"]["f1"] == pytest.approx(best, abs=1e-9)


def test_the_result_loads_with_transformers_alone(trained):
    from transformers import AutoModelForQuestionAnswering, AutoTokenizer

    model, info = AutoModelForQuestionAnswering.from_pretrained(trained.folder, output_loading_info=True)
    assert not any(info[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    tokenizer = AutoTokenizer.from_pretrained(trained.folder)
    logits = model(**tokenizer("Which river?", "The river rose.", return_tensors="pt")).start_logits
    assert logits.shape[0] == 1
    assert weights(trained.folder)["qa_outputs.weight"].dtype == torch.float32


# -- evaluate, score, ask ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def evaluated(trained, files, tmp_path_factory) -> tuple[dict[str, Any], Path]:
    """The document of `evaluate` on the validation data, and the folder it wrote."""
    folder = tmp_path_factory.mktemp("evaluation") / "strict"
    ran = command(
        "evaluate", trained.folder, "--data", files["dev2"], "--output", folder, "--precision", "fp32", "--json"
    )
    return ran.document, folder


def test_evaluate_reports_what_training_reported(trained, evaluated):
    document, _ = evaluated
    for name, value in trained.ran.document["scores"].items():
        assert document[name] == pytest.approx(value, abs=1e-9), name
    last = [e for e in read(trained.folder / "run" / "log_history.json") if "eval_loss" in e]
    best = max(last, key=lambda entry: entry["eval_f1"])
    assert document["loss"] == pytest.approx(best["eval_loss"], abs=1e-6)
    assert document["examples"] == 12
    assert document["windows"] >= 12
    assert {"seconds", "null_threshold", "windows_per_second", "peak_memory_mb", "padding_share"} <= set(document)


def test_evaluate_writes_the_forms_the_field_knows(evaluated, files):
    document, folder = evaluated
    predictions, nbest, odds = (
        read(folder / f"{name}.json") for name in ("predictions", "nbest_predictions", "null_odds")
    )
    paragraphs = read(files["dev2"])["data"][0]["paragraphs"]
    contexts = {row["id"]: part["context"] for part in paragraphs for row in part["qas"]}
    assert set(predictions) == set(nbest) == set(odds) == set(contexts)
    assert read(folder / "metrics.json") == document
    for key, candidates in nbest.items():
        assert sum(candidate["probability"] for candidate in candidates) <= 1 + 1e-6
        for candidate in candidates:
            start, end = candidate["offsets"]
            assert candidate["text"] == contexts[key][start:end]
        assert predictions[key] in {candidate["text"] for candidate in candidates}
        refused = odds[key] > document["null_threshold"]
        assert (predictions[key] == "") is refused


def test_scoring_the_written_predictions_gives_the_same_numbers(evaluated, files):
    document, folder = evaluated
    words = ("score", "--predictions", folder / "predictions.json", "--references", files["dev2"], "--json")
    scored = command(*words).document
    for name in ("exact", "f1", "HasAns_exact", "HasAns_f1", "NoAns_exact", "total"):
        assert scored[name] == pytest.approx(document[name], abs=1e-9), name
    assert (scored["missing"], scored["rules"]) == ([], "2.0")


def test_a_threshold_on_the_line_beats_the_tuned_one(trained, files, tmp_path):
    for threshold, wanted in (("-1000", (0, 100)), ("1000", None)):
        words = ("evaluate", trained.folder, "--data", files["dev2"], "--null-threshold", threshold)
        document = command(*words, "--output", tmp_path / threshold, "--json").document
        if wanted:
            assert (document["HasAns_exact"], document["NoAns_exact"]) == wanted
        else:
            assert document["NoAns_exact"] == 0
        assert document["null_threshold"] == float(threshold)


def test_evaluate_shows_a_table_to_people(trained, files, tmp_path):
    ran = command("evaluate", trained.folder, "--data", files["dev1"], "--output", tmp_path, "--limit", "3")
    assert ran.out.splitlines()[0].startswith("exact")
    assert "3 questions" in ran.out


QUESTION = "Which word begins?"
ASK = ("--precision", "fp32", "--json")


@pytest.fixture(scope="module")
def asked(trained) -> dict[str, Any]:
    """One question about one text, on the command line."""
    ran = command("ask", trained.folder, "-q", QUESTION, "--context", CONTEXTS[0], "--n-best", "5", *ASK)
    return ran.document


def test_an_answer_is_cut_from_the_text(asked):
    assert {"question", "answer", "score", "start", "end", "nbest", "null_odds"} <= set(asked)
    assert asked["answer"] == CONTEXTS[0][asked["start"] : asked["end"]]
    assert 0 <= asked["score"] <= 1
    assert len(asked["nbest"]) == 5
    logits = [candidate["logit"] for candidate in asked["nbest"]]
    assert logits == sorted(logits, reverse=True)
    assert sum(candidate["score"] for candidate in asked["nbest"]) <= 1 + 1e-6


def test_file_text_and_standard_input_give_the_same(trained, asked, tmp_path, monkeypatch):
    path = tmp_path / "text.txt"
    path.write_text(CONTEXTS[0], encoding="utf-8")
    by_file = command("ask", trained.folder, "-q", QUESTION, "--context-file", path, "--n-best", "5", *ASK)
    assert by_file.document == asked
    monkeypatch.setattr(sys, "stdin", io.StringIO(CONTEXTS[0]))
    assert command("ask", trained.folder, "-q", QUESTION, "--n-best", "5", *ASK).document == asked


def test_python_gives_the_same_answers_as_the_command_line(trained, asked):
    answerer = headstart.load(trained.folder, precision="fp32")
    reply = answerer(question=QUESTION, context=CONTEXTS[0])
    document = json.loads(json.dumps(reply.as_dict()))
    assert {**document, "nbest": document["nbest"][:5]} == asked
    several = answerer(question=[QUESTION, "Who?"], context=[CONTEXTS[0], CONTEXTS[1]])
    assert [r.question for r in several] == [QUESTION, "Who?"]
    assert several[0].answer == reply.answer


def test_several_questions_come_as_a_list_and_for_people_as_lines(trained):
    words = ("ask", trained.folder, "-q", QUESTION, "Who?", "--context", CONTEXTS[0])
    replies = command(*words, *ASK).document["replies"]
    assert [reply["question"] for reply in replies] == [QUESTION, "Who?"]
    text = command(*words, "--null-threshold", "1000", "--silent")
    assert text.err == ""
    assert text.out.startswith(f"{QUESTION}\n  ")
    assert "\n\nWho?\n" in text.out
    assert "\n  or: " in text.out
    assert "\x1b[" not in text.out


def test_no_answer_is_said_in_words(trained):
    ran = command("ask", trained.folder, "-q", "Who?", "--context", CONTEXTS[0], "--null-threshold", "-1000")
    assert "no answer in this text" in ran.out


@pytest.mark.parametrize(
    ("options", "error"),
    [({"precison": "fp32"}, "did you mean 'precision'"), ({"precision": "fp8"}, "--precision")],
)
def test_options_of_load_are_checked(trained, options, error):
    with pytest.raises(headstart.HeadstartError, match=error):
        headstart.load(trained.folder, **options)


@pytest.mark.parametrize(
    ("question", "context"), [("", "text"), ("Who?", " \n"), (["Who?", "What?"], ["one text"]), ([None], ["text"])]
)
def test_questions_that_make_no_sense_are_refused(trained, question, context):
    with pytest.raises(headstart.HeadstartError):
        headstart.load(trained.folder)(question=question, context=context)


# -- an evaluation that reports the mean start logit as loss -----------------------------------------------------


def test_an_evaluation_that_reports_the_mean_start_logit_as_loss(trained):
    """Our loss is that of transformers itself, from the same positions."""
    from transformers import AutoModelForQuestionAnswering

    from headstart.checkpoint import load_trained
    from headstart.hardware import choose_hardware
    from headstart.inference import Predictor
    from headstart.settings import HardwareSettings
    from headstart.window_store import store_in_memory

    hardware = choose_hardware(HardwareSettings(device="cpu", precision="fp32"))
    predictor = Predictor(load_trained(trained.folder, hardware), hardware)
    words = [(place, context.split()[0]) for place, context in enumerate(CONTEXTS[:8])]
    examples = [QuestionExample(str(n), f"Which {n}?", CONTEXTS[n], (Answer(word, 0),)) for n, word in words]
    store = store_in_memory(predictor.task.windows(examples, predictor.encoder))
    assert len(store) > len(examples), "some windows hold no answer"
    model = AutoModelForQuestionAnswering.from_pretrained(trained.folder).eval()
    losses = []
    for place in range(len(store)):
        rows = store.rows([place])
        begin, end = (torch.from_numpy(r[0].astype("int64")) for r in (rows.label_starts, rows.label_ends))
        with torch.inference_mode():
            outputs = model(**predictor.collator.inputs(rows), start_positions=begin, end_positions=end)
        losses.append(float(outputs.loss))
    assert predictor.evaluate(store, examples).loss == pytest.approx(sum(losses) / len(losses), rel=1e-5)


# -- variants of training ----------------------------------------------------------------------------------------

TWO = ["--max-steps", "2"]


class Interruption:
    """Ctrl-C during the n-th step."""

    def __init__(self, monkeypatch, step: int) -> None:
        from headstart.trainer import HeadstartTrainer

        self.left, self.compute = step, HeadstartTrainer.compute_loss
        monkeypatch.setattr(HeadstartTrainer, "compute_loss", lambda *words, **more: self(*words, **more))

    def __call__(self, *words, **more):
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt
        return self.compute(*words, **more)


@pytest.mark.parametrize("clock", ["10", "1e-9"])
def test_a_resumed_run_ends_as_if_it_had_never_stopped(trained, tiny_bert, files, tmp_path, clock):
    """Step 8 is interrupted; the last checkpoint is of step 6, or by the clock of step 7, inside an epoch."""
    words = ("--validation", files["dev2"], *LONG, "--save-minutes", clock)
    with pytest.MonkeyPatch.context() as patch:
        Interruption(patch, 8)
        stopped = train(tiny_bert, files["train2"], tmp_path, *words)
    assert stopped.code == 130
    assert "--resume" in stopped.err
    assert not (tmp_path / "model.safetensors").exists()
    left = {path.name for path in (tmp_path / "checkpoints").iterdir()}
    assert ("checkpoint-6" if clock == "10" else "checkpoint-7") in left
    resumed = command("train", "--output", tmp_path, "--resume", "--json")
    assert resumed.document["steps"] == 10
    assert resumed.document["scores"] == trained.ran.document["scores"]
    assert identical(tmp_path, trained.folder)
    logs = [read(folder / "run" / "log_history.json") for folder in (tmp_path, trained.folder)]
    losses = [[(entry["step"], entry["loss"]) for entry in log if "loss" in entry] for log in logs]
    assert losses[0] == losses[1]


def test_settings_of_a_run_repeat_it(trained, tmp_path):
    saved = trained.folder / "run" / "settings.yaml"
    again = command("train", "--config", saved, "--output", tmp_path, "--json")
    assert again.document["scores"] == trained.ran.document["scores"]
    assert identical(tmp_path, trained.folder)
    first, second = (yaml.safe_load(p.read_text(encoding="utf-8")) for p in (saved, tmp_path / "run" / "settings.yaml"))
    assert {name for name in first if first[name] != second[name]} == {"output"}
    assert "from the cache" in again.err


def test_a_flag_beats_the_config_file(tiny_bert, files, tmp_path):
    config = tmp_path / "mine.yaml"
    config.write_text(f"model: {tiny_bert}\ntrain: [{files['train1']}]\nmax-steps: 7\nlearning_rate: 2e-4\nseed: 5\n")
    ran = command("train", "--config", config, "--output", tmp_path / "out", *QUICK, *TWO, "--json")
    assert ran.document["steps"] == 2
    settings = yaml.safe_load((tmp_path / "out" / "run" / "settings.yaml").read_text())
    assert (settings["learning_rate"], settings["seed"]) == (2e-4, 5)


def test_a_config_file_with_an_unknown_key_is_refused(tmp_path):
    config = tmp_path / "mine.yaml"
    config.write_text("model: m\ntrain: [t]\noutput: o\nlearning_rte: 1\n")
    ran = command("train", "--config", config)
    assert ran.code == 2
    assert "did you mean 'learning_rate'" in ran.err
    assert "mine.yaml" in ran.err


def test_a_finished_folder_is_trained_further(trained, files, tmp_path):
    """With next to no learning rate the weights, head included, are those it began with."""
    ran = train(trained.folder, files["train2"], tmp_path, *TWO, "--learning-rate", "1e-12")
    assert ran.code == 0
    before, after = weights(trained.folder), weights(tmp_path)
    for name, tensor in before.items():
        torch.testing.assert_close(after[name], tensor, atol=1e-7, rtol=0)


def test_one_seed_one_result_and_another_seed_another(tiny_bert, files, tmp_path):
    folders = [tmp_path / name for name in ("one", "two", "other")]
    for folder, seed in zip(folders, (1, 1, 2), strict=True):
        assert train(tiny_bert, files["train1"], folder, *TWO, "--seed", seed).code == 0
    assert identical(folders[0], folders[1])
    assert not identical(folders[0], folders[2])


def test_a_new_head_does_not_depend_on_what_ran_before(tiny_bert, files, tmp_path):
    for folder, noise in (("one", 1), ("two", 99)):
        torch.manual_seed(noise)
        assert train(tiny_bert, files["train1"], tmp_path / folder, *TWO, "--learning-rate", "1e-12").code == 0
    head = [weights(tmp_path / folder)["qa_outputs.weight"] for folder in ("one", "two")]
    assert torch.equal(*head)


def test_validation_as_a_share_is_of_other_passages(tiny_bert, files, tmp_path):
    ran = train(tiny_bert, files["train2"], tmp_path, "--validation", "0.5", *TWO)
    data = read(tmp_path / "run" / "data.json")
    assert data["train"]["examples"] == data["validation"]["examples"] == 9
    assert data["train"]["fingerprint"] != data["validation"]["fingerprint"]
    assert ran.document["scores"]["total"] == 9


@pytest.mark.parametrize("share", ["1.5", "0", "-1", "nan"])
def test_a_share_that_is_none_is_refused(tiny_bert, files, tmp_path, share):
    ran = train(tiny_bert, files["train2"], tmp_path, f"--validation={share}", *TWO)
    assert ran.code == 2
    assert "a share between 0 and 1" in ran.err


def test_without_validation_there_are_no_scores(tiny_bert, files, tmp_path):
    ran = command("train", "--model", tiny_bert, "--train", files["train1"], "--output", tmp_path, *QUICK, *TWO)
    assert ran.code == 0, ran.err
    assert ran.out.startswith("no validation data, no scores\nsaved to ")
    card = read(tmp_path / "headstart.json")
    assert (card["scores"], card["validation"], card["options"]["no_answer"]) == ({}, None, False)
    assert "No validation data was given." in (tmp_path / "README.md").read_text(encoding="utf-8")


def test_a_model_that_knows_no_unanswerable_questions_always_answers(tiny_bert, files, tmp_path):
    ran = train(tiny_bert, files["train1"], tmp_path, "--validation", files["dev1"], *TWO)
    assert set(ran.document["scores"]) == {"exact_match", "exact", "f1", "total"}
    reply = headstart.load(tmp_path, precision="fp32")(question="Who?", context=CONTEXTS[0])
    assert reply.answer
    assert reply.null_odds is None
    assert all(candidate.text for candidate in reply.nbest)


def test_a_threshold_given_to_training_is_kept_and_reported_with(tiny_bert, files, tmp_path):
    ran = train(tiny_bert, files["train2"], tmp_path, "--validation", files["dev2"], *TWO, "--null-threshold", "-999")
    assert read(tmp_path / "headstart.json")["options"]["null_threshold"] == -999
    assert (ran.document["scores"]["NoAns_exact"], ran.document["scores"]["HasAns_exact"]) == (100, 0)


def test_early_stopping_stops_where_nothing_gets_better(tiny_bert, files, tmp_path):
    words = ("--validation", files["dev1"], "--eval-steps", "1", "--max-steps", "30", "--learning-rate", "1e-12")
    ran = train(tiny_bert, files["train1"], tmp_path, *words, "--early-stopping-patience", "1")
    assert ran.document["steps"] == 2


def test_epochs_are_evaluated_one_by_one(tiny_bert, files, tmp_path):
    ran = train(tiny_bert, files["train1"], tmp_path, "--validation", files["dev1"], "--num-train-epochs", "2")
    epochs = [e["epoch"] for e in read(tmp_path / "run" / "log_history.json") if "eval_f1" in e]
    assert epochs == [1.0, 2.0]
    assert ran.document["steps"] % 2 == 0


def windows_said(ran: Ran) -> int:
    """The number of training windows, from the line that says how they were prepared."""
    line = next(line for line in ran.err.splitlines() if line.startswith("training: "))
    return int(line.split(", ")[1].split()[0])


@pytest.mark.parametrize(("more", "batches_a_step"), [((), 1), (("--gradient-accumulation-steps", "2"), 2)])
def test_batches_of_a_number_of_windows(tiny_bert, files, tmp_path, more, batches_a_step):
    words = ("--per-device-train-batch-size", "5", "--num-train-epochs", "1", *more)
    ran = train(tiny_bert, files["train1"], tmp_path, *words)
    batches = -(-windows_said(ran) // 5)
    assert ran.document["steps"] == -(-batches // batches_a_step)
    assert "batches of 5 windows" in ran.err


def test_accumulated_batches_learn_what_one_large_batch_learns(make_tiny_model, files, tmp_path):
    """Every window weighs the same: alone, in one batch of all, in batches of tokens that hold few or many."""
    encoder = make_tiny_model("bert", tmp_path / "encoder")
    config = read(encoder / "config.json")
    (encoder / "config.json").write_text(json.dumps({**config, "hidden_dropout_prob": 0.0}))
    rate = ("--optim", "sgd", "--learning-rate", "0.5", "--warmup-steps", "0", "--max-grad-norm", "0")

    def one_epoch(name: str, *batches: object) -> Ran:
        return train(encoder, files["train1"], tmp_path / name, "--num-train-epochs", "1", *rate, *batches)

    together = one_epoch("together", "--per-device-train-batch-size", "1000")
    each = ("--per-device-train-batch-size", "1", "--gradient-accumulation-steps", windows_said(together))
    few = ("--train-tokens-per-batch", "190")  # three long windows or five short ones
    count = one_epoch("counted", *few).document["steps"]
    assert count > 10
    for ran in (together, one_epoch("alone", *each), one_epoch("few", *few, "--gradient-accumulation-steps", count)):
        assert ran.document["steps"] == 1
    learnt = weights(tmp_path / "together")
    for other in ("alone", "few"):
        for name, tensor in weights(tmp_path / other).items():
            torch.testing.assert_close(tensor, learnt[name], atol=1e-5, rtol=1e-3, msg=f"{other}: {name}")
    start, moved = weights(encoder), 0.0
    for name, tensor in start.items():
        moved = max(moved, float((learnt[f"bert.{name}"] - tensor).abs().max()))
    assert moved > 1e-3, "more than what counts as equal"


def test_gradient_checkpointing_learns_the_same(tiny_bert, files, tmp_path):
    for folder, more in (("plain", ()), ("saving", ("--gradient-checkpointing",))):
        assert train(tiny_bert, files["train1"], tmp_path / folder, *TWO, *more).code == 0
    plain, saving = weights(tmp_path / "plain"), weights(tmp_path / "saving")
    for name, tensor in plain.items():
        torch.testing.assert_close(saving[name], tensor, atol=1e-6, rtol=1e-5)


def test_bf16_trains_and_answers_and_saves_fp32(tiny_bert, files, tmp_path):
    ran = train(tiny_bert, files["train1"], tmp_path, "--validation", files["dev1"], *TWO, "--precision", "bf16")
    assert "bf16" in ran.err
    assert ran.document["scores"]["total"] == 8
    assert weights(tmp_path)["qa_outputs.weight"].dtype == torch.float32
    assert headstart.load(tmp_path, precision="bf16")(question="Who?", context=CONTEXTS[0]).answer


def test_first_answers_and_all_answers_are_not_the_same(tiny_bert, files, tmp_path):
    for answers in ("all", "first"):
        words = ("--num-train-epochs", "1", "--answers", answers)
        assert train(tiny_bert, files["train1"], tmp_path / answers, *words).code == 0
    assert not identical(tmp_path / "all", tmp_path / "first")


def test_loader_processes_give_the_same_model(tiny_bert, files, tmp_path):
    for workers in ("0", "1"):
        words = (*TWO, "--dataloader-num-workers", workers)
        assert train(tiny_bert, files["train1"], tmp_path / workers, *words).code == 0
    assert identical(tmp_path / "0", tmp_path / "1")


def test_tensorboard_gets_its_events(tiny_bert, files, tmp_path):
    pytest.importorskip("tensorboard", reason="needs the tensorboard extra")
    ran = train(tiny_bert, files["train1"], tmp_path, *TWO, "--logging-steps", "1", "--report-to", "tensorboard")
    assert ran.code == 0, ran.err
    assert list(tmp_path.rglob("events.out.tfevents*"))


def test_a_missing_reporter_names_its_extra(tiny_bert, files, tmp_path, monkeypatch):
    from headstart import recipe

    monkeypatch.setattr(recipe, "find_spec", lambda name: None)
    ran = train(tiny_bert, files["train1"], tmp_path, *TWO, "--report-to", "tensorboard")
    assert ran.code == 5
    assert "pip install 'headstart[tensorboard]'" in ran.err


@pytest.mark.parametrize("family", ["roberta", "sentencepiece", "xlm-roberta", "xlnet"])
def test_other_families_of_encoders(make_tiny_model, files, tmp_path, family):
    encoder = make_tiny_model(family, tmp_path / "encoder")
    ran = train(encoder, files["train2"], tmp_path / "out", "--validation", files["dev2"], *TWO)
    words = ("evaluate", tmp_path / "out", "--data", files["dev2"], "--precision", "fp32", "--json")
    document = command(*words).document
    assert document["f1"] == pytest.approx(ran.document["scores"]["f1"], abs=1e-9)
    assert (tmp_path / "out" / "evaluation" / "metrics.json").is_file()
    reply = headstart.load(tmp_path / "out", null_threshold=1e3)(question="Who?", context=CONTEXTS[2])
    assert reply.answer == CONTEXTS[2][reply.start : reply.end] != ""


def test_python_trains_without_a_warning(tiny_bert, files, tmp_path):
    """The command line silences libraries; here every warning is an error."""
    options = {"max_length": 48, "doc_stride": 12, "max_steps": 2, "precision": "fp32"}
    settings = headstart.TrainSettings(
        model=str(tiny_bert), train=[str(files["train2"])], validation=[str(files["dev2"])], output=tmp_path, **options
    )
    result = headstart.train(settings)
    assert result.folder == tmp_path
    assert result.scores["total"] == 12
    evaluated = headstart.evaluate(
        headstart.EvaluateSettings(model=str(tmp_path), data=[str(files["dev2"])], precision="fp32")
    )
    assert evaluated.scores == pytest.approx(result.scores, abs=1e-9)


# -- refusals ----------------------------------------------------------------------------------------------------


def test_a_folder_with_something_in_it_is_not_written_over(tiny_bert, files, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    refused = train(tiny_bert, files["train1"], tmp_path, *TWO)
    assert refused.code == 2
    assert "an empty or new folder after --output" in refused.err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    assert train(tiny_bert, files["train1"], tmp_path, *TWO, "--overwrite").code == 0
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_overwriting_leaves_no_checkpoint_of_the_old_run(trained, tiny_bert, files, tmp_path):
    old = tmp_path / "checkpoints" / "checkpoint-99"
    old.mkdir(parents=True)
    (old / "trainer_state.json").write_text("{}")
    assert train(tiny_bert, files["train1"], tmp_path, *TWO, "--overwrite").code == 0
    assert not old.exists()


def test_a_file_is_no_folder(tiny_bert, files, tmp_path):
    (tmp_path / "out").write_text("")
    assert "a folder after --output" in train(tiny_bert, files["train1"], tmp_path / "out", *TWO).err


def test_nothing_to_resume(tiny_bert, files, tmp_path):
    ran = train(tiny_bert, files["train1"], tmp_path, *TWO, "--resume")
    assert ran.code == 2
    assert "a checkpoint to resume from" in ran.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--early-stopping-patience", "1"], "validation data for early stopping"),
        (["--max-length", "513"], "a max_length of at most 512"),
        (["--doc-stride", "48"], "a doc_stride (overlap of two windows) below max_length 48"),
        (["--lr-scheduler-type", "wavy"], "wavy"),
        (["--optim", "luck"], "luck"),
        (["--report-to", "pigeon"], "pigeon is not supported"),
        (["--device", "abacus"], "'abacus'"),
        (["--precision", "fp16", "--device", "cpu"], "bf16 or fp32 on a CPU"),
    ],
)
def test_what_cannot_be_is_refused_before_training(tiny_bert, files, tmp_path, words, message):
    ran = train(tiny_bert, files["train1"], tmp_path / "out", *TWO, *words)
    assert ran.code == 2, ran.err
    assert message in ran.err
    assert ran.out == ""
    assert not (tmp_path / "out" / "checkpoints").exists()


def test_roberta_has_two_positions_less_than_it_says(make_tiny_model, files, tmp_path):
    encoder = make_tiny_model("roberta", tmp_path / "encoder")
    refused = train(encoder, files["train1"], tmp_path / "out", *TWO, "--max-length", "513")
    assert "a max_length of at most 512" in refused.err
    assert train(encoder, files["train1"], tmp_path / "out", *TWO, "--max-length", "512").code == 0


def test_a_question_that_leaves_no_room_is_named(tiny_bert, files, tmp_path):
    ran = train(tiny_bert, files["train1"], tmp_path, *TWO, "--max-length", "20", "--doc-stride", "8")
    assert ran.code == 3
    assert "question 'c0-0'" in ran.err
    assert "train1.json" in ran.err


@pytest.mark.parametrize(("data", "code"), [("absent.json", 3), ("", 3)])
def test_data_that_is_not_there(tiny_bert, tmp_path, data, code):
    ran = train(tiny_bert, tmp_path / data, tmp_path / "out", *TWO)
    assert ran.code == code
    assert "Traceback" not in ran.err


def test_an_encoder_without_a_trained_head_is_not_asked(tiny_bert, files):
    ran = command("ask", tiny_bert, "-q", "Who?", "--context", "text")
    assert ran.code == 4
    assert "its answers would be random" in ran.err
    assert command("evaluate", tiny_bert, "--data", files["dev1"]).code == 4


def test_weights_that_are_no_weights_are_named(tiny_bert, tmp_path):
    for path in tiny_bert.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    ran = command("ask", tmp_path, "-q", "Who?", "--context", "text")
    assert ran.code == 4
    assert "model.safetensors" in ran.err


def test_a_card_that_is_not_ours_is_named(trained, tmp_path):
    (tmp_path / "headstart.json").write_text('{"task": "juggling"}')
    ran = command("ask", tmp_path, "-q", "Who?", "--context", "text")
    assert ran.code == 4
    assert "headstart.json" in ran.err


def test_windows_are_prepared_once(tiny_bert, files, tmp_path):
    said = [
        train(tiny_bert, files["train1"], tmp_path / str(number), *TWO, "--cache-dir", tmp_path / "cache", *more).err
        for number, more in enumerate(((), (), ("--overwrite-cache",), ("--doc-stride", "10")))
    ]
    assert ["from the cache" in text for text in said] == [False, True, False, False]


def test_limit_is_for_quick_trials(tiny_bert, files, tmp_path):
    ran = train(tiny_bert, files["train2"], tmp_path, "--validation", files["dev2"], *TWO, "--limit", "4")
    assert (ran.document["train"]["examples"], ran.document["validation"]["examples"]) == (4, 4)


def test_the_options_of_the_task_are_those_of_the_run(trained):
    task = QuestionAnswering.from_options(read(trained.folder / "headstart.json")["options"])
    assert (task.max_length, task.doc_stride, task.no_answer) == (48, 12, True)
