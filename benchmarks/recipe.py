"""The field's recipe for span models, as the transformers course notebooks and run_qa have it: what we measure against.

`datasets.map` with a Python loop over the offsets of every window, all windows padded to 384 tokens,
`transformers.Trainer` with its defaults, all logits gathered, candidates ranked in nested loops. Plain, and not slowed
down: nothing here waits, copies or computes what the recipe does not need.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from datasets import Dataset
from transformers import AutoModelForQuestionAnswering, Trainer, TrainerCallback, TrainingArguments

from headstart.examples import QuestionExample

MAX_LENGTH, DOC_STRIDE = 384, 128
N_BEST, MAX_ANSWER_LENGTH = 20, 30

Logits = npt.NDArray[np.floating[Any]]
Candidate = dict[str, Any]


# -- preparing ---------------------------------------------------------------------------------------------------


def as_dataset(examples: Sequence[QuestionExample]) -> Dataset:
    """Questions in the columns of the hub's `squad`."""
    rows = [
        {
            "id": example.id,
            "question": example.question,
            "context": example.context,
            "answers": {
                "text": [answer.text for answer in example.answers or ()],
                "answer_start": [answer.start for answer in example.answers or ()],
            },
        }
        for example in examples
    ]
    return Dataset.from_list(rows)


def training_features(questions: Dataset, tokenizer: Any) -> Dataset:
    """Every window with the tokens at which the first answer starts and ends."""

    def prepare(batch: dict[str, list[Any]]) -> Any:
        windows = _tokenize(batch, tokenizer)
        owners, all_offsets = windows.pop("overflow_to_sample_mapping"), windows.pop("offset_mapping")
        spans = [
            label(offsets, windows.sequence_ids(place), ids.index(tokenizer.cls_token_id), batch["answers"][owner])
            for place, (offsets, ids, owner) in enumerate(zip(all_offsets, windows["input_ids"], owners, strict=True))
        ]
        windows["start_positions"] = [start for start, _ in spans]
        windows["end_positions"] = [end for _, end in spans]
        return windows

    return questions.map(prepare, batched=True, remove_columns=questions.column_names)


def validation_features(questions: Dataset, tokenizer: Any) -> Dataset:
    """Every window with its question's id, and the offsets of its context; other tokens have none."""

    def prepare(batch: dict[str, list[Any]]) -> Any:
        windows = _tokenize(batch, tokenizer)
        windows["example_id"] = [batch["id"][owner] for owner in windows.pop("overflow_to_sample_mapping")]
        for place, offsets in enumerate(windows["offset_mapping"]):
            sides = windows.sequence_ids(place)
            windows["offset_mapping"][place] = [
                pair if side == 1 else None for pair, side in zip(offsets, sides, strict=True)
            ]
        return windows

    return questions.map(prepare, batched=True, remove_columns=questions.column_names)


def _tokenize(batch: dict[str, list[Any]], tokenizer: Any) -> Any:
    return tokenizer(
        [question.lstrip() for question in batch["question"]],
        batch["context"],
        truncation="only_second",
        padding="max_length",
        max_length=MAX_LENGTH,
        stride=DOC_STRIDE,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
    )


def label(
    offsets: Sequence[Sequence[int]], sides: Sequence[int | None], cls: int, answers: dict[str, Any]
) -> tuple[int, int]:
    """The first and last token of the first answer; CLS twice where the window does not hold all of it."""
    if not answers["text"]:
        return cls, cls
    begin = answers["answer_start"][0]
    stop = begin + len(answers["text"][0])
    first, last = 0, len(sides) - 1
    while sides[first] != 1:
        first += 1
    while sides[last] != 1:
        last -= 1
    if offsets[first][0] > begin or offsets[last][1] < stop:
        return cls, cls
    while first < len(offsets) and offsets[first][0] <= begin:
        first += 1
    while offsets[last][1] >= stop:
        last -= 1
    return first - 1, last + 1


# -- training ----------------------------------------------------------------------------------------------------


class Clock(TrainerCallback):  # type: ignore[misc]  # transformers is untyped to mypy
    """The seconds of all steps but the first `warm_up` ones, which fill caches and pools."""

    def __init__(self, warm_up: int) -> None:
        self.warm_up = warm_up
        self.begun = self.ended = 0.0

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Start after the steps that do not count."""
        if state.global_step == self.warm_up:
            self.begun = time.perf_counter()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Read the clock."""
        self.ended = time.perf_counter()

    @property
    def seconds(self) -> float:
        """What the counted steps took."""
        return self.ended - self.begun


def make_trainer(
    model: str, windows: Dataset, output: str | Path, *, seed: int = 42, max_steps: int = -1, warm_up: int = 0
) -> tuple[Trainer, Clock]:
    """Trainer with its defaults (float32, batches of 8, 5e-5 falling linearly), for one epoch or some steps."""
    arguments = TrainingArguments(
        output_dir=str(output),
        num_train_epochs=1,
        max_steps=max_steps,
        seed=seed,
        use_cpu=True,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
    clock = Clock(warm_up)
    trainer = Trainer(
        model_init=lambda: AutoModelForQuestionAnswering.from_pretrained(model),
        args=arguments,
        train_dataset=windows,
        callbacks=[clock],
    )
    return trainer, clock


# -- answering ---------------------------------------------------------------------------------------------------


def predict(trainer: Trainer, windows: Dataset) -> tuple[Logits, Logits]:
    """The start and end logits of every window, gathered."""
    inputs = windows.remove_columns(["example_id", "offset_mapping"])
    starts, ends = trainer.predict(inputs).predictions
    return starts, ends


def decode(
    questions: Dataset, windows: Dataset, start_logits: Logits, end_logits: Logits
) -> dict[str, list[Candidate]]:
    """The 20 best candidates of each question, best first, with their share of the softmax over these 20."""
    owned = defaultdict(list)
    for place, owner in enumerate(windows["example_id"]):
        owned[owner].append(place)
    nbest = {}
    for question in questions:
        found: list[Candidate] = []
        for place in owned[question["id"]]:
            offsets = windows[place]["offset_mapping"]
            found += candidates(offsets, start_logits[place], end_logits[place], question["context"])
        found = sorted(found, key=lambda candidate: candidate["score"], reverse=True)[:N_BEST]
        nbest[question["id"]] = with_probabilities(found)
    return nbest


def candidates(
    offsets: Sequence[Sequence[int] | None], start_logits: Logits, end_logits: Logits, context: str
) -> list[Candidate]:
    """Every pair of one of the 20 best starts and one of the 20 best ends that makes a span of the context."""
    found = []
    starts = np.argsort(start_logits)[::-1][:N_BEST].tolist()
    ends = np.argsort(end_logits)[::-1][:N_BEST].tolist()
    for start in starts:
        for end in ends:
            first, last = offsets[start], offsets[end]
            if first is None or last is None:
                continue
            if end < start or end - start + 1 > MAX_ANSWER_LENGTH:
                continue
            found.append(
                {
                    "text": context[first[0] : last[1]],
                    "score": start_logits[start] + end_logits[end],
                    "start_logit": start_logits[start],
                    "end_logit": end_logits[end],
                }
            )
    return found


def with_probabilities(found: list[Candidate]) -> list[Candidate]:
    """A softmax over the scores of the candidates that were kept; plain numbers, as JSON wants them."""
    if not found:
        return found
    scores = np.array([candidate["score"] for candidate in found])
    shares = np.exp(scores - scores.max())
    shares /= shares.sum()
    return [
        {**{name: value if name == "text" else float(value) for name, value in candidate.items()}, "probability": share}
        for candidate, share in zip(found, shares.tolist(), strict=True)
    ]
