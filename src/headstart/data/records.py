"""What reading hands on: raw questions on the way in, examples, sources and problems on the way out."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, Literal, TypeAlias

from typing_extensions import TypeVar

from headstart.examples import QuestionExample, TextExample, WordsExample

Example = TypeVar("Example", bound=QuestionExample | TextExample | WordsExample, default=Any)

ABSENT: Final = object()
"""Stands for a field that a row does not have at all (None is a field that is there and empty)."""

Loss: TypeAlias = Literal["nothing", "answer", "example"]


def is_missing(value: object) -> bool:
    """Whether a field holds nothing: absent, None, NaN (as Parquet and pandas write it) or only blanks.

    >>> [is_missing(value) for value in (None, float("nan"), " ", 0, "0")]
    [True, True, True, False, False]
    """
    if isinstance(value, str):
        return not value or value.isspace()
    return value is None or value is ABSENT or value != value


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that was wrong with the data, where, and what to do.

    `kind` is a short word to count by. `left_out` says what was lost by it: the whole example, one answer of a
    question, or nothing (the fault was repaired, or is only worth knowing).

    >>> print(Problem("a.json, row 3", "q7", "empty question", "no text", "write one", left_out="example"))
    a.json, row 3, id 'q7': empty question: no text (write one)
    """

    place: str
    id: str
    kind: str
    found: str
    remedy: str
    repaired: bool = False
    left_out: Loss = "nothing"

    @property
    def fatal(self) -> bool:
        """Whether something is left out because of it."""
        return self.left_out != "nothing"

    def __str__(self) -> str:
        name = f", id {self.id!r}" if self.id else ""
        return f"{self.place}{name}: {self.kind}: {self.found} ({self.remedy})"


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """An answer as a file holds it, nothing checked."""

    text: object
    start: object = ABSENT


@dataclass(frozen=True, slots=True)
class RawQuestion:
    """A question as a file holds it, nothing checked. `answers` is None where the row does not speak of answers."""

    place: str
    made_up_id: str
    id: object
    question: object
    context: object
    answers: tuple[RawAnswer, ...] | None
    impossible: object = ABSENT
    title: object = ABSENT

    def with_context(self, context: str) -> RawQuestion:
        """Return the same question with an equal context: one string in memory for all its questions."""
        return self if context is self.context else replace(self, context=context)


Entry: TypeAlias = RawQuestion | Problem
"""What a format yields for each row: a question, or why the row is none (a Problem that leaves it out)."""


@dataclass(frozen=True, slots=True)
class Diagnosis(Generic[Example]):
    """What the checks made of an item: the example (None: left out) and the problems met."""

    example: Example | None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Origin:
    """How one source is to be read: its name in messages, the start of made-up ids, the wishes of the caller.

    `noun` is what messages call the examples. A JSON document with one of the names `telling`, and a text there (with
    `lists`, or a list of texts), is a row of its own.
    """

    label: str
    stem: str
    columns: tuple[tuple[str, str], ...] = ()
    labelled: bool = True
    noun: str = "questions"
    telling: tuple[str, ...] = ("question", "context")
    lists: bool = False

    def wish(self, ours: str) -> str | None:
        """What the caller calls one of our columns."""
        return dict(self.columns).get(ours)


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """One file, folder or hub split that was read.

    `fingerprint` is the sha256 of the file's bytes, or of a hub data set's id, config, split and own fingerprint.
    `rows` counts what was read from it, `examples` what remained.
    """

    name: str
    split: str | None
    format: str
    fingerprint: str
    rows: int
    examples: int


@dataclass(frozen=True, slots=True)
class ReadData(Generic[Example]):
    """Everything one call read: examples of one kind, where they came from, and every problem met.

    Nothing is lost in silence: `rows == len(examples) + left_out`, and each example left out is named in `problems`.
    """

    examples: Sequence[Example]
    sources: tuple[SourceInfo, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def rows(self) -> int:
        """How many examples the sources held."""
        return sum(source.rows for source in self.sources)

    @property
    def repaired(self) -> int:
        """How many faults were repaired."""
        return sum(problem.repaired for problem in self.problems)

    @property
    def left_out(self) -> int:
        """How many examples were left out."""
        return len({problem.place for problem in self.problems if problem.left_out == "example"})

    @property
    def left_out_answers(self) -> int:
        """How many answers were left out of questions that stayed, having another good one."""
        return sum(problem.left_out == "answer" for problem in self.problems)

    @property
    def counts(self) -> dict[str, int]:
        """How often each kind of problem was met, the commonest first."""
        return dict(Counter(problem.kind for problem in self.problems).most_common())

    @property
    def has_impossible(self) -> bool:
        """Whether some example is a question known to have no answer in its context."""
        return any(isinstance(example, QuestionExample) and example.is_impossible for example in self.examples)

    @property
    def fingerprint(self) -> str:
        """The sha256 of ids, texts and labels (answers, tags) in their order; places and titles do not count."""
        return fingerprint_examples(self.examples)


def fingerprint_examples(examples: Iterable[QuestionExample | TextExample | WordsExample]) -> str:
    """Name the content of examples: equal for equal ids, texts and labels in the same order."""
    digest = hashlib.sha256()
    contexts: dict[str, bytes] = {}  # a context is shared by its questions: hash it once
    for example in examples:
        # repr quotes every string, so that no two different examples can run together into the same bytes
        if isinstance(example, TextExample):
            digest.update(_encoded(repr((example.id, example.text, example.text_pair, example.label))))
        elif isinstance(example, WordsExample):
            digest.update(_encoded(repr((example.id, example.words, example.tags, example.text, example.starts))))
        else:
            _add_question(digest, example, contexts)
    return digest.hexdigest()


def _add_question(digest: hashlib._Hash, example: QuestionExample, contexts: dict[str, bytes]) -> None:
    if example.context not in contexts:
        contexts[example.context] = hashlib.sha256(_encoded(example.context)).digest()
    answers = None if example.answers is None else [(answer.text, answer.start) for answer in example.answers]
    digest.update(_encoded(repr((example.id, example.question, answers))))
    digest.update(contexts[example.context])


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
