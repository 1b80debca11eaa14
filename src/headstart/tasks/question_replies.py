"""What people pass to a question-answering model, and what they get back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from headstart.errors import DataError
from headstart.examples import QuestionExample, SpanAnswer


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one question.

    `answer` is the text, "" for no answer; `start` and `end` are its characters in the context, `score` its
    probability (see `SpanAnswer`). `nbest` are all candidates, best first. `null_odds` says how far "no answer" is
    ahead of the best span, where the model knows it.
    """

    question: str
    answer: str
    score: float
    start: int
    end: int
    nbest: tuple[SpanAnswer, ...]
    null_odds: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        candidates = [
            {"answer": c.text, "score": c.probability, "start": c.start, "end": c.end, "logit": c.score}
            for c in self.nbest
        ]
        return {**asdict(self), "nbest": candidates}


def question_examples(
    question: str | Sequence[str], context: str | Sequence[str]
) -> tuple[list[QuestionExample], bool]:
    """One question or several, one context for all or one for each → examples, and whether it was one question.

    Raises:
        DataError: an empty question or context, or lists of different lengths.
    """
    single = isinstance(question, str)
    questions = [question] if isinstance(question, str) else list(question)
    contexts = [context] * len(questions) if isinstance(context, str) else list(context)
    if len(questions) != len(contexts):
        found = f"{len(questions)} questions and {len(contexts)} contexts"
        raise DataError("one context, or one for each question", found, "give lists of equal length")
    return [_example(place, *pair) for place, pair in enumerate(zip(questions, contexts, strict=True))], single


def _example(place: int, question: str, context: str) -> QuestionExample:
    for name, text in (("question", question), ("context", context)):
        if not isinstance(text, str) or not text.strip():
            raise DataError(f"a {name} with some text", f"{text!r}", f"give the {name} as a string")
        if any("\ud800" <= char <= "\udfff" for char in text):
            raise DataError(f"a {name} of whole characters", "half a surrogate pair", "decode the text as UTF-8 again")
    return QuestionExample(id=str(place), question=question, context=context, place=f"question {place}")
