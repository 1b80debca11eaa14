"""Which columns of a source hold texts and labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from headstart.data.column_names import among, doubtful_column, missing_column, plain, wished_columns
from headstart.data.records import Origin
from headstart.errors import DataError

COLUMNS: Final = ("id", "text", "text_pair", "label")
"""The names by which columns can be mapped."""

# all without case and marks, as `plain` makes them
IDS: Final = ("id", "guid", "uid", "pairid")  # not idx: it counts anew in every split
PAIRS: Final = {
    "text": "textpair",
    "text1": "text2",
    "texta": "textb",
    "sentence1": "sentence2",
    "sentencea": "sentenceb",
    "premise": "hypothesis",
    "question1": "question2",
}
QUESTION_PARTNERS: Final = ("sentence", "passage")  # of a question that is no text of its own: QNLI, BoolQ
LONE_TEXTS: Final = (
    "sentence", "content", "review", "comment", "tweet", "document", "utterance", "message", "phrase", "headline"
)  # fmt: skip
LABELS: Final = ("label", "labels", "target")
CLASSES: Final = (
    "class", "category", "sentiment", "goldlabel", "intent", "topic", "entailmentjudgment", "entailmentlabel",
    "judgment", "isduplicate",
)  # fmt: skip
NUMBERS: Final = ("score", "similarity", "similarityscore", "relatednessscore", "relatedness", "rating", "stars")
TEXT_NAMES: Final = frozenset({*PAIRS, *PAIRS.values(), *QUESTION_PARTNERS, *LONE_TEXTS, "question"})
LABEL_NAMES: Final = frozenset({*LABELS, *CLASSES, *NUMBERS})


@dataclass(frozen=True, slots=True)
class TextLayout:
    """Which of a source's columns holds what; None where none does."""

    id: str | None
    text: str
    text_pair: str | None
    label: str | None


def find_text_layout(names: Sequence[str], origin: Origin, *, numbers: bool = False) -> TextLayout:
    """Find our columns among the names a source has.

    >>> find_text_layout(["sentence_A", "sentence_B", "score"], Origin("a.csv", "a"))
    TextLayout(id=None, text='sentence_A', text_pair='sentence_B', label='score')

    Raises:
        DataError: a column is missing, or several could be meant.
    """
    wished = wished_columns(COLUMNS, names, origin)
    left = [name for name in names if name not in wished.values()]
    text, pair = _find_texts(wished, left, names, origin)
    label = wished.get("label") or _find_label(left, origin, text, numbers=numbers)
    if label is None and origin.labelled:
        raise missing_column("a column label", names, "label", origin)
    return TextLayout(wished.get("id") or next(iter(among(left, IDS)), None), text, pair, label)


def _find_texts(
    wished: dict[str, str], left: Sequence[str], names: Sequence[str], origin: Origin
) -> tuple[str, str | None]:
    """Take what was mapped: a text that was mapped alone stays alone, unless a column is called text_pair."""
    if "text" in wished:
        return wished["text"], wished.get("text_pair") or next((name for name in left if name == "text_pair"), None)
    candidates = text_candidates(left)
    if not candidates:
        raise missing_column("a column text", names, "text", origin)
    if len(candidates) > 1:
        firsts = list(dict.fromkeys(first for first, _ in candidates))
        raise doubtful_column("text", firsts, {"text": firsts[0]}, origin)
    text, pair = candidates[0]
    return text, wished.get("text_pair") or pair


def text_candidates(names: Sequence[str]) -> list[tuple[str, str | None]]:
    """The texts, or pairs of texts, that the names can mean; more than one of them is a doubt.

    >>> text_candidates(["question", "sentence", "idx"])
    [('question', 'sentence')]
    """
    found = {plain(name): name for name in reversed(names)}
    asked = [second for second in QUESTION_PARTNERS if "question" in found and second in found]
    if "question" in found and (asked or not any(name in found for name in (*PAIRS, *LONE_TEXTS))):
        return [(found["question"], found[second]) for second in asked] or [(found["question"], None)]
    pairs = [(found[one], found.get(other)) for one, other in PAIRS.items() if one in found]
    return pairs + [(found[name], None) for name in LONE_TEXTS if name in found]


def _find_label(names: Sequence[str], origin: Origin, text: str, *, numbers: bool) -> str | None:
    for group in (NUMBERS, LABELS, CLASSES) if numbers else (LABELS, CLASSES, NUMBERS):
        candidates = [name for name in among(names, group) if name != text]
        if len(candidates) > 1 and candidates[0] != "label":
            raise doubtful_column("label", candidates, {"label": candidates[0]}, origin)
        if candidates:
            return candidates[0]
    return "answer" if "answer" in names and {"question", "passage"} <= set(names) else None


def refuse_nested(origin: Origin) -> DataError:
    """Say that a source holds questions, not texts or sentences."""
    found = f"{origin.label} in the official SQuAD form, which holds questions with answers"
    return DataError(f"{origin.noun} in rows", found, "train or evaluate question answering with it: --task qa")
