"""The rows of the table: what is measured on both sides, and what is asked of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from inputs import Data

Kind = Literal["times", "growth", "megabytes"]

ALL_LENGTHS = 38_000  # questions of the training-memory row: about 39,000 windows


@dataclass(frozen=True, slots=True)
class Form:
    """How much of everything is measured. Steps are optimizer steps; None means all there is."""

    repeats: int
    questions: int | None  # to prepare or train on
    recipe_steps: tuple[int, int]  # not counted, counted
    steps: int  # of headstart
    epochs: bool  # whether whole epochs are trained, for their F1
    decode: int  # windows
    answer: int | None  # questions
    evaluation_memory: tuple[int, int]  # questions, about one window each
    training_memory: int | None  # steps
    seeds: tuple[int, ...] = (42, 43, 44)


FORMS = {
    "tiny": Form(1, 16, (1, 1), 2, True, 40, 6, (20, 60), 2, seeds=(42,)),
    "short": Form(3, None, (2, 6), 30, False, 10_000, 200, (2_000, 20_000), 200),
    "full": Form(3, None, (3, 30), 100, True, 10_000, None, (10_000, 100_000), None),
}


@dataclass(frozen=True, slots=True)
class Side:
    """A function of measures.py and its options."""

    measure: str
    options: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    `kind` says what `at_least` and `aim` are about: "times", the speed of `ours` over that of `theirs`; "growth", the
    memory of `ours` over that of `theirs`; "megabytes", the memory of `ours`. Memory is measured once. With `seeds`
    there is one repeat for each.
    """

    name: str
    what: str
    unit: str
    theirs: Side | None
    ours: Side
    at_least: float
    aim: float
    kind: Kind = "times"
    seeds: tuple[int, ...] = ()
    asked_for: bool = False  # measured only when it is named

    @property
    def sides(self) -> tuple[Side, ...]:
        """What there is to measure, theirs first."""
        return (self.theirs, self.ours) if self.theirs else (self.ours,)


@dataclass(frozen=True, slots=True)
class Subjects:
    """What the rows measure on: data, an encoder to train, a trained folder to ask, a Python with transformers 4."""

    data: Data
    encoder: str
    model: str
    python: str


def make_rows(form: Form, subjects: Subjects) -> list[Row]:
    """Every row, in the order of the work: prepare, train, decode, answer, memory."""
    return [
        *_preparing(form, subjects),
        *_training(form, subjects),
        *_epochs(form, subjects),
        *_decoding(form, subjects),
        *_answering(form, subjects),
        *_memory(form, subjects),
    ]


def _preparing(form: Form, on: Subjects) -> list[Row]:
    options = {"train": on.data.train, "encoder": on.encoder, "limit": form.questions}
    theirs, ours = Side("prepare_recipe", options), Side("prepare_headstart", options)
    return [Row("prepare", "prepare squad-v1.1-train: tokenise and label", "questions/s", theirs, ours, 5, 8)]


def _training(form: Form, on: Subjects) -> list[Row]:
    warm_up, steps = form.recipe_steps
    recipe = {"encoder": on.encoder, "warm_up": warm_up, "steps": steps}
    headstart = {"encoder": on.encoder, "steps": form.steps, "limit": form.questions}
    squad, short, everything = on.data.train, on.data.short, on.data.real_run
    on_squad = Side("train_recipe", recipe | {"train": squad})  # as fast on any data: all windows are padded alike
    on_short = Side("train_recipe", recipe | {"train": short})
    ours = [Side("train_headstart", headstart | {"train": sources}) for sources in (squad, short)]
    whole = Side("real_run_headstart", headstart | {"train": everything})
    return [
        Row("train-squad", "train on squad-v1.1-train", "windows/s", on_squad, ours[0], 8, 15),
        Row("train-qamr", "train on qamr-a + qamr-b, short texts", "windows/s", on_short, ours[1], 20, 40),
        Row("real-run", "train on squadshifts + qamr, the real run", "windows/s", on_squad, whole, 10, 20),
    ]


def _epochs(form: Form, on: Subjects) -> list[Row]:
    rows = []
    texts = (("squad", on.data.train, 8.0, 15.0, not form.epochs), ("qamr", on.data.short, 20.0, 40.0, True))
    for name, sources, at_least, aim, asked_for in texts:
        options = {"train": sources, "validation": on.data.validation, "encoder": on.encoder, "limit": form.questions}
        what = f"a whole epoch of {name}, then F1 on squad-v1.1-validation"
        theirs, ours = Side("epoch_recipe", options), Side("epoch_headstart", options)
        row = Row(f"epoch-{name}", what, "windows/s", theirs, ours, at_least, aim, "times", form.seeds, asked_for)
        rows.append(row)
    return rows


def _decoding(form: Form, on: Subjects) -> list[Row]:
    options = {"validation": on.data.validation, "encoder": on.encoder, "windows": form.decode}
    what = f"decode {form.decode:,} windows of 384 tokens, 20 best"
    theirs, ours = Side("decode_recipe", options), Side("decode_headstart", options)
    return [Row("decode", what, "windows/s", theirs, ours, 10, 25)]


def _answering(form: Form, on: Subjects) -> list[Row]:
    options = {"model": on.model, "validation": on.data.validation, "limit": form.answer}
    pipeline = Side("answer_pipeline", options | {"python": on.python})
    auto = Side("answer_headstart", options | {"precision": "auto"})
    exact = Side("answer_headstart", options | {"precision": "fp32", "compared": True})
    what = "answer squad-v1.1-validation, against the pipeline of transformers 4"
    return [
        Row("answer", what, "questions/s", pipeline, auto, 6, 12),
        Row("answer-fp32", "the same in float32", "questions/s", pipeline, exact, 3, 4),
    ]


def _memory(form: Form, on: Subjects) -> list[Row]:
    options = {"model": on.model, "validation": on.data.validation, "short": on.data.short}
    few, many = (Side("evaluation_memory", options | {"questions": count}) for count in form.evaluation_memory)
    counts = " against ".join(f"{count:,}" for count in form.evaluation_memory)
    training = {"encoder": on.encoder, "train": on.data.all_lengths, "limit": form.questions or ALL_LENGTHS}
    steps = Side("training_memory", training | {"steps": form.training_memory})
    length = "an epoch" if form.training_memory is None else f"{form.training_memory} steps"
    return [
        Row("evaluation-memory", f"peak memory of evaluation, {counts} windows", "MB", few, many, 1.05, 1, "growth"),
        Row(
            "training-memory",
            f"peak memory of {length} on texts of all lengths",
            "MB",
            None,
            steps,
            4096,
            3072,
            "megabytes",
        ),
    ]
