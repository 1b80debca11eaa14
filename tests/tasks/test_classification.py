"""Labels, weights, targets, loss, decoding and scores of classification, on values written by hand."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from headstart.errors import DataError
from headstart.examples import LabelPrediction, TextExample
from headstart.tasks import Classification
from headstart.window_rows import WindowRows
from headstart.window_store import store_in_memory

TASK = Classification(labels=("no", "yes", "maybe"))


def labelled(*labels: str | float | None) -> list[TextExample]:
    return [TextExample(f"t{number}", f"w{number} w1", None, label) for number, label in enumerate(labels)]


def rows_of(task: Classification, examples: list[TextExample], encoder) -> WindowRows:
    store = store_in_memory(task.windows(examples, encoder))
    return store.rows(range(len(store)))


def outputs(*logits: list[float]) -> SimpleNamespace:
    return SimpleNamespace(logits=torch.tensor(logits))


def predicted(*labels: str) -> list[LabelPrediction]:
    return [LabelPrediction(str(place), label, (0.5, 0.5)) for place, label in enumerate(labels)]


def scores(task: Classification, examples: list[TextExample], *labels: str) -> dict[str, float]:
    scorer = task.scorer(examples)
    for place, prediction in enumerate(predicted(*labels)):
        scorer.add(place, prediction)
    return scorer.scores(task)


# -- labels of the data ------------------------------------------------------------------------------------------


def test_labels_and_their_weights_are_learnt_from_the_data():
    examples = labelled("yes", "no", "yes", None, "yes")
    assert Classification().for_data(examples).labels == ("no", "yes")
    assert Classification().for_data(examples).weights == ()
    assert Classification(class_weights="balanced").for_data(examples).weights == pytest.approx((2.0, 2 / 3))
    assert Classification().for_data(labelled("10", "9", "9")).labels == ("9", "10")


@pytest.mark.parametrize(("labels", "found"), [(("yes", "yes"), "only 'yes'"), ((None, None), "none")])
def test_one_label_is_nothing_to_learn(labels, found):
    with pytest.raises(DataError, match=f"two labels or more; found {found}"):
        Classification().for_data(labelled(*labels))


def test_a_model_that_knows_the_labels_keeps_its_order_and_weights_follow():
    task = Classification(labels=("no", "yes"), weights=(2.0, 0.5))
    told = task.for_model(SimpleNamespace(id2label={0: "yes", 1: "maybe", 2: "no"}))
    assert (told.labels, told.weights) == (("yes", "maybe", "no"), (0.5, 0.0, 2.0))
    assert task.for_model(SimpleNamespace(id2label={0: "LABEL_0", 1: "LABEL_1"})) == task
    assert Classification().for_model(SimpleNamespace(id2label={0: "b", 1: "a"})).labels == ("b", "a")


def test_labels_that_training_did_not_have_are_named_and_counted():
    said = TASK.remarks(labelled("yes", "nay", "nay", "aye", None))
    assert said == [
        "2 texts have the label 'nay', which was not in the training data and counts as wrong",
        "1 texts have the label 'aye', which was not in the training data and counts as wrong",
    ]
    assert TASK.remarks(labelled("yes", None)) == []


def test_many_numbers_look_like_quantities():
    examples = labelled(*(f"{number / 10}" for number in range(60)))
    (said,) = Classification().for_data(examples).remarks(examples)
    assert said == "60 different numbers as labels: are they quantities? (--task regression)"
    words = labelled(*(f"topic {number}" for number in range(60)))
    assert Classification().for_data(words).remarks(words) == []


def test_counts_of_the_labels_are_kept_with_the_run():
    assert TASK.summary(labelled("yes", "no", "yes")) == {"labels": {"yes": 2, "no": 1}}


def test_what_the_model_is_told():
    assert Classification(labels=("b", "a")).model_config() == {
        "num_labels": 2,
        "id2label": {0: "b", 1: "a"},
        "label2id": {"b": 0, "a": 1},
        "problem_type": "single_label_classification",
    }


# -- training ----------------------------------------------------------------------------------------------------


def test_targets_are_the_numbers_of_labels(word_encoder):
    rows = rows_of(TASK, labelled("maybe", "no", None, "never", "yes"), word_encoder)
    assert rows.label_counts.tolist() == [1, 1, 0, 0, 1]
    targets = TASK.targets(rows, 4, left=False)["label_targets"]
    assert targets.dtype == np.int64
    assert targets.tolist() == [2, 0, 0, 0, 1]
    assert TASK.learnt(rows.label_counts) == 3


def test_numbers_as_labels_are_their_names(word_encoder):
    task = Classification(labels=("0", "1"))
    rows = rows_of(task, labelled(1, "0"), word_encoder)
    assert rows.columns["labels"].values.tolist() == [1, 0]


def test_the_loss_is_cross_entropy_by_hand():
    found = TASK.loss(outputs([0.0, math.log(3), 0.0], [1.0, 1.0, 1.0]), {"label_targets": torch.tensor([1, 2])}, None)
    assert found.tolist() == pytest.approx([-math.log(3 / 5), math.log(3)])


def test_the_loss_of_a_rare_label_weighs_more():
    task = Classification(labels=("no", "yes"), weights=(2.0, 0.5))
    found = task.loss(outputs([0.0, 0.0], [0.0, 0.0]), {"label_targets": torch.tensor([0, 1])}, None)
    assert found.tolist() == pytest.approx([2 * math.log(2), math.log(2) / 2])


# -- decoding ----------------------------------------------------------------------------------------------------


def test_probabilities_are_the_softmax_of_the_logits():
    rows = SimpleNamespace(example=np.array([1, 0]))
    part = TASK.shrink(outputs([0.0, math.log(2), math.log(5)], [1000.0, 0.0, 0.0]), rows, left=False)
    first, second = TASK.decode([part], labelled("no", "no"))
    assert (first.id, first.label, first.probabilities) == ("t0", "no", (1.0, 0.0, 0.0))
    assert (second.id, second.label) == ("t1", "maybe")
    assert second.probabilities == pytest.approx((1 / 8, 2 / 8, 5 / 8))


def test_a_long_text_has_the_mean_of_its_windows(word_encoder):
    """One window that is sure outweighs two that lean the other way."""
    task = Classification(labels=("no", "yes"), max_length=7, doc_stride=2, long_texts="windows")
    examples = [TextExample("long", " ".join(f"w{n}" for n in range(10)))]
    rows = rows_of(task, examples, word_encoder)
    assert len(rows) == 3
    (found,) = task.decode([task.shrink(outputs([2.0, 0.0], [0.0, 9.0], [2.0, 0.0]), rows, left=False)], examples)
    assert found.label == "yes"
    assert found.probabilities == pytest.approx((1 / (1 + math.exp(5 / 3)), 1 / (1 + math.exp(-5 / 3))))


def test_what_people_get(word_encoder):
    task = Classification(labels=("no", "yes"))
    prediction = LabelPrediction("7", "yes", (0.25, 0.75))
    reply = {"label": "yes", "score": 0.75, "probabilities": {"no": 0.25, "yes": 0.75}}
    assert task.reply(TextExample("7", "w1"), prediction) == reply
    assert task.record(TextExample("7", "w1"), prediction) == {"id": "7", **reply}
    assert task.written(prediction) == {"predictions": "yes", "probabilities": {"no": 0.25, "yes": 0.75}}


# -- scores ------------------------------------------------------------------------------------------------------


def test_scores_by_hand():
    """Two of four right: no has precision 1/2 and recall 1/2, yes the same; maybe does not occur."""
    found = scores(TASK, labelled("no", "yes", "no", "yes"), "no", "yes", "yes", "no")
    assert found == {"accuracy": 0.5, "f1_macro": 0.5, "f1_micro": 0.5, "matthews_correlation": 0.0, "total": 4}


def test_a_label_that_training_did_not_have_is_always_wrong():
    found = scores(TASK, labelled("no", "nay", "yes", None), "no", "no", "yes", "maybe")
    assert found["accuracy"] == pytest.approx(2 / 3)
    assert found["total"] == 3, "what has no label is not scored"
    assert found["f1_macro"] == pytest.approx((2 / 3 + 1 + 0) / 3)


def test_without_any_label_there_is_nothing_to_score():
    with pytest.raises(DataError, match="no examples"):
        scores(TASK, labelled(None, None), "no", "yes")
