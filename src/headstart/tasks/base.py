"""The interface of a task family: all that differs between question answering, classification, regression and tagging.

A task is a small frozen object that carries its own options, so that the same object that trained a model decodes
for it on the command line, in Python and in the server. Everything else (batches, training, precision, saving) is
written once, in the engine, and knows only this interface.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

from headstart.data import ReadData, Role
from headstart.errors import DataError
from headstart.ragged import Array
from headstart.tokens import TextEncoder
from headstart.window_rows import WindowRows, Windows

if TYPE_CHECKING:
    import torch
    from typing_extensions import Self

T = TypeVar("T", covariant=True)

LOWER_IS_BETTER = ("mse",)  # of the scores that may pick the best checkpoint


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
    noun: ClassVar[str]  # what its examples are called in messages
    head: ClassVar[str]  # the transformers class that puts the head on an encoder
    head_layers: ClassVar[tuple[str, ...]]  # what the models of that class call the head itself
    pipeline: ClassVar[str]  # what the hub calls the task
    files: ClassVar[tuple[str, ...]]  # what `evaluate` writes beside metrics.json, without the .json
    metrics: ClassVar[tuple[str, ...]]  # the scores that may pick the best checkpoint
    batch: ClassVar[int | None]  # examples of mean length in a batch, unless told otherwise; None: a full one of tokens
    example_call: ClassVar[str]  # the arguments a loaded model is called with
    percent: ClassVar[bool]  # whether scores go from 0 to 100, as the official scripts give them

    @property
    def metric(self) -> str:
        """The score that picks the best checkpoint."""

    def options(self) -> dict[str, Any]:
        """Everything needed to make this task again; plain values for JSON."""

    @classmethod
    def option_names(cls) -> set[str]:
        """What `options()` may speak of."""

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Self:
        """The task that `options()` described, or that settings describe: what it does not know is passed over."""

    def description(self) -> str:
        """A sentence for the model card."""

    # -- the model -----------------------------------------------------------------------------------------------

    @classmethod
    def claims(cls, config: Any) -> bool:
        """Whether a model with this configuration has a head of this task."""

    def model_config(self) -> dict[str, Any]:
        """What the configuration of a model with this head says: labels and their number."""

    def for_model(self, config: Any) -> Self:
        """The task as a model was trained for it: its labels, in its order."""

    def start_head(self, model: Any) -> None:
        """Give a new head what is known before training."""

    # -- data → windows ------------------------------------------------------------------------------------------

    def read(self, sources: Sequence[str], *, role: Role, **options: Any) -> ReadData[Any]:
        """Sources → examples."""

    def for_data(self, examples: Sequence[Any]) -> Self:
        """The task, told what the training data needs (unanswerable questions, labels …)."""

    def first_only(self, examples: Sequence[Any]) -> Sequence[Any]:
        """The examples with the first of several annotations alone, where a task knows several."""

    def remarks(self, examples: Sequence[Any]) -> list[str]:
        """What a person should hear about data that this task is to learn from or be scored on."""

    def forgets(self, before: Task) -> list[str]:
        """What a model trained before for `before` will no longer do."""

    def summary(self, examples: Sequence[Any]) -> dict[str, Any]:
        """Counts that say what the data is, for run/data.json."""

    def windows_key(self) -> str:
        """A text that changes whenever this task would cut or label windows differently."""

    def windows(self, examples: Sequence[Any], encoder: TextEncoder) -> Windows:
        """Examples → windows, labelled where gold is known."""

    def self_test(self, examples: Sequence[Any], encoder: TextEncoder) -> str:
        """Check on a sample that labels point at what they should; say what was checked, or raise."""

    # -- training ------------------------------------------------------------------------------------------------

    def learnt(self, label_counts: Array) -> int:
        """How many things there are to learn in windows with so many labels each; the loss is the mean over them."""

    def targets(self, rows: WindowRows, width: int, *, left: bool) -> dict[str, Array]:
        """What the model learns from a batch padded to `width`; one row a window."""

    def loss(self, outputs: Any, targets: Mapping[str, torch.Tensor], attention_mask: torch.Tensor) -> torch.Tensor:
        """The loss of each window, summed over what there is to learn in it, (windows,)."""

    # -- logits → predictions ------------------------------------------------------------------------------------

    def shrink(self, outputs: Any, rows: WindowRows, *, left: bool) -> Any:
        """Logits of a batch → the little that decoding needs of them."""

    def decode(self, parts: Sequence[Any], examples: Sequence[Any]) -> list[Any]:
        """Shrunk batches → one prediction for each example they hold, in the order of the examples."""

    # -- scores and files ----------------------------------------------------------------------------------------

    def scorer(self, examples: Sequence[Any]) -> Scorer[Self]:
        """What is to hear of every prediction for these examples, and then knows their scores."""

    def tuned(self) -> dict[str, float]:
        """What was fitted on validation data, by its name."""

    def written(self, prediction: Any) -> dict[str, Any]:
        """What `evaluate` writes of a prediction: an entry (plain values for JSON) for each of `files`, or some."""

    # -- asking --------------------------------------------------------------------------------------------------

    @property
    def asked(self) -> Callable[..., tuple[list[Any], bool]]:
        """A function that takes, by keywords of its own, what a person passes to a loaded model.

        It gives the examples, and whether it was a single one.
        """

    def reply(self, example: Any, prediction: Any) -> Any:
        """What a person gets back."""

    def record(self, example: Any, prediction: Any) -> dict[str, Any]:
        """The same as plain values, a line of what `predict` writes."""


def examples_of(task: Task, inputs: Mapping[str, Any]) -> tuple[list[Any], bool]:
    """What a person passes to a loaded model → examples, and whether it was a single one.

    Raises:
        DataError: the task takes something else, or the inputs are empty or do not belong together.
    """
    try:
        bound = signature(task.asked).bind(**inputs)
    except TypeError as error:
        expected = f"what a model for {task.name} takes: {task.example_call}"
        raise DataError(expected, f"{', '.join(inputs) or 'nothing'} ({error})", "pass these") from None
    return task.asked(*bound.args, **bound.kwargs)
