"""`load(folder)(question=…, context=…)`: a trained model as a Python object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, overload

from headstart.checkpoint import load_trained
from headstart.errors import DataError
from headstart.examples import QuestionExample, QuestionPrediction, SpanAnswer
from headstart.hardware import choose_hardware
from headstart.inference import Predictor
from headstart.settings import AskSettings, build


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


class QuestionAnswerer:
    """A trained span model that takes questions and contexts.

    Args:
        model: a folder or hub id with a trained question-answering head.
        null_threshold: call a question unanswerable when the no-answer score beats the best span by more than
            this (default: the threshold saved with the model). Giving one makes "no answer" a candidate.
    """

    def __init__(self, model: str | Path, *, null_threshold: float | None = None, **hardware: Any) -> None:
        settings = build(AskSettings, hardware, source="the arguments of load")
        chosen = choose_hardware(settings)
        checkpoint = load_trained(model, chosen)
        self.task = checkpoint.task
        if null_threshold is not None:
            self.task = replace(self.task, null_threshold=null_threshold, no_answer=True)
        self.predictor = Predictor(checkpoint, chosen, task=self.task, tokens_per_batch=settings.eval_tokens_per_batch)

    @overload
    def __call__(self, *, question: str, context: str) -> Reply: ...

    @overload
    def __call__(self, *, question: list[str] | tuple[str, ...], context: str | Sequence[str]) -> list[Reply]: ...

    def __call__(self, *, question: str | Sequence[str], context: str | Sequence[str]) -> Reply | list[Reply]:
        """Answer one question about one context, or many in their order; one context serves all questions.

        Raises:
            DataError: an empty question or context, or lists of different lengths.
        """
        single = isinstance(question, str)
        questions = [question] if isinstance(question, str) else list(question)
        contexts = [context] * len(questions) if isinstance(context, str) else list(context)
        if len(questions) != len(contexts):
            found = f"{len(questions)} questions and {len(contexts)} contexts"
            raise DataError("one context, or one for each question", found, "give lists of equal length")
        examples = [_example(place, *pair) for place, pair in enumerate(zip(questions, contexts, strict=True))]
        predictions = self.predictor.predict(examples) if examples else []
        replies = [self._reply(e, p) for e, p in zip(examples, predictions, strict=True)]
        return replies[0] if single else replies

    def _reply(self, example: QuestionExample, prediction: QuestionPrediction) -> Reply:
        best = self.task.answer(prediction)
        return Reply(
            question=example.question,
            answer=best.text,
            score=best.probability,
            start=best.start,
            end=best.end,
            nbest=tuple(prediction.nbest),
            null_odds=prediction.null_odds,
        )


def _example(place: int, question: str, context: str) -> QuestionExample:
    for name, text in (("question", question), ("context", context)):
        if not isinstance(text, str) or not text.strip():
            raise DataError(f"a {name} with some text", f"{text!r}", f"give the {name} as a string")
        if any("\ud800" <= char <= "\udfff" for char in text):
            raise DataError(f"a {name} of whole characters", "half a surrogate pair", "decode the text as UTF-8 again")
    return QuestionExample(id=str(place), question=question, context=context, place=f"question {place}")


def load(model: str | Path, **options: Any) -> QuestionAnswerer:
    """Load a trained model to ask it questions; options as for `QuestionAnswerer`."""
    return QuestionAnswerer(model, **options)
