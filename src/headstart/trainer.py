"""`transformers.Trainer` with four hooks, each with its reason, and the progress a person sees."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from transformers import Trainer, TrainerCallback

from headstart.batching import Collator, TokenBudgetSampler
from headstart.distribution import ALONE, Ranks
from headstart.messages import Messages
from headstart.ragged import Array
from headstart.speed import TrainingWork
from headstart.tasks.base import LOWER_IS_BETTER
from headstart.window_store import WindowRows, WindowStore

if TYPE_CHECKING:
    from headstart.inference import Evaluation, Predictor

AGREE_STEPS = 20  # steps between two agreements of several processes


class TrainingWindows(torch.utils.data.Dataset[WindowRows]):
    """The windows of a store, fetched a whole batch at a time."""

    def __init__(self, store: WindowStore) -> None:
        self.store = store

    def __len__(self) -> int:
        return len(self.store)

    def __getitem__(self, index: int) -> WindowRows:
        return self.store.rows([index], offsets=False)

    def __getitems__(self, indices: list[int]) -> WindowRows:
        """What torch's loader calls for a batch."""
        return self.store.rows(indices, offsets=False)


class TrainingCollator:
    """Windows → model inputs and targets; a top-level class so that loader processes can be started with it."""

    def __init__(self, collator: Collator, task: Any, widths: Array) -> None:
        self.collator, self.task, self.widths = collator, task, widths

    def __call__(self, rows: WindowRows) -> dict[str, torch.Tensor]:
        """One batch, padded."""
        inputs = self.collator.inputs(rows, self.widths)
        targets = self.task.targets(rows, inputs["input_ids"].shape[1], left=self.collator.left)
        return inputs | {name: torch.from_numpy(array) for name, array in targets.items()}


class HeadstartTrainer(Trainer):  # type: ignore[misc]  # transformers is untyped to mypy
    """The standard Trainer; what is ours are batches by tokens, the loss and the evaluation.

    * `get_train_dataloader`: Trainer's samplers choose windows, ours fill batches up to a number of tokens.
    * `compute_loss`: several annotators' answers, and every window weighs the same whatever batch it is in.
    * `evaluate`: the inference path that the command line and Python use, so that the scores are the same.
    * `_remove_unused_columns` never runs: our windows are not a table of model arguments.
    """

    def __init__(
        self,
        *,
        store: WindowStore,
        predictor: Predictor,
        validation: tuple[WindowStore, Sequence[Any]] | None,
        sampler: TokenBudgetSampler,
        tune: bool,
        **kwargs: Any,
    ) -> None:
        # Trainer insists on an evaluation data set when it is to evaluate; ours is in `validation`.
        super().__init__(
            train_dataset=TrainingWindows(store),
            eval_dataset=TrainingWindows(validation[0]) if validation else None,
            data_collator=TrainingCollator(predictor.collator, predictor.task, sampler.widths),
            **kwargs,
        )
        self.predictor = predictor
        self.validation = validation
        self.sampler = sampler
        self.tune = tune
        self.work = TrainingWork()
        self._best: Evaluation | None = None
        # what there is to learn (windows, words) in a batch, on average
        self.mean_learnt = predictor.task.learnt(store.label_counts[sampler.indices]) / max(sampler.batches, 1)
        self.model_accepts_loss_kwargs = False  # our loss is already a mean: Trainer has to divide by accumulation

    def get_train_dataloader(self) -> Any:
        """Batches by token budget. Accelerate's loader class passes epochs on and can skip when resuming."""
        from accelerate.data_loader import DataLoaderShard

        return DataLoaderShard(
            self.train_dataset,
            device=self.args.device,
            batch_sampler=self.sampler,
            collate_fn=self.data_collator,
            num_workers=self.args.dataloader_num_workers,
            pin_memory=self.args.device.type == "cuda",
            _non_blocking=self.args.device.type == "cuda",
        )

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Sum over the windows (or words) of the batch, divided by how many a batch holds on average.

        A mean over the batch would let a window count ten times as much in a batch of long windows, where there
        are few, as in one of short ones; this way the expected gradient is that of the mean over all windows.
        """
        targets = {name: inputs.pop(name) for name in list(inputs) if name.endswith("_targets")}
        outputs = model(**inputs)
        self.work.count(inputs["attention_mask"])
        losses = self.predictor.task.loss(outputs, targets, inputs["attention_mask"])
        loss = losses.sum() / self.mean_learnt
        return (loss, outputs) if return_outputs else loss

    def evaluate(self, *_: Any, metric_key_prefix: str = "eval", **__: Any) -> dict[str, float]:
        """Validation loss and the task's scores, by the one inference path."""
        assert self.validation is not None
        begun = time.perf_counter()
        evaluation: Evaluation = self.predictor.evaluate(*self.validation, tune=self.tune)
        seconds = time.perf_counter() - begun
        self.work.evaluating += seconds
        metric = self.predictor.task.metric
        sign = -1 if metric in LOWER_IS_BETTER else 1
        if self._best is None or sign * evaluation.scores[metric] > sign * self._best.scores[metric]:
            self._best = evaluation
        found = {"loss": evaluation.loss, **evaluation.scores, "runtime": seconds}
        metrics = {f"{metric_key_prefix}_{name}": float(value) for name, value in found.items()}
        self.log(metrics)
        self.control: Any = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def best_evaluation(self) -> Evaluation | None:
        """What the model that is saved was worth; None without validation data.

        Remembered from when it was evaluated; a resumed run may have been better before, and evaluates again.
        """
        if self.validation is None:
            return None
        best = self.state.best_metric
        if self._best is None or best is None or self._best.scores[self.predictor.task.metric] != best:
            self._best = self.predictor.evaluate(*self.validation, tune=self.tune)
        return self._best


class RegularCheckpoints(TrainerCallback):  # type: ignore[misc]  # likewise
    """A checkpoint every so many minutes, whenever the next evaluation is: a long run can always be resumed."""

    def __init__(self, minutes: float, ranks: Ranks = ALONE) -> None:
        self.seconds = minutes * 60
        self.ranks = ranks
        self.last = 0.0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """The clock starts."""
        self.last = time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Ask for a checkpoint when it is time. All processes have to agree, so now and then they ask the first."""
        if self.ranks.size > 1 and state.global_step % AGREE_STEPS:
            return
        due = np.array([self.ranks.is_first and time.monotonic() - self.last >= self.seconds], np.int64)
        self.ranks.add_up(due)
        control.should_save = control.should_save or bool(due[0])

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Whoever asked for it: the clock starts anew."""
        self.last = time.monotonic()


class Progress(TrainerCallback):  # type: ignore[misc]  # likewise
    """A bar with time left on a terminal, a line now and then elsewhere; scores after each evaluation."""

    def __init__(self, messages: Messages, *, metric: str, percent: bool = True) -> None:
        self.messages = messages
        self.metric = metric
        self.form = ".1f" if percent else ".3f"
        self.bar: Any = None
        self.begun = 0.0
        self.first_step = 0
        self.evaluating = 0.0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Start counting, at the step a resumed run begins with."""
        self.begun, self.first_step = time.monotonic(), state.global_step
        self.bar = self.messages.bar(state.max_steps, "training", initial=state.global_step, unit="step")

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """One more step."""
        self.bar.update()

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
        """Loss beside the bar, or as a line."""
        if not logs or "loss" not in logs:
            return
        self.bar.set_postfix_str(f"loss {logs['loss']:.3f}")
        if not self.messages.interactive:
            self.messages.say(
                f"step {state.global_step}/{state.max_steps}  loss {logs['loss']:.3f}"
                f"  lr {logs.get('learning_rate', 0.0):.1e}  {self._time_left(state)}"
            )

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: dict[str, float], **_: Any) -> None:
        """The scores of the model as it is now."""
        self.evaluating += metrics.get("eval_runtime", 0.0)
        shown = [("loss", "loss"), ("exact", "EM"), (self.metric, "F1" if self.metric == "f1" else self.metric)]
        forms = {"loss": ".3g"}
        known = [(name, f"eval_{key}", forms.get(key, self.form)) for key, name in shown if f"eval_{key}" in metrics]
        parts = [f"{name} {metrics[key]:{form}}" for name, key, form in known]
        self.bar.clear()
        self.messages.say(
            f"epoch {state.epoch or 0:.2f}  validation {'  '.join(parts)}  ({metrics.get('eval_runtime', 0.0):.0f} s)"
        )

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Leave the terminal clean."""
        self.bar.close()

    def _time_left(self, state: Any) -> str:
        done = state.global_step - self.first_step
        spent = time.monotonic() - self.begun - self.evaluating
        left = int(spent / max(done, 1) * (state.max_steps - state.global_step))
        return f"{left // 3600}:{left // 60 % 60:02d}:{left % 60:02d} left"
