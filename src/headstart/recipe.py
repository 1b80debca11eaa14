"""How to train: the options that depend on data and model, and all of them in the words of transformers."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart.errors import MissingExtraError, SettingsError
from headstart.hardware import Hardware
from headstart.ragged import Array
from headstart.settings import TrainSettings
from headstart.tasks import TASKS, Task
from headstart.tasks.base import LOWER_IS_BETTER

if TYPE_CHECKING:
    from transformers import TrainingArguments

# packages that are not called what --report-to calls them; kubeflow needs none
MOST_TOKENS = 4_096
REPORTERS = {"azure_ml": "azureml", "flyte": "flytekit", "kubeflow": "transformers"}


def default_epochs(windows: int) -> float:
    """One pass over what is large enough for it, more where there is less to learn from.

    >>> [default_epochs(count) for count in (90_000, 12_000, 8_000, 2_000, 500)]
    [1.0, 2.0, 3.0, 5.0, 8.0]
    """
    steps = ((50_000, 1.0), (10_000, 2.0), (5_000, 3.0), (1_000, 5.0), (0, 8.0))
    return next(epochs for least, epochs in steps if windows >= least)


def default_learning_rate(hidden_size: int, *, small_batches: bool = False) -> float:
    """Narrow encoders want a higher rate: 2e-4 at 384, 5e-5 at 768, 2.8e-5 at 1024; never above 5e-4.

    Half of it for small batches: with all of it CoLA's labels were hardly learnt at all (docs/results.md).

    >>> default_learning_rate(768), default_learning_rate(384), default_learning_rate(768, small_batches=True)
    (5e-05, 0.0002, 2.5e-05)
    """
    rate = min(float(f"{2e-4 * (384 / hidden_size) ** 2:.2g}"), 5e-4)
    return rate / 2 if small_batches else rate


def default_tokens(task: type[Task], lengths: Array) -> int:
    """Padded tokens of a batch for windows of these lengths.

    Small examples taught 4,096 tokens at a time would make too few steps: 300 sentences of CoLA are one.
    """
    if task.batch is None or not len(lengths):
        return MOST_TOKENS
    return int(min(max(task.batch * float(lengths.mean()), lengths.max()), MOST_TOKENS))


def resolve(settings: TrainSettings, *, lengths: Array, hidden_size: int) -> TrainSettings:
    """Fill in what was left to headstart, so that the saved settings say what was really done.

    `lengths` are those of the windows to learn from, in tokens.
    """
    family = TASKS[settings.task]
    small = family.batch is not None
    return settings.model_copy(
        update={
            "num_train_epochs": settings.num_train_epochs or default_epochs(len(lengths)),
            "train_tokens_per_batch": settings.train_tokens_per_batch or default_tokens(family, lengths),
            "learning_rate": settings.learning_rate or default_learning_rate(hidden_size, small_batches=small),
        }
    )


def training_arguments(
    settings: TrainSettings, hardware: Hardware, output: Path, *, metric: str, evaluates: bool
) -> TrainingArguments:
    """Our settings in the words of transformers. One process drives one device: several are torchrun's business.

    Raises:
        SettingsError: a combination that cannot work, or a value transformers refuses.
        MissingExtraError: the package of a `report_to` target is not installed.
    """
    import torch

    if settings.early_stopping_patience and not evaluates:
        raise SettingsError("validation data for early stopping", "none", "give --validation")
    when = "steps" if settings.eval_steps else "epoch"
    try:
        arguments = _arguments(settings, hardware, output, metric, when, evaluates=evaluates)
        _check_reporters(arguments.report_to)
    except (ValueError, ImportError) as error:
        reason = str(error).splitlines()[0]
        raise SettingsError("settings that transformers accepts", reason, "change that option") from None
    if hardware.device.type == "cuda":
        if hardware.device.index is not None:
            torch.cuda.set_device(hardware.device)
        arguments._n_gpu = 1  # more GPUs in one process would be DataParallel, which is slower than torchrun
    return arguments


def _arguments(
    settings: TrainSettings, hardware: Hardware, output: Path, metric: str, when: str, *, evaluates: bool
) -> TrainingArguments:
    from transformers import TrainingArguments

    several = int(os.environ.get("WORLD_SIZE", "1")) > 1
    return TrainingArguments(
        output_dir=str(output),
        num_train_epochs=settings.num_train_epochs,
        max_steps=settings.max_steps or -1,
        learning_rate=settings.learning_rate,
        per_device_train_batch_size=settings.per_device_train_batch_size or 8,
        gradient_accumulation_steps=settings.gradient_accumulation_steps,
        weight_decay=settings.weight_decay,
        warmup_steps=settings.warmup_steps if settings.warmup_steps < 1 else int(settings.warmup_steps),
        lr_scheduler_type=settings.lr_scheduler_type,
        max_grad_norm=settings.max_grad_norm,
        optim=settings.optim,
        **_checkpointing(TrainingArguments, on=settings.gradient_checkpointing),
        torch_compile=settings.compile,
        seed=settings.seed,
        dataloader_num_workers=settings.dataloader_num_workers,
        ddp_backend="gloo" if hardware.device.type == "cpu" and several else None,
        ddp_find_unused_parameters=False if several else None,
        use_cpu=hardware.device.type == "cpu",
        bf16=hardware.precision == "bf16",
        fp16=hardware.precision == "fp16",
        eval_strategy=when if evaluates else "no",
        save_strategy=when,
        eval_steps=settings.eval_steps,
        save_steps=settings.eval_steps or 500,
        logging_steps=settings.logging_steps,
        load_best_model_at_end=evaluates,
        metric_for_best_model=f"eval_{metric}" if evaluates else None,
        greater_is_better=metric not in LOWER_IS_BETTER if evaluates else None,
        save_total_limit=settings.save_total_limit,
        report_to=settings.report_to or "none",
        remove_unused_columns=False,
        disable_tqdm=True,
        logging_nan_inf_filter=False,
    )


def _check_reporters(targets: list[str]) -> None:
    """Transformers would notice only when it makes its Trainer, and with an error of its own for each target."""
    from transformers.integrations import get_reporting_integration_callbacks

    get_reporting_integration_callbacks(targets)  # a ValueError that lists the names it knows
    for target in targets:
        package = REPORTERS.get(target, target)
        if find_spec(package) is None:
            extra = "'headstart[tensorboard]'" if target == "tensorboard" else package
            raise MissingExtraError(f"the package behind --report-to {target}", "none", f"pip install {extra}")


def _checkpointing(arguments: Any, *, on: bool) -> dict[str, bool]:
    """The option has a new name from transformers 5.23 on, and the old one warns even when it is off."""
    names = ("activation_checkpointing", "gradient_checkpointing")
    name = next(name for name in names if name in arguments.__dataclass_fields__)
    return {name: True} if on else {}
