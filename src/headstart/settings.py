"""Every option once: its name, default, help, group, and how it is saved.

The command line, the config file and the saved run all come from these classes, so they cannot disagree. Names
are the field's (`learning_rate`, `num_train_epochs`, `max_length`, `doc_stride`, …).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from headstart.errors import SettingsError

Precision = Literal["auto", "fp32", "bf16", "fp16"]
TaskName = Literal["auto", "qa", "classification", "regression", "tagging"]
OnBadData = Literal["stop", "skip"]


def option(default: Any, help: str, group: str, **limits: Any) -> Any:
    """A field with its help text and the group it is shown under.

    Fields without a default (`...`) must be given.
    """
    return Field(default, description=help, json_schema_extra={"group": group}, **limits)


class Settings(BaseModel):
    """Options of a verb: immutable, and closed against keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, protected_namespaces=())


class DataSettings(Settings):
    """How data files are read."""

    columns: dict[str, str] = option(
        {},
        "names of your columns, or their numbers from 1: question=query context=passage, text=4 label=2,"
        " words=1 tags=xpos …",
        "data",
    )
    on_bad_data: OnBadData = option(
        "stop", "what to do with rows that cannot be used: stop, or skip them by name", "data"
    )
    limit: int | None = option(None, "read only the first N examples of each data set (a quick trial)", "data", gt=0)


class WindowSettings(Settings):
    """How long texts are cut into windows."""

    max_length: int = option(384, "tokens of a window, special tokens included", "windows", gt=7)
    doc_stride: int = option(128, "overlap of two neighbouring windows, in tokens", "windows", ge=0)
    max_question_length: int | None = option(
        None, "cut questions to this many tokens (default: never)", "windows", gt=0
    )
    long_texts: Literal["cut", "windows"] = option(
        "cut", "texts to be judged that are too long: cut them, or read them in windows and take the mean", "windows"
    )


class DecodingSettings(Settings):
    """How logits become answers."""

    n_best_size: int = option(20, "candidates kept for each question", "decoding", gt=0)
    max_answer_length: int = option(30, "longest answer, in tokens", "decoding", gt=0)
    null_threshold: float | None = option(
        None,
        "call a question unanswerable when the no-answer score beats the best span by more than this"
        " (default: the threshold tuned on validation data)",
        "decoding",
    )


class HardwareSettings(Settings):
    """Where and in which numbers the model runs."""

    device: str = option("auto", "auto, cpu, cuda, cuda:1, mps", "hardware")
    precision: Precision = option(
        "auto", "auto: bf16 where the hardware multiplies it natively, fp16 on older GPUs, else fp32", "hardware"
    )
    attention: Literal["auto", "tiled", "eager", "sdpa", "flash_attention_2"] = option(
        "auto",
        "attention kernel (auto: what was measured fastest for the device; tiled: our own, for CPUs)",
        "hardware",
    )
    threads: int | None = option(
        None, "processor threads (default: one a core, shared out among ranks)", "hardware", gt=0
    )
    eval_tokens_per_batch: int | None = option(
        None, "padded tokens of a batch without gradients (default: what the device is fast with)", "hardware", gt=0
    )


class CacheSettings(Settings):
    """Where prepared windows are kept."""

    cache_dir: Path | None = option(None, "where prepared windows are kept (default: the user's cache)", "hardware")
    overwrite_cache: bool = option(False, "prepare the windows again even if they are in the cache", "hardware")


class TrainSettings(DataSettings, WindowSettings, DecodingSettings, HardwareSettings, CacheSettings):
    """Options of `headstart train`."""

    task: TaskName = option(
        "auto",
        "what to train: qa (answers in a text), classification (a label), regression (a number), tagging (a tag a"
        " word); auto asks the data",
        "model",
    )
    model: str = option(..., "the encoder: a hub id, a folder, or a folder headstart trained", "model")
    attention_dropout: float | None = option(
        0.0,
        "dropout in attention; 0 keeps the fast kernels (none: what the model was published with)",
        "model",
        ge=0,
        lt=1,
    )

    hidden_dropout: float | None = option(
        None, "dropout in embeddings and layers (default: what the model was published with)", "model", ge=0, lt=1
    )

    @field_validator("attention_dropout", "hidden_dropout", mode="before")
    @classmethod
    def _none_is_a_word(cls, value: Any) -> Any:
        return None if value == "none" else value

    train: list[str] = option(..., "training data: files, a folder, a hub id, or the word sample", "data", min_length=1)
    validation: list[str] = option(
        [], "validation data likewise, or a share such as 0.1 of the training passages", "data"
    )
    answers: Literal["all", "first"] = option(
        "all", "which annotators' answers to learn from: all (each an equal say) or the first", "data"
    )
    class_weights: Literal["none", "balanced"] = option(
        "none", "balanced: rare labels count as much as common ones in the loss (skewed data)", "training"
    )

    num_train_epochs: float | None = option(
        None,
        "passes over the training data (default: 1 from 50,000 windows on, up to 8 for small data)",
        "training",
        gt=0,
    )
    max_steps: int | None = option(None, "stop after this many optimizer steps", "training", gt=0)
    learning_rate: float | None = option(
        None,
        "peak learning rate (default: by the width of the encoder, 5e-5 at 768 for qa and half of it else)",
        "training",
        gt=0,
    )
    train_tokens_per_batch: int | None = option(
        None,
        "padded tokens of a training batch on each device (default: 4,096 for qa; else what holds 16 examples of mean"
        " length, at most 4,096)",
        "training",
        gt=0,
    )
    per_device_train_batch_size: int | None = option(
        None, "windows of a training batch, instead of a number of tokens", "training", gt=0
    )
    gradient_accumulation_steps: int = option(1, "batches added up before each optimizer step", "training", gt=0)
    weight_decay: float = option(0.01, "AdamW's weight decay", "training", ge=0)
    warmup_steps: float = option(0.1, "steps of rising learning rate: a count, or below 1 a share", "training", ge=0)
    lr_scheduler_type: str = option("linear", "how the learning rate falls: linear, cosine, constant …", "training")
    max_grad_norm: float = option(1.0, "gradients are clipped to this norm", "training", ge=0)
    optim: str = option("adamw_torch_fused", "optimizer, by transformers' name", "training")
    gradient_checkpointing: bool = option(False, "compute activations twice to save memory", "training")
    compile: bool = option(False, "compile the model with torch.compile: minutes at the start, for GPUs", "training")
    seed: int = option(42, "seed of everything random", "training", ge=0)
    dataloader_num_workers: int = option(0, "processes that prepare batches", "training", ge=0)

    eval_steps: int | None = option(None, "evaluate every N steps (default: after every epoch)", "evaluation", gt=0)
    metric_for_best_model: str | None = option(
        None, "the score that picks the best model (default: f1, accuracy or pearson, by the task)", "evaluation"
    )
    early_stopping_patience: int | None = option(
        None, "stop after this many evaluations without a better score", "evaluation", gt=0
    )
    logging_steps: int = option(50, "steps between two logged losses", "evaluation", gt=0)
    report_to: list[str] = option([], "also log to: tensorboard, wandb, mlflow, …", "evaluation")

    output: Path = option(..., "folder for the model and everything about the run", "output")
    save_total_limit: int = option(1, "checkpoints kept beside the best one", "output", gt=0)
    save_minutes: float = option(
        10.0, "minutes between two checkpoints, beside those after each evaluation", "output", gt=0
    )
    resume: bool = option(False, "go on from the last checkpoint in the output folder", "output")
    overwrite: bool = option(False, "write over what is in the output folder", "output")


class EvaluateSettings(DataSettings, HardwareSettings, CacheSettings):
    """Options of `headstart evaluate`."""

    model: str = option(..., "a folder that headstart trained, or any model of the hub with such a head", "model")
    data: list[str] = option(..., "labelled data: files, a folder, a hub id, or the word sample", "data", min_length=1)
    output: Path | None = option(
        None, "folder for metrics.json, predictions.json, … (default: evaluation in the model folder)", "output"
    )
    max_length: int | None = option(None, "tokens of a window (default: as trained)", "windows", gt=7)
    doc_stride: int | None = option(None, "overlap of two windows (default: as trained)", "windows", ge=0)
    long_texts: Literal["cut", "windows"] | None = option(
        None, "texts that are too long: cut, or read in windows (default: as trained)", "windows"
    )
    n_best_size: int | None = option(None, "candidates kept for each question (default: as trained)", "decoding", gt=0)
    max_answer_length: int | None = option(None, "longest answer, in tokens (default: as trained)", "decoding", gt=0)
    null_threshold: float | None = option(None, "no-answer threshold (default: as tuned)", "decoding")


class AskSettings(HardwareSettings):
    """Options of `headstart ask` and of `headstart.load`."""


class PredictSettings(DataSettings, HardwareSettings):
    """Options of `headstart predict`."""

    model: str = option(..., "a folder that headstart trained, or any model of the hub with such a head", "model")
    data: list[str] = option(
        [],
        "files, a folder or a hub id; without any, or with -, standard input: a text or a JSON object a line",
        "data",
    )
    output: Path | None = option(None, "file for the JSON lines (default: standard output)", "output")


S = TypeVar("S", bound=Settings)


def build(settings: type[S], values: Mapping[str, Any], *, source: str = "the command line") -> S:
    """Check values and make the settings of them.

    Raises:
        SettingsError: naming the option, what it takes, and what it was given.
    """
    try:
        return settings.model_validate(dict(values))
    except ValidationError as error:
        raise _readable(error, settings, source) from None


def _readable(error: ValidationError, settings: type[Settings], source: str) -> SettingsError:
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return SettingsError(
            f"options of {settings.__name__} in {source}", f"the unknown key {name!r}", _did_you_mean(name, settings)
        )
    if first["type"] == "missing":
        return SettingsError(f"a value for {flag(name)}", f"none in {source}", f"give {flag(name)}")
    return SettingsError(
        f"{flag(name)}: {first['msg'][0].lower()}{first['msg'][1:]}",
        f"{first['input']!r} in {source}",
        f"change {flag(name)}; `headstart {verb(settings)} --help` says what it takes",
    )


def verb(settings: type[Settings]) -> str:
    """The command that takes these settings."""
    return settings.__name__.removesuffix("Settings").lower()


def flag(name: str) -> str:
    """The command-line flag of a setting.

    >>> flag("learning_rate")
    '--learning-rate'
    """
    return "--" + name.split(".")[0].replace("_", "-")


def _did_you_mean(name: str, settings: type[Settings]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, settings.model_fields, n=1)
    return f"did you mean {near[0]!r}?" if near else f"`headstart {verb(settings)} --help` lists them"


def read_config(path: Path) -> dict[str, Any]:
    """The options in a YAML or JSON config file, by their names.

    Raises:
        SettingsError: the file is missing, broken, or not a mapping.
    """
    import yaml

    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError("a config file", f"{path}: {error.strerror}", "check the path after --config") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError("a YAML config file", f"{path}: {error}", "mend the file at that place") from None
    if not isinstance(values, dict):
        raise SettingsError(
            "a config file of lines such as `learning_rate: 3e-5`", f"{path} without any", "write one option a line"
        )
    return {str(key).replace("-", "_"): value for key, value in values.items()}
