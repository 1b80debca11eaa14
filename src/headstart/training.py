"""`train()`: settings → data → windows → Trainer → a folder with the best model, and a run that explains itself."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.batching import TokenBudgetSampler
from headstart.checkpoint import Checkpoint, load, save, token_limit
from headstart.data import ReadData, split_by_context
from headstart.errors import DataError, SettingsError
from headstart.hardware import Hardware, choose_hardware
from headstart.inference import Evaluation, Predictor
from headstart.messages import QUIET, Messages
from headstart.preparation import prepare_windows, report_problems
from headstart.run_folder import RunFolder, model_card
from headstart.settings import TrainSettings
from headstart.tasks import TASKS, QuestionAnswering
from headstart.tokens import TextEncoder
from headstart.window_store import WindowStore

if TYPE_CHECKING:
    from headstart.trainer import HeadstartTrainer


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What a training run gave: the folder of the best model, its scores, and how long each stage took."""

    folder: Path
    scores: dict[str, float]
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything that stands ready before the first step."""

    checkpoint: Checkpoint
    task: QuestionAnswering
    train: ReadData
    validation: ReadData | None
    train_store: WindowStore
    validation_store: WindowStore | None


def train(settings: TrainSettings, *, messages: Messages = QUIET) -> TrainResult:
    """Fine-tune an encoder and save the best model to `settings.output`.

    Raises:
        HeadstartError: settings, data or model that cannot work, before any time is spent on training.
    """
    begun = time.perf_counter()
    folder = RunFolder(settings.output)
    folder.open(resume=settings.resume, overwrite=settings.overwrite)
    hardware = choose_hardware(settings)
    ready = _prepare(settings, hardware, messages)
    prepared = time.perf_counter()
    _report_unlabelled(ready, messages)
    settings = _resolve(settings, ready)
    _announce(settings, ready, hardware, messages)
    folder.begin(settings, ready.train, ready.validation)
    trainer = _trainer(settings, ready, hardware, folder, messages)
    trainer.train(resume_from_checkpoint=folder.last_checkpoint() if settings.resume else None)
    trained = time.perf_counter()
    evaluation = _final_evaluation(ready, trainer)
    seconds = {"prepare": prepared - begun, "train": trained - prepared, "evaluate": time.perf_counter() - trained}
    return _finish(settings, ready, trainer, evaluation, folder, seconds)


# -- preparing ---------------------------------------------------------------------------------------------------


def _prepare(settings: TrainSettings, hardware: Hardware, messages: Messages) -> Prepared:
    task = TASKS[settings.task](
        max_length=settings.max_length,
        doc_stride=settings.doc_stride,
        max_question_length=settings.max_question_length,
        n_best_size=settings.n_best_size,
        max_answer_length=settings.max_answer_length,
        null_threshold=settings.null_threshold or 0.0,
    )
    train_data, validation = _read(settings, task, messages)
    task = task.for_data(train_data.examples)
    checkpoint = load(settings.model, hardware, task=task.name, attention_dropout=settings.attention_dropout)
    _check_length(settings, checkpoint)
    encoder = TextEncoder(checkpoint.tokenizer)
    messages.say(task.self_test(train_data.examples, encoder))
    learnt = _first_answers(train_data) if settings.answers == "first" else train_data
    return Prepared(
        checkpoint=checkpoint,
        task=task,
        train=train_data,
        validation=validation,
        train_store=prepare_windows(learnt, task, encoder, settings, messages, "training"),
        validation_store=prepare_windows(validation, task, encoder, settings, messages, "validation")
        if validation
        else None,
    )


def _read(settings: TrainSettings, task: QuestionAnswering, messages: Messages) -> tuple[ReadData, ReadData | None]:
    options: dict[str, Any] = {
        "columns": settings.columns,
        "on_bad_data": settings.on_bad_data,
        "limit": settings.limit,
    }
    data = task.read(settings.train, role="train", **options)
    report_problems(data, messages)
    share = _share(settings.validation)
    if share is not None:
        train_part, validation_part = split_by_context(data.examples, share, seed=settings.seed)
        return replace(data, examples=train_part), replace(data, examples=validation_part, problems=())
    if not settings.validation:
        return data, None
    validation = task.read(settings.validation, role="validation", **options)
    report_problems(validation, messages)
    return data, validation


def _share(validation: Sequence[str]) -> float | None:
    """`--validation 0.1` asks for a share of the training data."""
    try:
        share = float(validation[0]) if len(validation) == 1 else None
    except ValueError:
        return None
    if share is not None and not 0 < share < 1:
        raise SettingsError("a share between 0 and 1, or data", f"--validation {validation[0]}", "try 0.1")
    return share


def _first_answers(data: ReadData) -> ReadData:
    """What the notebooks do: learn from the first annotator only."""
    return replace(data, examples=tuple(replace(e, answers=(e.answers or ())[:1]) for e in data.examples))


def _check_length(settings: TrainSettings, checkpoint: Checkpoint) -> None:
    limit = token_limit(checkpoint)
    if limit is not None and settings.max_length > limit:
        raise SettingsError(
            f"a max_length of at most {limit}, the positions {checkpoint.name} has",
            f"max_length {settings.max_length}",
            f"use --max-length {limit} --doc-stride {min(settings.doc_stride, limit // 3)}",
        )


# -- settings that depend on data and model ----------------------------------------------------------------------


def default_epochs(windows: int) -> float:
    """One pass over what is large enough for it, more where there is less to learn from.

    >>> [default_epochs(count) for count in (90_000, 12_000, 8_000, 2_000, 500)]
    [1.0, 2.0, 3.0, 5.0, 8.0]
    """
    steps = ((50_000, 1.0), (10_000, 2.0), (5_000, 3.0), (1_000, 5.0), (0, 8.0))
    return next(epochs for least, epochs in steps if windows >= least)


def default_learning_rate(hidden_size: int) -> float:
    """Narrow encoders want a higher rate: 2e-4 at 384, 5e-5 at 768, 2.8e-5 at 1024; never above 5e-4.

    >>> default_learning_rate(768), default_learning_rate(384)
    (5e-05, 0.0002)
    """
    return min(float(f"{2e-4 * (384 / hidden_size) ** 2:.2g}"), 5e-4)


def _report_unlabelled(ready: Prepared, messages: Messages) -> None:
    """Name the questions whose answers consist of nothing this tokenizer has tokens for."""
    store = ready.train_store
    labelled = store.labelled()
    if not len(labelled):
        raise DataError("training data with answers", "none that can be learnt from", "check the files after --train")
    lost = np.setdiff1d(store.examples, store.examples[labelled])
    if len(lost):
        names = ", ".join(ready.train.examples[place].id for place in lost[:10])
        more = " …" if len(lost) > 10 else ""
        messages.warn(f"{len(lost)} questions left out, the tokenizer has no token for their answers: {names}{more}")


def _resolve(settings: TrainSettings, ready: Prepared) -> TrainSettings:
    """Fill in what was left to headstart, so that the saved settings say what was really done."""
    labelled = len(ready.train_store.labelled())
    hidden = getattr(ready.checkpoint.model.config, "hidden_size", 768)
    return settings.model_copy(
        update={
            "num_train_epochs": settings.num_train_epochs or default_epochs(labelled),
            "learning_rate": settings.learning_rate or default_learning_rate(hidden),
        }
    )


def _announce(settings: TrainSettings, ready: Prepared, hardware: Hardware, messages: Messages) -> None:
    """The first line: model, data, windows, device, precision."""
    parameters = sum(p.numel() for p in ready.checkpoint.model.parameters()) / 1e6
    batch = (
        f"{settings.per_device_train_batch_size} windows"
        if settings.per_device_train_batch_size
        else f"{settings.train_tokens_per_batch:,} tokens"
    )
    length = f"{settings.max_steps} steps" if settings.max_steps else f"{settings.num_train_epochs:g} epochs"
    messages.say(
        f"{ready.task.name}: {settings.model} ({parameters:.1f} M parameters) on {len(ready.train.examples):,}"
        f" questions ({len(ready.train_store):,} windows of at most {settings.max_length} tokens), {hardware}"
    )
    messages.say(
        f"{length}, batches of {batch}, learning rate {settings.learning_rate:g}, seed {settings.seed}"
        f" → {settings.output}"
    )


# -- training ----------------------------------------------------------------------------------------------------


def _trainer(
    settings: TrainSettings, ready: Prepared, hardware: Hardware, folder: RunFolder, messages: Messages
) -> HeadstartTrainer:
    from transformers import EarlyStoppingCallback
    from transformers.utils import logging

    logging.disable_progress_bar()  # a bar for each saved checkpoint would break ours
    from headstart.trainer import HeadstartTrainer, Progress

    store = ready.train_store
    sampler = TokenBudgetSampler(
        store.lengths,
        store.labelled(),
        tokens=settings.train_tokens_per_batch,
        windows_per_batch=settings.per_device_train_batch_size,
        seed=settings.seed,
        rank=int(os.environ.get("RANK", "0")),
        world_size=int(os.environ.get("WORLD_SIZE", "1")),
    )
    predictor = Predictor(
        ready.checkpoint, hardware, task=ready.task, tokens_per_batch=settings.eval_tokens_per_batch, messages=messages
    )
    validation = None
    if ready.validation and ready.validation_store:
        validation = (ready.validation_store, list(ready.validation.examples))
    trainer = HeadstartTrainer(
        model=ready.checkpoint.model,
        args=_arguments(settings, hardware, folder, evaluates=validation is not None),
        processing_class=ready.checkpoint.tokenizer,
        store=store,
        predictor=predictor,
        validation=validation,
        sampler=sampler,
    )
    _replace_callbacks(trainer, Progress(messages, metric=ready.task.metric, lengths=store.lengths))
    if settings.early_stopping_patience:
        trainer.add_callback(EarlyStoppingCallback(settings.early_stopping_patience))
    return trainer


def _replace_callbacks(trainer: Any, progress: Any) -> None:
    """Trainer's own progress prints to standard output, which is for data."""
    from transformers import PrinterCallback, ProgressCallback

    for callback in (PrinterCallback, ProgressCallback):
        trainer.remove_callback(callback)
    trainer.add_callback(progress)


def _arguments(settings: TrainSettings, hardware: Hardware, folder: RunFolder, *, evaluates: bool) -> Any:
    from transformers import TrainingArguments

    if settings.early_stopping_patience and not evaluates:
        raise SettingsError("validation data for early stopping", "none", "give --validation")
    when = "steps" if settings.eval_steps else "epoch"
    return TrainingArguments(
        output_dir=str(folder.checkpoints),
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
        seed=settings.seed,
        dataloader_num_workers=settings.dataloader_num_workers,
        use_cpu=hardware.device.type == "cpu",
        bf16=hardware.precision == "bf16",
        fp16=hardware.precision == "fp16",
        eval_strategy=when if evaluates else "no",
        save_strategy=when,
        eval_steps=settings.eval_steps,
        save_steps=settings.eval_steps or 500,
        logging_steps=settings.logging_steps,
        load_best_model_at_end=evaluates,
        metric_for_best_model=f"eval_{QuestionAnswering.metric}" if evaluates else None,
        greater_is_better=True if evaluates else None,
        save_total_limit=settings.save_total_limit,
        report_to=settings.report_to or "none",
        remove_unused_columns=False,
        disable_tqdm=True,
        logging_nan_inf_filter=False,
    )


def _checkpointing(arguments: Any, *, on: bool) -> dict[str, bool]:
    """The option has a new name from transformers 5.23 on, and the old one warns even when it is off."""
    names = ("activation_checkpointing", "gradient_checkpointing")
    name = next(name for name in names if name in arguments.__dataclass_fields__)
    return {name: True} if on else {}


# -- finishing ---------------------------------------------------------------------------------------------------


def _final_evaluation(ready: Prepared, trainer: HeadstartTrainer) -> Evaluation | None:
    """Score the model that is saved, and fit its thresholds."""
    if trainer.validation is None:
        return None
    return trainer.predictor.evaluate(*trainer.validation, tune=True)


def _finish(
    settings: TrainSettings,
    ready: Prepared,
    trainer: HeadstartTrainer,
    evaluation: Evaluation | None,
    folder: RunFolder,
    seconds: dict[str, float],
) -> TrainResult:
    task = evaluation.task if evaluation else ready.task
    if settings.null_threshold is not None:
        task = replace(task, null_threshold=settings.null_threshold)
    scores = {name: float(value) for name, value in (evaluation.scores if evaluation else {}).items()}
    facts = folder.finish(settings, ready.train, ready.validation, trainer.state, scores=scores, seconds=seconds)
    checkpoint = replace(ready.checkpoint, model=trainer.model)
    save(folder.path, checkpoint, task=task, facts=facts, readme=model_card(settings, task, facts))
    return TrainResult(folder.path, scores, facts)
