"""Typed examples and predictions: the plain values every stage passes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Answer:
    """One annotator's answer: its text and the character of the context it starts at.

    >>> answer = Answer("Jay Z", 34)
    >>> answer.start, answer.end
    (34, 39)
    """

    text: str
    start: int

    @property
    def end(self) -> int:
        """The character after the last one of the answer."""
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class QuestionExample:
    """A question with its context, as the user wrote it.

    `answers` holds what each annotator marked, duplicates kept: an empty tuple means that the context does not
    answer the question, None that nothing is known (a question to be asked, not to learn from).
    `place` says where the example came from ("train.json, article 3, paragraph 0, question 2"), for messages.
    """

    id: str
    question: str
    context: str
    answers: tuple[Answer, ...] | None = None
    title: str = ""
    place: str = ""

    @property
    def is_impossible(self) -> bool:
        """Whether the example is known to have no answer in its context."""
        return self.answers == ()


@dataclass(frozen=True, slots=True)
class TextExample:
    """A text, or a pair of texts, as the user wrote it, and what it is: a label by its name or a number.

    `label` is None where nothing is known: a text to be judged, not to learn from.
    """

    id: str
    text: str
    text_pair: str | None = None
    label: str | float | None = None
    place: str = ""


@dataclass(frozen=True, slots=True)
class WordsExample:
    """The words of a sentence, cut by the user, and one tag for each of them (None where nothing is known).

    `starts` are the characters of `text` at which the words begin; `text` is what they were cut from or, where a file
    holds nothing but words, the words with a blank between them.

    >>> example = WordsExample("1", ("John", "'s", "car"), text="John's car", starts=(0, 4, 7))
    >>> [example.text[start:end] for start, end in example.spans]
    ['John', "'s", 'car']
    """

    id: str
    words: tuple[str, ...]
    tags: tuple[str, ...] | None = None
    text: str = ""
    starts: tuple[int, ...] = ()
    place: str = ""

    @property
    def spans(self) -> list[tuple[int, int]]:
        """The characters `[start, end)` of each word in `text`."""
        return [(start, start + len(word)) for start, word in zip(self.starts, self.words, strict=True)]


class SpanAnswer(NamedTuple):
    """One ranked candidate: text cut from the context, its characters `[start, end)` and how good it is.

    `probability` is its share among all candidates of the question: every span of every window, and "no answer"
    where the model knows it. No answer is `text == ""` with `start == end == 0`. Twenty may be made for every
    question, so it is a named tuple: made in a third of a frozen dataclass's time.
    """

    text: str
    start: int
    end: int
    start_logit: float
    end_logit: float
    probability: float

    @property
    def score(self) -> float:
        """What candidates are ranked by: start logit plus end logit."""
        return self.start_logit + self.end_logit


@dataclass(frozen=True, slots=True)
class QuestionPrediction:
    """What decoding makes of one question: ranked answers and the score of "no answer".

    `null_odds` is the no-answer score minus the score of the best span: above the threshold the question counts
    as unanswered. None where the model was never shown a question without an answer.
    """

    id: str
    nbest: Sequence[SpanAnswer]
    null_odds: float | None = None

    @property
    def best_span(self) -> SpanAnswer | None:
        """The highest ranked candidate that is a span, if there is one."""
        return next((answer for answer in self.nbest if answer.text), None)


@dataclass(frozen=True, slots=True)
class LabelPrediction:
    """The label of a text and how probable each label is, in the order of the task's labels."""

    id: str
    label: str
    probabilities: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class NumberPrediction:
    """The number that a text, or a pair of texts, is given."""

    id: str
    number: float


@dataclass(frozen=True, slots=True)
class TagsPrediction:
    """One tag for each word of a sentence, and how probable each of them is."""

    id: str
    tags: tuple[str, ...]
    probabilities: tuple[float, ...]
