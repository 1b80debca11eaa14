"""The one way from examples to scores: streamed, beside the model, the same whatever the batches."""

from __future__ import annotations

import gc
import threading
from dataclasses import replace

import pytest
import torch

from headstart import inference
from headstart.checkpoint import Checkpoint, load
from headstart.examples import Answer, QuestionExample, QuestionPrediction
from headstart.hardware import Hardware
from headstart.inference import Predictor, Work, pool_size
from headstart.tasks import QuestionAnswering
from headstart.window_store import store_in_memory
from tokenizers_made_here import SENTENCES

CPU = Hardware(torch.device("cpu"), "fp32", "sdpa", 1)
TASK = QuestionAnswering(max_length=40, doc_stride=8, n_best_size=5, no_answer=True)


def questions(count: int) -> list[QuestionExample]:
    """Questions with one window and with several, with and without an answer."""
    asked = []
    for number in range(count):
        context = " ".join(SENTENCES[number % 5 : number % 5 + 1 + number % 4])
        answers = () if number % 3 == 0 else (Answer(context.split()[0], 0),)
        asked.append(QuestionExample(f"q{number}", f"Which word is number {number}?", context, answers))
    return asked


@pytest.fixture(scope="module")
def checkpoint(tiny_bert) -> Checkpoint:
    torch.manual_seed(0)
    return load(tiny_bert, CPU)


def predictor(checkpoint: Checkpoint, *, tokens: int = 300, task: QuestionAnswering = TASK) -> Predictor:
    return Predictor(checkpoint, CPU, task=task, tokens_per_batch=tokens)


def stored(made: Predictor, examples):
    return store_in_memory(made.task.windows(examples, made.encoder))


def test_predictions_do_not_depend_on_batches_and_pools(checkpoint, monkeypatch):
    examples = questions(40)
    whole = predictor(checkpoint, tokens=100_000).predict(examples)
    monkeypatch.setattr(inference, "POOL", 7)
    cut = predictor(checkpoint, tokens=90).predict(examples)
    assert [p.id for p in whole] == [p.id for p in cut] == [e.id for e in examples]
    for one, other in zip(whole, cut, strict=True):
        assert one.null_odds == pytest.approx(other.null_odds, abs=1e-4)
        assert one.best_span.score == pytest.approx(other.best_span.score, abs=1e-4)
        assert len(one.nbest) == len(other.nbest) == 6


def test_an_evaluation_hears_of_every_prediction_in_order_and_scores_what_it_heard(checkpoint, monkeypatch):
    monkeypatch.setattr(inference, "POOL", 16)
    examples, made = questions(40), predictor(checkpoint)
    store, heard = stored(made, examples), []
    evaluation = made.evaluate(store, examples, receive=lambda place, prediction: heard.append((place, prediction)))
    assert [place for place, _ in heard] == list(range(40))
    assert [p.id for _, p in heard] == [e.id for e in examples]
    scorer = TASK.scorer(examples)
    for place, prediction in heard:
        scorer.add(place, prediction)
    assert evaluation.scores == scorer.scores(TASK)
    assert evaluation.task is TASK
    tuned = made.evaluate(store, examples, tune=True)
    assert tuned.task == scorer.tune() != TASK
    assert tuned.scores == scorer.scores(tuned.task)


def test_work_is_counted(checkpoint):
    examples, made = questions(20), predictor(checkpoint)
    store = stored(made, examples)
    evaluation = made.evaluate(store, examples)
    work = evaluation.work
    assert work.windows == work.learnt == len(store)
    assert work.tokens == store.lengths.sum()
    assert work.tokens <= work.padded < 2 * work.tokens
    assert evaluation.loss == pytest.approx(work.loss / work.learnt)
    assert 0 < work.decode < work.seconds
    summary = work.summary()
    assert summary["windows_per_second"] == pytest.approx(work.windows / work.seconds, abs=0.01)
    assert summary["tokens_per_second"] == pytest.approx(work.tokens / work.seconds, abs=0.1)
    assert summary["padding_share"] == pytest.approx(1 - work.tokens / work.padded, abs=1e-4)
    assert set(summary) == {
        "windows", "windows_per_second", "tokens_per_second", "padding_share", "peak_memory_mb",
        "seconds_evaluate", "seconds_decode",
    }  # fmt: skip


def test_questions_without_gold_have_no_loss(checkpoint):
    examples = [replace(example, answers=None) for example in questions(3)]
    made = predictor(checkpoint)
    batches = []
    model = made._model
    made._model = lambda batch: batches.append(batch) or model(batch)
    assert len(made.predict(examples)) == 3
    assert all(batch.targets == {} for batch in batches)


def test_no_work_is_no_division_by_nothing():
    assert Work().summary()["windows_per_second"] == 0


def test_the_model_stays_in_the_callers_thread_and_decoding_leaves_it(checkpoint):
    made, threads = predictor(checkpoint), {}
    model, decode = made._model, QuestionAnswering.decode
    made._model = lambda batch: threads.setdefault("model", threading.current_thread()) and model(batch)

    def noted(self, parts, examples):
        threads["decode"] = threading.current_thread()
        return decode(self, parts, examples)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(QuestionAnswering, "decode", noted)
        made.predict(questions(30))
        assert threads["model"] is threading.main_thread() is not threads["decode"]
        made.predict(questions(1))
        assert threads["decode"] is threading.main_thread(), "a single batch is not worth a thread"
    assert threading.active_count() == 1 or not threads["decode"].name.startswith("ThreadPool")


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
@pytest.mark.parametrize("stage", ["read", "model", "decode", "receive"])
def test_what_goes_wrong_anywhere_ends_it_and_leaves_nothing_running(checkpoint, error, stage, monkeypatch):
    examples, made = questions(30), predictor(checkpoint)
    store, before = stored(made, examples), threading.active_count()

    def fail(*_: object, **__: object) -> None:
        raise error

    places = {"read": (store, "rows"), "model": (made, "_model"), "decode": (QuestionAnswering, "decode")}
    if stage in places:
        monkeypatch.setattr(*places[stage], fail)
    made.model.train()
    with pytest.raises(error):
        made.evaluate(store, examples, receive=fail if stage == "receive" else None)
    assert made.model.training, "as it was before"
    assert threading.active_count() == before
    assert not torch.is_inference_mode_enabled()


def test_evaluating_leaves_the_model_able_to_learn(checkpoint):
    examples, made = questions(3), predictor(checkpoint)
    store = stored(made, examples)
    made.evaluate(store, examples)
    rows = store.rows([0])
    outputs = made.model(**made.collator.inputs(rows))
    targets = {n: torch.from_numpy(t) for n, t in TASK.targets(rows, outputs.start_logits.shape[1], left=False).items()}
    TASK.loss(outputs, targets, made.collator.inputs(rows)["attention_mask"]).sum().backward()
    assert made.model.qa_outputs.weight.grad.abs().sum() > 0
    made.model.zero_grad()


@pytest.mark.parametrize(
    ("windows", "ranks", "size"), [(0, 1, 1), (100, 1, 100), (4_097, 1, 2_049), (100_000, 8, 3_125)]
)
def test_pools_are_equally_many_for_every_rank(windows, ranks, size):
    assert pool_size(windows, ranks) == size
    pools = -(-windows // size)
    assert pools % ranks == 0 or pools < ranks


def test_predictions_are_let_go_once_they_were_heard(checkpoint, monkeypatch):
    monkeypatch.setattr(inference, "POOL", 8)
    examples, made, alive = questions(60), predictor(checkpoint), []

    def count(place: int = 0, prediction: QuestionPrediction | None = None) -> None:
        if place % 10 == 0:
            alive.append(sum(type(thing) is QuestionPrediction for thing in gc.get_objects()))

    count()  # those of other tests
    made.evaluate(stored(made, examples), examples, receive=count)
    assert 0 < max(alive) - alive[0] <= 3, "those on their way"
    assert TASK.scorer(examples).table.nbytes == 60 * 5 * 8
