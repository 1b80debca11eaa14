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

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from headstart.chunks import Chunk, tokenised_chunks
from headstart.errors import DataError, SettingsError
from headstart.examples import Answer, QuestionExample
from headstart.ragged import Array, Ragged, bounds_of, ranges, slices
from headstart.tokens import TextEncoder, Tokens
from headstart.window_rows import Span, Window, WindowRows, Windows

__all__ = ["Window", "WindowOptions", "Windows", "align", "cut", "make_windows"]

BEYOND = np.int64(np.iinfo(np.int64).max)  # behind the last character of any text


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


def cut(tokens: int, room: int, overlap: int) -> list[Span]:
    """The `[begin, end)` of each window over a context of this many tokens.

    >>> cut(10, room=5, overlap=2)
    [(0, 5), (3, 8), (6, 10)]
    >>> cut(0, room=5, overlap=2)
    [(0, 0)]
    """
    _, begins, ends = cut_rows(np.array([tokens]), np.array([room]), overlap)
    return list(zip(begins.tolist(), ends.tolist(), strict=True))


def cut_rows(tokens: Array, rooms: Array, overlap: int) -> tuple[Array, Array, Array]:
    """As `cut` for many contexts: which of them each window shows, from where to where, (windows,) each."""
    steps = np.maximum(rooms - overlap, 1)
    counts = 1 + np.maximum(-(-(tokens - rooms) // steps), 0)
    owners = np.repeat(np.arange(len(tokens)), counts)
    begins = ranges(np.zeros_like(counts), counts) * steps[owners]
    return owners, begins, np.minimum(begins + rooms[owners], tokens[owners])


def align(tokens: Tokens, answers: Sequence[Answer]) -> list[Span | None]:
    """The first and last token that touch each answer; None where no token does.

    >>> tokens = Tokens(np.arange(3), np.array([0, 3, 9]), np.array([2, 8, 10]))  # "in Paris ."
    >>> align(tokens, [Answer("Paris", 3), Answer("Paris .", 3)])
    [(1, 1), (1, 2)]
    """
    starts = np.array([answer.start for answer in answers], np.int64)
    ends = np.array([answer.end for answer in answers], np.int64)
    touched = _align(tokens.starts, tokens.ends, starts, ends)
    pairs = zip(*(side.tolist() for side in touched), strict=True)
    return [(first, last) if first <= last else None for first, last in pairs]


def _align(starts: Array, ends: Array, answer_starts: Array, answer_ends: Array) -> tuple[Array, Array]:
    """The first and the last token that touch each answer, (answers,) each; the last before the first: none does.

    Two binary searches an answer: no loop over tokens.
    """
    inked = starts < ends  # tokens without characters neither begin nor end a span
    ends = np.maximum.accumulate(np.where(inked, ends, 0))
    starts = np.minimum.accumulate(np.where(inked, starts, BEYOND)[::-1])[::-1]
    firsts = np.searchsorted(ends, answer_starts, side="right")
    return firsts, np.searchsorted(starts, answer_ends, side="left") - 1


def make_windows(
    examples: Sequence[QuestionExample], encoder: TextEncoder, options: WindowOptions | None = None
) -> Windows:
    """Cut every example into windows, in order, as they are asked for.

    While the windows of one chunk of examples are used, the next one is tokenised.

    Raises (when they are asked for):
        DataError: a question leaves no room for its context, or less than the overlap asked for.
    """
    options = options or WindowOptions()
    chunks = (_chunk_windows(chunk, encoder, options) for chunk in tokenised_chunks(examples, encoder))
    return Windows(encoder.layout, chunks)


@dataclass(frozen=True, slots=True)
class _Cuts:
    """What each window of a chunk shows: tokens `[begins, ends)` of the context of the example `owners`."""

    owners: Array  # (windows,)
    begins: Array  # (windows,)
    ends: Array  # (windows,)


def _chunk_windows(chunk: Chunk, encoder: TextEncoder, options: WindowOptions) -> WindowRows:
    """All windows of a chunk at once: the one place where windows are put together."""
    layout, contexts = encoder.layout, chunk.contexts
    kept = options.max_question_length
    questions = chunk.questions if kept is None else chunk.questions.first(kept)
    rooms = options.max_length - layout.special_tokens - questions.lengths
    _refuse_long_questions(chunk, questions.lengths, rooms, options)
    cuts = _Cuts(*cut_rows(contexts.ids.lengths[chunk.homes], rooms, options.doc_stride))
    lengths = cuts.ends - cuts.begins
    shown = ranges(contexts.ids.bounds[chunk.homes[cuts.owners]] + cuts.begins, lengths)  # tokens of all contexts
    bounds = bounds_of(lengths)
    starts, ends = contexts.offsets()
    asked = slices(questions.values, questions.bounds[cuts.owners], questions.lengths[cuts.owners])
    input_ids = layout.join_rows(*layout.in_order(asked, Ragged(contexts.ids.values[shown], bounds)))
    context_begins, cls = layout.context_begins(asked.lengths), layout.cls_indices(input_ids.lengths)
    label_starts, label_ends = _labels(_known_answers(chunk), cuts, context_begins - cuts.begins, cls)
    return WindowRows(
        layout=layout,
        example=cuts.owners + chunk.begin,
        context_begin=context_begins,
        context_length=lengths,
        cls_index=cls,
        input_ids=Ragged(input_ids.values.astype(encoder.id_type), input_ids.bounds),
        columns={
            "starts": Ragged(starts[shown], bounds),
            "ends": Ragged(ends[shown], bounds),
            "label_starts": label_starts,
            "label_ends": label_ends,
        },
    )


def _refuse_long_questions(chunk: Chunk, lengths: Array, rooms: Array, options: WindowOptions) -> None:
    """A context must fit beside its question, or leave room to move on by a token at least."""
    tight = (chunk.contexts.ids.lengths[chunk.homes] > rooms) & (rooms <= options.doc_stride)
    if not tight.any():
        return
    place = int(tight.argmax())
    example, room = chunk.examples[place], int(rooms[place])
    raise DataError(
        f"questions that leave more than doc_stride ({options.doc_stride}) of max_length ({options.max_length}) tokens"
        " for their context",
        f"question {example.id!r} with {lengths[place]} tokens, which leaves {max(room, 0)}"
        f" ({example.place or 'no place known'})",
        "raise --max-length, lower --doc-stride, shorten the question, or cut long ones with --max-question-length 64",
    )


@dataclass(frozen=True, slots=True)
class _Gold:
    """The answers of a chunk that some token touches, and which examples are known to have them or none."""

    firsts: Array  # (answers,) token of the context
    lasts: Array  # (answers,)
    bounds: Array  # (examples + 1,) the answers of each example
    known: Array  # (examples,)


def _known_answers(chunk: Chunk) -> _Gold:
    contexts, answers = chunk.contexts, [example.answers or () for example in chunk.examples]
    owners = np.repeat(np.arange(len(answers)), [len(several) for several in answers])
    homes = chunk.homes[owners]
    starts = np.array([answer.start for several in answers for answer in several], np.int64)
    ends = starts + np.array([len(answer.text) for several in answers for answer in several], np.int64)
    places, limits = contexts.places[homes], contexts.places[homes + 1] - 1
    touched = _align(
        contexts.starts, contexts.ends, *(np.clip(side + places, places, limits) for side in (starts, ends))
    )
    firsts, lasts = (side - contexts.ids.bounds[homes] for side in touched)
    found = firsts <= lasts
    counts = np.bincount(owners[found], minlength=len(answers))
    without = np.array([example.is_impossible for example in chunk.examples])
    return _Gold(firsts[found], lasts[found], bounds_of(counts), without | (counts > 0))


def _labels(gold: _Gold, cuts: _Cuts, shifts: Array, cls: Array) -> tuple[Ragged, Ragged]:
    """First and last token of every answer that lies whole in a window; CLS where none of a known example does.

    `shifts` (windows,) leads from a token of the context to its place in the window.
    """
    counts = np.diff(gold.bounds)[cuts.owners]  # every window meets every answer of its example
    window = np.repeat(np.arange(len(cls)), counts)
    answer = ranges(gold.bounds[cuts.owners], counts)
    inside = (cuts.begins[window] <= gold.firsts[answer]) & (gold.lasts[answer] < cuts.ends[window])
    window, answer = window[inside], answer[inside]
    empty = np.flatnonzero(gold.known[cuts.owners] & (np.bincount(window, minlength=len(cls)) == 0))
    owners = np.concatenate([window, empty])
    order, bounds = np.argsort(owners, kind="stable"), bounds_of(np.bincount(owners, minlength=len(cls)))
    sides = (np.concatenate([side[answer] + shifts[window], cls[empty]])[order] for side in (gold.firsts, gold.lasts))
    starts, ends = (Ragged(side.astype(np.int32), bounds) for side in sides)
    return starts, ends
