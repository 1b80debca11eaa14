"""Question answering decoded by the rules of transformers 4's pipeline, on headstart's logits.

They differ from headstart's, so that a few answers differ although the logits are the same:

* start and end each get a softmax within their window, so that windows of one context are compared by shares of
  different wholes (headstart compares logits);
* candidates that read the same, in any letter case, are added up, wherever in the context they stand;
* a candidate is widened to whole words.

What remains different when both decode alike comes from the model's arithmetic.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from headstart.checkpoint import Checkpoint
from headstart.examples import QuestionExample, QuestionPrediction, SpanAnswer
from headstart.spans import join
from headstart.tasks import QuestionAnswering
from headstart.tokens import TextEncoder

CANDIDATES, MAX_ANSWER_LENGTH = 12, 15  # of each window; in tokens


@dataclass(frozen=True)
class PipelineRules(QuestionAnswering):
    """As the pipeline decodes with nothing but defaults."""

    backend: Any = None  # the Rust tokenizer, which knows what a word is

    def shrink(self, outputs: Any, rows: Any, *, left: bool) -> Any:
        """Log shares of a window in place of its logits: their sums rank candidates as products of shares do."""
        width = outputs.start_logits.shape[1]
        shift = rows.shift(width, left=left)
        places, begin = np.arange(width)[None, :], (rows.context_begin + shift)[:, None]
        counted = (places >= begin) & (places < begin + rows.starts.lengths[:, None])
        counted |= places == (rows.cls_index + shift)[:, None]
        outside = torch.from_numpy(~counted)
        shares = {
            name: getattr(outputs, name).float().cpu().masked_fill(outside, -torch.inf).log_softmax(dim=-1)
            for name in ("start_logits", "end_logits")
        }
        return QuestionAnswering.shrink(self, SimpleNamespace(**shares), rows, left=left)

    def decode(self, parts: Sequence[Any], examples: Sequence[QuestionExample]) -> Iterator[QuestionPrediction]:
        """The one answer whose candidates have the largest share together."""
        spans = join(parts)
        candidates: dict[int, list[tuple[float, int, int]]] = {int(place): [] for place in np.unique(spans.example)}
        for row, place in enumerate(spans.example.tolist()):
            columns = (spans.scores[row], spans.starts[row], spans.ends[row])
            found = zip(*(column[:CANDIDATES].tolist() for column in columns), strict=True)
            candidates[place] += [one for one in found if np.isfinite(one[0])]
        yield from (self._added_up(examples[place], found) for place, found in candidates.items())

    def _added_up(self, example: QuestionExample, found: list[tuple[float, int, int]]) -> QuestionPrediction:
        encoding = self.backend.encode(example.context, add_special_tokens=False)
        shares: defaultdict[str, float] = defaultdict(float)
        spans: dict[str, tuple[int, int]] = {}
        for score, start, end in found:
            start, end = whole_words(encoding, start, end)
            text = example.context[start:end].lower()
            spans.setdefault(text, (start, end))
            shares[text] += float(np.exp(score))
        if not shares:
            return QuestionPrediction(example.id, ())
        best = max(shares, key=lambda text: shares[text])
        start, end = spans[best]
        answer = SpanAnswer(example.context[start:end], start, end, 0.0, 0.0, shares[best])
        return QuestionPrediction(example.id, (answer,))


def whole_words(encoding: Any, start: int, end: int) -> tuple[int, int]:
    """The characters of the words that a span begins and ends in."""
    words = encoding.char_to_word(start), encoding.char_to_word(end - 1)
    if None in words:
        return start, end
    return encoding.word_to_chars(words[0])[0], encoding.word_to_chars(words[1])[1]


def by_the_rules(checkpoint: Checkpoint) -> PipelineRules:
    """The task of a trained model, decoded as the pipeline does."""
    kept = checkpoint.task.options() | {"n_best_size": CANDIDATES, "max_answer_length": MAX_ANSWER_LENGTH}
    return PipelineRules(**kept | {"no_answer": False, "backend": TextEncoder(checkpoint.tokenizer).backend})
