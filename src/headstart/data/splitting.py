"""A validation share cut from the training data, so that no passage, and no text, stands on both sides."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from headstart.data.records import Example, ReadData
from headstart.errors import DataError, SettingsError
from headstart.examples import QuestionExample, TextExample, WordsExample

Written = TypeVar("Written", bound=TextExample | WordsExample)

_ALMOST: Final = 1e-9  # what sums of shares miss by


def split(data: ReadData[Example], share: float, seed: int) -> tuple[ReadData[Example], ReadData[Example]]:
    """Split data into (train, validation), both in their old order; the same on every machine.

    Questions of one context stay together, and so do equal texts and equal sentences. Of each label about the same
    share falls on either side. The problems met in reading stay with the training part.

    Args:
        data: what was read.
        share: about which share of the examples to validate on, above 0 and below 1.
        seed: another seed, another draw.

    Raises:
        SettingsError: the share is not between 0 and 1.
        DataError: there are fewer than two different texts.

    >>> examples = [TextExample(str(n), f"Text {n}.", label=str(n % 2)) for n in range(8)]
    >>> train, validation = split(ReadData(examples, ()), 0.25, seed=1)
    >>> len(train.examples), sorted(example.label for example in validation.examples)
    (6, ['0', '1'])
    """
    examples: Sequence[Any] = data.examples
    if len(examples) and isinstance(examples[0], QuestionExample):
        parts: tuple[Sequence[Any], Sequence[Any]] = split_by_context(examples, share, seed=seed)
    else:
        parts = split_by_text(examples, share, seed=seed)
    return replace(data, examples=parts[0]), replace(data, examples=parts[1], problems=())


def split_by_text(
    examples: Sequence[Written], share: float, *, seed: int
) -> tuple[tuple[Written, ...], tuple[Written, ...]]:
    """Split texts or sentences into (train, validation); equal ones stay together, labels keep their shares."""
    _check_share(share, "examples")
    keys = [_content(example) for example in examples]
    sizes = Counter(keys)
    if len(sizes) < 2:
        raise _too_few("texts", f"{len(examples)} examples with {len(sizes)} of them")
    labels: dict[str, str] = {}
    for key, example in zip(keys, examples, strict=True):
        labels.setdefault(key, _class_of(example))
    chosen = _draw_evenly(sizes, labels, share, seed)
    pairs = list(zip(keys, examples, strict=True))
    train = tuple(example for key, example in pairs if key not in chosen)
    return train, tuple(example for key, example in pairs if key in chosen)


def _content(example: TextExample | WordsExample) -> str:
    """What must not stand on both sides."""
    return repr(example.words if isinstance(example, WordsExample) else (example.text, example.text_pair))


def _class_of(example: object) -> str:
    return example.label if isinstance(example, TextExample) and isinstance(example.label, str) else ""


def _draw_evenly(sizes: Mapping[str, int], labels: Mapping[str, str], share: float, seed: int) -> set[str]:
    """Choose texts, label by label: the share of each text is owed until it adds up to a text that can be taken.

    Those that stand many times come first, so that what they leave owing can be taken from others.
    """
    ordered = sorted(sizes, key=lambda key: (labels[key], -sizes[key], _rank(key, seed)))
    owed = int.from_bytes(_rank("", seed)[:4], "big") / 2**32 - _ALMOST  # no label is always the one rounded down
    chosen: set[str] = set()
    for key in ordered:
        owed += share * sizes[key]
        if owed + _ALMOST >= sizes[key] and len(chosen) < len(sizes) - 1:
            chosen.add(key)
            owed -= sizes[key]
    return chosen or {min(ordered, key=lambda key: sizes[key])}


def _check_share(share: float, noun: str) -> None:
    if not 0 < share < 1:
        raise SettingsError("a validation share between 0 and 1", str(share), f"give 0.1 for a tenth of the {noun}")


def _too_few(what: str, found: str) -> DataError:
    remedy = "give more data, or a validation file of its own"
    return DataError(f"at least two different {what} to split by", found, remedy)


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
    _check_share(share, "questions")
    sizes = Counter(example.context for example in examples)
    if len(sizes) < 2:
        raise _too_few("contexts", f"{len(examples)} questions on {len(sizes)} of them")
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
