"""Question + context → overlapping windows and their labels. Pure arithmetic on tokens.

A context longer than the room left by its question is cut into windows that overlap by `doc_stride` tokens::

    context tokens   0 1 2 3 4 5 6 7 8 9          room 5, doc_stride 2 → a new window every 3 tokens
    window 0         [0 1 2 3 4]
    window 1               [3 4 5 6 7]
    window 2                     [6 7 8 9]
    answer 4..5                ^ ^                whole in window 1 only: windows 0 and 2 are labelled CLS..CLS

A window that does not hold the whole answer is labelled as holding none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from headstart.errors import DataError, SettingsError
from headstart.examples import Answer, QuestionExample
from headstart.tokens import IntArray, TextEncoder, Tokens

Span = tuple[int, int]

BEYOND = np.iinfo(np.int32).max  # behind the last character of any text
CHUNK = 512  # examples tokenised in one call of the Rust tokenizer, which spreads them over the cores


@dataclass(frozen=True, slots=True)
class WindowOptions:
    """How contexts are cut. Lengths are in tokens; `doc_stride` is the overlap of two neighbouring windows."""

    max_length: int = 384
    doc_stride: int = 128
    max_question_length: int | None = None

    def __post_init__(self) -> None:
        if self.doc_stride < 0 or self.max_length < 1:
            raise SettingsError(
                "a max_length above 0 and a doc_stride of 0 or more",
                f"max_length {self.max_length} and doc_stride {self.doc_stride}",
                "the usual values are --max-length 384 --doc-stride 128",
            )
        if self.doc_stride >= self.max_length:
            raise SettingsError(
                f"a doc_stride (overlap of two windows) below max_length {self.max_length}",
                f"doc_stride {self.doc_stride}",
                f"lower --doc-stride, for example to {self.max_length // 3}",
            )
        if self.max_question_length is not None and self.max_question_length < 1:
            raise SettingsError(
                "a max_question_length of 1 token or more",
                str(self.max_question_length),
                "leave --max-question-length out to keep questions whole; 64 is usual to cut long ones",
            )


@dataclass(frozen=True, slots=True)
class Window:
    """One model input cut from an example, with the way back to the characters of its context.

    `example` is the place of the example in its data set. `starts` and `ends` (context tokens,) are characters of
    the context; the first of these tokens stands at position `context_begin` of `input_ids`.
    `labels` holds the (first, last) token of every annotator's answer that lies whole in this window, the CLS
    token twice where none does, and nothing where the answer is not known.
    """

    example: int
    input_ids: IntArray  # (length,)
    token_type_ids: IntArray  # (length,)
    context_begin: int
    starts: IntArray  # (context tokens,)
    ends: IntArray  # (context tokens,)
    cls_index: int
    labels: tuple[Span, ...]


def cut(tokens: int, room: int, overlap: int) -> list[Span]:
    """The `[begin, end)` of each window over a context of this many tokens.

    >>> cut(10, room=5, overlap=2)
    [(0, 5), (3, 8), (6, 10)]
    >>> cut(0, room=5, overlap=2)
    [(0, 0)]
    """
    if tokens <= room:
        return [(0, tokens)]
    step = room - overlap
    count = 1 + -(-(tokens - room) // step)
    return [(place * step, min(place * step + room, tokens)) for place in range(count)]


def align(tokens: Tokens, answers: Sequence[Answer]) -> list[Span | None]:
    """The first and last token that touch each answer; None where no token does.

    Two binary searches an answer: no loop over tokens.

    >>> tokens = Tokens(np.arange(3), np.array([0, 3, 9]), np.array([2, 8, 10]))  # "in Paris ."
    >>> align(tokens, [Answer("Paris", 3), Answer("Paris .", 3)])
    [(1, 1), (1, 2)]
    """
    inked = tokens.starts < tokens.ends  # tokens without characters neither begin nor end a span
    ends = np.maximum.accumulate(np.where(inked, tokens.ends, 0))
    starts = np.minimum.accumulate(np.where(inked, tokens.starts, BEYOND)[::-1])[::-1]
    firsts = np.searchsorted(ends, [answer.start for answer in answers], side="right").tolist()
    lasts = (np.searchsorted(starts, [answer.end for answer in answers], side="left") - 1).tolist()
    return [(first, last) if first <= last else None for first, last in zip(firsts, lasts, strict=True)]


def make_windows(
    examples: Sequence[QuestionExample], encoder: TextEncoder, options: WindowOptions | None = None
) -> Iterator[Window]:
    """Cut every example into windows, in order.

    Raises:
        DataError: a question leaves no room for its context, or less than the overlap asked for.
    """
    options = options or WindowOptions()
    stream = iter(enumerate(examples))
    while chunk := list(islice(stream, CHUNK)):
        yield from _chunk_windows(chunk, encoder, options)


def _chunk_windows(
    chunk: list[tuple[int, QuestionExample]], encoder: TextEncoder, options: WindowOptions
) -> Iterator[Window]:
    """A passage is tokenised once for all its questions."""
    contexts = list(dict.fromkeys(example.context for _, example in chunk))
    tokens = dict(zip(contexts, encoder.encode(contexts), strict=True))
    questions = encoder.encode_ids([example.question.strip() for _, example in chunk])
    for (place, example), question in zip(chunk, questions, strict=True):
        question = question[: options.max_question_length]
        yield from _example_windows(place, example, question, tokens[example.context], encoder, options)


def _example_windows(
    place: int,
    example: QuestionExample,
    question: IntArray,
    context: Tokens,
    encoder: TextEncoder,
    options: WindowOptions,
) -> Iterator[Window]:
    room = _room(example, len(question), len(context), encoder, options)
    answers = example.answers
    spans = [] if not answers else [span for span in align(context, answers) if span]
    for begin, end in cut(len(context), room, options.doc_stride):
        first, second = (question, context.ids[begin:end])
        if not encoder.question_first:
            first, second = second, first
        input_ids = encoder.layout.join(first, second)
        context_begin = len(encoder.layout.prefix)
        if encoder.question_first:
            context_begin += len(question) + len(encoder.layout.middle)
        cls_index = encoder.layout.cls_index(len(input_ids))
        shift = context_begin - begin
        inside = tuple((s + shift, e + shift) for s, e in spans if begin <= s and e < end)
        known = answers is not None and (not answers or bool(spans))
        yield Window(
            example=place,
            input_ids=input_ids,
            token_type_ids=encoder.layout.type_ids(len(first), len(second)),
            context_begin=context_begin,
            starts=context.starts[begin:end],
            ends=context.ends[begin:end],
            cls_index=cls_index,
            labels=inside or (((cls_index, cls_index),) if known else ()),
        )


def _room(example: QuestionExample, question: int, context: int, encoder: TextEncoder, options: WindowOptions) -> int:
    """Tokens left for the context beside a question of this many tokens."""
    room = options.max_length - encoder.layout.special_tokens - question
    if context <= room or (room > options.doc_stride):
        return room
    raise DataError(
        f"questions that leave more than doc_stride ({options.doc_stride}) of max_length ({options.max_length}) tokens"
        " for their context",
        f"question {example.id!r} with {question} tokens, which leaves {max(room, 0)}"
        f" ({example.place or 'no place known'})",
        "raise --max-length, lower --doc-stride, shorten the question, or cut long ones with --max-question-length 64",
    )
