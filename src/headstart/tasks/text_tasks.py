"""What the tasks on plain texts share: self-tests, the mean over a long text's windows, what people pass in."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from headstart.alignment import MUCH_UNKNOWN, TOLERATED, letters
from headstart.errors import DataError, TokenizerError
from headstart.examples import TextExample, WordsExample
from headstart.ragged import Array
from headstart.tokens import TextEncoder
from headstart.window_rows import WindowRows

SAMPLE = 200


@dataclass(frozen=True, slots=True)
class TextLogits:
    """The logits of some windows, and whose windows they are."""

    example: Array  # (windows,)
    logits: Array  # (windows, outputs)


def text_logits(outputs: Any, rows: WindowRows) -> TextLogits:
    """What decoding needs of a batch."""
    return TextLogits(rows.example, outputs.logits.float().cpu().numpy())


def averaged(parts: Sequence[TextLogits]) -> TextLogits:
    """One row an example, in their order: the mean over its windows."""
    example = np.concatenate([part.example for part in parts])
    logits = np.concatenate([part.logits for part in parts]).astype(np.float64)
    places, row = np.unique(example, return_inverse=True)
    total = np.zeros((len(places), logits.shape[1]))
    np.add.at(total, row, logits)
    return TextLogits(places, total / np.bincount(row)[:, None])


def check_joins(examples: Sequence[TextExample], encoder: TextEncoder) -> str:
    """Compare the inputs of sampled texts with those the tokenizer makes itself.

    Raises:
        TokenizerError: they differ.
    """
    sample = examples[:: max(len(examples) // SAMPLE, 1)]
    for example in sample:
        texts = [text for text in (example.text, example.text_pair) if text is not None]
        theirs = encoder.tokenizer(*texts, truncation=False, padding=False, verbose=False)["input_ids"]
        parts = encoder.encode_ids(texts if len(texts) > 1 else ["", *texts])
        ours = encoder.text_layout(pairs=len(texts) > 1).join(*parts).tolist()
        if ours != theirs:
            raise TokenizerError(
                "a tokenizer that dresses texts the same way every time",
                f"{len(theirs)} tokens where the learnt layout gives {len(ours)} (text {example.id!r})",
                "report this model to headstart",
            )
    return f"self-test: {len(sample)} texts joined as the tokenizer joins them"


def text_examples(text: Any, text_pair: Any = None) -> tuple[list[TextExample], bool]:
    """One text (or pair), or lists of them → examples, and whether it was one.

    Raises:
        DataError: not texts, or lists of different lengths.
    """
    single = isinstance(text, str)
    texts = listed(text)
    pairs: list[Any] = [None] * len(texts)
    if text_pair is not None:
        pairs = [text_pair] * len(texts) if isinstance(text_pair, str) else listed(text_pair)
    if len(pairs) != len(texts):
        found = f"{len(texts)} texts and {len(pairs)} second ones"
        raise DataError("a second text for each first one", found, "give lists of equal length")
    for value in (*texts, *(pair for pair in pairs if pair is not None)):
        if not isinstance(value, str) or not value.strip():
            raise DataError("texts with something in them", f"{value!r}", "give texts as strings")
    both = enumerate(zip(texts, pairs, strict=True))
    return [TextExample(str(number), *pair, place=f"text {number}") for number, pair in both], single


def are_pairs(examples: Sequence[TextExample]) -> bool:
    """Whether these are pairs of texts; windows refuse a mixture."""
    return bool(examples) and examples[0].text_pair is not None


def sentence_examples(text: Any = None, words: Any = None) -> tuple[list[WordsExample], bool]:
    """A text or its words, or lists of either → examples, and whether it was one.

    Raises:
        DataError: neither or both, or not texts.
    """
    if (text is None) == (words is None):
        raise DataError("a text or its words", "both" if text is not None else "neither", "give text=… or words=[…]")
    if text is not None:
        texts = listed(text)
        if not all(isinstance(one, str) for one in texts):
            raise DataError("a text", f"{texts!r:.60}", "give texts as strings")
        return [in_words(str(place), one) for place, one in enumerate(texts)], isinstance(text, str)
    several = [one for one in listed(words) if not isinstance(one, str)]
    sentences = listed(words) if several else [listed(words)]
    if isinstance(words, str) or any(isinstance(sentence, str) for sentence in sentences):
        raise DataError("the words of a sentence, or of several", f"{words!r:.60}", "give a list of strings for each")
    if not all(isinstance(word, str) and word.strip() for sentence in sentences for word in listed(sentence)):
        raise DataError("words with some text", f"{sentences!r:.60}", "give each sentence as a list of strings")
    return [joined_words(str(place), tuple(one)) for place, one in enumerate(sentences)], not several


def listed(value: Any) -> list[Any]:
    """The members of a list or the like; a string, or what has no members, is one by itself."""
    return [value] if isinstance(value, str) or not isinstance(value, Iterable) else list(value)


def in_words(id: str, text: str) -> WordsExample:
    """A text cut at blanks and punctuation.

    >>> in_words("1", "John's car.").words
    ('John', "'s", 'car', '.')
    """
    found = [(match.group(), match.start()) for match in _word().finditer(text)]
    return WordsExample(id, tuple(word for word, _ in found), None, text, tuple(start for _, start in found))


@cache
def _word() -> re.Pattern[str]:
    """Words with their combining marks, numbers and English clitics ('s, 're …); anything else by itself."""
    marks = "".join(chr(code) for code in range(0x300, 0x1F000) if unicodedata.category(chr(code)).startswith("M"))
    letters = rf"\w[\w{re.escape(marks)}]*"
    return re.compile(rf"{letters}(?:[.,]\d+)*|['’](?:s|re|ve|ll|d|m|t)\b|[^\w\s]", re.IGNORECASE)


def joined_words(id: str, words: tuple[str, ...]) -> WordsExample:
    """Words with a blank between them."""
    ends = np.cumsum([len(word) + 1 for word in words]).tolist()
    return WordsExample(id, words, None, " ".join(words), (0, *ends[:-1]) if words else ())


def check_pieces(examples: Sequence[WordsExample], encoder: TextEncoder) -> str:
    """Compare the pieces of sampled words with what their letters say.

    Raises:
        TokenizerError: pieces that do not show their words.
    """
    sample = examples[:: max(len(examples) // SAMPLE, 1)]
    words = list(dict.fromkeys(word for example in sample for word in example.words))
    pieces = encoder.encode_ids([f" {word}" for word in words])
    unknown = [not len(ids) or encoder.unknown_id in ids.tolist() for ids in pieces]
    wrong = [
        word
        for word, ids, lost in zip(words, pieces, unknown, strict=True)
        if not lost and letters(word) not in letters(encoder.tokenizer.decode(ids.tolist()))
    ]
    if len(wrong) > len(words) * TOLERATED:
        raise TokenizerError(
            "pieces that spell their words",
            f"{len(wrong)} of {len(words)} words that do not, such as {wrong[0]!r}",
            "check the tokenizer files beside the model",
        )
    said = f"self-test: {len(words):,} words spelt by their pieces"
    if sum(unknown) > MUCH_UNKNOWN * len(words):
        said += f"; WARNING: {sum(unknown) / len(words):.0%} of the words are unknown to the vocabulary"
    return said
