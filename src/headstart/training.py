"""`train()`: settings → data → windows → Trainer → a folder with the best model, and a run that explains itself."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.batching import TokenBudgetSampler
from headstart.checkpoint import Checkpoint, load, save, token_limit
from headstart.data import ReadData, guess_task
from headstart.distribution import Ranks, connected
from headstart.errors import DataError, SettingsError
from headstart.hardware import Hardware, choose_hardware
from headstart.inference import Evaluation, Predictor, peak_memory_mb
from headstart.messages import QUIET, Messages
from headstart.preparation import prepare_windows, read_both
from headstart.recipe import MOST_TOKENS, resolve, training_arguments
from headstart.run_folder import RunFolder, model_card
from headstart.settings import TrainSettings, flag
from headstart.speed import matrix_peak, operations_per_token, peak_share
from headstart.tasks import TASKS, Task
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
    task: Task


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything that stands ready before the first step."""

    checkpoint: Checkpoint
    task: Task
    train: ReadData[Any]
    validation: ReadData[Any] | None
    train_store: WindowStore
    validation_store: WindowStore | None


def train(settings: TrainSettings, *, messages: Messages = QUIET) -> TrainResult:
    """Fine-tune an encoder and save the best model to `settings.output`.

    Raises:
        HeadstartError: settings, data or model that cannot work, before any time is spent on training.
    """
    begun = time.perf_counter()
    folder = RunFolder(settings.output)
    hardware = choose_hardware(settings)
    with connected(hardware.device) as ranks:
        if ranks.is_first:
            folder.open(resume=settings.resume, overwrite=settings.overwrite)
        messages = messages if ranks.is_first else QUIET
        ready = _prepare(settings, hardware, ranks, messages)
        prepared = time.perf_counter()
        _report_unlabelled(ready, messages)
        settings = resolve(
            settings.model_copy(update={"task": ready.task.name}),
            lengths=ready.train_store.lengths[ready.train_store.labelled()],
            hidden_size=getattr(ready.checkpoint.model.config, "hidden_size", 768),
        )
        _announce(settings, ready, hardware, ranks, messages)
        trainer = _trainer(settings, ready, hardware, folder, ranks, messages)
        checkpoint = folder.last_checkpoint() if settings.resume else None
        if ranks.is_first:
            folder.begin(settings, hardware, ready.task, ready.train, ready.validation)
        trainer.work.peak = matrix_peak(hardware)  # and again at the end: other work on the machine lowers it
        trainer.train(resume_from_checkpoint=checkpoint)
        trained = time.perf_counter()
        evaluation = trainer.best_evaluation()
        evaluated = time.perf_counter() - trained + trainer.work.evaluating
        seconds = {"prepare": prepared - begun, "train": trained - prepared - trainer.work.evaluating}
        speed = _speed(trainer, hardware, ranks, seconds["train"])
        return _finish(settings, ready, trainer, evaluation, folder, {**seconds, "evaluate": evaluated}, speed)


# -- preparing ---------------------------------------------------------------------------------------------------


def _prepare(settings: TrainSettings, hardware: Hardware, ranks: Ranks, messages: Messages) -> Prepared:
    from transformers import set_seed

    task = _task(settings, messages)
    train_data, validation = read_both(settings, task, messages)
    task = task.for_data(train_data.examples)
    set_seed(settings.seed)  # Trainer does so, too, but only after a new head has been drawn
    checkpoint = load(settings.model, hardware, task=task, **_dropouts(settings))
    _check_length(settings, checkpoint)
    task = checkpoint.task
    if not checkpoint.trained:
        task.start_head(checkpoint.model)
    for warning in task.forgets(checkpoint.before) if checkpoint.before else []:
        messages.warn(warning)
    _remark(task, train_data, validation, messages)
    encoder = TextEncoder(checkpoint.tokenizer)
    messages.say(task.self_test(train_data.examples, encoder))
    learnt = train_data
    if settings.answers == "first":
        learnt = replace(train_data, examples=task.first_only(train_data.examples))
    with ranks.first_goes_first():
        fresh = settings.model_copy(update={"overwrite_cache": settings.overwrite_cache and not ranks.local_rank})
        train_store = prepare_windows(learnt, task, encoder, fresh, messages, "training", offsets=False)
        validation_store = (
            prepare_windows(validation, task, encoder, fresh, messages, "validation") if validation else None
        )
    return Prepared(checkpoint, task, train_data, validation, train_store, validation_store)


def _task(settings: TrainSettings, messages: Messages) -> Task:
    """The task asked for, or the one that the data leaves no doubt about."""
    name: str = settings.task
    if name == "auto":
        guess = guess_task(settings.train, role="train", columns=settings.columns)
        messages.say(f"task: {guess.name} ({guess.reason})")
        name = guess.name
    family = TASKS[name]
    metric = settings.metric_for_best_model
    if metric is not None and metric not in family.metrics:
        raise SettingsError(
            f"a score of {name} for the best model: {', '.join(family.metrics)}",
            f"--metric-for-best-model {metric}",
            "choose one of them, or leave it out",
        )
    _refuse_foreign(settings, family)
    return family.from_options({**settings.model_dump(), **({"metric": metric} if metric else {})})


def _refuse_foreign(settings: TrainSettings, family: type[Task]) -> None:
    """Options that were changed and that this task does not know: nothing is passed over in silence."""
    of_any = set().union(*(one.option_names() for one in TASKS.values()))
    changed = [name for name, field in TrainSettings.model_fields.items() if getattr(settings, name) != field.default]
    foreign = [name for name in changed if name in of_any - family.option_names()]
    if foreign:
        flags = ", ".join(map(flag, foreign))
        raise SettingsError(f"options of {family.name}", flags, "leave it out, or give another --task")


def _remark(task: Task, train: ReadData[Any], validation: ReadData[Any] | None, messages: Messages) -> None:
    """What should make a person look at the data again."""
    for data, name in ((train, "training"), (validation, "validation")):
        for remark in task.remarks(data.examples) if data else []:
            messages.warn(f"{name} data: {remark}")


def _dropouts(settings: TrainSettings) -> dict[str, float | None]:
    return {"attention_dropout": settings.attention_dropout, "hidden_dropout": settings.hidden_dropout}


def _check_length(settings: TrainSettings, checkpoint: Checkpoint) -> None:
    limit = token_limit(checkpoint)
    if limit is not None and settings.max_length > limit:
        raise SettingsError(
            f"a max_length of at most {limit}, the positions {checkpoint.name} has",
            f"max_length {settings.max_length}",
            f"use --max-length {limit} --doc-stride {min(settings.doc_stride, limit // 3)}",
        )


def _report_unlabelled(ready: Prepared, messages: Messages) -> None:
    """Name the examples that nothing can be learnt from: answers without a token, unknown labels."""
    store = ready.train_store
    labelled = store.labelled()
    if not len(labelled):
        raise DataError("labelled training data", "none that can be learnt from", "check the files after --train")
    lost = np.setdiff1d(store.examples, store.examples[labelled])
    if len(lost):
        names = ", ".join(ready.train.examples[place].id for place in lost[:10])
        more = " …" if len(lost) > 10 else ""
        said = f"{len(lost)} {ready.task.noun} left out, the tokenizer has no token for what is to be learnt"
        messages.warn(f"{said}: {names}{more}")


def _announce(settings: TrainSettings, ready: Prepared, hardware: Hardware, ranks: Ranks, messages: Messages) -> None:
    """The first line: model, data, windows, device, precision."""
    parameters = sum(p.numel() for p in ready.checkpoint.model.parameters()) / 1e6
    batch = (
        f"{settings.per_device_train_batch_size} windows"
        if settings.per_device_train_batch_size
        else f"{settings.train_tokens_per_batch:,} tokens"
    )
    devices = f"{ranks.size} × {hardware}" if ranks.size > 1 else str(hardware)
    length = f"{settings.max_steps} steps" if settings.max_steps else _epochs(settings.num_train_epochs)
    messages.say(
        f"{ready.task.name}: {settings.model} ({parameters:.1f} M parameters) on {len(ready.train.examples):,}"
        f" {ready.task.noun} ({len(ready.train_store):,} windows of at most {settings.max_length} tokens),"
        f" {devices}, attention {ready.checkpoint.attention}"
    )
    messages.say(
        f"{length}, batches of {batch}, learning rate {settings.learning_rate:g}, seed {settings.seed}"
        f" → {settings.output}"
    )


def _epochs(count: float | None) -> str:
    return "1 epoch" if count == 1 else f"{count:g} epochs"


# -- training ----------------------------------------------------------------------------------------------------


def _trainer(
    settings: TrainSettings,
    ready: Prepared,
    hardware: Hardware,
    folder: RunFolder,
    ranks: Ranks,
    messages: Messages,
) -> HeadstartTrainer:
    from transformers import EarlyStoppingCallback
    from transformers.utils import logging

    logging.disable_progress_bar()  # a bar for each saved checkpoint would break ours
    from headstart.trainer import HeadstartTrainer, Progress, RegularCheckpoints

    store = ready.train_store
    sampler = TokenBudgetSampler(
        store.lengths,
        store.labelled(),
        tokens=settings.train_tokens_per_batch or MOST_TOKENS,
        windows_per_batch=settings.per_device_train_batch_size,
        seed=settings.seed,
        rank=ranks.rank,
        world_size=ranks.size,
        multiple_of=8 if hardware.device.type == "cuda" else 1,  # tensor cores work on eights
    )
    predictor = Predictor(
        ready.checkpoint,
        hardware,
        task=ready.task,
        tokens_per_batch=settings.eval_tokens_per_batch,
        messages=messages,
        ranks=ranks,
    )
    validation = None
    if ready.validation and ready.validation_store:
        validation = (ready.validation_store, ready.validation.examples)
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
    _replace_callbacks(trainer, Progress(messages, metric=ready.task.metric, percent=ready.task.percent))
    trainer.add_callback(RegularCheckpoints(settings.save_minutes, ranks))
    if settings.early_stopping_patience:
        trainer.add_callback(EarlyStoppingCallback(settings.early_stopping_patience))
    return trainer


def _replace_callbacks(trainer: Any, progress: Any) -> None:
    """Trainer's own progress prints to standard output, which is for data."""
    from transformers import PrinterCallback, ProgressCallback

    for callback in (PrinterCallback, ProgressCallback):
        trainer.remove_callback(callback)
    trainer.add_callback(progress)


def _speed(trainer: HeadstartTrainer, hardware: Hardware, ranks: Ranks, seconds: float) -> dict[str, Any]:
    """What `--json` says of the training itself, evaluations left out; all processes together."""
    trainer.work.add_up(ranks)
    found = trainer.work.summary(seconds)
    width = max(trainer.work.padded // max(trainer.work.windows, 1), 1)
    speed = found["tokens_per_second"] / ranks.size
    peak = max(filter(None, (matrix_peak(hardware), trainer.work.peak)), default=None)
    share = peak_share(operations_per_token(trainer.predictor.model, width), peak, tokens_per_second=speed)
    return {**found, "peak_memory_mb": peak_memory_mb(), "matrix_peak_share": share}


# -- finishing ---------------------------------------------------------------------------------------------------


def _finish(
    settings: TrainSettings,
    ready: Prepared,
    trainer: HeadstartTrainer,
    evaluation: Evaluation | None,
    folder: RunFolder,
    seconds: dict[str, float],
    speed: dict[str, Any],
) -> TrainResult:
    task = evaluation.task if evaluation else ready.task
    scores = dict(evaluation.scores) if evaluation else {}
    facts = folder.finish(
        settings, task, ready.train, ready.validation, trainer.state, scores=scores, seconds=seconds, speed=speed
    )
    if trainer.is_world_process_zero():
        checkpoint = replace(ready.checkpoint, model=trainer.model)
        save(folder.path, checkpoint, task=task, facts=facts, readme=model_card(settings, task, facts))
    return TrainResult(folder.path, scores, facts, task)
