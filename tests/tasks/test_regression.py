"""Numbers: what a new head begins with, loss, the mean over windows and scores, on values written by hand."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from headstart.errors import DataError
from headstart.examples import NumberPrediction, TextExample
from headstart.tasks import Regression
from headstart.window_rows import WindowRows
from headstart.window_store import store_in_memory

TASK = Regression()


def measured(*numbers: float | None) -> list[TextExample]:
    return [TextExample(f"t{place}", f"w{place}", "w9", number) for place, number in enumerate(numbers)]


def rows_of(task: Regression, examples: list[TextExample], encoder) -> WindowRows:
    store = store_in_memory(task.windows(examples, encoder))
    return store.rows(range(len(store)))


# -- the data ----------------------------------------------------------------------------------------------------


def test_the_mean_is_that_of_the_training_data():
    assert TASK.for_data(measured(1.0, None, 4.0)).mean == 2.5
    with pytest.raises(DataError, match="training data with numbers; found none"):
        TASK.for_data(measured(None))


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ((0, 1, 1, 0), ["2 different whole numbers: are they classes? (--task classification)"]),
        (tuple(range(10)), ["10 different whole numbers: are they classes? (--task classification)"]),
        (tuple(range(11)), []),
        ((0, 1, 1.5), []),
        ((2.5, 2.5), ["all numbers are the same: there is nothing to learn"]),
        ((3, 3), ["all numbers are the same: there is nothing to learn"]),
        ((None,), []),
    ],
)
def test_numbers_that_look_like_classes_are_pointed_out(numbers, said):
    assert TASK.remarks(measured(*numbers)) == said


def test_the_range_is_kept_with_the_run():
    assert TASK.summary(measured(1.0, 4.0, None, 2.5)) == {"least": 1.0, "mean": 2.5, "most": 4.0}
    assert TASK.summary(measured(None)) == {}


# -- the head ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", ["bert", "roberta", "sentencepiece"])
def test_a_new_head_begins_with_the_mean(family):
    """Also where the head is two layers, as RoBERTa's is: the last one gives the number."""
    import transformers

    names = {"bert": "Bert", "roberta": "Roberta", "sentencepiece": "DebertaV2"}
    shape = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    config = getattr(transformers, f"{names[family]}Config")(vocab_size=20, num_labels=1, **shape)
    model = getattr(transformers, f"{names[family]}ForSequenceClassification")(config).eval()
    with torch.no_grad():
        before = model(torch.tensor([[2, 5, 3]])).logits.item()
        Regression(mean=2.75).start_head(model)
        after = model(torch.tensor([[2, 5, 3]])).logits.item()
    assert after == pytest.approx(before + 2.75, abs=1e-5)


# -- training and decoding ---------------------------------------------------------------------------------------


def test_targets_are_the_numbers_themselves(word_encoder):
    rows = rows_of(TASK, measured(2.5, None, -1.0), word_encoder)
    assert rows.label_counts.tolist() == [1, 0, 1]
    targets = TASK.targets(rows, 9, left=False)["label_targets"]
    assert targets.dtype == np.float32
    assert targets.tolist() == [2.5, 0.0, -1.0]
    assert TASK.learnt(rows.label_counts) == 2


def test_the_loss_is_the_squared_error_of_each_window():
    logits = torch.tensor([[2.0], [0.5]])
    found = TASK.loss(SimpleNamespace(logits=logits), {"label_targets": torch.tensor([5.0, 0.0])}, None)
    assert found.tolist() == [9.0, 0.25]


def test_a_long_text_has_the_mean_of_its_windows(word_encoder):
    task = Regression(max_length=7, doc_stride=2, long_texts="windows")
    examples = [TextExample("long", " ".join(f"w{n}" for n in range(10)), None, 3.5), TextExample("t", "w1")]
    rows = rows_of(task, examples, word_encoder)
    assert rows.columns["labels"].values.tolist() == [3.5] * 3, "every window learns the number"
    logits = torch.tensor([[1.0], [2.0], [6.0], [-4.0]])
    found = task.decode([task.shrink(SimpleNamespace(logits=logits), rows, left=False)], examples)
    assert found == [NumberPrediction("long", 3.0), NumberPrediction("t", -4.0)]


def test_what_people_get():
    prediction, example = NumberPrediction("7", 4.25), TextExample("7", "w1")
    assert TASK.reply(example, prediction) == {"number": 4.25}
    assert TASK.record(example, prediction) == {"id": "7", "number": 4.25}
    assert TASK.written(prediction) == {"predictions": 4.25}


# -- scores ------------------------------------------------------------------------------------------------------


def scores(numbers: tuple[float | None, ...], *found: float) -> dict[str, float]:
    scorer = TASK.scorer(measured(*numbers))
    for place, number in enumerate(found):
        scorer.add(place, NumberPrediction(str(place), number))
    return scorer.scores(TASK)


def test_scores_by_hand():
    """The order is right, the line is not: 1 → 1, 2 → 2, 3 → 6."""
    found = scores((1.0, 2.0, None, 3.0), 1.0, 2.0, 50.0, 6.0)
    assert found == pytest.approx({"pearson": 0.9449111825, "spearman": 1.0, "mse": 3.0, "total": 3})


def test_constant_predictions_order_nothing():
    assert scores((1.0, 2.0), 5.0, 5.0) == {"pearson": 0.0, "spearman": 0.0, "mse": 12.5, "total": 2}


def test_a_prediction_that_is_no_number_is_named():
    with pytest.raises(DataError, match="training may have diverged"):
        scores((1.0, 2.0), float("nan"), 1.0)


def test_without_any_number_there_is_nothing_to_score():
    with pytest.raises(DataError, match="at least 1"):
        scores((None,), 1.0)
