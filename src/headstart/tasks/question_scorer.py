"""Scores of question answering from a stream of predictions: five numbers a question, at any threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from headstart.examples import QuestionExample, QuestionPrediction
from headstart.metrics.squad import Rules, check_answerable, question_scores, total_scores
from headstart.metrics.thresholds import best_scores, best_threshold
from headstart.ragged import Array

if TYPE_CHECKING:
    from headstart.tasks.question_answering import QuestionAnswering

EXACT, F1, EMPTY, ODDS, SPAN = range(5)  # the columns


class QuestionScorer:
    """EM and F1 by the official rules: 2.0 where questions without an answer exist, else 1.1.

    A question at some threshold is worth what its best span is worth, or what the empty answer is worth; so these
    two, the no-answer odds and whether there is a span at all are kept, and no text.
    """

    def __init__(self, task: QuestionAnswering, examples: Sequence[QuestionExample]) -> None:
        self.task, self.examples = task, examples
        self.rules: Rules = "2.0" if any(example.is_impossible for example in examples) else "1.1"
        if self.rules == "1.1":
            check_answerable([example.id for example in examples if not example.answers])
        self.table = np.zeros((len(examples), 5))  # (questions, columns)

    def add(self, place: int, prediction: QuestionPrediction) -> None:
        """Note the prediction for the example at this place."""
        golds = [answer.text for answer in self.examples[place].answers or ()]
        span = prediction.best_span
        texts = [span.text if span else "", ""]
        (exact, f1), (empty, _) = question_scores(texts, golds, rules=self.rules)
        odds = np.nan if prediction.null_odds is None else prediction.null_odds
        self.table[place] = (exact, f1, empty, odds, span is not None)

    def tune(self) -> QuestionAnswering:
        """The task with the threshold that gives the best F1 on these questions."""
        if not self.task.no_answer or self.rules == "1.1":
            return self.task
        answerable = [not example.is_impossible for example in self.examples]
        threshold, _ = best_threshold(self.table[:, ODDS], answerable, self.table[:, F1])
        return replace(self.task, null_threshold=threshold)

    def scores(self, task: QuestionAnswering) -> dict[str, float]:
        """`exact` and `f1` are at the threshold of `task`; `best_exact` and `best_f1` at the best one there is."""
        refused = self.table[:, ODDS] > task.null_threshold
        has_answer = [bool(example.answers) for example in self.examples]
        scores = total_scores(self._rows(refused), has_answer, rules=self.rules)
        if not task.no_answer or self.rules == "1.1":
            return scores
        return scores | best_scores(
            self._rows(np.zeros_like(refused)),
            has_answer=has_answer,
            answered=(self.table[:, SPAN] > 0).tolist(),
            odds=self.table[:, ODDS].tolist(),
            total=len(has_answer),
        )

    def _rows(self, refused: Array) -> list[tuple[float, float]]:
        """(exact, F1) of each question where some are left unanswered.

        Where the gold has no words, which only rules 2.0 score, F1 is a whole number as in the official script:
        Python's sum treats it otherwise than a float.
        """
        exact, f1, empty = self.table[:, EXACT], self.table[:, F1], self.table[:, EMPTY]
        wordless = empty > 0 if self.rules == "2.0" else np.zeros_like(refused)
        exacts = np.where(refused, empty, exact).tolist()
        f1s = np.where(refused, wordless, f1).tolist()
        return [(e, int(f) if w else f) for e, f, w in zip(exacts, f1s, wordless.tolist(), strict=True)]
