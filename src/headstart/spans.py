"""Start and end logits → ranked spans, their probabilities and the no-answer score. Vectorised numpy.

Within a window the n best spans are exact: a span among the n best must start at one of the n starts whose best
span is highest, so only those starts are expanded. The best end of every start is a sliding maximum. Whatever is
ranked is sorted as whole numbers that hold score and place (`top`), and a few windows at a time, so that they
stay in the processor's cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from headstart.ragged import Array
from headstart.window_rows import WindowRows

NO_SPAN = np.float32(-np.inf)
BLOCK = 24_576  # places (windows · width) decoded together: their arrays fit into 2 MB of cache
MOST = 64  # windows decoded together: each has n_best · max_answer_length spans to choose from


@dataclass(frozen=True, slots=True)
class RankedSpans:
    """The best spans of some windows or, once merged, of some examples: one row each, best first.

    Spans are characters of the contexts. Places that hold no span have `scores == -inf`. `null` is the start and the
    end logit at CLS, `log_total` the logarithm of the summed exponentials of every valid span.
    """

    example: Array  # (rows,) the example's place in its data set
    scores: Array  # (rows, n) start logit + end logit
    start_logits: Array  # (rows, n)
    starts: Array  # (rows, n)
    ends: Array  # (rows, n)
    null: Array  # (rows, 2)
    log_total: Array  # (rows,)


def window_spans(
    start_logits: Array,
    end_logits: Array,
    rows: WindowRows,
    *,
    n_best: int = 20,
    max_answer_length: int = 30,
    left_padded: bool = False,
) -> RankedSpans:
    """Decode a batch of windows. Logits are (windows, width), padded on the side the tokenizer pads.

    `max_answer_length` counts tokens. Only tokens of the context that stand for some ink can start or end a span.
    Logits are taken as float32, what models give.
    """
    count, width = start_logits.shape
    shift = rows.shift(width, left=left_padded)
    begin = (rows.context_begin + shift).astype(np.int64)
    inside = _inside(rows, begin, width)
    starts, ends = (
        np.where(inside, logits.astype(np.float32, copy=False), NO_SPAN) for logits in (start_logits, end_logits)
    )
    size = min(max(BLOCK // width, 1), MOST)
    blocks = [
        _ranked_spans(starts[block], ends[block], n_best=n_best, max_answer_length=max_answer_length)
        for block in (slice(first, first + size) for first in range(0, count, size))
    ]
    scores, firsts, lasts, log_total = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    row, cls = np.arange(count), rows.cls_index + shift
    token = rows.starts.bounds[:-1] - begin  # (windows,) where in the flat arrays position 0 of each window would be
    return RankedSpans(
        example=rows.example,
        scores=scores,
        start_logits=starts[row[:, None], firsts],
        starts=_characters(rows.starts.values, token[:, None] + firsts),
        ends=_characters(rows.ends.values, token[:, None] + lasts),
        null=np.stack([start_logits[row, cls], end_logits[row, cls]], axis=1),
        log_total=log_total,
    )


def _inside(rows: WindowRows, begin: Array, width: int) -> Array:
    """Where a span may start or end, (windows, width): at tokens of the context that stand for characters."""
    places = np.arange(width)
    inside = (places >= begin[:, None]) & (places < (begin + rows.starts.lengths)[:, None])
    inked = rows.ends.values > rows.starts.values
    if not inked.all():
        inside[inside] = inked
    return inside


def _characters(of_tokens: Array, tokens: Array) -> Array:
    """The characters of tokens; anything where there is no span to speak of."""
    return np.take(of_tokens, tokens, mode="clip") if len(of_tokens) else np.zeros(tokens.shape, np.int32)


def _ranked_spans(starts: Array, ends: Array, *, n_best: int, max_answer_length: int) -> tuple[Array, ...]:
    """Scores, firsts, lasts and log total of a few windows."""
    ranked = best_spans(starts, ends, n_best=n_best, max_answer_length=max_answer_length)
    # What lies out of reach of exp counts at least as much as the candidates themselves.
    log_total = np.maximum(log_total_of_spans(starts, ends, max_answer_length), _log_sum(ranked[0]))
    return (*ranked, log_total)


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
    followed = _followed(end_logits, reach - 1)
    ceiling = start_logits + sliding_max(followed, reach)  # (rows, width) best span of each start
    firsts = np.sort(top(ceiling, n_best), axis=1)  # (rows, starts), so that place and rank of equals agree below
    row = np.arange(count)[:, None]
    reached = np.lib.stride_tricks.sliding_window_view(followed, reach, axis=1)  # (rows, width, reach)
    scores = (start_logits[row, firsts][:, :, None] + reached[row, firsts]).reshape(count, -1)
    kept = top(scores, n_best)  # (rows, n)
    kept_firsts = firsts[row, kept // reach]
    return scores[row, kept], kept_firsts, np.minimum(kept_firsts + kept % reach, width - 1)


def top(scores: Array, count: int) -> Array:
    """The places of the highest values of each row, best first, equal ones in their order.

    A float32 whose bits are read as a whole number keeps its order, so score and place go into one number that
    processors select and sort several times faster than a float with an index beside it.

    >>> top(np.array([[1., 7., -3., 7., 2.]]), 3).tolist()
    [[1, 3, 4]]
    """
    bits = (scores.astype(np.float32) + np.float32(0)).view(np.int32)  # + 0 makes 0.0 of -0.0
    falling = ~(bits ^ ((bits >> 31) & 0x7FFFFFFF))  # negative floats are ordered the other way round
    keys = (falling.astype(np.int64) << 32) | np.arange(scores.shape[1])
    if count < scores.shape[1]:
        keys = np.partition(keys, count - 1, axis=1)[:, :count]
    return np.sort(keys, axis=1) & 0xFFFFFFFF


def sliding_max(values: Array, reach: int) -> Array:
    """The maximum of every `reach` neighbours, (rows, width - reach + 1), by doubling.

    >>> sliding_max(np.array([[1., 5., 2., 0.]]), 2).tolist()
    [[5.0, 5.0, 2.0]]
    """
    covered = 1
    while covered < reach:
        step = min(covered, reach - covered)
        values = np.maximum(values[:, :-step], values[:, step:])
        covered += step
    return values


def sliding_sum(values: Array, reach: int) -> Array:
    """The sum of every `reach` neighbours, (rows, width - reach + 1), by doubling.

    A difference of cumulative sums would lose what is small beside something large in front of it.

    >>> sliding_sum(np.array([[1., 5., 2., 0.]]), 3).tolist()
    [[8.0, 7.0]]
    """
    total = np.zeros((len(values), values.shape[1] - reach + 1), values.dtype)
    covered, size = 0, 1  # `values` become sums of `size` neighbours
    while size <= reach:
        if reach & size:
            total += values[:, covered : covered + total.shape[1]]
            covered += size
        values = values[:, :-size] + values[:, size:]
        size *= 2
    return total


def _followed(values: Array, places: int) -> Array:
    """Rows with so many places behind them where no span can end."""
    followed = np.full((len(values), values.shape[1] + places), NO_SPAN)
    followed[:, : values.shape[1]] = values
    return followed


def log_total_of_spans(start_logits: Array, end_logits: Array, reach: int) -> Array:
    """Log Σ exp(start + end) over every valid span of each row, (rows,); -inf where there is none.

    Logits are (rows, width) with -inf where no span may start or end. In float64, so that the spans' shares of the
    total are as exact as their scores.
    """
    start_top, starts = _exponentials(start_logits)
    end_top, ends = _exponentials(_followed(end_logits, reach - 1))
    total = np.einsum("ij,ij->i", starts, sliding_sum(ends, reach))
    with np.errstate(divide="ignore"):
        logs: Array = np.log(total) + start_top + end_top
    return logs


def _exponentials(logits: Array) -> tuple[Array, Array]:
    """The highest value of each row, (rows,), and exp(values - highest), (rows, width); 0 and zeros for empty rows."""
    highest = logits.max(axis=1).astype(np.float64)
    highest = np.where(np.isfinite(highest), highest, 0.0)
    below = logits - highest[:, None]
    return highest, np.exp(below, out=below)


def _log_sum(scores: Array) -> Array:
    highest, exponentials = _exponentials(scores)
    with np.errstate(divide="ignore"):
        logs: Array = highest + np.log(exponentials.sum(axis=1))
    return logs


def join(parts: Sequence[RankedSpans]) -> RankedSpans:
    """Put the spans of several batches below each other; narrow batches may hold fewer candidates."""
    n = max(part.scores.shape[1] for part in parts)

    def column(name: str) -> Array:
        arrays = [getattr(part, name) for part in parts]
        fill = float(NO_SPAN) if name == "scores" else 0.0
        return np.concatenate([_widened(array, n, fill) if name in GRIDS else array for array in arrays])

    return RankedSpans(**{field.name: column(field.name) for field in fields(RankedSpans)})


GRIDS = ("scores", "start_logits", "starts", "ends")


def _widened(grid: Array, width: int, fill: float) -> Array:
    missing = width - grid.shape[1]
    return np.pad(grid, ((0, 0), (0, missing)), constant_values=fill) if missing else grid


def merge_windows(spans: RankedSpans, *, n_best: int = 20) -> RankedSpans:
    """Rank the candidates of all windows of each example together; examples in ascending order.

    A span that overlapping windows both see is kept once, with its higher score. The no-answer score is the
    **minimum** over the windows: one window that sees an answer is enough to have one.
    """
    order = np.argsort(spans.example, kind="stable")
    _, firsts, counts = np.unique(spans.example[order], return_index=True, return_counts=True)
    parts = []
    for count in np.unique(counts):  # examples of equally many windows make a grid
        windows = order[firsts[counts == count][:, None] + np.arange(count)]  # (examples, count)
        parts.append(_merged(spans, windows, n_best))
    merged = join(parts)
    ascending = np.argsort(merged.example)
    return RankedSpans(**{field.name: getattr(merged, field.name)[ascending] for field in fields(RankedSpans)})


def _merged(spans: RankedSpans, windows: Array, n_best: int) -> RankedSpans:
    """The spans of examples whose windows are the rows of a grid, (examples, windows of each)."""
    row = np.arange(len(windows))[:, None]
    scores, starts, ends = (_side_by_side(grid, windows) for grid in (spans.scores, spans.starts, spans.ends))
    scores = np.where(np.isfinite(scores) & (ends > starts), scores, NO_SPAN)
    order = np.lexsort((-scores, ends, starts), axis=1)  # equals beside each other, the best of them first
    starts, ends, scores = starts[row, order], ends[row, order], scores[row, order]
    twins = (starts[:, 1:] == starts[:, :-1]) & (ends[:, 1:] == ends[:, :-1])
    scores[:, 1:][twins] = NO_SPAN
    kept = top(scores, n_best)
    null = spans.null[windows].astype(np.float64)  # (examples, windows, 2)
    least = null.sum(axis=2).argmin(axis=1)
    return RankedSpans(
        example=spans.example[windows[:, 0]],
        scores=scores[row, kept],
        start_logits=_side_by_side(spans.start_logits, windows)[row, order[row, kept]],
        starts=starts[row, kept],
        ends=ends[row, kept],
        null=null[row[:, 0], least],
        log_total=np.logaddexp.reduce(spans.log_total[windows], axis=1),
    )


def _side_by_side(grid: Array, windows: Array) -> Array:
    """The candidates of all windows of each example in one row, (examples, windows · n)."""
    return grid[windows].reshape(len(windows), -1)
