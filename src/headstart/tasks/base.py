"""The interface of a task family: all that differs between question answering and the tasks to come.

A task is a small frozen object that carries its own options, so that the same object that trained a model decodes
for it on the command line, in Python and in the server. Everything else (batches, training, precision, saving) is
written once, in the engine, and knows only this interface.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

from headstart.data import ReadData, Role
from headstart.ragged import Array
from headstart.tokens import TextEncoder
from headstart.window_rows import WindowRows, Windows

if TYPE_CHECKING:
    import torch
    from typing_extensions import Self

T = TypeVar("T", covariant=True)


class Scorer(Protocol[T]):
    """Takes predictions as they come and keeps of each a few numbers, from which scores follow at any threshold.

    Several processes share the work of an evaluation: each adds its predictions, then their tables are summed.
    """

    table: Array  # (examples, columns) float64; zeros where the prediction for an example was not added

    def add(self, place: int, prediction: Any) -> None:
        """Note the prediction for the example at this place."""

    def tune(self) -> T:
        """The task with its thresholds fitted to the table."""

    def scores(self, task: Any) -> dict[str, float]:
        """Scores by their official names, at the thresholds of `task`."""


class Task(Protocol):
    """What the engine asks of a task. Decoding and scoring are numpy and plain Python only."""

    name: ClassVar[str]  # the command-line word, and the tag in a saved folder
    head: ClassVar[str]  # the transformers class that puts the head on an encoder
    head_layer: ClassVar[str]  # the attribute of that class which is the head itself
    metric: ClassVar[str]  # the score that picks the best checkpoint
    files: ClassVar[tuple[str, ...]]  # what `evaluate` writes beside metrics.json, without the .json

    def options(self) -> dict[str, Any]:
        """Everything needed to make this task again; plain values for JSON."""

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Self:
        """The task that `options()` described."""

    def read(self, sources: Sequence[str], *, role: Role, **options: Any) -> ReadData:
        """Sources → examples."""

    def for_data(self, examples: Sequence[Any]) -> Self:
        """The task, told what the training data needs (unanswerable questions, labels …)."""

    def windows(self, examples: Sequence[Any], encoder: TextEncoder) -> Windows:
        """Examples → windows, labelled where gold is known."""

    def self_test(self, examples: Sequence[Any], encoder: TextEncoder) -> str:
        """Check on a sample that labels point at what they should; say what was checked, or raise."""

    def targets(self, rows: WindowRows, width: int, *, left: bool) -> dict[str, Array]:
        """What the model learns from a batch padded to `width`; one row a window."""

    def loss(self, outputs: Any, targets: Mapping[str, torch.Tensor], attention_mask: torch.Tensor) -> torch.Tensor:
        """The loss of each window, (windows,)."""

    def shrink(self, outputs: Any, rows: WindowRows, *, left: bool) -> Any:
        """Logits of a batch → the little that decoding needs of them."""

    def decode(self, parts: Sequence[Any], examples: Sequence[Any]) -> list[Any]:
        """Shrunk batches → one prediction for each example they hold, in the order of the examples."""

    def scorer(self, examples: Sequence[Any]) -> Scorer[Self]:
        """What is to hear of every prediction for these examples, and then knows their scores."""

    def written(self, prediction: Any) -> dict[str, Any]:
        """What `evaluate` writes of a prediction: an entry (plain values for JSON) for each of `files`, or some."""
