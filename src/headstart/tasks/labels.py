"""Label names ↔ the numbers a model gives them, for the tasks that have labels."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

_UNNAMED = re.compile(r"LABEL_\d+")  # what transformers calls labels without a name


def known_labels(names: Iterable[str]) -> tuple[str, ...]:
    """Labels in their order: whole numbers by their value, anything else as words.

    >>> known_labels(["10", "9", "10"]), known_labels(["b", "B", "a"])
    (('9', '10'), ('B', 'a', 'b'))
    """
    found = set(names)
    if all(re.fullmatch(r"-?\d+", name) for name in found):
        return tuple(sorted(found, key=lambda name: (int(name), name)))
    return tuple(sorted(found))


def has_head(config: Any, head: str) -> bool:
    """Whether a model was saved with the head that this class of transformers puts on.

    >>> from types import SimpleNamespace
    >>> has_head(SimpleNamespace(architectures=["BertForTokenClassification"]), "AutoModelForTokenClassification")
    True
    """
    kind = head.removeprefix("AutoModel")
    return any(str(name).endswith(kind) for name in getattr(config, "architectures", None) or ())


def head_of(model: Any, names: Sequence[str]) -> Any:
    """The layers that are the head, by one of the names that families of models have for it; None without any."""
    return next((getattr(model, name) for name in names if hasattr(model, name)), None)


def label_config(labels: Sequence[str]) -> dict[str, Any]:
    """What a model's configuration says about labels; nothing where there are none yet."""
    if not labels:
        return {}
    return {
        "num_labels": len(labels),
        "id2label": dict(enumerate(labels)),
        "label2id": {label: number for number, label in enumerate(labels)},
    }


def labels_of_model(config: Any, wanted: Sequence[str]) -> tuple[str, ...]:
    """The labels as a model numbers them, if it has names for all that are wanted; else those wanted."""
    named = {int(number): str(label) for number, label in (getattr(config, "id2label", None) or {}).items()}
    labels = tuple(named[number] for number in sorted(named))
    if not wanted:
        return labels
    real = not all(map(_UNNAMED.fullmatch, labels))
    return labels if real and set(wanted) <= set(labels) else tuple(wanted)


def class_weights(counts: Sequence[int]) -> tuple[float, ...]:
    """Weights by which all classes have an equal say and an example 1 on average (scikit-learn's "balanced").

    >>> class_weights([30, 10])
    (0.6666666666666666, 2.0)
    """
    total = sum(counts)
    return tuple(total / (len(counts) * count) for count in counts)
