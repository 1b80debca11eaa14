"""Extractive question answering: the answer is a span of the context, or there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from headstart.alignment import self_test
from headstart.candidates import Candidates, candidate_table
from headstart.data import ReadData, Role, read_questions
from headstart.examples import QuestionExample, QuestionPrediction, SpanAnswer
from headstart.ragged import Array
from headstart.spans import RankedSpans, join, merge_windows, window_spans
from headstart.tasks.base import Task
from headstart.tasks.defaults import Defaults
from headstart.tasks.question_replies import Reply, question_examples
from headstart.tasks.question_scorer import QuestionScorer
from headstart.tokens import TextEncoder
from headstart.window_rows import WindowRows, Windows
from headstart.windows import WindowOptions, make_windows

if TYPE_CHECKING:
    import torch

CERTAIN = 1e6  # the no-answer odds where there is no span at all: finite, since JSON knows no infinity
NOTHING = SpanAnswer("", 0, 0, 0.0, 0.0, 0.0)  # where not even "no answer" is a candidate


@dataclass(frozen=True, slots=True)
class QuestionAnswering(Defaults):
    """Windows, labels, decoding and scores of SQuAD-style question answering.

    `no_answer` says whether the model was shown questions without an answer: only then is "no answer" a candidate.
    `null_threshold` decides for it when the no-answer score exceeds the best span's score by more than this.
    """

    name: ClassVar[str] = "qa"
    noun: ClassVar[str] = "questions"
    head: ClassVar[str] = "AutoModelForQuestionAnswering"
    head_layers: ClassVar[tuple[str, ...]] = ("qa_outputs",)
    pipeline: ClassVar[str] = "question-answering"
    files: ClassVar[tuple[str, ...]] = ("predictions", "nbest_predictions", "null_odds")
    metrics: ClassVar[tuple[str, ...]] = ("f1", "exact")
    batch: ClassVar[int | None] = None
    example_call: ClassVar[str] = 'question="…", context="…"'
    percent: ClassVar[bool] = True

    max_length: int = 384
    doc_stride: int = 128
    max_question_length: int | None = None
    n_best_size: int = 20
    max_answer_length: int = 30
    no_answer: bool = False
    null_threshold: float = 0.0
    answers: str = "all"  # whose answers are learnt: all annotators' or the first one's
    metric: str = "f1"

    def description(self) -> str:
        """A sentence for the model card."""
        refuses = ", or says that there is none" if self.no_answer else ""
        return f"An extractive question answering model: it marks the span of a text that answers a question{refuses}."

    # -- the model -----------------------------------------------------------------------------------------------

    def model_config(self) -> dict[str, Any]:
        """Start and end: what the class has by itself."""
        return {}

    # -- data → windows ------------------------------------------------------------------------------------------

    def read(self, sources: Sequence[str], *, role: Role, **options: Any) -> ReadData:
        """Sources → examples, checked."""
        return read_questions(sources, role=role, **options)

    def for_data(self, examples: Sequence[QuestionExample]) -> QuestionAnswering:
        """Unanswerable questions are recognised from the training data."""
        return replace(self, no_answer=any(example.is_impossible for example in examples))

    def first_only(self, examples: Sequence[QuestionExample]) -> Sequence[QuestionExample]:
        """What the notebooks learn from: the first annotator."""
        return tuple(replace(example, answers=(example.answers or ())[:1]) for example in examples)

    def forgets(self, before: Task) -> list[str]:
        """To say "no answer", where the new data has an answer to everything."""
        knew = isinstance(before, QuestionAnswering) and before.no_answer
        if not knew or self.no_answer:
            return []
        return ['the model knows "no answer", this data does not: the new model will always answer']

    def summary(self, examples: Sequence[QuestionExample]) -> dict[str, Any]:
        """How many questions have no answer."""
        return {"without_answer": sum(example.is_impossible for example in examples)}

    def windows_key(self) -> str:
        """What decides about windows and their labels."""
        return repr((self.max_length, self.doc_stride, self.max_question_length))

    def windows(self, examples: Sequence[QuestionExample], encoder: TextEncoder) -> Windows:
        """Overlapping windows with every annotator's span."""
        options = WindowOptions(self.max_length, self.doc_stride, self.max_question_length)
        return make_windows(examples, encoder, options)

    def self_test(self, examples: Sequence[QuestionExample], encoder: TextEncoder) -> str:
        """Sampled answers, aligned to tokens and back to text."""
        return self_test(examples, encoder)

    # -- training ------------------------------------------------------------------------------------------------

    def targets(self, rows: WindowRows, width: int, *, left: bool) -> dict[str, Array]:
        """Where the annotators' answers start and end: two (windows, width) shares that sum to 1 in each row.

        With one annotator this is the usual one-hot target. With several each has an equal say: what choosing one
        at random every time would give on average.
        """
        shift = rows.shift(width, left=left)
        counts = rows.label_starts.lengths
        row = np.repeat(np.arange(len(rows)), counts)
        share = np.repeat(1.0 / np.maximum(counts, 1), counts).astype(np.float32)
        targets = {}
        for name, labels in (("start_targets", rows.label_starts), ("end_targets", rows.label_ends)):
            targets[name] = np.zeros((len(rows), width), np.float32)
            np.add.at(targets[name], (row, labels.values + shift[row]), share)
        return targets

    def loss(self, outputs: Any, targets: Mapping[str, torch.Tensor], attention_mask: torch.Tensor) -> torch.Tensor:
        """Cross-entropy of start and of end, their mean, (windows,). Padding takes no share of the softmax."""
        padding = attention_mask == 0
        return (
            _cross_entropy(outputs.start_logits, targets["start_targets"], padding)
            + _cross_entropy(outputs.end_logits, targets["end_targets"], padding)
        ) / 2

    # -- logits → predictions ------------------------------------------------------------------------------------

    def shrink(self, outputs: Any, rows: WindowRows, *, left: bool) -> RankedSpans:
        """The best spans of each window; the logits themselves can go."""
        return window_spans(
            outputs.start_logits.float().cpu().numpy(),
            outputs.end_logits.float().cpu().numpy(),
            rows,
            n_best=self.n_best_size,
            max_answer_length=self.max_answer_length,
            left_padded=left,
        )

    def decode(self, parts: Sequence[RankedSpans], examples: Sequence[QuestionExample]) -> list[QuestionPrediction]:
        """All windows of a question ranked together; text cut from its context."""
        spans = merge_windows(join(parts), n_best=self.n_best_size)
        table = candidate_table(spans, no_answer=self.no_answer)
        asked = [examples[place] for place in spans.example.tolist()]
        return [
            QuestionPrediction(example.id, Candidates(table, row, example.context), odds)
            for row, (example, odds) in enumerate(zip(asked, self._null_odds(spans), strict=True))
        ]

    def _null_odds(self, spans: RankedSpans) -> Sequence[float | None]:
        """How far "no answer" is ahead of the best span of each question."""
        if not self.no_answer:
            return [None] * len(spans.example)
        odds = np.asarray(spans.null.sum(axis=1) - spans.scores[:, 0], np.float64)
        found: list[float | None] = np.minimum(odds, CERTAIN).tolist()
        return found

    def answer(self, prediction: QuestionPrediction) -> SpanAnswer:
        """The one answer given: the best span, or no answer where its odds exceed the threshold."""
        best = prediction.best_span
        refused = prediction.null_odds is not None and prediction.null_odds > self.null_threshold
        if best is None or refused:
            return next((a for a in prediction.nbest if not a.text), NOTHING)
        return best

    # -- scores and files ----------------------------------------------------------------------------------------

    def scorer(self, examples: Sequence[QuestionExample]) -> QuestionScorer:
        """What turns a stream of predictions into EM and F1, and fits the threshold."""
        return QuestionScorer(self, examples)

    def tuned(self) -> dict[str, float]:
        """The threshold, where there is something to refuse."""
        return {"null_threshold": self.null_threshold} if self.no_answer else {}

    def written(self, prediction: QuestionPrediction) -> dict[str, Any]:
        """The forms of run_qa, with characters of the context as offsets."""
        entries: dict[str, Any] = {
            "predictions": self.answer(prediction).text,
            "nbest_predictions": [
                {
                    "text": answer.text,
                    "probability": answer.probability,
                    "start_logit": answer.start_logit,
                    "end_logit": answer.end_logit,
                    "offsets": [answer.start, answer.end],
                }
                for answer in prediction.nbest
            ],
        }
        return entries if prediction.null_odds is None else {**entries, "null_odds": prediction.null_odds}

    # -- asking --------------------------------------------------------------------------------------------------

    def asked(
        self, *, question: str | Sequence[str], context: str | Sequence[str]
    ) -> tuple[list[QuestionExample], bool]:
        """One question or many; one context serves all questions."""
        return question_examples(question, context)

    def reply(self, example: QuestionExample, prediction: QuestionPrediction) -> Reply:
        """The answer and its rivals."""
        best = self.answer(prediction)
        return Reply(
            question=example.question,
            answer=best.text,
            score=best.probability,
            start=best.start,
            end=best.end,
            nbest=tuple(prediction.nbest),
            null_odds=prediction.null_odds,
        )

    def record(self, example: QuestionExample, prediction: QuestionPrediction) -> dict[str, Any]:
        """The answer with its id; of the candidates only the best."""
        best = self.answer(prediction)
        odds = {} if prediction.null_odds is None else {"null_odds": prediction.null_odds}
        found = {"answer": best.text, "score": best.probability, "start": best.start, "end": best.end}
        return {"id": example.id, **found, **odds}


def _cross_entropy(logits: torch.Tensor, targets: torch.Tensor, padding: torch.Tensor) -> torch.Tensor:
    masked = logits.float().masked_fill(padding, -1e9)
    return -(targets * masked.log_softmax(dim=-1)).sum(dim=-1)
