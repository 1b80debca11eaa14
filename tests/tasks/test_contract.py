"""What every task promises the engine. A sixth task is one more row of `KINDS`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

import headstart
from headstart.checkpoint import Checkpoint, load, load_trained, save
from headstart.errors import DataError
from headstart.examples import Answer, QuestionExample, TextExample, WordsExample
from headstart.hardware import Hardware
from headstart.inference import Predictor
from headstart.tasks import TASKS, Classification, QuestionAnswering, Regression, Tagging, Task
from headstart.tasks.labels import head_of
from headstart.window_rows import WindowRows
from headstart.window_store import store_in_memory
from tokenizers_made_here import SENTENCES

EAGER = Hardware(torch.device("cpu"), "fp32", "eager", 1)  # XLNet knows no other attention
TEXTS = ("water", *SENTENCES[:6], " ".join(SENTENCES[:4]), " ".join(SENTENCES[1:9]), "The old bridge")
MANY = " ".join(("the", "river", "Was", "cold") * 2_500)
FAR = 60.0  # a logit that leaves nothing to the others


@dataclass(frozen=True)
class Kind:
    """All that the contract has to be told about a task."""

    task: Task  # with room for few tokens, so that there are several windows
    make: Callable[[str, str], Any]  # id and text → labelled example
    forget: Mapping[str, Any]  # the fields of an example without its gold
    told: Callable[[Task, Any], Any]  # what a prediction says
    gold: Callable[[Any], Any]  # what it should say
    sure: Callable[[Task, Any, WindowRows, int, bool], dict[str, Any]]  # logits of one who knows the gold
    perfect: Mapping[str, float]  # scores of one who does
    ask: Callable[[str], dict[str, Any]]  # text → the arguments of a loaded model
    scores_unlabelled: bool = True  # examples without gold are passed over in scores, not refused


# -- the rows ----------------------------------------------------------------------------------------------------


def question(id: str, text: str) -> QuestionExample:
    """The last word is asked for."""
    last = text.split()[-1] if text else ""
    return QuestionExample(id, "Which?", text, (Answer(last, len(text) - len(last)),))


def sure_of_spans(task: Task, examples: Any, rows: WindowRows, width: int, left: bool) -> dict[str, Any]:
    start, end = np.zeros((2, len(rows), width), np.float32)
    for row, shift in enumerate(rows.shift(width, left=left)):
        found = rows.label_starts[row][0] != rows.cls_index[row]
        start[row, rows.label_starts[row][0] + shift] = FAR if found else FAR / 2
        end[row, rows.label_ends[row][0] + shift] = FAR if found else FAR / 2
    return {"start_logits": start, "end_logits": end}


def coloured(id: str, text: str) -> TextExample:
    return TextExample(id, text, None, ("red", "green", "blue")[len(text) % 3])


def paired(id: str, text: str) -> TextExample:
    return replace(coloured(id, text), text_pair="The river rose.")


def measured(id: str, text: str) -> TextExample:
    return TextExample(id, "How long is it?", text, len(text) / 8)


def sure_of_labels(task: Any, examples: Any, rows: WindowRows, width: int, left: bool) -> dict[str, Any]:
    labels = [task.labels.index(examples[place].label) for place in rows.example]
    return {"logits": FAR * np.eye(len(task.labels), dtype=np.float32)[labels]}


def sure_of_numbers(task: Task, examples: Any, rows: WindowRows, width: int, left: bool) -> dict[str, Any]:
    return {"logits": np.array([[examples[place].label] for place in rows.example], np.float32)}


def tagged(id: str, text: str) -> WordsExample:
    """Entities are words with a capital and what follows them up to a short word."""
    words = tuple(text.split())
    tags: list[str] = []
    for word in words:
        inside = bool(tags) and tags[-1] != "O" and len(word) > 3
        tags.append("B-NAME" if word[0].isupper() else "I-NAME" if inside else "O")
    starts = np.cumsum([0, *(len(word) + 1 for word in words)])[: len(words)].tolist()
    return WordsExample(id, words, tuple(tags), " ".join(words), tuple(starts))


def sure_of_tags(task: Any, examples: Any, rows: WindowRows, width: int, left: bool) -> dict[str, Any]:
    logits = np.zeros((len(rows), width, len(task.labels)), np.float32)
    shifts = rows.shift(width, left=left)
    for row, place in enumerate(rows.example):
        for word, token in zip(rows.columns["words"][row], rows.columns["places"][row], strict=True):
            logits[row, token + shifts[row], task.labels.index(examples[place].tags[word])] = FAR
    return {"logits": logits}


LABELS = {"accuracy": 1.0, "f1_macro": 1.0, "f1_micro": 1.0, "matthews_correlation": 1.0, "total": len(TEXTS)}
WORDS = sum(len(text.split()) for text in TEXTS)
SMALL: dict[str, Any] = {"max_length": 40, "doc_stride": 8}
KINDS = {
    "question answering": Kind(
        QuestionAnswering(**SMALL, n_best_size=5),
        question,
        {"answers": None},
        told=lambda task, prediction: task.answer(prediction).text,
        gold=lambda example: example.answers[0].text,
        sure=sure_of_spans,
        perfect={"exact_match": 100, "exact": 100, "f1": 100, "total": len(TEXTS)},
        ask=lambda text: {"question": "Which?", "context": text},
        scores_unlabelled=False,
    ),
    "classification": Kind(
        Classification(**SMALL, long_texts="windows"),
        coloured,
        {"label": None},
        told=lambda task, prediction: prediction.label,
        gold=lambda example: example.label,
        sure=sure_of_labels,
        perfect=LABELS,
        ask=lambda text: {"text": text},
    ),
    "classification of pairs": Kind(
        Classification(**SMALL, class_weights="balanced"),
        paired,
        {"label": None},
        told=lambda task, prediction: prediction.label,
        gold=lambda example: example.label,
        sure=sure_of_labels,
        perfect=LABELS,
        ask=lambda text: {"text": text, "text_pair": "The river rose."},
    ),
    "regression of pairs": Kind(
        Regression(**SMALL, long_texts="windows"),
        measured,
        {"label": None},
        told=lambda task, prediction: prediction.number,
        gold=lambda example: example.label,
        sure=sure_of_numbers,
        perfect={"pearson": 1.0, "spearman": 1.0, "mse": 0.0, "total": len(TEXTS)},
        ask=lambda text: {"text": "How long is it?", "text_pair": text},
    ),
    "tagging": Kind(
        Tagging(**SMALL),
        tagged,
        {"tags": None},
        told=lambda task, prediction: prediction.tags,
        gold=lambda example: example.tags,
        sure=sure_of_tags,
        perfect={"accuracy": 1.0, "precision": 1.0, "recall": 1.0, "f1": 1.0, "total": WORDS},
        ask=lambda text: {"text": text},
    ),
}


# -- what the rows are asked -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ready:
    """A kind of task with examples, and a tiny model that has its head."""

    kind: Kind
    examples: list[Any]
    checkpoint: Checkpoint
    family: str

    @property
    def task(self) -> Any:
        return self.checkpoint.task

    def predictor(self, *, tokens: int = 2_000, **options: Any) -> Predictor:
        task = replace(self.task, **options)
        return Predictor(self.checkpoint, EAGER, task=task, tokens_per_batch=tokens)

    def stored(self, examples: Sequence[Any] | None = None) -> Any:
        made = self.predictor()
        return store_in_memory(made.task.windows(self.examples if examples is None else examples, made.encoder))

    def unlabelled(self, examples: Sequence[Any]) -> list[Any]:
        return [replace(example, **self.kind.forget) for example in examples]

    def records(self, predictions: Sequence[Any], examples: Sequence[Any] | None = None) -> list[dict[str, Any]]:
        pairs = zip(self.examples if examples is None else examples, predictions, strict=True)
        return [self.task.record(example, prediction) for example, prediction in pairs]


@pytest.fixture(scope="module")
def prepared(text_models) -> dict[tuple[str, str], Ready]:
    """Every kind of task on a model that pads on the right and on one that pads on the left."""
    found = {}
    for name, kind in KINDS.items():
        examples = [kind.make(f"e{number}", text) for number, text in enumerate(TEXTS)]
        for family, folder in text_models.items():
            torch.manual_seed(3)
            checkpoint = load(folder, EAGER, task=kind.task.for_data(examples))
            checkpoint.model.eval()
            found[name, family] = Ready(kind, examples, checkpoint, family)
    return found


@pytest.fixture(params=["bert", "xlnet"])
def family(request) -> str:
    return request.param


@pytest.fixture(params=KINDS)
def ready(request, prepared, family) -> Ready:
    return prepared[request.param, family]


@pytest.fixture(params=KINDS)
def on_bert(request, prepared) -> Ready:
    """Where the side of the padding makes no difference."""
    return prepared[request.param, "bert"]


def alike(one: Any, other: Any, tolerance: float = 1e-5) -> bool:
    """Whether two trees of plain values are the same but for the last digits."""
    if isinstance(one, Mapping):
        return one.keys() == other.keys() and all(alike(one[key], other[key], tolerance) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(alike(a, b, tolerance) for a, b in zip(one, other, strict=True))
    return bool(one == pytest.approx(other, abs=tolerance)) if isinstance(one, float) else bool(one == other)


def plain(value: Any) -> bool:
    """Whether JSON knows it by itself: no tuples, no numbers of numpy, nothing infinite."""
    if type(value) is dict:
        return all(type(key) is str and plain(part) for key, part in value.items())
    if type(value) is list:
        return all(map(plain, value))
    return type(value) in (str, int, bool, type(None)) or (type(value) is float and np.isfinite(value))


def test_every_task_has_a_row():
    assert {kind.task.name for kind in KINDS.values()} == set(TASKS)


# -- the object --------------------------------------------------------------------------------------------------


def test_options_make_the_same_task_again(on_bert):
    for task in (on_bert.kind.task, on_bert.task):
        assert type(task).from_options(task.options()) == task
        assert type(task).from_options(json.loads(json.dumps(task.options()))) == task
        assert type(task).from_options({**task.options(), "invented_later": [1]}) == task


def test_names_are_those_of_transformers(on_bert):
    import transformers
    from transformers.pipelines import SUPPORTED_TASKS

    assert hasattr(transformers, on_bert.task.head)
    assert on_bert.task.pipeline in {*SUPPORTED_TASKS, "question-answering"}  # which transformers 5 gave up
    assert on_bert.task.metric in on_bert.task.metrics
    assert TASKS[on_bert.task.name] is type(on_bert.task)


def test_the_head_is_where_the_task_says(ready):
    layer = head_of(ready.checkpoint.model, ready.task.head_layers)
    linear = [part for part in layer.modules() if isinstance(part, torch.nn.Linear)]
    with torch.no_grad():
        linear[-1].bias += 1000.0
        made = ready.predictor()
        outputs = made.model(**made.collator.inputs(ready.stored().rows([0])))
        linear[-1].bias -= 1000.0
    logits = torch.cat([value.flatten() for name, value in outputs.items() if name.endswith("logits")])
    assert (logits > 900).all(), "what is added to the head's last layer is in the logits"
    assert not ready.checkpoint.trained


def test_the_model_is_claimed_by_its_task_alone(on_bert, tmp_path):
    from transformers import AutoConfig

    save(tmp_path, on_bert.checkpoint, task=on_bert.task, facts={})
    config = AutoConfig.from_pretrained(tmp_path)
    assert [name for name, task in TASKS.items() if task.claims(config)] == [on_bert.task.name]


@pytest.mark.parametrize("option", ["max_length", "doc_stride"])
def test_windows_of_other_options_have_another_key(on_bert, option):
    task = on_bert.task
    assert task.windows_key() == replace(task).windows_key()
    assert replace(task, **{option: 17}).windows_key() != task.windows_key()
    others = {kind.task.windows_key() for kind in KINDS.values()}
    assert len(others) == len(KINDS)


# -- data → windows ----------------------------------------------------------------------------------------------


def test_every_example_has_windows_and_keeps_its_place(ready):
    store = ready.stored()
    places = store.examples.tolist()
    assert sorted(set(places)) == list(range(len(ready.examples)))
    assert places == sorted(places)
    assert store.lengths.max() <= ready.task.max_length
    cuts = getattr(ready.task, "long_texts", "windows") == "cut"
    assert (len(store) == len(ready.examples)) == cuts


def test_labelled_and_unlabelled_examples_stand_together(ready):
    mixed = [ready.unlabelled([e])[0] if place % 2 else e for place, e in enumerate(ready.examples)]
    store, whole = ready.stored(mixed), ready.stored()
    assert set(store.examples[store.labelled()] % 2) == {0}
    assert set(store.examples[whole.labelled()]) == set(range(len(TEXTS)))
    made = ready.predictor()
    found = ready.records(made.predict(mixed), mixed)
    assert alike(found, ready.records(made.predict(ready.examples)))
    known = ready.examples[::2]
    wanted = made.evaluate(ready.stored(known), known)
    if not ready.kind.scores_unlabelled:
        with pytest.raises(DataError, match="'e1'"):
            made.evaluate(store, mixed)
        return
    evaluation = made.evaluate(store, mixed)
    assert evaluation.scores == pytest.approx(wanted.scores, abs=1e-4)
    assert evaluation.loss == pytest.approx(wanted.loss, abs=1e-4)


def test_the_self_test_says_what_it_checked(on_bert):
    said = on_bert.task.self_test(on_bert.examples, on_bert.predictor().encoder)
    assert said.startswith("self-test: ")
    assert any(character.isdigit() for character in said)


# -- training ----------------------------------------------------------------------------------------------------


def losses(ready: Ready, rows: WindowRows) -> torch.Tensor:
    made = ready.predictor()
    inputs = made.collator.inputs(rows)
    targets = ready.task.targets(rows, inputs["input_ids"].shape[1], left=made.collator.left)
    with torch.no_grad():
        outputs = made.model(**inputs)
        tensors = {name: torch.from_numpy(target) for name, target in targets.items()}
        return ready.task.loss(outputs, tensors, inputs["attention_mask"])


def test_the_loss_of_a_batch_is_that_of_its_windows_alone(ready):
    store = ready.stored()
    together = losses(ready, store.rows(range(len(store))))
    alone = torch.cat([losses(ready, store.rows([place])) for place in range(len(store))])
    assert together.shape == (len(store),)
    assert (together > 0).any()
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-4)


def test_targets_are_named_as_targets(ready):
    rows = ready.stored().rows([0, 3])
    targets = ready.task.targets(rows, 50, left=ready.family == "xlnet")
    assert targets
    assert all(name.endswith("_targets") and len(target) == 2 for name, target in targets.items())


# -- logits → predictions ----------------------------------------------------------------------------------------


def sure(ready: Ready, width: int) -> tuple[WindowRows, SimpleNamespace]:
    left = ready.predictor().collator.left
    assert left == (ready.family == "xlnet")
    store = ready.stored()
    rows = store.rows(range(len(store)))
    logits = ready.kind.sure(ready.task, ready.examples, rows, width, left)
    return rows, SimpleNamespace(**{name: torch.from_numpy(values) for name, values in logits.items()})


@pytest.mark.parametrize("padding", [0, 9])
def test_logits_that_show_the_gold_decode_to_it_and_score_perfectly(ready, padding):
    task, kind, left = ready.task, ready.kind, ready.family == "xlnet"
    rows, outputs = sure(ready, 40 + padding)
    predictions = task.decode([task.shrink(outputs, rows, left=left)], ready.examples)
    assert [prediction.id for prediction in predictions] == [example.id for example in ready.examples]
    assert [kind.told(task, p) for p in predictions] == [kind.gold(e) for e in ready.examples]
    scorer = task.scorer(ready.examples)
    for place, prediction in enumerate(predictions):
        scorer.add(place, prediction)
    assert scorer.scores(task) == pytest.approx(dict(kind.perfect))


def test_logits_that_show_the_gold_have_no_loss(ready):
    """Ties what is decoded to what is learnt."""
    rows, outputs = sure(ready, 40)
    targets = {n: torch.from_numpy(t) for n, t in ready.task.targets(rows, 40, left=ready.family == "xlnet").items()}
    found = ready.task.loss(outputs, targets, torch.ones(len(rows), 40))
    assert found.max() < 1e-6


def test_windows_may_come_in_any_parts_and_order(ready):
    """A pool is modelled longest windows first, in batches of one width."""
    task, left = ready.task, ready.family == "xlnet"
    rows, outputs = sure(ready, 40)
    store = ready.stored()
    parts = []
    for places in np.array_split(np.arange(len(store))[::-1], 3):
        some = SimpleNamespace(
            **{name: values[torch.from_numpy(places.copy())] for name, values in vars(outputs).items()}
        )
        parts.append(task.shrink(some, store.rows(places), left=left))
    whole = task.decode([task.shrink(outputs, rows, left=left)], ready.examples)
    assert ready.records(task.decode(parts, ready.examples)) == ready.records(whole)


# -- the way through a model -------------------------------------------------------------------------------------


def test_a_batch_of_one_gives_what_a_batch_of_many_gives(ready):
    many, one = (ready.predictor(tokens=tokens).predict(ready.examples) for tokens in (100_000, 1))
    alone = [ready.predictor().predict([example])[0] for example in ready.examples]
    assert alike(ready.records(one), ready.records(many), 1e-4)
    assert alike(ready.records(alone), ready.records(many), 1e-4)


def test_predictions_come_in_the_order_of_the_examples(on_bert):
    made = on_bert.predictor()
    order = [3, 0, 8, 7, 1, 9, 2, 6, 4, 5]
    mixed = [on_bert.examples[place] for place in order]
    straight, found = made.predict(on_bert.examples), made.predict(mixed)
    assert [prediction.id for prediction in found] == [f"e{place}" for place in order]
    assert alike(on_bert.records(found, mixed), on_bert.records([straight[place] for place in order], mixed))


def test_no_examples_no_predictions(on_bert):
    assert on_bert.predictor().predict([]) == []


def test_what_is_saved_and_loaded_gives_the_same(ready, tmp_path):
    torch.manual_seed(9)  # a head drawn anew would be another one
    task = ready.task
    save(tmp_path, ready.checkpoint, task=task, facts={"scores": {}})
    again = load_trained(tmp_path, EAGER)
    assert again.trained
    assert again.task == task
    made = Predictor(again, EAGER, tokens_per_batch=2_000)
    assert alike(ready.records(made.predict(ready.examples)), ready.records(ready.predictor().predict(ready.examples)))


# -- strange inputs ----------------------------------------------------------------------------------------------


def test_one_input_gives_one_reply_and_a_list_a_list(on_bert, tmp_path):
    save(tmp_path, on_bert.checkpoint, task=on_bert.task, facts={})
    model = headstart.load(tmp_path, precision="fp32", attention="eager", device="cpu")
    words = on_bert.kind.ask("The old lighthouse keeper wrote letters.")
    one = model(**words)
    several = model(**{name: [value, value] for name, value in words.items()})
    assert not isinstance(one, list)
    assert isinstance(several, list)
    assert repr(several[0]) == repr(several[1])
    assert model(**{name: [] for name in words}) == []


def test_an_input_of_one_word(ready):
    example = ready.kind.make("one", "river")
    made = ready.predictor()
    (prediction,) = made.predict([example])
    assert prediction.id == "one"
    told = ready.kind.told(ready.task, prediction)
    gold = ready.kind.gold(example)
    assert type(told) is type(gold)
    assert len(told) == 1 if isinstance(told, tuple) else told == told


def test_an_input_of_ten_thousand_words(on_bert):
    example = on_bert.kind.make("long", MANY)
    made = on_bert.predictor(max_length=120, doc_stride=20)
    store = store_in_memory(made.task.windows([example], made.encoder))
    assert store.lengths.max() == 120
    (prediction,) = made.predict(on_bert.unlabelled([example]))
    assert plain(on_bert.task.record(example, prediction))
    cuts = getattr(on_bert.task, "long_texts", "windows") == "cut"
    assert (len(store) == 1) == cuts
    assert bool((store.counts("cut") > 0).any()) == cuts
    told = on_bert.kind.told(on_bert.task, prediction)
    if isinstance(told, tuple):
        assert len(told) == 10_000, "one tag a word"


# -- scores and files --------------------------------------------------------------------------------------------


def test_tables_of_two_processes_add_up(ready):
    predictions = ready.predictor().predict(ready.examples)
    whole, *shares = (ready.task.scorer(ready.examples) for _ in range(3))
    for place, prediction in enumerate(predictions):
        whole.add(place, prediction)
        shares[place % 3 == 0].add(place, prediction)
    assert all(share.table.any() for share in shares)
    assert whole.table.dtype == np.float64
    assert len(whole.table) == len(ready.examples)
    shares[0].table += shares[1].table
    np.testing.assert_array_equal(shares[0].table, whole.table)
    assert shares[0].scores(ready.task) == whole.scores(ready.task)
    assert shares[0].tune() == whole.tune()


def test_scores_are_plain_numbers_and_hold_the_metrics(on_bert):
    made = on_bert.predictor()
    scores = made.evaluate(on_bert.stored(), on_bert.examples).scores
    assert plain(scores)
    assert scores["total"] == on_bert.kind.perfect["total"]
    assert set(on_bert.task.metrics) <= set(scores)
    assert set(scores) == set(on_bert.kind.perfect)


def test_what_is_written_are_plain_values(on_bert):
    task, predictions = on_bert.task, on_bert.predictor().predict(on_bert.examples)
    for example, prediction in zip(on_bert.examples, predictions, strict=True):
        written, record = task.written(prediction), task.record(example, prediction)
        assert plain(written)
        assert plain(record)
        assert record["id"] == example.id
        assert set(written) <= set(task.files)
        assert "predictions" in written
    assert plain(task.summary(on_bert.examples))
    assert plain(task.options() | {"labels": [], "weights": []})
    assert plain(task.tuned())
    assert all(type(line) is str for line in task.remarks(on_bert.examples))
    assert task.description().endswith(".")
