"""A long list of examples in a fifth of the memory: kept compressed, unpacked a block at a time."""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import cast, overload

from headstart.data.records import Example
from headstart.examples import Answer, QuestionExample

BLOCK = 512  # examples packed together


class PackedExamples(Sequence[Example]):
    """Examples of one kind, added at the end and never changed.

    Contexts and titles, which questions share, stay as they are.

    What is looked at in order is unpacked once; every look makes new objects, equal to those that were added.

    >>> examples = PackedExamples[QuestionExample]()
    >>> examples.append(QuestionExample("q1", "Who?", "Ada wrote it.", (Answer("Ada", 0),)))
    >>> len(examples), examples[-1].answers
    (1, (Answer(text='Ada', start=0),))
    """

    def __init__(self) -> None:
        self._blocks: list[bytes] = []
        self._fresh: list[Example] = []  # fewer than a block
        self._kind: type[Example] | None = None
        self._texts: list[str] = []
        self._places: dict[str, int] = {}  # of contexts and titles in `_texts`
        self._open: tuple[int, list[Example]] = (-1, [])

    def append(self, example: Example) -> None:
        """One more."""
        self._kind = self._kind or type(example)
        self._fresh.append(example)
        if len(self._fresh) == BLOCK:
            self._blocks.append(zlib.compress(pickle.dumps([self._plain(one) for one in self._fresh]), 1))
            self._fresh = []

    def __len__(self) -> int:
        return len(self._blocks) * BLOCK + len(self._fresh)

    def __iter__(self) -> Iterator[Example]:
        for number in range(len(self._blocks)):
            yield from self._unpacked(number)
        yield from self._fresh

    @overload
    def __getitem__(self, index: int) -> Example: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Example, ...]: ...
    def __getitem__(self, index: int | slice) -> Example | tuple[Example, ...]:
        if isinstance(index, slice):
            return tuple(self[place] for place in range(len(self))[index])
        number, place = divmod(range(len(self))[index], BLOCK)
        if number == len(self._blocks):
            return self._fresh[place]
        opened, block = self._open  # read at once: another thread may open another block meanwhile
        if opened != number:
            block = self._unpacked(number)
            self._open = (number, block)
        return block[place]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, str):
            return NotImplemented
        return len(self) == len(other) and all(one == another for one, another in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]  # as a list

    def _plain(self, example: Example) -> tuple[object, ...]:
        """Plain values: they take less room than objects that name their class."""
        if not isinstance(example, QuestionExample):
            return tuple(getattr(example, field.name) for field in fields(example))
        answers = None if example.answers is None else [(answer.text, answer.start) for answer in example.answers]
        context, title = self._shared(example.context), self._shared(example.title)
        return example.id, example.question, context, answers, title, example.place

    def _shared(self, text: str) -> int:
        place = self._places.setdefault(text, len(self._texts))
        if place == len(self._texts):
            self._texts.append(text)
        return place

    def _unpacked(self, number: int) -> list[Example]:
        rows = pickle.loads(zlib.decompress(self._blocks[number]))
        kind = self._kind
        assert kind is not None
        if issubclass(kind, QuestionExample):
            return [cast(Example, self._question(*row)) for row in rows]
        return [kind(*row) for row in rows]

    def _question(
        self, name: str, question: str, context: int, answers: list[tuple[str, int]] | None, title: int, place: str
    ) -> QuestionExample:
        marked = None if answers is None else tuple(Answer(*answer) for answer in answers)
        return QuestionExample(name, question, self._texts[context], marked, self._texts[title], place)
