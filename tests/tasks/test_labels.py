"""Label names ↔ numbers: their order, the model's own, weights of rare ones."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.tasks.labels import class_weights, has_head, known_labels, label_config, labels_of_model


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (["no", "yes", "no"], ("no", "yes")),
        (["10", "9", "-1", "9"], ("-1", "9", "10")),  # numbers by their value
        (["10", "9", "many"], ("10", "9", "many")),  # unless there are words among them
        (["1", "01"], ("01", "1")),  # two names for a number are two labels, always in the same order
        (["1.5", "0.5", "10.5"], ("0.5", "1.5", "10.5")),
        (["b", "B", "ä", "a"], ("B", "a", "b", "ä")),
        ([], ()),
    ],
)
def test_labels_have_an_order(names, labels):
    assert known_labels(names) == labels


@given(st.lists(st.one_of(st.integers().map(str), st.text(max_size=3))))
def test_the_order_does_not_depend_on_the_data(names):
    found = known_labels(names)
    assert found == known_labels(sorted(names, reverse=True))
    assert set(found) == set(names)
    assert len(found) == len(set(names))


@given(st.sets(st.integers()))
def test_numbers_stand_by_their_value(numbers):
    assert [int(label) for label in known_labels(map(str, numbers))] == sorted(numbers)


# -- a model's configuration -------------------------------------------------------------------------------------


def config(*labels: str) -> SimpleNamespace:
    return SimpleNamespace(id2label=dict(enumerate(labels)))


def test_a_models_labels_stand_in_the_order_of_their_numbers():
    assert labels_of_model(SimpleNamespace(id2label={"10": "k", "2": "c", "0": "a"}), ()) == ("a", "c", "k")
    assert labels_of_model(SimpleNamespace(), ()) == ()
    assert labels_of_model(SimpleNamespace(id2label=None), ("a",)) == ("a",)


def test_a_model_that_has_all_the_labels_keeps_its_order_and_its_others():
    assert labels_of_model(config("yes", "maybe", "no"), ("no", "yes")) == ("yes", "maybe", "no")


def test_a_model_with_other_labels_gets_those_of_the_data():
    assert labels_of_model(config("yes", "no"), ("maybe", "no")) == ("maybe", "no")


def test_labels_that_transformers_made_up_are_no_names():
    assert labels_of_model(config("LABEL_0", "LABEL_1"), ("LABEL_1",)) == ("LABEL_1",)
    assert labels_of_model(config("LABEL_0", "LABEL_1"), ("no", "yes")) == ("no", "yes")
    assert labels_of_model(config("LABEL_0", "spam"), ("LABEL_0",)) == ("LABEL_0", "spam")


def test_the_configuration_names_the_labels_both_ways():
    assert label_config(("no", "yes")) == {
        "num_labels": 2,
        "id2label": {0: "no", 1: "yes"},
        "label2id": {"no": 0, "yes": 1},
    }
    assert label_config(()) == {}


def test_what_the_configuration_says_is_read_back():
    from transformers import BertConfig

    said = BertConfig(**label_config(("b", "a", "c")))
    assert labels_of_model(BertConfig.from_dict(said.to_dict()), ()) == ("b", "a", "c")


@pytest.mark.parametrize(
    ("architectures", "found"),
    [
        (["DebertaV2ForSequenceClassification"], True),
        (["BertForTokenClassification"], False),
        (["BertModel"], False),
        ([], False),
        (None, False),
    ],
)
def test_a_head_is_known_by_the_class_that_was_saved(architectures, found):
    config = SimpleNamespace(architectures=architectures)
    assert has_head(config, "AutoModelForSequenceClassification") is found


def test_a_configuration_without_classes_has_no_head():
    assert not has_head(SimpleNamespace(), "AutoModelForTokenClassification")


# -- weights -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counts", "weights"), [([30, 10], (2 / 3, 2.0)), ([5, 5], (1.0, 1.0)), ([1, 1, 8], (10 / 3, 10 / 3, 10 / 24))]
)
def test_weights_by_hand(counts, weights):
    assert class_weights(counts) == pytest.approx(weights)


@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=9))
def test_every_class_has_an_equal_say_and_an_example_one_on_average(counts):
    says = [weight * count for weight, count in zip(class_weights(counts), counts, strict=True)]
    assert says == pytest.approx([sum(counts) / len(counts)] * len(counts))
    assert sum(says) == pytest.approx(sum(counts))
