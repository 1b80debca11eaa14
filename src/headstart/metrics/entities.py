"""Precision, recall and F1 of entities: seqeval's numbers, from counts that add up over sentences.

An entity is found where a predicted one has the same type and the same words: no part of one counts. What the entities
of tags are, `headstart.tags` says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from headstart.errors import DataError, SettingsError
from headstart.metrics.labels import ClassScore, Counts, class_scores, named_scores
from headstart.tags import Entity, entities


def entity_counts(gold_tags: Sequence[str], predicted_tags: Sequence[str], types: Sequence[str]) -> Counts:
    """Of each type in one sentence: how many entities are found, predicted and gold, (types, 3).

    Args:
        gold_tags: one tag a word.
        predicted_tags: the same.
        types: all types that occur, for instance `entity_types` of the model's tags and the data's.

    Raises:
        DataError: lengths differ, or a type is not among `types`.

    >>> entity_counts(["B-PER", "O", "B-LOC"], ["B-PER", "O", "B-PER"], ["LOC", "PER"]).tolist()
    [[0, 0, 1], [1, 2, 1]]
    """
    if len(gold_tags) != len(predicted_tags):
        found = f"{len(predicted_tags):,} for {len(gold_tags):,} words"
        raise DataError("one predicted tag a word", found, "predict every word of the sentence")
    gold, predicted = set(entities(gold_tags)), set(entities(predicted_tags))
    counts = np.zeros((len(types), 3), dtype=np.int64)
    for column, group in enumerate((gold & predicted, predicted, gold)):
        np.add.at(counts[:, column], _rows(group, types), 1)
    return counts


def entity_scores(counts: npt.ArrayLike, *, average: Literal["micro", "macro"] = "micro") -> dict[str, float]:
    """Precision, recall and F1 of all entities as fractions; 0 where there is nothing to divide by.

    Args:
        counts: (types, 3), found, predicted and gold: what `entity_counts` gave, added up.
        average: "micro" counts all types together, seqeval's overall score; "macro" is the mean over the types
            that occur, as gold or as predicted.

    Raises:
        DataError: no such table.
        SettingsError: another average.

    >>> entity_scores([[0, 0, 1], [1, 2, 1]])
    {'precision': 0.5, 'recall': 0.5, 'f1': 0.5}
    >>> entity_scores([[0, 0, 1], [1, 2, 1]], average="macro")
    {'precision': 0.25, 'recall': 0.5, 'f1': 0.3333333333333333}
    """
    if average not in ("micro", "macro"):
        raise SettingsError("the average micro or macro", repr(average), "choose one of them")
    table = _table(counts)
    table = table.sum(axis=0, keepdims=True) if average == "micro" else table[table.any(axis=1)]
    scores = class_scores(*table.T)
    means = scores.mean(axis=0) if len(scores) else np.zeros(3)
    return dict(zip(("precision", "recall", "f1"), means.tolist(), strict=True))


def by_type(counts: npt.ArrayLike, types: Sequence[str]) -> dict[str, ClassScore]:
    """Precision, recall, F1 and support of each type.

    >>> by_type([[0, 0, 1], [1, 2, 1]], ["LOC", "PER"])["PER"]
    ClassScore(precision=0.5, recall=1.0, f1=0.6666666666666666, support=1)
    """
    return named_scores(types, *_table(counts).T)


def _rows(group: set[Entity], types: Sequence[str]) -> list[int]:
    row_of = {name: row for row, name in enumerate(types)}
    unknown = sorted({entity.type for entity in group} - set(row_of))
    if unknown:
        remedy = "pass the types of the gold and of the predicted tags"
        raise DataError(f"entities of the types {', '.join(types) or '(none)'}", ", ".join(unknown), remedy)
    return [row_of[entity.type] for entity in group]


def _table(counts: npt.ArrayLike) -> Counts:
    table = np.asarray(counts)
    if table.ndim != 2 or table.shape[1] != 3:
        found = f"shape {table.shape}"
        raise DataError("counts of found, predicted and gold entities, (types, 3)", found, "add up entity_counts()")
    return table.astype(np.int64, copy=False)
