"""Tags ↔ entities: by hand, as seqeval 1.2.2 reads them, and against a plain version over all stretches of words."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.errors import DataError
from headstart.tags import Entity, entities, entity_types, is_bio, split_tag, to_bio

# What seqeval 1.2.2's get_entities gives by default, its inclusive ends plus one.
AS_SEQEVAL = [
    ("", []),
    ("O", []),
    ("O O O", []),
    ("B-PER", [("PER", 0, 1)]),
    ("I-PER", [("PER", 0, 1)]),
    ("B-PER I-PER O B-LOC", [("PER", 0, 2), ("LOC", 3, 4)]),
    ("O O B-LOC I-LOC", [("LOC", 2, 4)]),  # at the end of the sentence
    ("O I-PER I-PER O", [("PER", 1, 3)]),  # an I after O begins one
    ("B-PER I-LOC O", [("PER", 0, 1), ("LOC", 1, 2)]),  # so does another type
    ("B-PER I-LOC I-PER", [("PER", 0, 1), ("LOC", 1, 2), ("PER", 2, 3)]),
    ("B-LOC B-LOC I-LOC", [("LOC", 0, 1), ("LOC", 1, 3)]),
    ("B-PER E-PER S-LOC O B-ORG I-ORG E-ORG", [("PER", 0, 2), ("LOC", 2, 3), ("ORG", 4, 7)]),
    ("B-PER E-PER S-LOC O B-ORG E-ORG E-ORG", [("PER", 0, 2), ("LOC", 2, 3), ("ORG", 4, 6), ("ORG", 6, 7)]),
    (
        "S-PER I-PER E-PER I-PER E-LOC S-LOC",
        [("PER", 0, 1), ("PER", 1, 3), ("PER", 3, 4), ("LOC", 4, 5), ("LOC", 5, 6)],
    ),
    ("B-PER I-PER E-PER B-PER E-PER E-LOC", [("PER", 0, 3), ("PER", 3, 5), ("LOC", 5, 6)]),
    ("I-PER E-PER E-PER O E-LOC", [("PER", 0, 2), ("PER", 2, 3), ("LOC", 4, 5)]),  # IOE2
    ("B-X-RAY I-X-RAY O B-X", [("X-RAY", 0, 2), ("X", 3, 4)]),  # the first dash ends the prefix
    ("B I O I B", [("_", 0, 2), ("_", 3, 4), ("_", 4, 5)]),  # no types
    ("B-PER I", [("PER", 0, 1), ("_", 1, 2)]),
    ("B- I-", [("_", 0, 2)]),
]

# seqeval reads L and U in its strict BILOU mode only; these are its entities there.
AS_SEQEVAL_BILOU = [
    ("U-PER U-PER", [("PER", 0, 1), ("PER", 1, 2)]),
    ("B-PER L-PER B-PER I-PER L-PER O U-LOC", [("PER", 0, 2), ("PER", 2, 5), ("LOC", 6, 7)]),
]

BILOU_OF = str.maketrans("ES", "LU")

tags = st.sampled_from(["O", "B-X", "I-X", "E-X", "S-X", "B-Y", "I-Y", "E-Y", "S-Y", "B", "I"])
sentences = st.lists(tags, max_size=12)


@st.composite
def sentences_of_entities(draw: st.DrawFn) -> tuple[list[Entity], int]:
    """Entities that do not overlap, in order, and the length of their sentence."""
    stretches = draw(st.lists(st.tuples(st.integers(1, 3), st.sampled_from(["", "X", "Y", "a-b"])), max_size=6))
    found, length = [], 0
    for width, kind in stretches:
        if kind:
            found.append(Entity(kind, length, length + width))
        length += width
    return found, length


@pytest.mark.parametrize(("words", "expected"), AS_SEQEVAL + AS_SEQEVAL_BILOU)
def test_entities_by_hand(words, expected):
    assert entities(words.split()) == expected


def entities_plainly(tags):
    """Every stretch of words that begins where conlleval says that a chunk begins, and ends before the next or an O."""
    begins = {"OB", "OI", "OE", "OS", "BB", "IB", "EB", "SB", "BS", "IS", "ES", "SS", "EE", "EI", "SE", "SI"}

    def begins_at(place):
        before, tag = (tags[place - 1] if place else "O"), tags[place]
        other_type = before != "O" and before[1:] != tag[1:]
        return tag != "O" and (before[0] + tag[0] in begins or other_type)

    return [
        (tags[start][2:] or "_", start, end)
        for start, end in product(range(len(tags)), range(1, len(tags) + 1))
        if start < end
        and begins_at(start)
        and not any(tags[place] == "O" or begins_at(place) for place in range(start + 1, end))
        and (end == len(tags) or tags[end] == "O" or begins_at(end))
    ]


@given(sentences)
def test_entities_are_those_of_a_plain_version(tags):
    assert entities(tags) == entities_plainly(tags)


@given(sentences)
def test_every_word_that_is_not_outside_is_in_one_entity(tags):
    inside = [place for entity in entities(tags) for place in range(entity.start, entity.end)]
    assert inside == [place for place, tag in enumerate(tags) if tag != "O"]


@given(sentences)
def test_bilou_reads_as_iobes(tags):
    assert entities([tag[0].translate(BILOU_OF) + tag[1:] for tag in tags]) == entities(tags)


@given(sentences_of_entities(), st.randoms(use_true_random=False))
def test_entities_come_back_from_their_tags(sentence, order):
    found, length = sentence
    mixed = order.sample(found, len(found))
    written = to_bio(mixed, length)
    assert len(written) == length
    assert entities(written) == found
    assert all(split_tag(tag)[0] in "BIO" for tag in written)


@given(sentences)
def test_to_bio_mends_tags_that_do_not_fit_together(tags):
    mended = to_bio(entities(tags), len(tags))
    assert entities(mended) == entities(tags)
    assert to_bio(entities(mended), len(tags)) == mended


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ([Entity("X", 2, 4)], "within 3 words"),
        ([Entity("X", -1, 1)], "within 3 words"),
        ([Entity("X", 1, 1)], "within 3 words"),
        ([Entity("X", 0, 2), Entity("Y", 1, 3)], "words of another"),
        ([Entity("X", 0, 1), Entity("X", 0, 1)], "words of another"),
    ],
)
def test_to_bio_refuses_what_tags_cannot_say(found, message):
    with pytest.raises(DataError, match=message):
        to_bio(found, 3)


@pytest.mark.parametrize("tag", ["NOUN", "X", "-LRB-", "b-PER", "M-PER", "O-PER", "", "B_PER", "BIO"])
def test_what_is_no_entity_tag_is_named(tag):
    with pytest.raises(DataError, match="score such tags by accuracy") as caught:
        entities(["O", "B-PER", tag])
    assert repr(tag) in str(caught.value)


PENN = """NN IN DT NNP PRP JJ RB . VB NNS , CC VBD VBP VBZ CD VBN VBG MD TO PRP$ -RRB- -LRB- WDT : WRB `` '' WP RP UH
POS HYPH NNPS JJR JJS EX NFP RBR ADD GW $ SYM PDT LS FW RBS AFX WP$"""
UNIVERSAL = "ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X _"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("O B-PER I-PER", True),
        ("B-PER I-PER", True),  # every word is in an entity
        ("O B-PER", True),
        ("O I-PER", True),  # IOB1
        ("O I-PER E-PER", True),  # IOE2
        ("O B-PER I-PER E-PER S-PER", True),
        ("O B-PER I-PER L-PER U-PER", True),
        ("O B-creative-work I-creative-work", True),
        ("O B--LRB-", True),
        ("O B I", True),
        ("O B", True),
        ("", False),
        ("O", False),  # nothing to find
        ("B I", False),
        ("O S E", False),
        ("O B-PER NOUN", False),
        ("O b-per i-per", False),
        ("0 B-PER", False),
        ("B-PER -LRB-", False),
        ("I O X", False),
        (UNIVERSAL, False),
        (PENN, False),
        ("B-PER M-PER O", False),
    ],
)
def test_entity_tags_are_told_from_other_tags(names, expected):
    assert is_bio(names.split()) is expected
    assert is_bio(iter(names.split())) is expected


def test_types_are_sorted_and_once():
    assert entity_types(["S-b", "O", "B-a", "I-a", "L-c-d"]) == ("a", "b", "c-d")
    assert entity_types(["O", "B", "I"]) == ("_",)
    assert entity_types(["O"]) == ()


def test_prefix_and_type():
    assert [split_tag(tag) for tag in ("O", "B", "L-a-b", "I-")] == [("O", "_"), ("B", "_"), ("E", "a-b"), ("I", "_")]


def column_of(name, *, column):
    path = Path(__file__).resolve().parents[1].parent / "shared" / "data" / name
    if not path.is_file():
        pytest.skip(f"the published data are not here: no ../shared/data/{name} beside the repository")
    lines = path.read_text(encoding="utf-8").splitlines()
    return {line.split("\t")[column] for line in lines if line.strip() and not line.startswith("# ")}


@pytest.mark.parametrize(
    ("name", "column", "expected"),
    [("wnut17/train.conll", 1, True), ("ud-ewt/train.conllu", 3, False), ("ud-ewt/train.conllu", 4, False)],
)
def test_tags_of_published_data(name, column, expected):
    names = column_of(name, column=column)
    assert is_bio(names) is expected
    if expected:
        assert entity_types(names) == ("corporation", "creative-work", "group", "location", "person", "product")


@pytest.fixture(scope="module")
def seqeval():
    return pytest.importorskip("seqeval.metrics.sequence_labeling", reason="seqeval is not installed")


@pytest.mark.filterwarnings("ignore")
@given(tags=st.lists(sentences, max_size=3))
def test_entities_are_seqevals(seqeval, tags):
    for sentence in tags:
        expected = [(kind, first, last + 1) for kind, first, last in seqeval.get_entities(sentence)]
        assert entities(sentence) == expected


@pytest.mark.filterwarnings("ignore")
@given(sentence=sentences_of_entities())
def test_bilou_is_seqevals_strict_mode(seqeval, sentence):
    from seqeval.scheme import BILOU, Tokens

    found, length = sentence
    bilou = ["O"] * length
    for kind, start, end in found:
        prefixes = "U" if end - start == 1 else "B" + "I" * (end - start - 2) + "L"
        bilou[start:end] = [f"{prefix}-{kind}" for prefix in prefixes]
    strict = [(entity.tag, entity.start, entity.end) for entity in Tokens(bilou, BILOU).entities]
    assert entities(bilou) == strict == found
