"""What most tasks do the same way: a family says only where it differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, ClassVar, cast

from headstart.errors import DataError
from headstart.examples import TextExample
from headstart.ragged import Array
from headstart.tasks.labels import has_head
from headstart.tasks.text_tasks import TextLogits, check_joins, text_examples, text_logits
from headstart.tokens import TextEncoder
from headstart.window_rows import WindowRows

if TYPE_CHECKING:
    from typing_extensions import Self

    from headstart.tasks.base import Task


class Defaults:
    """For frozen dataclasses whose fields are the options of a task."""

    __slots__ = ()
    head: ClassVar[str]

    def options(self) -> dict[str, Any]:
        """Everything needed to make this task again."""
        return asdict(cast("Any", self))

    @classmethod
    def option_names(cls) -> set[str]:
        """The fields."""
        return set(cast("Any", cls).__dataclass_fields__)

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Self:
        """The task that `options()` or the settings described; what is None or unknown stays at its default."""
        fields = cls.option_names()
        known = {name: value for name, value in options.items() if name in fields and value is not None}
        return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in known.items()})

    @classmethod
    def claims(cls, config: Any) -> bool:
        """By the class a model was saved as."""
        return has_head(config, cls.head)

    def for_model(self, config: Any) -> Self:
        """Every model of this kind is alike."""
        return self

    def start_head(self, model: Any) -> None:
        """Nothing is known before training."""

    def first_only(self, examples: Sequence[Any]) -> Sequence[Any]:
        """There is one annotation."""
        return examples

    def remarks(self, examples: Sequence[Any]) -> list[str]:
        """Readers have said it all."""
        return []

    def forgets(self, before: Task) -> list[str]:
        """Nothing that the labels would not say."""
        return []

    def learnt(self, label_counts: Array) -> int:
        """Every labelled window."""
        return int((label_counts > 0).sum())

    def tuned(self) -> dict[str, float]:
        """Nothing is fitted."""
        return {}


class TextDefaults(Defaults):
    """For tasks that judge a text, or a pair of texts, as a whole."""

    __slots__ = ()
    noun: ClassVar[str] = "texts"
    head: ClassVar[str] = "AutoModelForSequenceClassification"
    head_layers: ClassVar[tuple[str, ...]] = ("classifier", "logits_proj", "score")
    pipeline: ClassVar[str] = "text-classification"
    batch: ClassVar[int | None] = 16
    percent: ClassVar[bool] = False
    pairs: bool | None  # whether two texts were learnt from

    def self_test(self, examples: Sequence[TextExample], encoder: TextEncoder) -> str:
        """Sampled texts, joined by us and by the tokenizer."""
        return check_joins(examples, encoder)

    def shrink(self, outputs: Any, rows: WindowRows, *, left: bool) -> TextLogits:
        """The outputs of the head, a row a window."""
        return text_logits(outputs, rows)

    def asked(
        self, *, text: str | Sequence[str], text_pair: str | Sequence[str] | None = None
    ) -> tuple[list[TextExample], bool]:
        """A text or many, and their second ones where pairs were learnt."""
        if self.pairs is not None and self.pairs != (text_pair is not None):
            wanted, found = ("two texts, text=… and text_pair=…", "one") if self.pairs else ("one text", "two")
            raise DataError(f"{wanted}, as the model has learnt from", found, "give what it was trained for")
        return text_examples(text, text_pair)
