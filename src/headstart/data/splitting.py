"""A validation share cut from the training data, so that no passage stands on both sides."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

from headstart.errors import DataError, SettingsError
from headstart.examples import QuestionExample


def split_by_context(
    examples: Sequence[QuestionExample], share: float, *, seed: int
) -> tuple[tuple[QuestionExample, ...], tuple[QuestionExample, ...]]:
    """Split into (train, validation), all questions of one context on the same side, both in their old order.

    Contexts are drawn by a hash of seed and text, so that the same context falls on the same side on every machine
    and, as a rule, when other data are added.

    Args:
        examples: the questions to split.
        share: about which share of the questions to validate on, above 0 and below 1.
        seed: another seed, another draw.

    Raises:
        SettingsError: the share is not between 0 and 1.
        DataError: there are fewer than two different contexts.

    >>> examples = [QuestionExample(str(n), "Who?", f"Passage {n // 2}.") for n in range(8)]
    >>> train, validation = split_by_context(examples, 0.25, seed=1)
    >>> len(train), len(validation)
    (6, 2)
    """
    if not 0 < share < 1:
        raise SettingsError("a validation share between 0 and 1", str(share), "give 0.1 for a tenth of the questions")
    sizes = Counter(example.context for example in examples)
    if len(sizes) < 2:
        found = f"{len(examples)} questions on {len(sizes)} of them"
        remedy = "give more data, or a validation file of its own"
        raise DataError("at least two different contexts to split by", found, remedy)
    chosen = _draw(sizes, share * len(examples), seed)
    train = tuple(example for example in examples if example.context not in chosen)
    return train, tuple(example for example in examples if example.context in chosen)


def _draw(sizes: Counter[str], wanted: float, seed: int) -> set[str]:
    """Choose contexts until about `wanted` questions are together; never none and never all."""
    drawn = sorted(sizes, key=lambda context: _rank(context, seed))
    chosen: set[str] = set()
    count = 0
    for context in drawn:
        if abs(count + sizes[context] - wanted) < abs(count - wanted) and len(chosen) < len(sizes) - 1:
            chosen.add(context)
            count += sizes[context]
    return chosen or {min(drawn, key=lambda context: sizes[context])}


def _rank(context: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed} {context}".encode("utf-8", "surrogatepass")).digest()
