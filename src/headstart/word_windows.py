"""Sentences of words → windows in which every word stands at its first piece.

A word is tokenised by itself, with a blank before it where the text has one, so that no piece belongs to two words::

    words     The   quicksilver   '    flowed         pieces  The quick ##silver ' flowed
    places     1         2        4      5            in      [CLS] The quick ##silver ' flowed [SEP]

A word the tokenizer makes nothing of stands as the unknown token: every word has a place, and gets a tag. Sentences
longer than a window are cut as contexts are (`windows.py`); a word of many pieces keeps half a window of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from headstart.chunks import neighbours
from headstart.errors import SettingsError
from headstart.examples import WordsExample
from headstart.ragged import Array, Ragged, below, bounds_of, ranges, slices
from headstart.tokens import TextEncoder, id_rows
from headstart.window_rows import WindowRows, Windows
from headstart.windows import cut_rows

Labels = Callable[[Sequence[WordsExample]], Ragged]  # examples → what is learnt: one value a word, or none at all


@dataclass(frozen=True, slots=True)
class WordOptions:
    """How sentences are cut. Lengths are in tokens; `doc_stride` is the overlap of two neighbouring windows."""

    max_length: int = 384
    doc_stride: int = 128


def make_word_windows(
    examples: Sequence[WordsExample], encoder: TextEncoder, options: WordOptions, labels: Labels
) -> Windows:
    """The windows of every sentence, in order, as they are asked for.

    Columns: `words`, the numbers in the sentence of the words that begin in a window, `places`, the tokens of the
    window they begin at, `edges`, whether the sentence itself begins and ends with the window, and `labels`, one for
    each of `words`.

    Raises:
        SettingsError: no room to move on by a token.
    """
    layout = encoder.text_layout(pairs=False)
    room = options.max_length - layout.special_tokens
    if room <= options.doc_stride:
        raise SettingsError(
            f"a max_length that leaves more than doc_stride ({options.doc_stride}) tokens",
            f"max_length {options.max_length}",
            f"raise --max-length, or lower --doc-stride, for example to {max(room // 3, 0)}",
        )
    pieces = WordPieces(encoder, most=max(room // 2, 1))
    chunks = (
        _chunk(begin, some, pieces(some), encoder, options, labels(some))
        for begin, some in neighbours(examples, lambda example: len(example.text))
    )
    return Windows(layout, chunks)


class WordPieces:
    """Words → pieces. What a word gives is remembered: a text has far fewer different words than words."""

    def __init__(self, encoder: TextEncoder, *, most: int) -> None:
        self.encoder, self.most = encoder, most
        self._known: dict[str, int] = {}  # the row of each word in `_rows`
        self._rows = Ragged.of([])

    def __call__(self, examples: Sequence[WordsExample]) -> Ragged:
        """The ids of the pieces of all words of these sentences, a row a word; no row is empty."""
        written = [word for example in examples for word in _as_written(example)]
        fresh = list(dict.fromkeys(word for word in written if word not in self._known))
        if fresh:
            self._learn(fresh)
        which = np.array([self._known[word] for word in written], np.int64)
        return slices(self._rows.values, self._rows.bounds[which], self._rows.lengths[which])

    def _learn(self, words: Sequence[str]) -> None:
        rows = id_rows(self.encoder.tokenise(words, offsets=False)).first(self.most)
        counts = np.maximum(rows.lengths, 1)
        values = np.full(counts.sum(), self.encoder.stand_in, np.int32)
        values[np.repeat(rows.lengths > 0, counts)] = rows.values
        self._known |= {word: len(self._known) + number for number, word in enumerate(words)}
        self._rows = below([self._rows, Ragged(values, bounds_of(counts))])


def _as_written(example: WordsExample) -> Iterator[str]:
    """Words with a blank before them where the text has one: byte-level tokenizers tell the two apart."""
    for start, word in zip(example.starts, example.words, strict=True):
        yield f" {word}" if start and example.text[start - 1].isspace() else word


def _chunk(
    begin: int,
    examples: Sequence[WordsExample],
    pieces: Ragged,
    encoder: TextEncoder,
    options: WordOptions,
    learnt: Ragged,
) -> WindowRows:
    """All windows of some neighbouring sentences at once."""
    layout = encoder.text_layout(pairs=False)
    totals = np.array([len(example.words) for example in examples], np.int64)
    sentence = bounds_of(totals)  # words
    tokens = pieces.bounds[sentence]  # (sentences + 1,)
    rooms = np.full(len(examples), options.max_length - layout.special_tokens)
    owners, begins, ends = cut_rows(np.diff(tokens), rooms, options.doc_stride)
    shown = slices(pieces.values, tokens[owners] + begins, ends - begins)
    ids = layout.join_rows(Ragged(shown.values[:0], np.zeros(len(owners) + 1, np.int64)), shown)
    first, last = (np.searchsorted(pieces.bounds[:-1], tokens[owners] + side) for side in (begins, ends))
    last = np.minimum(last, sentence[owners + 1])
    counts = np.maximum(last - first, 0)
    words, bounds = ranges(first, counts), bounds_of(counts)
    window = np.repeat(np.arange(len(owners)), counts)
    context_begins = layout.context_begins(np.zeros(len(owners), np.int64))
    places = pieces.bounds[words] - (tokens[owners] + begins - context_begins)[window]
    numbers = first - sentence[owners]  # of the first word that begins in each window, in its sentence
    known = learnt.lengths[owners] > 0
    edges = np.stack([begins == 0, ends == np.diff(tokens)[owners]], axis=1)  # (windows, 2)
    return WindowRows(
        layout=layout,
        example=owners + begin,
        context_begin=context_begins,
        context_length=shown.lengths,
        cls_index=layout.cls_indices(ids.lengths),
        input_ids=Ragged(ids.values.astype(encoder.id_type), ids.bounds),
        columns={
            "words": Ragged((words - sentence[owners][window]).astype(np.int32), bounds),
            "places": Ragged(places.astype(np.int32), bounds),
            "edges": Ragged(edges.astype(np.int32).ravel(), 2 * np.arange(len(owners) + 1)),
            "labels": slices(learnt.values, learnt.bounds[owners] + numbers * known, counts * known),
        },
    )


def best_seen(example: Array, word: Array, margin: Array) -> Array:
    """Of several sights of the same word the one with the most context, in the order of sentences and words.

    >>> best_seen(np.array([0, 0, 0]), np.array([0, 1, 1]), np.array([5, 1, 7])).tolist()
    [0, 2]
    """
    order = np.lexsort((-margin, word, example))
    same = (np.diff(example[order]) == 0) & (np.diff(word[order]) == 0)
    kept: Array = order[np.concatenate([[True], ~same])[: len(order)]]
    return kept
