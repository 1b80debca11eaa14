"""The self-test before training: answers → tokens → text, or no training at all.

Offsets are taken on trust by every trainer of span models, and wrong ones cost tens of EM points in silence. Here
the label of a sampled answer is turned back into text in two independent ways: by offsets, cut from the context,
and by decoding the token ids. Both must show the answer.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from headstart.errors import TokenizerError
from headstart.examples import Answer, QuestionExample
from headstart.tokens import TextEncoder, Tokens
from headstart.windows import align

SAMPLE = 200
TOLERATED = 0.02  # share of sampled answers that may fail: odd characters a vocabulary does not know
MUCH_UNKNOWN = 0.3


@dataclass(frozen=True, slots=True)
class Alignment:
    """One answer beside what its label reads: the text cut by offsets and the text of its token ids."""

    answer: str
    cut: str
    decoded: str
    unknown: bool  # a token of the span is not in the vocabulary, so ids cannot show the text

    @property
    def holds(self) -> bool:
        """Whether the label shows the answer, give or take the rest of its first and last word."""
        wanted = letters(self.answer)
        return bool(self.cut) and wanted in letters(self.cut) and (self.unknown or wanted in letters(self.decoded))


def letters(text: str) -> str:
    """Only what a tokenizer keeps of a text: letters and digits, without case and accents.

    >>> letters("Café №5, “Über”")
    'cafeno5uber'
    """
    bare = unicodedata.normalize("NFKD", text).casefold()
    return "".join(char for char in bare if char.isalnum())


def self_test(examples: Sequence[QuestionExample], encoder: TextEncoder, *, sample: int = SAMPLE) -> str:
    """Align sampled answers with this tokenizer and read them back.

    Returns:
        a sentence that says what was checked.

    Raises:
        TokenizerError: labels made with this tokenizer would be wrong.
    """
    chosen = _sample([example for example in examples if example.answers], sample)
    _check_layout(chosen[:20], encoder)
    contexts = encoder.encode([example.context for example in chosen])
    results = [_read_back(e, tokens, encoder) for e, tokens in zip(chosen, contexts, strict=True)]
    failed = [result for result in results if not result.holds]
    if len(failed) > TOLERATED * len(results):
        shown = "; ".join(f"{f.answer!r} reads {f.cut!r} by offsets, {f.decoded!r} by ids" for f in failed[:3])
        raise TokenizerError(
            "a tokenizer whose offsets lead back to the answers",
            f"{len(failed)} of {len(results)} sampled answers that do not: {shown}",
            "use another tokenizer for this model, or update transformers and tokenizers",
        )
    passed = f"{len(results) - len(failed)} of {len(results)}"
    return f"self-test: {passed} sampled answers read back{_unknown(contexts, encoder)}"


def _sample(examples: list[QuestionExample], count: int) -> list[QuestionExample]:
    if len(examples) <= count:
        return examples
    places = np.linspace(0, len(examples) - 1, count).astype(int)
    return [examples[place] for place in places]


def _read_back(example: QuestionExample, tokens: Tokens, encoder: TextEncoder) -> Alignment:
    answers = example.answers or (Answer("", 0),)
    span = align(tokens, answers[:1])[0]
    if span is None:
        return Alignment(answers[0].text, "", "", unknown=False)
    first, last = span
    ids = tokens.ids[first : last + 1].tolist()
    return Alignment(
        answers[0].text,
        example.context[tokens.starts[first] : tokens.ends[last]],
        encoder.tokenizer.decode(ids),
        unknown=encoder.unknown_id in ids,
    )


def _check_layout(examples: Sequence[QuestionExample], encoder: TextEncoder) -> None:
    """Windows are joined by hand; the tokenizer's own pairs must look the same."""
    for example in examples:
        pair = [example.question.strip(), example.context]
        first, second = pair if encoder.question_first else pair[::-1]
        theirs = encoder.tokenizer(first, second, truncation=False, padding=False, verbose=False)["input_ids"]
        ours = encoder.layout.join(*encoder.encode_ids([first, second])).tolist()
        if ours != theirs:
            raise TokenizerError(
                "a tokenizer that joins two texts the same way every time",
                f"{len(theirs)} tokens where the learnt layout gives {len(ours)} (question {example.id!r})",
                "report this model to headstart",
            )


def _unknown(contexts: Sequence[Tokens], encoder: TextEncoder) -> str:
    total = sum(len(tokens) for tokens in contexts)
    unknown = sum(int((tokens.ids == encoder.unknown_id).sum()) for tokens in contexts)
    if total and unknown / total > MUCH_UNKNOWN:
        return f"; WARNING: {unknown / total:.0%} of the tokens are unknown to the vocabulary: is this its language?"
    return ""
