"""Start and end logits → ranked spans, their probabilities and the no-answer score. Vectorised numpy.

Within a window the n best spans are exact: a span among the n best must start at one of the n starts whose best
span is highest, so only those starts are expanded. The best end of every start is a sliding maximum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from headstart.ragged import Array
from headstart.window_store import WindowRows

NO_SPAN = -np.inf


@dataclass(frozen=True, slots=True)
class WindowSpans:
    """The best spans of some windows, characters of their contexts; one row a window, best first.

    Places that hold no span have `scores == -inf`. `null` is the start and the end logit at CLS, `log_total` the
    logarithm of the summed exponentials of every valid span of the window.
    """

    example: Array  # (windows,)
    scores: Array  # (windows, n) start logit + end logit
    start_logits: Array  # (windows, n)
    starts: Array  # (windows, n)
    ends: Array  # (windows, n)
    null: Array  # (windows, 2)
    log_total: Array  # (windows,)


@dataclass(frozen=True, slots=True)
class ExampleSpans:
    """The merged spans of one example, best first, and what its probabilities are a share of."""

    example: int
    scores: Array  # (spans,)
    start_logits: Array  # (spans,)
    starts: Array  # (spans,)
    ends: Array  # (spans,)
    null: tuple[float, float]  # start and end logit of "no answer"
    log_total: float


def window_spans(
    start_logits: Array,
    end_logits: Array,
    rows: WindowRows,
    *,
    n_best: int = 20,
    max_answer_length: int = 30,
    left_padded: bool = False,
) -> WindowSpans:
    """Decode a batch of windows. Logits are (windows, width), padded on the side the tokenizer pads.

    `max_answer_length` counts tokens. Only tokens of the context that stand for some ink can start or end a span.
    """
    width = start_logits.shape[1]
    shift = rows.shift(width, left=left_padded)
    inside, starts, ends = _context_grid(rows, width, shift)
    scores, firsts, lasts = best_spans(
        np.where(inside, start_logits, NO_SPAN),
        np.where(inside, end_logits, NO_SPAN),
        n_best=n_best,
        max_answer_length=max_answer_length,
    )
    row = np.arange(len(rows))
    cls = rows.cls_index + shift
    log_total = log_total_of_spans(start_logits, end_logits, inside, max_answer_length)
    return WindowSpans(
        example=rows.example,
        scores=scores,
        start_logits=np.take_along_axis(start_logits, firsts, axis=1),
        starts=np.take_along_axis(starts, firsts, axis=1),
        ends=np.take_along_axis(ends, lasts, axis=1),
        null=np.stack([start_logits[row, cls], end_logits[row, cls]], axis=1),
        log_total=np.maximum(log_total, _log_sum(scores)),
    )


def _context_grid(rows: WindowRows, width: int, shift: Array) -> tuple[Array, Array, Array]:
    """Where context tokens stand in the padded windows, and their characters: three (windows, width) arrays."""
    places = np.arange(width)[None, :] - (rows.context_begin + shift)[:, None]
    context = (places >= 0) & (places < rows.starts.lengths[:, None])
    starts = np.zeros((len(rows), width), np.int32)
    ends = np.zeros((len(rows), width), np.int32)
    starts[context] = rows.starts.values
    ends[context] = rows.ends.values
    return context & (ends > starts), starts, ends


def best_spans(
    start_logits: Array, end_logits: Array, *, n_best: int, max_answer_length: int
) -> tuple[Array, Array, Array]:
    """The n best (first, last) tokens of each row with first ≤ last < first + max_answer_length.

    Logits are (rows, width) with -inf where no span may start or end.

    Returns:
        scores, firsts, lasts: (rows, n) each, best first; equal scores stand earlier and shorter spans first.

    >>> scores, firsts, lasts = best_spans(np.array([[1., 0., 3.]]), np.array([[0., 5., 0.]]),
    ...                                    n_best=2, max_answer_length=2)
    >>> list(zip(firsts[0].tolist(), lasts[0].tolist(), scores[0].tolist()))
    [(0, 1, 6.0), (1, 1, 5.0)]
    """
    count, width = start_logits.shape
    reach = min(max_answer_length, width)
    with np.errstate(invalid="ignore"):
        ceiling = start_logits + sliding_max(end_logits, reach)  # (rows, width) best span of each start
    firsts = _top(ceiling, min(n_best, width))  # (rows, starts)
    padded = np.pad(end_logits, ((0, 0), (0, reach)), constant_values=NO_SPAN)
    lasts = firsts[:, :, None] + np.arange(reach)  # (rows, starts, reach)
    row = np.arange(count)[:, None]
    scores = start_logits[row, firsts][:, :, None] + padded[row[:, :, None], lasts]
    flat = scores.reshape(count, -1)
    kept = _top(flat, min(n_best, flat.shape[1]))
    kept_scores = np.take_along_axis(flat, kept, axis=1)
    kept_firsts = np.take_along_axis(firsts, kept // reach, axis=1)
    kept_lasts = np.minimum(kept_firsts + kept % reach, width - 1)
    order = np.lexsort((kept_lasts, kept_firsts, -kept_scores), axis=1)
    ranked = [np.take_along_axis(part, order, axis=1) for part in (kept_scores, kept_firsts, kept_lasts)]
    return ranked[0], ranked[1], ranked[2]


def _top(scores: Array, count: int) -> Array:
    """The places of the highest values of each row, in no order."""
    if count >= scores.shape[1]:
        return np.broadcast_to(np.arange(scores.shape[1]), scores.shape)
    return np.argpartition(-scores, count - 1, axis=1)[:, :count]


def sliding_max(values: Array, reach: int) -> Array:
    """For each place the maximum over itself and the `reach - 1` places behind it, by doubling.

    >>> sliding_max(np.array([[1., 5., 2., 0.]]), 2).tolist()
    [[5.0, 5.0, 2.0, 0.0]]
    """
    best, covered = values.copy(), 1
    while covered < reach:
        step = min(covered, reach - covered)
        best[:, :-step] = np.maximum(best[:, :-step], best[:, step:])
        covered += step
    return best


def sliding_sum(values: Array, reach: int) -> Array:
    """For each place the sum over itself and the `reach - 1` places behind it, by doubling.

    A difference of cumulative sums would lose what is small beside something large in front of it.

    >>> sliding_sum(np.array([[1., 5., 2., 0.]]), 3).tolist()
    [[8.0, 7.0, 2.0, 0.0]]
    """
    total, block, covered, size = np.zeros_like(values), values, 0, 1
    while size <= reach and covered < values.shape[1]:
        if reach & size:
            total += _moved_left(block, covered)
            covered += size
        block = block + _moved_left(block, size)  # (rows, width) sums over 2 · size places
        size *= 2
    return total


def _moved_left(values: Array, places: int) -> Array:
    kept = values[:, places:]
    return np.pad(kept, ((0, 0), (0, values.shape[1] - kept.shape[1])))


def log_total_of_spans(start_logits: Array, end_logits: Array, inside: Array, reach: int) -> Array:
    """Log Σ exp(start + end) over every valid span of each row, (rows,); -inf where there is none."""
    start_top = np.max(start_logits, axis=1, where=inside, initial=NO_SPAN)
    end_top = np.max(end_logits, axis=1, where=inside, initial=NO_SPAN)
    with np.errstate(invalid="ignore", over="ignore"):
        starts = np.where(inside, np.exp(start_logits - start_top[:, None], dtype=np.float64), 0.0)
        ends = np.where(inside, np.exp(end_logits - end_top[:, None], dtype=np.float64), 0.0)
    total = np.sum(starts * sliding_sum(ends, reach), axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(total) + start_top + end_top
    return np.where(total > 0, logs, NO_SPAN)


def _log_sum(scores: Array) -> Array:
    top = np.max(scores, axis=1, initial=NO_SPAN)
    with np.errstate(invalid="ignore", divide="ignore"):
        logs = top + np.log(np.sum(np.exp(scores - top[:, None]), axis=1, dtype=np.float64))
    return np.where(np.isfinite(top), logs, NO_SPAN)


def join(parts: Sequence[WindowSpans]) -> WindowSpans:
    """Put the spans of several batches below each other; narrow batches may hold fewer candidates."""
    n = max(part.scores.shape[1] for part in parts)

    def grid(name: str, fill: float) -> Array:
        arrays = [getattr(part, name) for part in parts]
        return np.concatenate([np.pad(a, ((0, 0), (0, n - a.shape[1])), constant_values=fill) for a in arrays], axis=0)

    return WindowSpans(
        example=np.concatenate([part.example for part in parts]),
        scores=grid("scores", NO_SPAN),
        start_logits=grid("start_logits", 0),
        starts=grid("starts", 0),
        ends=grid("ends", 0),
        null=np.concatenate([part.null for part in parts]),
        log_total=np.concatenate([part.log_total for part in parts]),
    )


def merge_windows(spans: WindowSpans, *, n_best: int = 20) -> list[ExampleSpans]:
    """Rank the candidates of all windows of each example together; examples in ascending order.

    A span that overlapping windows both see is kept once, with its higher score. The no-answer score is the
    **minimum** over the windows: one window that sees an answer is enough to have one.
    """
    examples = np.unique(spans.example)
    valid = np.isfinite(spans.scores) & (spans.ends > spans.starts)
    owner = spans.example[np.nonzero(valid)[0]]
    scores, starts, ends = spans.scores[valid], spans.starts[valid], spans.ends[valid]
    kept = _without_twins(owner, scores, starts, ends)
    kept = kept[np.lexsort((ends[kept], starts[kept], -scores[kept], owner[kept]))]
    begins = np.searchsorted(owner[kept], examples, side="left")
    stops = np.minimum(np.searchsorted(owner[kept], examples, side="right"), begins + n_best)
    start_logits = spans.start_logits[valid]
    parts = [kept[begin:stop] for begin, stop in zip(begins, stops, strict=True)]
    null, log_total = _per_example(spans, examples)
    return [
        ExampleSpans(
            example=int(example),
            scores=scores[part],
            start_logits=start_logits[part],
            starts=starts[part],
            ends=ends[part],
            null=(float(logits[0]), float(logits[1])),
            log_total=float(total),
        )
        for example, part, logits, total in zip(examples, parts, null, log_total, strict=True)
    ]


def _without_twins(owner: Array, scores: Array, starts: Array, ends: Array) -> Array:
    """The places of the spans to keep: of equal spans of one example the best."""
    order = np.lexsort((-scores, ends, starts, owner))
    fresh = np.ones(len(order), bool)
    fresh[1:] = np.any([np.diff(part[order]) != 0 for part in (owner, starts, ends)], axis=0)
    return order[fresh]


def _per_example(spans: WindowSpans, examples: Array) -> tuple[Array, Array]:
    """The logits of the smallest no-answer score, (examples, 2), and the joint log total of each example."""
    order = np.lexsort((spans.null.sum(axis=1), spans.example))
    null = spans.null[order[np.searchsorted(spans.example[order], examples)]]
    log_total = np.full(len(examples), NO_SPAN)
    np.logaddexp.at(log_total, np.searchsorted(examples, spans.example), spans.log_total)
    return null, log_total
