"""Classification: a text, or a pair of texts, has one of several labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from headstart.data import ReadData, Role, read_texts
from headstart.errors import DataError
from headstart.examples import LabelPrediction, TextExample
from headstart.metrics.labels import confusion, label_scores
from headstart.ragged import Array, Ragged
from headstart.tasks.defaults import TextDefaults
from headstart.tasks.labels import class_weights, has_head, known_labels, label_config, labels_of_model
from headstart.tasks.text_tasks import TextLogits, are_pairs, averaged
from headstart.text_windows import LongTexts, TextOptions, make_text_windows
from headstart.tokens import TextEncoder
from headstart.window_rows import WindowRows, Windows

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Classification(TextDefaults):
    """Labels of texts. `labels` are learnt from the training data; `weights` are how much each counts in the loss."""

    name: ClassVar[str] = "classification"
    files: ClassVar[tuple[str, ...]] = ("predictions", "probabilities")
    metrics: ClassVar[tuple[str, ...]] = ("accuracy", "f1_macro", "f1_micro", "matthews_correlation")
    example_call: ClassVar[str] = 'text="…"'

    labels: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()
    class_weights: str = "none"
    pairs: bool | None = None  # whether two texts were learnt from; None: not known
    max_length: int = 384
    doc_stride: int = 128
    long_texts: LongTexts = "cut"
    metric: str = "accuracy"

    def description(self) -> str:
        """A sentence for the model card."""
        return f"A text classification model with the labels {', '.join(self.labels)}."

    # -- the model -----------------------------------------------------------------------------------------------

    @classmethod
    def claims(cls, config: Any) -> bool:
        """By the class it was saved as; several labels at once are another task, and a single one is a number."""
        several = getattr(config, "problem_type", None) == "multi_label_classification"
        return has_head(config, cls.head) and config.num_labels != 1 and not several

    def model_config(self) -> dict[str, Any]:
        """The labels and their numbers."""
        return {**label_config(self.labels), "problem_type": "single_label_classification"}

    def for_model(self, config: Any) -> Classification:
        """The labels in the order in which the model numbers them, if it knows all of them."""
        labels = labels_of_model(config, self.labels)
        if labels == self.labels:
            return self
        weights = dict(zip(self.labels, self.weights, strict=True)) if self.weights else {}
        return replace(self, labels=labels, weights=tuple(weights.get(label, 0.0) for label in labels if weights))

    # -- data → windows ------------------------------------------------------------------------------------------

    def read(self, sources: Sequence[str], *, role: Role, **options: Any) -> ReadData[TextExample]:
        """Sources → texts with their labels."""
        return read_texts(sources, role=role, **options)

    def for_data(self, examples: Sequence[TextExample]) -> Classification:
        """The labels are those of the training data, numbers in their order and words in theirs."""
        counts = Counter(str(example.label) for example in examples if example.label is not None)
        labels = known_labels(counts)
        if len(labels) < 2:
            found = f"only {labels[0]!r}" if labels else "none"
            raise DataError(
                "training data with two labels or more", found, "check the label column (--columns label=…)"
            )
        weights = class_weights([counts[label] for label in labels]) if self.class_weights == "balanced" else ()
        return replace(self, labels=labels, weights=weights, pairs=are_pairs(examples))

    def remarks(self, examples: Sequence[TextExample]) -> list[str]:
        """Labels that the training data did not have, and numbers that look like no classes."""
        unseen = Counter(str(e.label) for e in examples if e.label is not None and str(e.label) not in self.labels)
        said = [
            f"{count} texts have the label {label!r}, which was not in the training data and counts as wrong"
            for label, count in unseen.most_common(5)
        ]
        if len(self.labels) > 50 and all(_is_number(label) for label in self.labels):
            said.append(f"{len(self.labels)} different numbers as labels: are they quantities? (--task regression)")
        return said

    def summary(self, examples: Sequence[TextExample]) -> dict[str, Any]:
        """How often each label occurs."""
        return {"labels": dict(Counter(str(example.label) for example in examples).most_common())}

    def windows_key(self) -> str:
        """What decides about windows and their labels."""
        return repr((self.name, self.max_length, self.doc_stride, self.long_texts, self.labels))

    def windows(self, examples: Sequence[TextExample], encoder: TextEncoder) -> Windows:
        """A window a text, or several; labels the task does not know teach nothing."""
        numbers = {label: number for number, label in enumerate(self.labels)}

        def labels(some: Sequence[TextExample]) -> Ragged:
            known = [numbers.get(str(example.label)) for example in some]
            return Ragged.of([[] if number is None else [number] for number in known])

        options = TextOptions(self.max_length, self.doc_stride, self.long_texts)
        return make_text_windows(examples, encoder, options, labels)

    # -- training ------------------------------------------------------------------------------------------------

    def targets(self, rows: WindowRows, width: int, *, left: bool) -> dict[str, Array]:
        """The number of the label, (windows,); 0 where it is not known."""
        targets = np.zeros(len(rows), np.int64)
        targets[rows.label_counts > 0] = rows.columns["labels"].values
        return {"label_targets": targets}

    def loss(self, outputs: Any, targets: Mapping[str, torch.Tensor], attention_mask: torch.Tensor) -> torch.Tensor:
        """Cross-entropy, (windows,), by the weight of the label."""
        import torch

        logits = outputs.logits.float()
        weight = torch.tensor(self.weights, device=logits.device) if self.weights else None
        return torch.nn.functional.cross_entropy(logits, targets["label_targets"], weight=weight, reduction="none")

    # -- logits → predictions ------------------------------------------------------------------------------------

    def decode(self, parts: Sequence[TextLogits], examples: Sequence[TextExample]) -> list[LabelPrediction]:
        """The softmax of the mean logits of a text's windows."""
        texts = averaged(parts)
        exponentials = np.exp(texts.logits - texts.logits.max(axis=1, keepdims=True))
        probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
        best = probabilities.argmax(axis=1).tolist()
        return [
            LabelPrediction(examples[place].id, self.labels[label], tuple(row))
            for place, label, row in zip(texts.example.tolist(), best, probabilities.tolist(), strict=True)
        ]

    # -- scores and files ----------------------------------------------------------------------------------------

    def scorer(self, examples: Sequence[TextExample]) -> LabelScorer:
        """What counts right and wrong labels."""
        return LabelScorer(self, examples)

    def written(self, prediction: LabelPrediction) -> dict[str, Any]:
        """The label, and the probability of each."""
        return {"predictions": prediction.label, "probabilities": self._by_label(prediction)}

    def _by_label(self, prediction: LabelPrediction) -> dict[str, float]:
        return dict(zip(self.labels, prediction.probabilities, strict=True))

    # -- asking --------------------------------------------------------------------------------------------------

    def reply(self, example: TextExample, prediction: LabelPrediction) -> dict[str, Any]:
        """`label`, its `score` and all `probabilities`."""
        return {
            "label": prediction.label,
            "score": max(prediction.probabilities),
            "probabilities": self._by_label(prediction),
        }

    def record(self, example: TextExample, prediction: LabelPrediction) -> dict[str, Any]:
        """The reply with its id."""
        return {"id": example.id, **self.reply(example, prediction)}


class LabelScorer:
    """Accuracy, F1 and Matthews from one number a text: that of the predicted label."""

    def __init__(self, task: Classification, examples: Sequence[TextExample]) -> None:
        self.task = task
        gold = [None if example.label is None else str(example.label) for example in examples]
        unseen = sorted({label for label in gold if label is not None} - set(task.labels))
        self.numbers = {label: number for number, label in enumerate((*task.labels, *unseen))}
        self.gold = np.array([-1 if label is None else self.numbers[label] for label in gold], np.int64)
        self.table = np.zeros((len(examples), 1))

    def add(self, place: int, prediction: LabelPrediction) -> None:
        """Note the prediction for the example at this place."""
        self.table[place] = self.numbers[prediction.label]

    def tune(self) -> Classification:
        """Nothing to fit."""
        return self.task

    def scores(self, task: Classification) -> dict[str, float]:
        """By scikit-learn's names, as fractions."""
        known = self.gold >= 0
        predicted = self.table[known, 0].astype(np.int64)
        return {**label_scores(confusion(self.gold[known], predicted, len(self.numbers))), "total": int(known.sum())}


def _is_number(label: str) -> bool:
    try:
        float(label)
    except ValueError:
        return False
    return True
