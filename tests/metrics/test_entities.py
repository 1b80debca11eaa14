"""Precision, recall and F1 of entities: seqeval's figures, a plain version, and seqeval itself where it is at hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.errors import DataError, SettingsError
from headstart.metrics.entities import by_type, entity_counts, entity_scores
from headstart.metrics.labels import ClassScore
from headstart.tags import entities, entity_types

NOTHING = (0.0, 0.0, 0.0)
ALL = (1.0, 1.0, 1.0)

# gold, predicted, then precision, recall and F1, micro and macro, as seqeval 1.2.2 gives them by default with
# zero_division=0. Without any entity its macro average is NaN; ours is 0.
AS_SEQEVAL = [
    ("all right", "B-PER I-PER O B-LOC", "B-PER I-PER O B-LOC", ALL, ALL),
    ("no entity at all", "O O O", "O O O", NOTHING, NOTHING),
    ("none predicted", "B-PER I-PER O B-LOC", "O O O O", NOTHING, NOTHING),
    ("none gold", "O O O", "O B-PER I-PER", NOTHING, NOTHING),
    ("an entity at the end", "O O B-LOC I-LOC", "O O B-LOC I-LOC", ALL, ALL),
    ("cut short at the end", "O B-LOC I-LOC", "O B-LOC O", NOTHING, NOTHING),
    ("I after O", "O I-PER I-PER O", "O B-PER I-PER O", ALL, ALL),
    ("I at the beginning", "I-PER O", "B-PER O", ALL, ALL),
    ("the type changes inside", "B-PER I-LOC O", "B-PER B-LOC O", ALL, ALL),
    ("the type changes and back", "B-PER I-LOC I-PER", "B-PER I-PER I-PER", NOTHING, NOTHING),
    ("two of one type in a row", "B-LOC B-LOC I-LOC", "B-LOC I-LOC I-LOC", NOTHING, NOTHING),
    ("one word, right", "B-PER", "B-PER", ALL, ALL),
    ("one word, I for B", "B-PER", "I-PER", ALL, ALL),
    ("one word, another type", "B-PER", "B-LOC", NOTHING, NOTHING),
    ("one word, O", "O", "O", NOTHING, NOTHING),
    (
        "IOBES",
        "B-PER E-PER S-LOC O B-ORG I-ORG E-ORG",
        "B-PER E-PER S-LOC O B-ORG E-ORG E-ORG",
        (0.5, 0.6666666666666666, 0.5714285714285715),
        (0.6666666666666666, 0.6666666666666666, 0.6666666666666666),
    ),
    (
        "IOBES that does not fit together",
        "S-PER I-PER E-PER I-PER E-LOC S-LOC",
        "B-PER I-PER E-PER B-PER E-PER E-LOC",
        (0.3333333333333333, 0.2, 0.25),
        (0.5, 0.25, 0.3333333333333333),
    ),
    (
        "IOE2",
        "I-PER E-PER E-PER O E-LOC",
        "I-PER I-PER E-PER O I-LOC",
        (0.5, 0.3333333333333333, 0.4),
        (0.5, 0.5, 0.5),
    ),
    (
        "types with a dash",
        "B-X-RAY I-X-RAY O B-X",
        "B-X-RAY I-X-RAY O B-X-RAY",
        (0.5, 0.5, 0.5),
        (0.25, 0.5, 0.3333333333333333),
    ),
    ("no types", "B I O I B", "B I O B I", (0.5, 0.3333333333333333, 0.4), (0.5, 0.3333333333333333, 0.4)),
    (
        "the same words, another type",
        "B-PER I-PER O B-LOC I-LOC",
        "B-PER I-PER O B-ORG I-ORG",
        (0.5, 0.5, 0.5),
        (0.3333333333333333, 0.3333333333333333, 0.3333333333333333),
    ),
    ("overlapping", "B-PER I-PER I-PER O", "O B-PER I-PER I-PER", NOTHING, NOTHING),
]

# Five sentences of random tags, and seqeval's figures for all of them together.
SENTENCES = [
    ("I-ORG", "I-ORG"),
    ("S-LOC S-LOC S-LOC S-LOC O I-PER I-LOC", "S-LOC B-LOC O S-LOC O I-PER I-PER"),
    (
        "S-LOC S-LOC S-LOC B-PER I-ORG S-LOC B-LOC S-LOC B-LOC O I-PER I-LOC",
        "I-PER S-LOC S-LOC B-PER I-ORG S-LOC S-LOC S-LOC B-LOC O I-PER B-LOC",
    ),
    ("B-LOC O O S-LOC S-LOC O I-PER I-PER I-LOC", "B-LOC O O B-LOC S-LOC O I-PER I-PER O"),
    (
        "O E-PER O B-PER B-LOC I-ORG O O O S-LOC B-PER B-LOC O E-PER S-LOC O E-PER B-PER B-PER B-PER",
        "O E-PER I-PER O B-LOC B-PER O O O S-LOC B-PER S-LOC O E-PER S-LOC O B-PER B-LOC B-PER B-PER",
    ),
]
MICRO = (0.8484848484848485, 0.7777777777777778, 0.8115942028985507)
MACRO = (0.8789173789173789, 0.7420634920634921, 0.7972649572649573)
BY_TYPE = {
    "LOC": (0.9444444444444444, 0.8095238095238095, 0.8717948717948718, 21),
    "ORG": (1.0, 0.6666666666666666, 0.8, 3),
    "PER": (0.6923076923076923, 0.75, 0.72, 12),
}


def exactly(expected):
    return pytest.approx(expected, rel=1e-12, abs=1e-12)


def counted(gold, predicted):
    """Counts of one sentence over the types that occur in it."""
    return entity_counts(gold, predicted, entity_types([*gold, *predicted]))


@pytest.mark.parametrize(
    ("gold", "predicted", "micro", "macro"), [row[1:] for row in AS_SEQEVAL], ids=[row[0] for row in AS_SEQEVAL]
)
def test_scores_are_seqevals(gold, predicted, micro, macro):
    counts = counted(gold.split(), predicted.split())
    scores = entity_scores(counts)
    assert list(scores) == ["precision", "recall", "f1"]
    assert tuple(scores.values()) == exactly(micro)
    assert tuple(entity_scores(counts, average="macro").values()) == exactly(macro)
    assert all(type(score) is float for score in scores.values())


def test_counts_of_sentences_add_up_to_seqevals_scores_of_all():
    types = ["LOC", "MISC", "ORG", "PER"]
    total = sum(entity_counts(gold.split(), predicted.split(), types) for gold, predicted in SENTENCES)
    assert tuple(entity_scores(total).values()) == exactly(MICRO)
    assert tuple(entity_scores(total, average="macro").values()) == exactly(MACRO)
    scores = by_type(total, types)
    assert scores.pop("MISC") == ClassScore(0.0, 0.0, 0.0, 0)
    assert {name: tuple(score) for name, score in scores.items()} == {k: exactly(row) for k, row in BY_TYPE.items()}


def test_counts_by_hand():
    """Smith is found; of two places one is; a place is predicted where an organisation is."""
    gold = ["B-PER", "I-PER", "O", "B-LOC", "O", "B-LOC", "O", "B-ORG"]
    predicted = ["B-PER", "I-PER", "O", "B-LOC", "O", "O", "O", "B-LOC"]
    counts = entity_counts(gold, predicted, ["LOC", "ORG", "PER"])
    assert counts.tolist() == [[1, 2, 2], [0, 0, 1], [1, 1, 1]]
    assert entity_scores(counts) == exactly({"precision": 2 / 3, "recall": 2 / 4, "f1": 4 / 7})
    assert by_type(counts, ["LOC", "ORG", "PER"])["LOC"] == ClassScore(0.5, 0.5, 0.5, 2)


def test_an_empty_sentence_and_no_types():
    assert entity_counts([], [], ["PER"]).tolist() == [[0, 0, 0]]
    nothing = entity_counts(["O"], ["O"], [])
    assert nothing.shape == (0, 3)
    for average in ("micro", "macro"):
        assert entity_scores(nothing, average=average) == {"precision": 0.0, "recall": 0.0, "f1": 0.0}
    assert by_type(nothing, []) == {}


TAGS = ["O", "O", "O", "B-X", "I-X", "B-Y", "I-Y", "E-X", "S-Y"]
sentences = st.lists(st.tuples(*[st.sampled_from(TAGS)] * 2), max_size=10)
texts = st.lists(sentences, min_size=1, max_size=4).map(
    lambda text: [[list(column) for column in zip(*sentence, strict=True)] or [[], []] for sentence in text]
)


@given(texts)
def test_counts_are_those_of_a_plain_version(text):
    """Every entity of every sentence in a list, and how many of one list are in the other."""
    gold, predicted = (
        [(place, entity) for place, sentence in enumerate(text) for entity in entities(sentence[side])]
        for side in (0, 1)
    )
    expected = [
        [
            sum(item in gold for item in predicted if item[1].type == kind),
            sum(item[1].type == kind for item in predicted),
            sum(item[1].type == kind for item in gold),
        ]
        for kind in ("Y", "X")
    ]
    counts = sum(entity_counts(*sentence, ("Y", "X")) for sentence in text)
    assert counts.tolist() == expected
    found, given_, wanted = np.sum(expected, axis=0)
    scores = entity_scores(counts)
    assert scores["precision"] == exactly(found / given_ if given_ else 0.0)
    assert scores["recall"] == exactly(found / wanted if wanted else 0.0)
    assert scores["f1"] == exactly(2 * found / (given_ + wanted) if given_ + wanted else 0.0)


@given(texts)
def test_a_text_is_its_sentences_with_o_between(text):
    whole = [[tag for sentence in text for tag in (*sentence[side], "O")] for side in (0, 1)]
    counts = sum(entity_counts(*sentence, "XY") for sentence in text)
    assert counts.tolist() == entity_counts(*whole, "XY").tolist()


@given(texts)
def test_precision_and_recall_change_places_with_gold_and_predicted(text):
    there, back = (sum(entity_counts(*sentence[::way], "XY") for sentence in text) for way in (1, -1))
    forward, backward = entity_scores(there), entity_scores(back)
    assert (forward["precision"], forward["recall"]) == (backward["recall"], backward["precision"])
    assert forward["f1"] == backward["f1"]


def test_what_cannot_be_counted_is_named():
    with pytest.raises(DataError, match="1 for 2 words"):
        entity_counts(["O", "O"], ["O"], [])
    with pytest.raises(DataError, match="types LOC; found PER"):
        entity_counts(["B-LOC"], ["B-PER"], ["LOC"])
    with pytest.raises(DataError, match="the tag 'NOUN'"):
        entity_counts(["O"], ["NOUN"], ["LOC"])
    with pytest.raises(DataError, match="shape \\(3,\\)"):
        entity_scores([1, 2, 3])
    with pytest.raises(DataError, match="2 for 1"):
        by_type([[1, 2, 3]], ["LOC", "PER"])
    with pytest.raises(SettingsError, match="'weighted'"):
        entity_scores([[1, 2, 3]], average="weighted")


@pytest.fixture(scope="module")
def seqeval():
    return pytest.importorskip("seqeval.metrics", reason="seqeval is not installed")


@pytest.mark.filterwarnings("ignore")
@given(text=texts)
def test_scores_are_those_of_the_seqeval_at_hand(seqeval, text):
    counts = sum(entity_counts(*sentence, "XY") for sentence in text)
    gold, predicted = map(list, zip(*text, strict=True))
    averages = ("micro", "macro") if counts.any() else ("micro",)
    for average in averages:
        expected = [
            score(gold, predicted, average=average, zero_division=0)
            for score in (seqeval.precision_score, seqeval.recall_score, seqeval.f1_score)
        ]
        assert list(entity_scores(counts, average=average).values()) == exactly(expected)
