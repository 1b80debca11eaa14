"""Entity tags ↔ entities: which words "B-PER I-PER O" names, read as forgivingly as seqeval reads them by default.

A tag is a prefix and a type, `B-PER`. B begins an entity, I goes on with it, E ends it, S is one of a single word, and
O is no entity. BILOU's L and U are E and S by other names. A model's tags need not fit together, so an entity is what
conlleval makes of them: it starts at every B or S, and at an I or E that follows O, E, S or another type; it goes on
to the word before the next start or O.

    B-PER I-PER O     I-LOC I-LOC I-ORG B-ORG
    └── PER ──┘       └── LOC ──┘ └ORG┘ └ORG┘
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from headstart.errors import DataError

OUTSIDE = "O"
NO_TYPE = "_"  # what seqeval calls the type of a bare "B" or "I"

_ENTITY_TAG = re.compile(r"([BIESLU])(?:-(.*))?", re.DOTALL)
_AS_IOBES = str.maketrans("LU", "ES")


class Entity(NamedTuple):
    """An entity of a sentence: its type and its words `[start, end)`.

    >>> entity = Entity("PER", 0, 2)
    >>> ["John", "Smith", "'s", "car"][entity.start : entity.end]
    ['John', 'Smith']
    """

    type: str
    start: int
    end: int


def entities(tags: Sequence[str]) -> list[Entity]:
    """The entities that the tags of one sentence name, in their order.

    The same as seqeval's `get_entities` (there with inclusive ends), but that L and U are read as E and S, which
    seqeval does in its strict BILOU mode only.

    Raises:
        DataError: a tag that is neither O nor a prefix with a type.

    >>> entities(["B-PER", "I-PER", "O", "I-LOC", "I-ORG"])
    [Entity(type='PER', start=0, end=2), Entity(type='LOC', start=3, end=4), Entity(type='ORG', start=4, end=5)]
    """
    found, start = [], 0
    for place, (before, tag) in enumerate(pairwise([OUTSIDE, *tags, OUTSIDE])):
        if tag == OUTSIDE or _starts(split_tag(before), split_tag(tag)):
            if before != OUTSIDE:
                found.append(Entity(split_tag(before)[1], start, place))
            start = place
    return found


def to_bio(found: Iterable[Entity], length: int) -> list[str]:
    """The BIO (IOB2) tags of a sentence of `length` words with these entities, in any order.

    Raises:
        DataError: an entity without words, beyond the sentence, or on a word of another one.

    >>> to_bio([Entity("PER", 0, 2), Entity("LOC", 2, 3)], 4)
    ['B-PER', 'I-PER', 'B-LOC', 'O']
    """
    tags = [OUTSIDE] * length
    for entity in found:
        if not 0 <= entity.start < entity.end <= length:
            raise DataError(f"entities within {length} words", str(entity), "check the first and the last word")
        if tags[entity.start : entity.end] != [OUTSIDE] * (entity.end - entity.start):
            raise DataError("one entity a word", f"{entity} on words of another", "choose one of them")
        inside = [f"I-{entity.type}"] * (entity.end - entity.start - 1)
        tags[entity.start : entity.end] = [f"B-{entity.type}", *inside]
    return tags


def is_bio(names: Iterable[str]) -> bool:
    """Whether a set of tag names marks entities (BIO, IOBES, BILOU) rather than, say, parts of speech.

    Every name must be O or have one of the prefixes, and one at least must mark an entity. Prefixes without any type
    count only beside O and with a B or I among them: single letters are names of other things as well.

    >>> is_bio({"O", "B-PER", "I-PER"}), is_bio({"NN", "-LRB-", "X"})
    (True, False)
    """
    names = set(names)
    marks = names - {OUTSIDE}
    if not all(map(_ENTITY_TAG.fullmatch, marks)):
        return False
    return any("-" in mark for mark in marks) or (OUTSIDE in names and not marks.isdisjoint("BI"))


def entity_types(names: Iterable[str]) -> tuple[str, ...]:
    """The types among entity tags, sorted.

    >>> entity_types(["O", "I-PER", "B-PER", "B-LOC"])
    ('LOC', 'PER')
    """
    return tuple(sorted({split_tag(name)[1] for name in names if name != OUTSIDE}))


@lru_cache(maxsize=4096)
def split_tag(tag: str) -> tuple[str, str]:
    """Prefix (B, I, O, E or S) and type of a tag; O and a bare prefix have the type "_".

    >>> split_tag("B-PER"), split_tag("U-X-RAY"), split_tag("O")
    (('B', 'PER'), ('S', 'X-RAY'), ('O', '_'))
    """
    if tag == OUTSIDE:
        return OUTSIDE, NO_TYPE
    match = _ENTITY_TAG.fullmatch(tag)
    if match is None:
        expected = "entity tags: O, or B-, I-, E-, S-, L-, U- and a type"
        raise DataError(expected, f"the tag {tag!r}", "score such tags by accuracy, as parts of speech are")
    return match[1].translate(_AS_IOBES), match[2] or NO_TYPE


def _starts(before: tuple[str, str], tag: tuple[str, str]) -> bool:
    """Whether a tag other than O starts an entity after the tag `before`."""
    return tag[0] in "BS" or before[0] in "OES" or before[1] != tag[1]
