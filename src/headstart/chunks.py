"""Examples → chunks of neighbours whose texts are tokenised together: bounded memory, each passage once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from headstart.ahead import ahead
from headstart.examples import QuestionExample
from headstart.ragged import Array, Ragged
from headstart.tokens import TextEncoder, TokenRows, id_rows

E = TypeVar("E")

CHARACTERS = 1_000_000  # of questions and contexts, each context counted for each of its questions: about 50 MB


@dataclass(frozen=True, slots=True)
class Chunk:
    """Neighbouring examples and what the tokenizer made of their texts."""

    begin: int  # place of the first example
    examples: Sequence[QuestionExample]
    questions: Ragged  # token ids, one row an example
    contexts: TokenRows  # one row a different context
    homes: Array  # (examples,) the row of each example's context


@dataclass(frozen=True, slots=True)
class _Encoded:
    """What comes out of the Rust tokenizer, in objects of its own."""

    begin: int
    examples: Sequence[QuestionExample]
    questions: list[Any]
    contexts: dict[str, Any]


def tokenised_chunks(examples: Sequence[QuestionExample], encoder: TextEncoder) -> Iterator[Chunk]:
    """Chunks of examples in order; while one is used the next one is tokenised."""
    for encoded in ahead(_Tokeniser(encoder), neighbours(examples, _characters)):
        yield _read(encoded, encoder)


def neighbours(examples: Sequence[E], characters: Callable[[E], int]) -> Iterator[tuple[int, Sequence[E]]]:
    """Examples in pieces of about so many characters, each with the place of its first example."""
    begin, size = 0, 0
    for place, example in enumerate(examples):
        if size >= CHARACTERS:
            yield begin, examples[begin:place]
            begin, size = place, 0
        size += characters(example)
    if begin < len(examples):
        yield begin, examples[begin:]


def _characters(example: QuestionExample) -> int:
    return len(example.question) + len(example.context)


class _Tokeniser:
    """The part that leaves Python's lock to others. The last context is kept: the next chunk may begin with it."""

    def __init__(self, encoder: TextEncoder) -> None:
        self.encoder = encoder
        self.last: dict[str, Any] = {}

    def __call__(self, chunk: tuple[int, Sequence[QuestionExample]]) -> _Encoded:
        begin, examples = chunk
        contexts = {example.context: self.last.get(example.context) for example in examples}
        fresh = [context for context, encoding in contexts.items() if encoding is None]
        contexts.update(zip(fresh, self.encoder.tokenise(fresh), strict=True))
        questions = self.encoder.tokenise([example.question.strip() for example in examples], offsets=False)
        self.last = dict([next(reversed(contexts.items()))])
        return _Encoded(begin, examples, questions, contexts)


def _read(encoded: _Encoded, encoder: TextEncoder) -> Chunk:
    rows = {context: row for row, context in enumerate(encoded.contexts)}
    return Chunk(
        begin=encoded.begin,
        examples=encoded.examples,
        questions=id_rows(encoded.questions),
        contexts=encoder.rows(list(encoded.contexts), list(encoded.contexts.values())),
        homes=np.array([rows[example.context] for example in encoded.examples]),
    )
