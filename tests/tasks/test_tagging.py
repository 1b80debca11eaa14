"""Tags at first pieces, loss, the window that counts, entities and scores, on values written by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.errors import DataError
from headstart.examples import TagsPrediction, WordsExample
from headstart.tasks import Tagging
from headstart.tasks.tagging import IGNORED
from headstart.tasks.text_tasks import joined_words
from headstart.window_rows import WindowRows
from headstart.window_store import store_in_memory

BIO = ("B-LOC", "B-PER", "I-LOC", "I-PER", "O")
TASK = Tagging(labels=BIO, metric="f1")
PARTS = Tagging(labels=("DET", "NOUN", "VERB"), metric="accuracy")


def sentence(*words: str, tags: tuple[str, ...] | None = None, id: str = "s") -> WordsExample:
    starts = np.cumsum([0, *(len(word) + 1 for word in words)])[:-1].tolist()
    return WordsExample(id, words, tags, " ".join(words), tuple(starts))


def rows_of(task: Tagging, examples: list[WordsExample], encoder) -> WindowRows:
    store = store_in_memory(task.windows(examples, encoder))
    return store.rows(range(len(store)))


def decoded(task: Tagging, examples, rows: WindowRows, logits, *, left: bool = False) -> list[TagsPrediction]:
    outputs = SimpleNamespace(logits=torch.tensor(logits, dtype=torch.float32))
    return task.decode([task.shrink(outputs, rows, left=left)], examples)


# -- tags of the data --------------------------------------------------------------------------------------------


def test_tags_metric_and_weights_are_learnt_from_the_data():
    examples = [sentence("w0", "w1", tags=("O", "B-PER")), sentence("w2", "w3", tags=("O", "O")), sentence("w4")]
    task = Tagging().for_data(examples)
    assert (task.labels, task.metric, task.weights) == (("B-PER", "O"), "f1", ())
    assert task.marks_entities
    assert Tagging(class_weights="balanced").for_data(examples).weights == pytest.approx((2.0, 2 / 3))
    parts = Tagging().for_data([sentence("w0", "w1", tags=("DET", "NOUN"))])
    assert (parts.labels, parts.metric, parts.marks_entities) == (("DET", "NOUN"), "accuracy", False)
    assert Tagging(metric="recall").for_data(examples).metric == "recall", "what was asked for stays"


@pytest.mark.parametrize(("tags", "found"), [(("O", "O"), "only 'O'"), (None, "none")])
def test_one_tag_is_nothing_to_learn(tags, found):
    with pytest.raises(DataError, match=f"two tags or more; found {found}"):
        Tagging().for_data([sentence("w0", "w1", tags=tags)])


def test_a_model_that_knows_the_tags_keeps_its_order():
    told = Tagging(labels=("DET", "NOUN"), weights=(0.5, 2.0)).for_model(
        SimpleNamespace(id2label={0: "NOUN", 1: "VERB", 2: "DET"})
    )
    assert (told.labels, told.weights, told.metric) == (("NOUN", "VERB", "DET"), (2.0, 0.0, 0.5), "accuracy")
    found = Tagging().for_model(SimpleNamespace(id2label=dict(enumerate(BIO))))
    assert (found.labels, found.metric) == (BIO, "f1")


def test_tags_that_training_did_not_have_are_named_and_counted():
    examples = [sentence("w0", "w1", "w2", tags=("DET", "ADV", "ADV")), sentence("w0")]
    assert PARTS.remarks(examples) == [
        "2 words have the tag 'ADV', which was not in the training data and counts as wrong"
    ]
    assert PARTS.summary(examples) == {"words": 4, "tags": {"ADV": 2, "DET": 1}}


# -- training ----------------------------------------------------------------------------------------------------


def test_only_the_first_piece_of_a_word_is_learnt(word_encoder):
    examples = [sentence("w0", "w1.w2", "w3", tags=("DET", "NOUN", "VERB")), sentence("w4", "w5")]
    rows = rows_of(PARTS, examples, word_encoder)
    no = IGNORED
    right = PARTS.targets(rows, 9, left=False)["tag_targets"]
    assert right.tolist() == [[no, 0, 1, no, no, 2, no, no, no], [no] * 9]
    left = PARTS.targets(rows, 9, left=True)["tag_targets"]
    assert left.tolist() == [[no, no, no, 0, 1, no, no, 2, no], [no] * 9]
    assert right.dtype == np.int64
    assert PARTS.learnt(rows.label_counts) == 3


def test_a_tag_that_is_not_known_teaches_nothing(word_encoder):
    rows = rows_of(PARTS, [sentence("w0", "w1", tags=("ADV", "NOUN"))], word_encoder)
    assert PARTS.targets(rows, 4, left=False)["tag_targets"].tolist() == [[IGNORED, IGNORED, 1, IGNORED]]


def test_words_in_two_windows_are_learnt_in_both(word_encoder):
    task = replace(PARTS, max_length=7, doc_stride=2)
    tags = ("DET", "NOUN", "VERB", "DET", "NOUN", "VERB", "DET", "NOUN")
    rows = rows_of(task, [sentence(*(f"w{n}" for n in range(8)), tags=tags)], word_encoder)
    no = IGNORED
    assert task.targets(rows, 7, left=False)["tag_targets"].tolist() == [
        [no, 0, 1, 2, 0, 1, no],
        [no, 0, 1, 2, 0, 1, no],
    ]
    assert task.learnt(rows.label_counts) == 10


def test_the_loss_is_the_sum_of_the_words_cross_entropies_by_hand():
    logits = torch.zeros(2, 3, 3)
    logits[0, 1] = torch.tensor([0.0, math.log(2), math.log(5)])
    targets = {"tag_targets": torch.tensor([[IGNORED, 2, 0], [IGNORED, IGNORED, IGNORED]])}
    found = PARTS.loss(SimpleNamespace(logits=logits), targets, torch.ones(2, 3))
    assert found.tolist() == pytest.approx([-math.log(5 / 8) + math.log(3), 0.0])
    weighted = replace(PARTS, weights=(2.0, 1.0, 0.5)).loss(SimpleNamespace(logits=logits), targets, None)
    assert weighted.tolist() == pytest.approx([-math.log(5 / 8) / 2 + 2 * math.log(3), 0.0])


# -- decoding ----------------------------------------------------------------------------------------------------


def test_tags_and_probabilities_by_hand(word_encoder):
    example = sentence("w0", "w1.w2")
    rows = rows_of(PARTS, [example], word_encoder)
    logits = np.full((1, 6, 3), -9.0)
    logits[0, 1] = [math.log(2), 0, 0]
    logits[0, 2] = [0, 0, math.log(6)]
    logits[0, 3] = [99, 0, 0]  # the second piece of w1.w2: nobody asks it
    (found,) = decoded(PARTS, [example], rows, logits)
    assert found.tags == ("DET", "VERB")
    assert found.probabilities == pytest.approx((1 / 2, 3 / 4))


def test_no_logit_is_too_large(word_encoder):
    example = sentence("w0")
    (found,) = decoded(
        PARTS, [example], rows_of(PARTS, [example], word_encoder), [[[0, 0, 0], [3e4, 0, -3e4], [0, 0, 0]]]
    )
    assert (found.tags, found.probabilities) == (("DET",), (1.0,))


def test_a_long_sentence_has_one_tag_a_word_and_its_probability(word_encoder):
    """Windows of 5 words that overlap by 2; in each the tag says which window it was."""
    task = Tagging(labels=("first", "second", "third"), max_length=7, doc_stride=2)
    example = sentence(*(f"w{n}" for n in range(11)))
    rows = rows_of(task, [example], word_encoder)
    logits = np.repeat(9.0 * np.eye(3)[:, None], 7, axis=1)
    (found,) = decoded(task, [example], rows, logits)
    assert len(found.tags) == len(found.probabilities) == 11
    assert found.tags[:3] == ("first",) * 3
    assert found.tags[5:6] == ("second",)
    assert found.tags[8:] == ("third",) * 3


# -- people ------------------------------------------------------------------------------------------------------


def test_entities_are_cut_from_the_text_with_the_mean_of_their_scores():
    text = "Ada  Lovelace lived in London."
    example = WordsExample("s", ("Ada", "Lovelace", "lived", "in", "London", "."), None, text, (0, 5, 14, 20, 23, 29))
    prediction = TagsPrediction("s", ("B-PER", "I-PER", "O", "O", "B-LOC", "O"), (0.5, 0.75, 1.0, 1.0, 0.25, 1.0))
    reply = TASK.reply(example, prediction)
    assert reply["tags"][1] == {"word": "Lovelace", "start": 5, "end": 13, "tag": "I-PER", "score": 0.75}
    assert len(reply["tags"]) == 6
    assert reply["entities"] == [
        {"type": "PER", "start": 0, "end": 13, "text": "Ada  Lovelace", "score": 0.625},
        {"type": "LOC", "start": 23, "end": 29, "text": "London", "score": 0.25},
    ]
    assert TASK.record(example, prediction) == {"id": "s", **reply}
    assert TASK.written(prediction) == {"predictions": "B-PER I-PER O O B-LOC O"}


def test_parts_of_speech_are_no_entities():
    reply = PARTS.reply(sentence("w0"), TagsPrediction("s", ("DET",), (1.0,)))
    assert reply == {"tags": [{"word": "w0", "start": 0, "end": 2, "tag": "DET", "score": 1.0}]}


# -- scores ------------------------------------------------------------------------------------------------------


def scores(task: Tagging, examples: list[WordsExample], *tags: tuple[str, ...]) -> dict[str, float]:
    scorer = task.scorer(examples)
    for place, found in enumerate(tags):
        scorer.add(place, TagsPrediction(str(place), found, (1.0,) * len(found)))
    return scorer.scores(task)


def test_entity_scores_by_hand():
    """Gold PER and LOC, found PER whole, LOC cut short, another PER where none is: 1 of 3, 1 of 2."""
    examples = [
        sentence("w0", "w1", "w2", "w3", "w4", tags=("B-PER", "I-PER", "O", "B-LOC", "I-LOC")),
        sentence("w0", "w1", tags=("O", "O")),
        sentence("w0"),
    ]
    found = scores(TASK, examples, ("B-PER", "I-PER", "O", "B-LOC", "O"), ("O", "B-PER"), ("B-LOC",))
    wanted = {"accuracy": 5 / 7, "precision": 1 / 3, "recall": 1 / 2, "f1": 2 / 5, "total": 7}
    assert found == pytest.approx(wanted)


def test_part_of_speech_scores_by_hand():
    examples = [sentence("w0", "w1", tags=("DET", "NOUN")), sentence("w0", "w1", tags=("VERB", "ADV"))]
    found = scores(PARTS, examples, ("DET", "VERB"), ("VERB", "NOUN"))
    assert found == {"accuracy": 0.5, "total": 4}, "a tag that training did not have is always wrong"


def test_an_entity_type_that_training_did_not_have_is_missed():
    examples = [sentence("w0", "w1", tags=("B-ORG", "B-PER"))]
    found = scores(TASK, examples, ("O", "B-PER"))
    assert found == pytest.approx({"accuracy": 0.5, "precision": 1.0, "recall": 0.5, "f1": 2 / 3, "total": 2})


@settings(max_examples=50)
@given(st.lists(st.lists(st.sampled_from(BIO), min_size=1, max_size=6), min_size=1, max_size=6), st.randoms())
def test_scores_are_those_of_seqeval(gold, random):
    seqeval = pytest.importorskip("seqeval.metrics", reason="seqeval is not installed")
    found = [[random.choice(BIO) for _ in tags] for tags in gold]
    examples = [sentence(*(f"w{n}" for n in range(len(tags))), tags=tuple(tags)) for tags in gold]
    ours = scores(TASK, examples, *map(tuple, found))
    for name in ("precision", "recall", "f1"):
        theirs = getattr(seqeval, f"{name}_score")(gold, found, zero_division=0)
        assert ours[name] == pytest.approx(theirs)


# -- windows that overlap ----------------------------------------------------------------------------------------


def windows_kept(word_encoder, options: dict[str, int], *words: str) -> tuple[list[int], list[int]]:
    """The lengths of a sentence's windows, and which of them each word's tag comes from."""
    task = Tagging(labels=tuple(str(number) for number in range(9)), **options)
    example = joined_words("s", words)
    store = store_in_memory(task.windows([example], word_encoder))
    rows = store.rows(range(len(store)))
    logits = np.zeros((len(rows), task.max_length, len(task.labels)), np.float32)
    logits[np.arange(len(rows)), :, np.arange(len(rows))] = 9  # every window calls every word by its own number
    (found,) = task.decode([task.shrink(SimpleNamespace(logits=torch.tensor(logits)), rows, left=False)], [example])
    return rows.input_ids.lengths.tolist(), [int(tag) for tag in found.tags]


def test_the_tag_comes_from_the_window_with_most_context(word_encoder):
    """Room 6, overlap 4, 10 words: windows [0..6) [2..8) [4..10)."""
    lengths, found = windows_kept(word_encoder, {"max_length": 8, "doc_stride": 4}, *(f"w{n}" for n in range(10)))
    assert len(lengths) == 3
    assert found == [0, 0, 0, 0, 1, 1, 2, 2, 2, 2]


def test_a_last_word_that_is_cut_has_no_free_context(word_encoder):
    """Room 8, overlap 4: the first window ends within the last word, which has four pieces."""
    words = (*(f"w{n}" for n in range(7)), "w7.w7.")
    lengths, found = windows_kept(word_encoder, {"max_length": 10, "doc_stride": 4}, *words)
    assert lengths == [10, 9]
    assert found == [0] * 6 + [1, 1]


def test_a_sentence_without_words_has_no_tags(word_encoder):
    task = Tagging(labels=("A", "B"), max_length=10, doc_stride=2)
    examples = [joined_words("none", ()), joined_words("one", ("w1",)), joined_words("none again", ())]
    rows = store_in_memory(task.windows(examples, word_encoder)).rows(range(3))
    outputs = SimpleNamespace(logits=torch.zeros(3, 3, 2))
    found = task.decode([task.shrink(outputs, rows, left=False)], examples)
    assert [(one.id, one.tags) for one in found] == [("none", ()), ("one", ("A",)), ("none again", ())]


def test_tags_of_another_scheme_name_no_entity():
    task = Tagging(labels=("B-PER", "O"), metric="f1")
    example = WordsExample("s", ("Ada", "sleeps"), ("NOUN", "VERB"), "Ada sleeps", (0, 4))
    scorer = task.scorer([example])
    scorer.add(0, TagsPrediction("s", ("B-PER", "O"), (1.0, 1.0)))
    assert scorer.scores(task) == {"accuracy": 0.0, "precision": 0.0, "recall": 0.0, "f1": 0.0, "total": 2}
