"""Extractive question answering: the answer is a span of the context, or there is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from headstart.alignment import self_test
from headstart.data import ReadData, Role, read_questions
from headstart.examples import QuestionExample, QuestionPrediction, SpanAnswer
from headstart.metrics.squad import best_threshold, score_squad
from headstart.ragged import Array
from headstart.spans import ExampleSpans, WindowSpans, join, merge_windows, window_spans
from headstart.tokens import TextEncoder
from headstart.window_store import WindowRows
from headstart.windows import Window, WindowOptions, make_windows

if TYPE_CHECKING:
    import torch

CERTAIN = 1e6  # the no-answer odds where there is no span at all: finite, since JSON knows no infinity
NOTHING = SpanAnswer("", 0, 0, 0.0, 0.0, 0.0)  # where not even "no answer" is a candidate


@dataclass(frozen=True, slots=True)
class QuestionAnswering:
    """Windows, labels, decoding and scores of SQuAD-style question answering.

    `no_answer` says whether the model was shown questions without an answer: only then is "no answer" a candidate.
    `null_threshold` decides for it when the no-answer score exceeds the best span's score by more than this.
    """

    name: ClassVar[str] = "qa"
    head: ClassVar[str] = "AutoModelForQuestionAnswering"
    head_layer: ClassVar[str] = "qa_outputs"
    metric: ClassVar[str] = "f1"

    max_length: int = 384
    doc_stride: int = 128
    max_question_length: int | None = None
    n_best_size: int = 20
    max_answer_length: int = 30
    no_answer: bool = False
    null_threshold: float = 0.0

    def options(self) -> dict[str, Any]:
        """Everything needed to make this task again."""
        return asdict(self)

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> QuestionAnswering:
        """The task that `options()` described; keys of later versions are passed over."""
        known = {name: value for name, value in options.items() if name in cls.__dataclass_fields__}
        return cls(**known)

    # -- data → windows ------------------------------------------------------------------------------------------

    def read(self, sources: Sequence[str], *, role: Role, **options: Any) -> ReadData:
        """Sources → examples, checked."""
        return read_questions(sources, role=role, **options)

    def for_data(self, examples: Sequence[QuestionExample]) -> QuestionAnswering:
        """Unanswerable questions are recognised from the training data."""
        return replace(self, no_answer=any(example.is_impossible for example in examples))

    def windows(self, examples: Sequence[QuestionExample], encoder: TextEncoder) -> Iterator[Window]:
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

    def shrink(self, outputs: Any, rows: WindowRows, *, left: bool) -> WindowSpans:
        """The best spans of each window; the logits themselves can go."""
        return window_spans(
            outputs.start_logits.float().cpu().numpy(),
            outputs.end_logits.float().cpu().numpy(),
            rows,
            n_best=self.n_best_size,
            max_answer_length=self.max_answer_length,
            left_padded=left,
        )

    def decode(self, parts: Sequence[WindowSpans], examples: Sequence[QuestionExample]) -> list[QuestionPrediction]:
        """All windows of a question ranked together; text cut from its context."""
        merged = merge_windows(join(parts), n_best=self.n_best_size)
        return [self._prediction(spans, examples[spans.example]) for spans in merged]

    def _prediction(self, spans: ExampleSpans, example: QuestionExample) -> QuestionPrediction:
        null = sum(spans.null)
        total = np.logaddexp(spans.log_total, null) if self.no_answer else spans.log_total
        columns = (spans.scores, spans.start_logits, spans.starts, spans.ends, np.exp(spans.scores - total))
        candidates = [
            SpanAnswer(example.context[start:end], start, end, start_logit, score - start_logit, probability)
            for score, start_logit, start, end, probability in zip(*(c.tolist() for c in columns), strict=True)
        ]
        if not self.no_answer:
            return QuestionPrediction(example.id, tuple(candidates))
        nothing = SpanAnswer("", 0, 0, *spans.null, float(np.exp(null - total)))
        odds = null - candidates[0].score if candidates else CERTAIN
        ranked = sorted([*candidates, nothing], key=lambda answer: -answer.score)
        return QuestionPrediction(example.id, tuple(ranked), odds)

    def answer(self, prediction: QuestionPrediction) -> SpanAnswer:
        """The one answer given: the best span, or no answer where its odds exceed the threshold."""
        best = prediction.best_span
        refused = prediction.null_odds is not None and prediction.null_odds > self.null_threshold
        if best is None or refused:
            return next((a for a in prediction.nbest if not a.text), NOTHING)
        return best

    # -- scores --------------------------------------------------------------------------------------------------

    def tune(self, examples: Sequence[QuestionExample], predictions: Sequence[QuestionPrediction]) -> QuestionAnswering:
        """The threshold that gives the best F1 on these questions."""
        if not self.no_answer or not any(example.is_impossible for example in examples):
            return self
        spans = _best_spans(predictions)
        scored = score_squad(_references(examples), spans, rules="2.0").per_question
        answerable = np.array([not example.is_impossible for example in examples])
        odds = np.array([prediction.null_odds for prediction in predictions], np.float64)
        f1 = np.array([scored[example.id][1] for example in examples], np.float64)
        threshold, _ = best_threshold(odds, answerable, f1)
        return replace(self, null_threshold=float(threshold))

    def score(self, examples: Sequence[QuestionExample], predictions: Sequence[QuestionPrediction]) -> dict[str, float]:
        """EM and F1 by the official rules: 2.0 where questions without an answer exist, else 1.1.

        `exact` and `f1` are at the saved threshold; `best_exact` and `best_f1` at the best one for these questions.
        """
        references = _references(examples)
        answers = {p.id: self.answer(p).text for p in predictions}
        if not any(example.is_impossible for example in examples):
            return score_squad(references, answers, rules="1.1").scores
        scores = score_squad(references, answers, rules="2.0").scores
        if not self.no_answer:
            return scores
        odds = {p.id: p.null_odds for p in predictions if p.null_odds is not None}
        best = score_squad(references, _best_spans(predictions), rules="2.0", no_answer_odds=odds).scores
        return scores | {name: value for name, value in best.items() if name.startswith("best_")}


def _cross_entropy(logits: torch.Tensor, targets: torch.Tensor, padding: torch.Tensor) -> torch.Tensor:
    masked = logits.float().masked_fill(padding, -1e9)
    return -(targets * masked.log_softmax(dim=-1)).sum(dim=-1)


def _references(examples: Sequence[QuestionExample]) -> dict[str, list[str]]:
    return {example.id: [answer.text for answer in example.answers or ()] for example in examples}


def _best_spans(predictions: Sequence[QuestionPrediction]) -> dict[str, str]:
    return {p.id: p.best_span.text if p.best_span else "" for p in predictions}
