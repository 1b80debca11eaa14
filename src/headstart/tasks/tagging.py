"""Tagging: every word of a sentence has a tag, its part of speech or its place in an entity (BIO)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from headstart.data import ReadData, Role, read_words
from headstart.errors import DataError, SettingsError
from headstart.examples import TagsPrediction, WordsExample
from headstart.metrics.entities import entity_counts, entity_scores
from headstart.ragged import Array, Ragged
from headstart.tags import OUTSIDE, entities, entity_types, is_bio
from headstart.tasks.defaults import Defaults
from headstart.tasks.labels import class_weights, known_labels, label_config, labels_of_model
from headstart.tasks.text_tasks import check_pieces, sentence_examples
from headstart.tokens import TextEncoder
from headstart.window_rows import WindowRows, Windows
from headstart.word_windows import WordOptions, best_seen, make_word_windows

if TYPE_CHECKING:
    import torch

ENTITY_METRICS = ("precision", "recall", "f1")
IGNORED = -100  # what transformers' losses pass over
FREE = np.iinfo(np.int64).max  # context on the side where the sentence itself ends


@dataclass(frozen=True, slots=True)
class TagRows:
    """Words as some windows saw them: whose they are, how much context they had, and what they were taken for."""

    seen: Array  # (windows,) examples, those without a word as well
    example: Array  # (words,)
    word: Array  # (words,) number in the sentence
    margin: Array  # (words,) tokens to the nearer edge of the window
    label: Array  # (words,)
    probability: Array  # (words,)


@dataclass(frozen=True, slots=True)
class Tagging(Defaults):
    """Tags of words. `labels` are learnt from the training data; `weights` are how much each counts in the loss."""

    name: ClassVar[str] = "tagging"
    noun: ClassVar[str] = "sentences"
    head: ClassVar[str] = "AutoModelForTokenClassification"
    head_layers: ClassVar[tuple[str, ...]] = ("classifier", "score")
    pipeline: ClassVar[str] = "token-classification"
    files: ClassVar[tuple[str, ...]] = ("predictions",)
    metrics: ClassVar[tuple[str, ...]] = ("accuracy", *ENTITY_METRICS)
    batch: ClassVar[int | None] = 16
    example_call: ClassVar[str] = 'text="…"'
    percent: ClassVar[bool] = False

    labels: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()
    class_weights: str = "none"
    max_length: int = 384
    doc_stride: int = 128
    metric: str = ""

    @property
    def marks_entities(self) -> bool:
        """Whether the tags are BIO tags of entities, and not parts of speech."""
        return is_bio(self.labels)

    def description(self) -> str:
        """A sentence for the model card."""
        return f"A token classification model with the tags {', '.join(self.labels)}."

    # -- the model -----------------------------------------------------------------------------------------------

    def model_config(self) -> dict[str, Any]:
        """The tags and their numbers."""
        return label_config(self.labels)

    def for_model(self, config: Any) -> Tagging:
        """The tags in the order in which the model numbers them, if it knows all of them."""
        labels = labels_of_model(config, self.labels)
        weights = dict(zip(self.labels, self.weights, strict=True)) if self.weights else {}
        known = replace(self, labels=labels, weights=tuple(weights.get(label, 0.0) for label in labels if weights))
        return known._with_metric()

    # -- data → windows ------------------------------------------------------------------------------------------

    def read(self, sources: Sequence[str], *, role: Role, **options: Any) -> ReadData[WordsExample]:
        """Sources → sentences with their tags."""
        return read_words(sources, role=role, **options)

    def for_data(self, examples: Sequence[WordsExample]) -> Tagging:
        """The tags are those of the training data; entities are scored by F1, parts of speech by accuracy."""
        counts = Counter(tag for example in examples for tag in example.tags or ())
        labels = known_labels(counts)
        if len(labels) < 2:
            found = f"only {labels[0]!r}" if labels else "none"
            raise DataError("training data with two tags or more", found, "check the tag column (--columns tags=…)")
        weights = class_weights([counts[label] for label in labels]) if self.class_weights == "balanced" else ()
        return replace(self, labels=labels, weights=weights)._with_metric()

    def _with_metric(self) -> Tagging:
        if self.metric in ENTITY_METRICS and not self.marks_entities:
            found = f"{self.metric}, and tags such as {', '.join(self.labels[:3])}"
            raise SettingsError("the score accuracy for tags that mark no entities", found, "leave the score out")
        return self if self.metric else replace(self, metric="f1" if self.marks_entities else "accuracy")

    def remarks(self, examples: Sequence[WordsExample]) -> list[str]:
        """Tags that the training data did not have."""
        known = set(self.labels)
        unseen = Counter(tag for example in examples for tag in example.tags or () if tag not in known)
        return [
            f"{count} words have the tag {tag!r}, which was not in the training data and counts as wrong"
            for tag, count in unseen.most_common(5)
        ]

    def summary(self, examples: Sequence[WordsExample]) -> dict[str, Any]:
        """How many words, and how often each tag occurs."""
        counts = Counter(tag for example in examples for tag in example.tags or ())
        return {"words": sum(len(example.words) for example in examples), "tags": dict(counts.most_common())}

    def windows_key(self) -> str:
        """What decides about windows and their labels."""
        return repr((self.name, self.max_length, self.doc_stride, self.labels))

    def windows(self, examples: Sequence[WordsExample], encoder: TextEncoder) -> Windows:
        """Sentences, cut where they are too long; tags the task does not know teach nothing."""
        numbers = {label: number for number, label in enumerate(self.labels)}

        def labels(some: Sequence[WordsExample]) -> Ragged:
            return Ragged.of([[numbers.get(tag, IGNORED) for tag in example.tags or ()] for example in some])

        return make_word_windows(examples, encoder, WordOptions(self.max_length, self.doc_stride), labels)

    def self_test(self, examples: Sequence[WordsExample], encoder: TextEncoder) -> str:
        """Sampled words, cut into pieces and put together again."""
        return check_pieces(examples, encoder)

    # -- training ------------------------------------------------------------------------------------------------

    def learnt(self, label_counts: Array) -> int:
        """Every tagged word."""
        return int(label_counts.sum())

    def targets(self, rows: WindowRows, width: int, *, left: bool) -> dict[str, Array]:
        """The number of the tag at the first piece of each word, (windows, width); elsewhere what is ignored."""
        targets = np.full((len(rows), width), IGNORED, np.int64)
        known = np.repeat(rows.label_counts > 0, rows.columns["places"].lengths)
        window, place = _positions(rows, width, left=left)
        targets[window[known], place[known]] = rows.columns["labels"].values
        return {"tag_targets": targets}

    def loss(self, outputs: Any, targets: Mapping[str, torch.Tensor], attention_mask: torch.Tensor) -> torch.Tensor:
        """Cross-entropy, summed over the words of each window, (windows,), by the weight of the tag."""
        import torch

        logits = outputs.logits.float()
        weight = torch.tensor(self.weights, device=logits.device) if self.weights else None
        found = torch.nn.functional.cross_entropy(
            logits.transpose(1, 2), targets["tag_targets"], weight=weight, ignore_index=IGNORED, reduction="none"
        )
        total: torch.Tensor = found.sum(dim=1)
        return total

    # -- logits → predictions ------------------------------------------------------------------------------------

    def shrink(self, outputs: Any, rows: WindowRows, *, left: bool) -> TagRows:
        """The best tag of every word in every window, and how much context it was given there."""
        logits = outputs.logits.float().cpu().numpy()  # (windows, width, tags)
        window, place = _positions(rows, logits.shape[1], left=left)
        words = logits[window, place].astype(np.float64)  # (words, tags)
        best = words.argmax(axis=1) if len(words) else np.zeros(0, np.int64)
        highest = words.max(axis=1, keepdims=True) if len(words) else words[:, :1]
        return TagRows(
            seen=rows.example,
            example=rows.example[window],
            word=rows.columns["words"].values,
            margin=_margins(rows, window),
            label=best,
            probability=1 / np.exp(words - highest).sum(axis=1),
        )

    def decode(self, parts: Sequence[TagRows], examples: Sequence[WordsExample]) -> list[TagsPrediction]:
        """One tag a word: that of the window which saw most around it."""
        seen = TagRows(*(np.concatenate([getattr(part, name) for part in parts]) for name in TagRows.__slots__))
        kept = best_seen(seen.example, seen.word, seen.margin)
        places = np.unique(seen.seen)
        begins = np.searchsorted(seen.example[kept], places)
        labels, probabilities = (np.split(column[kept], begins[1:]) for column in (seen.label, seen.probability))
        return [
            TagsPrediction(examples[place].id, tuple(self.labels[n] for n in numbers.tolist()), tuple(shares.tolist()))
            for place, numbers, shares in zip(places.tolist(), labels, probabilities, strict=True)
        ]

    # -- scores and files ----------------------------------------------------------------------------------------

    def scorer(self, examples: Sequence[WordsExample]) -> TagScorer:
        """What counts right tags, and entities where the tags mark them."""
        return TagScorer(self, examples)

    def written(self, prediction: TagsPrediction) -> dict[str, Any]:
        """The tags."""
        return {"predictions": " ".join(prediction.tags)}

    # -- asking --------------------------------------------------------------------------------------------------

    def asked(
        self, *, text: str | Sequence[str] | None = None, words: Sequence[Any] | None = None
    ) -> tuple[list[WordsExample], bool]:
        """A text or many, to be cut at blanks and punctuation, or the words of one sentence or of many."""
        return sentence_examples(text, words)

    def reply(self, example: WordsExample, prediction: TagsPrediction) -> dict[str, Any]:
        """`tags`: each word with its characters, tag and score; `entities`, where the tags mark them."""
        spans = example.spans
        words = [
            {"word": word, "start": start, "end": end, "tag": tag, "score": score}
            for word, (start, end), tag, score in zip(
                example.words, spans, prediction.tags, prediction.probabilities, strict=True
            )
        ]
        if not self.marks_entities:
            return {"tags": words}
        found = [
            {
                "type": entity.type,
                "start": spans[entity.start][0],
                "end": spans[entity.end - 1][1],
                "text": example.text[spans[entity.start][0] : spans[entity.end - 1][1]],
                "score": float(np.mean(prediction.probabilities[entity.start : entity.end])),
            }
            for entity in entities(prediction.tags)
        ]
        return {"tags": words, "entities": found}

    def record(self, example: WordsExample, prediction: TagsPrediction) -> dict[str, Any]:
        """The reply with its id."""
        return {"id": example.id, **self.reply(example, prediction)}


class TagScorer:
    """Accuracy over words and, of BIO tags, precision, recall and F1 over entities: counts that add up."""

    def __init__(self, task: Tagging, examples: Sequence[WordsExample]) -> None:
        self.task, self.examples = task, examples
        names = {*task.labels, *(tag for example in examples for tag in example.tags or ())}
        self.types = entity_types(map(_entity_tag, names)) if task.marks_entities else ()
        self.table = np.zeros((len(examples), 2 + 3 * len(self.types)))  # words, right ones, entities by type

    def add(self, place: int, prediction: TagsPrediction) -> None:
        """Note the prediction for the example at this place."""
        gold = self.examples[place].tags
        if gold is None:
            return
        right = sum(tag == wanted for tag, wanted in zip(prediction.tags, gold, strict=True))
        self.table[place, :2] = len(gold), right
        if self.types:
            self.table[place, 2:] = entity_counts([*map(_entity_tag, gold)], prediction.tags, self.types).ravel()

    def tune(self) -> Tagging:
        """Nothing to fit."""
        return self.task

    def scores(self, task: Tagging) -> dict[str, float]:
        """By seqeval's names, as fractions."""
        words, right, *counts = self.table.sum(axis=0).tolist()
        found = {"accuracy": right / words if words else 0.0}
        if self.types:
            found |= entity_scores(np.array(counts, np.int64).reshape(-1, 3))
        return {**found, "total": int(words)}


def _entity_tag(tag: str) -> str:
    """A tag of another scheme in data to score names no entity."""
    return tag if is_bio({tag, OUTSIDE}) else OUTSIDE


def _positions(rows: WindowRows, width: int, *, left: bool) -> tuple[Array, Array]:
    """Window and place in the padded batch of the first piece of every word, (words,) each."""
    places = rows.columns["places"]
    window = np.repeat(np.arange(len(rows)), places.lengths)
    return window, places.values + rows.shift(width, left=left)[window]


def _margins(rows: WindowRows, window: Array) -> Array:
    """Tokens between each word and the nearer edge at which its window was cut, (words,)."""
    begins, ends = rows.columns["edges"].values.reshape(-1, 2).astype(bool).T  # (windows,) each
    place = (rows.columns["places"].values - rows.context_begin[window]).astype(np.int64)
    before = np.where(begins[window], FREE, place)
    behind = np.where(ends[window], FREE, rows.context_length[window].astype(np.int64) - 1 - place)
    margins: Array = np.minimum(before, behind)
    return margins
