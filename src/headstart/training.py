"""`train()`: settings → data → windows → Trainer → a folder with the best model, and a run that explains itself."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.batching import TokenBudgetSampler
from headstart.checkpoint import Checkpoint, load, save, token_limit
from headstart.data import ReadData
from headstart.errors import DataError, SettingsError
from headstart.hardware import Hardware, choose_hardware
from headstart.inference import Evaluation, Predictor
from headstart.messages import QUIET, Messages
from headstart.preparation import prepare_windows, read_both
from headstart.recipe import resolve, training_arguments
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
    settings = resolve(
        settings,
        windows=len(ready.train_store.labelled()),
        hidden_size=getattr(ready.checkpoint.model.config, "hidden_size", 768),
    )
    _announce(settings, ready, hardware, messages)
    trainer = _trainer(settings, ready, hardware, folder, messages)
    folder.begin(settings, hardware, ready.train, ready.validation)
    trainer.train(resume_from_checkpoint=folder.last_checkpoint() if settings.resume else None)
    trained = time.perf_counter()
    evaluation = _final_evaluation(ready, trainer)
    seconds = {"prepare": prepared - begun, "train": trained - prepared, "evaluate": time.perf_counter() - trained}
    return _finish(settings, ready, trainer, evaluation, folder, seconds)


# -- preparing ---------------------------------------------------------------------------------------------------


def _prepare(settings: TrainSettings, hardware: Hardware, messages: Messages) -> Prepared:
    from transformers import set_seed

    task = TASKS[settings.task](
        max_length=settings.max_length,
        doc_stride=settings.doc_stride,
        max_question_length=settings.max_question_length,
        n_best_size=settings.n_best_size,
        max_answer_length=settings.max_answer_length,
        null_threshold=settings.null_threshold or 0.0,
    )
    train_data, validation = read_both(settings, task, messages)
    task = task.for_data(train_data.examples)
    set_seed(settings.seed)  # Trainer does so, too, but only after a new head has been drawn
    checkpoint = load(settings.model, hardware, task=task.name, attention_dropout=settings.attention_dropout)
    _check_length(settings, checkpoint)
    if checkpoint.task.no_answer and not task.no_answer:
        messages.warn(f'{settings.model} knows "no answer", this data does not: the new model will always answer')
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


def _announce(settings: TrainSettings, ready: Prepared, hardware: Hardware, messages: Messages) -> None:
    """The first line: model, data, windows, device, precision."""
    parameters = sum(p.numel() for p in ready.checkpoint.model.parameters()) / 1e6
    batch = (
        f"{settings.per_device_train_batch_size} windows"
        if settings.per_device_train_batch_size
        else f"{settings.train_tokens_per_batch:,} tokens"
    )
    length = f"{settings.max_steps} steps" if settings.max_steps else _epochs(settings.num_train_epochs)
    messages.say(
        f"{ready.task.name}: {settings.model} ({parameters:.1f} M parameters) on {len(ready.train.examples):,}"
        f" questions ({len(ready.train_store):,} windows of at most {settings.max_length} tokens), {hardware}"
    )
    messages.say(
        f"{length}, batches of {batch}, learning rate {settings.learning_rate:g}, seed {settings.seed}"
        f" → {settings.output}"
    )


def _epochs(count: float | None) -> str:
    return "1 epoch" if count == 1 else f"{count:g} epochs"


# -- training ----------------------------------------------------------------------------------------------------


def _trainer(
    settings: TrainSettings, ready: Prepared, hardware: Hardware, folder: RunFolder, messages: Messages
) -> HeadstartTrainer:
    from transformers import EarlyStoppingCallback
    from transformers.utils import logging

    logging.disable_progress_bar()  # a bar for each saved checkpoint would break ours
    from headstart.trainer import HeadstartTrainer, Progress, RegularCheckpoints

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
        args=training_arguments(
            settings, hardware, folder.checkpoints, metric=ready.task.metric, evaluates=validation is not None
        ),
        processing_class=ready.checkpoint.tokenizer,
        store=store,
        predictor=predictor,
        validation=validation,
        tune=settings.null_threshold is None,
        sampler=sampler,
    )
    _replace_callbacks(trainer, Progress(messages, metric=ready.task.metric))
    trainer.add_callback(RegularCheckpoints(settings.save_minutes))
    if settings.early_stopping_patience:
        trainer.add_callback(EarlyStoppingCallback(settings.early_stopping_patience))
    return trainer


def _replace_callbacks(trainer: Any, progress: Any) -> None:
    """Trainer's own progress prints to standard output, which is for data."""
    from transformers import PrinterCallback, ProgressCallback

    for callback in (PrinterCallback, ProgressCallback):
        trainer.remove_callback(callback)
    trainer.add_callback(progress)


# -- finishing ---------------------------------------------------------------------------------------------------


def _final_evaluation(ready: Prepared, trainer: HeadstartTrainer) -> Evaluation | None:
    """Score the model that is saved, and fit its thresholds."""
    if trainer.validation is None:
        return None
    return trainer.predictor.evaluate(*trainer.validation, tune=trainer.tune)


def _finish(
    settings: TrainSettings,
    ready: Prepared,
    trainer: HeadstartTrainer,
    evaluation: Evaluation | None,
    folder: RunFolder,
    seconds: dict[str, float],
) -> TrainResult:
    task = evaluation.task if evaluation else ready.task
    scores = {name: float(value) for name, value in (evaluation.scores if evaluation else {}).items()}
    facts = folder.finish(settings, ready.train, ready.validation, trainer.state, scores=scores, seconds=seconds)
    checkpoint = replace(ready.checkpoint, model=trainer.model)
    save(folder.path, checkpoint, task=task, facts=facts, readme=model_card(settings, task, facts))
    return TrainResult(folder.path, scores, facts)
