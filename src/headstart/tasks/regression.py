"""Regression: a text, or a pair of texts, has a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from headstart.data import ReadData, Role, read_texts
from headstart.errors import DataError
from headstart.examples import NumberPrediction, TextExample
from headstart.metrics.numbers import number_scores
from headstart.ragged import Array, Ragged
from headstart.tasks.defaults import TextDefaults
from headstart.tasks.labels import has_head, head_of
from headstart.tasks.text_tasks import TextLogits, are_pairs, averaged
from headstart.text_windows import LongTexts, TextOptions, make_text_windows
from headstart.tokens import TextEncoder
from headstart.window_rows import WindowRows, Windows

if TYPE_CHECKING:
    import torch

FEW = 10  # different whole numbers: these look like classes


@dataclass(frozen=True, slots=True)
class Regression(TextDefaults):
    """Numbers of texts. A new head begins with `mean`, that of the training data, and learns what differs from it."""

    name: ClassVar[str] = "regression"
    files: ClassVar[tuple[str, ...]] = ("predictions",)
    metrics: ClassVar[tuple[str, ...]] = ("pearson", "spearman", "mse")
    example_call: ClassVar[str] = 'text="…", text_pair="…"'

    mean: float = 0.0
    pairs: bool | None = None  # whether two texts were learnt from; None: not known
    max_length: int = 384
    doc_stride: int = 128
    long_texts: LongTexts = "cut"
    metric: str = "pearson"

    def description(self) -> str:
        """A sentence for the model card."""
        return "A text regression model: it gives a text, or a pair of texts, a number."

    # -- the model -----------------------------------------------------------------------------------------------

    @classmethod
    def claims(cls, config: Any) -> bool:
        """By the class it was saved as."""
        return has_head(config, cls.head) and config.num_labels == 1

    def model_config(self) -> dict[str, Any]:
        """One output that is a number."""
        return {"num_labels": 1, "problem_type": "regression"}

    def start_head(self, model: Any) -> None:
        """A head that knows nothing says the mean."""
        import torch

        head = head_of(model, self.head_layers)
        linear = [layer for layer in head.modules() if isinstance(layer, torch.nn.Linear)] if head else []
        if linear and linear[-1].bias is not None:
            with torch.no_grad():
                linear[-1].bias.fill_(self.mean)

    # -- data → windows ------------------------------------------------------------------------------------------

    def read(self, sources: Sequence[str], *, role: Role, **options: Any) -> ReadData[TextExample]:
        """Sources → texts with their numbers."""
        return read_texts(sources, role=role, numbers=True, **options)

    def for_data(self, examples: Sequence[TextExample]) -> Regression:
        """The mean is that of the training data."""
        numbers = _numbers(examples)
        if not numbers:
            raise DataError("training data with numbers", "none", "check the label column (--columns label=…)")
        return replace(self, mean=float(np.mean(numbers)), pairs=are_pairs(examples))

    def remarks(self, examples: Sequence[TextExample]) -> list[str]:
        """Numbers that look like classes."""
        different = set(_numbers(examples))
        if 1 < len(different) <= FEW and all(number.is_integer() for number in different):
            return [f"{len(different)} different whole numbers: are they classes? (--task classification)"]
        return ["all numbers are the same: there is nothing to learn"] if len(different) == 1 else []

    def summary(self, examples: Sequence[TextExample]) -> dict[str, Any]:
        """The range of the numbers."""
        numbers = _numbers(examples)
        return {"least": min(numbers), "mean": float(np.mean(numbers)), "most": max(numbers)} if numbers else {}

    def windows_key(self) -> str:
        """What decides about windows and their labels."""
        return repr((self.name, self.max_length, self.doc_stride, self.long_texts))

    def windows(self, examples: Sequence[TextExample], encoder: TextEncoder) -> Windows:
        """A window a text, or several."""

        def labels(some: Sequence[TextExample]) -> Ragged:
            return Ragged.of([[] if e.label is None else [float(e.label)] for e in some], np.float32)

        options = TextOptions(self.max_length, self.doc_stride, self.long_texts)
        return make_text_windows(examples, encoder, options, labels)

    # -- training ------------------------------------------------------------------------------------------------

    def targets(self, rows: WindowRows, width: int, *, left: bool) -> dict[str, Array]:
        """The numbers, (windows,) float32; 0 where there is none."""
        targets = np.zeros(len(rows), np.float32)
        targets[rows.label_counts > 0] = rows.columns["labels"].values
        return {"label_targets": targets}

    def loss(self, outputs: Any, targets: Mapping[str, torch.Tensor], attention_mask: torch.Tensor) -> torch.Tensor:
        """Squared error, (windows,)."""
        found: torch.Tensor = (outputs.logits.float()[:, 0] - targets["label_targets"]) ** 2
        return found

    # -- logits → predictions ------------------------------------------------------------------------------------

    def decode(self, parts: Sequence[TextLogits], examples: Sequence[TextExample]) -> list[NumberPrediction]:
        """The mean over a text's windows."""
        texts = averaged(parts)
        pairs = zip(texts.example.tolist(), texts.logits[:, 0].tolist(), strict=True)
        return [NumberPrediction(examples[place].id, number) for place, number in pairs]

    # -- scores and files ----------------------------------------------------------------------------------------

    def scorer(self, examples: Sequence[TextExample]) -> NumberScorer:
        """What compares numbers."""
        return NumberScorer(self, examples)

    def written(self, prediction: NumberPrediction) -> dict[str, Any]:
        """The number."""
        return {"predictions": prediction.number}

    # -- asking --------------------------------------------------------------------------------------------------

    def reply(self, example: TextExample, prediction: NumberPrediction) -> dict[str, Any]:
        """The `number`."""
        return {"number": prediction.number}

    def record(self, example: TextExample, prediction: NumberPrediction) -> dict[str, Any]:
        """The number with its id."""
        return {"id": example.id, "number": prediction.number}


class NumberScorer:
    """Pearson, Spearman and the mean squared error from one number a text."""

    def __init__(self, task: Regression, examples: Sequence[TextExample]) -> None:
        self.task = task
        self.gold = np.array([np.nan if example.label is None else float(example.label) for example in examples])
        self.table = np.zeros((len(examples), 1))

    def add(self, place: int, prediction: NumberPrediction) -> None:
        """Note the prediction for the example at this place."""
        self.table[place] = prediction.number

    def tune(self) -> Regression:
        """Nothing to fit."""
        return self.task

    def scores(self, task: Regression) -> dict[str, float]:
        """By their usual names."""
        known = ~np.isnan(self.gold)
        return {**number_scores(self.gold[known], self.table[known, 0]), "total": int(known.sum())}


def _numbers(examples: Sequence[TextExample]) -> list[float]:
    return [float(example.label) for example in examples if example.label is not None]
