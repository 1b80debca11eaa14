"""One function for each side of each row. Runs alone in a process, so that no cache, thread or memory is shared.

    python benchmarks/measures.py prepare_recipe '{"encoder": "all-MiniLM-L6-v2", "train": ["sample"], "limit": 100}'

prints one line of JSON: `value`, in the unit of its row, and whatever else was found out. Speeds are per second, of
the work itself: imports, loading and a warm-up are not counted on either side.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import commands
from headstart.encoders import resolve
from headstart.examples import QuestionExample
from inputs import full_windows, likely_logits, read, write_repeated

Found = dict[str, Any]

HERE = Path(__file__).parent
WARM_UP = 16  # questions prepared or answered before the clock starts
PER_BATCH = 10  # windows of 384 tokens in a batch of `headstart evaluate` (4,096 tokens)


# -- preparing ---------------------------------------------------------------------------------------------------


def prepare_recipe(*, train: list[str], encoder: str, limit: int | None) -> Found:
    """Questions a second, tokenised and labelled by `datasets.map`."""
    import recipe

    examples, tokenizer = read(train, limit=limit), _tokenizer(encoder)
    recipe.training_features(recipe.as_dataset(examples[:WARM_UP]), tokenizer)
    questions = recipe.as_dataset(examples)
    begun = time.perf_counter()
    windows = recipe.training_features(questions, tokenizer)
    return {"value": len(examples) / (time.perf_counter() - begun), "windows": len(windows)}


def prepare_headstart(*, train: list[str], encoder: str, limit: int | None) -> Found:
    """Questions a second, tokenised, labelled and written to disk."""
    examples, tokenizer = read(train, limit=limit), _tokenizer(encoder)
    _store(examples[:WARM_UP], tokenizer)
    begun = time.perf_counter()
    windows = _store(examples, tokenizer)
    return {"value": len(examples) / (time.perf_counter() - begun), "windows": len(windows)}


def _store(examples: Sequence[QuestionExample], tokenizer: Any) -> Any:
    """The windows of some questions in a store of their own."""
    from headstart.tasks import QuestionAnswering
    from headstart.tokens import TextEncoder
    from headstart.window_store import stored_windows

    with tempfile.TemporaryDirectory() as folder:
        windows = QuestionAnswering().windows(examples, TextEncoder(tokenizer))
        return stored_windows("measured", windows, folder=Path(folder))[0]


def _tokenizer(encoder: str) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(resolve(encoder))


# -- training ----------------------------------------------------------------------------------------------------


def train_recipe(*, train: list[str], encoder: str, warm_up: int, steps: int) -> Found:
    """Windows a second over some steps of Trainer, after others that do not count."""
    import recipe

    examples = read(train, limit=8 * (warm_up + steps))
    windows = recipe.training_features(recipe.as_dataset(examples), _tokenizer(encoder))
    with tempfile.TemporaryDirectory() as output:
        trainer, clock = recipe.make_trainer(
            resolve(encoder), windows, output, max_steps=warm_up + steps, warm_up=warm_up
        )
        trainer.train()
    return {"value": steps * trainer.args.train_batch_size / clock.seconds}


def train_headstart(*, train: list[str], encoder: str, steps: int, limit: int | None) -> Found:
    """Windows a second of `headstart train`, cut off after some steps; its first ones count."""
    with tempfile.TemporaryDirectory() as output:
        run = commands.train(encoder, train, output, max_steps=steps, limit=limit)
    return {"value": run["windows_per_second"], "padding_share": run["padding_share"]}


def real_run_headstart(*, train: list[str], encoder: str, steps: int, limit: int | None) -> Found:
    """As `train_headstart`, with the number of windows that a whole epoch has."""
    windows = len(_store(read(train, limit=limit), _tokenizer(encoder)))
    found = train_headstart(train=train, encoder=encoder, steps=steps, limit=limit)
    return found | {"epoch_windows": windows}


def epoch_recipe(*, train: list[str], validation: list[str], encoder: str, seed: int, limit: int | None) -> Found:
    """Windows a second over a whole epoch, and the F1 it leads to."""
    import recipe

    tokenizer = _tokenizer(encoder)
    windows = recipe.training_features(recipe.as_dataset(read(train, limit=limit)), tokenizer)
    asked = read(validation, role="validation", limit=limit)
    with tempfile.TemporaryDirectory() as output:
        trainer, clock = recipe.make_trainer(resolve(encoder), windows, output, seed=seed)
        trainer.train()
        questions = recipe.as_dataset(asked)
        features = recipe.validation_features(questions, tokenizer)
        nbest = recipe.decode(questions, features, *recipe.predict(trainer, features))
    answers = {name: found[0]["text"] if found else "" for name, found in nbest.items()}
    return {"value": len(windows) / clock.seconds, "seed": seed, "f1": _f1(asked, answers)}


def epoch_headstart(*, train: list[str], validation: list[str], encoder: str, seed: int, limit: int | None) -> Found:
    """The same with `headstart train` and `headstart evaluate`."""
    with tempfile.TemporaryDirectory() as output:
        run = commands.train(encoder, train, output, num_train_epochs=1, seed=seed, limit=limit)
        scored = commands.evaluate(output, validation, output, limit=limit)
    return {"value": run["windows_per_second"], "seed": seed, "f1": scored["f1"]}


def _f1(examples: Sequence[QuestionExample], answers: dict[str, str]) -> float:
    from headstart.metrics import score_squad

    rules: Any = "2.0" if any(example.is_impossible for example in examples) else "1.1"
    golds = {example.id: [answer.text for answer in example.answers or ()] for example in examples}
    return float(score_squad(golds, answers, rules=rules).scores["f1"])


# -- decoding ----------------------------------------------------------------------------------------------------


def decode_recipe(*, validation: list[str], encoder: str, windows: int) -> Found:
    """Windows a second through the nested loops."""
    import recipe

    tokenizer = _tokenizer(encoder)
    questions = recipe.as_dataset(full_windows(read(validation, role="validation"), tokenizer, windows))
    features = recipe.validation_features(questions, tokenizer)
    logits = likely_logits(len(features))
    begun = time.perf_counter()
    recipe.decode(questions, features, *logits)
    return {"value": len(features) / (time.perf_counter() - begun), "windows": len(features)}


def decode_headstart(*, validation: list[str], encoder: str, windows: int) -> Found:
    """Windows a second through what stands behind the model in `headstart evaluate`, to the texts of all candidates.

    The batches are those of an evaluation, and their rows are there, read for the model.
    """
    from headstart.stages import Finish
    from headstart.tasks import QuestionAnswering

    tokenizer, task = _tokenizer(encoder), QuestionAnswering()
    examples = full_windows(read(validation, role="validation"), tokenizer, windows)
    store, texts = _store(examples, tokenizer), []
    finish = Finish(task, examples, lambda _, prediction: texts.append(prediction.nbest.texts()), left=False)
    modelled = _modelled(store, *likely_logits(len(store)))
    begun = time.perf_counter()
    for batch in modelled:
        finish(batch)
    seconds = time.perf_counter() - begun
    return {"value": len(store) / seconds, "windows": len(store), "questions": len(texts)}


def _modelled(store: Any, *logits: Any) -> list[Any]:
    """What the model would hand on, batch by batch."""
    import torch

    from headstart.batching import pools
    from headstart.inference import POOL
    from headstart.stages import Batch, Modelled

    starts, ends = map(torch.from_numpy, logits)
    inputs = {"input_ids": torch.zeros(PER_BATCH, starts.shape[1])}
    found = []
    for pool in pools(store, windows=POOL):
        *batches, last = _cut(pool)
        for places, is_last in [*((places, False) for places in batches), (last, True)]:
            outputs = SimpleNamespace(start_logits=starts[places], end_logits=ends[places])
            found.append(Modelled(Batch(store.rows(places), inputs, {}, is_last), outputs, None, None))
    return found


def _cut(pool: Any) -> list[Any]:
    return [pool[begin : begin + PER_BATCH] for begin in range(0, len(pool), PER_BATCH)]


# -- answering ---------------------------------------------------------------------------------------------------


def answer_pipeline(*, python: str, model: str, validation: list[str], limit: int | None) -> Found:
    """Questions a second of the pipeline of transformers 4, in its own environment."""
    asked = read(validation, role="validation", limit=limit)
    questions = [{"id": one.id, "question": one.question, "context": one.context} for one in asked]
    with tempfile.TemporaryDirectory() as folder:
        order = Path(folder) / "questions.json"
        order.write_text(json.dumps({"model": model, "warm_up": WARM_UP, "questions": questions}), encoding="utf-8")
        done = subprocess.run([python, HERE / "pipeline_4.py", order], stdout=subprocess.PIPE, check=True)
    found = json.loads(done.stdout)
    return {
        "value": len(asked) / found["seconds"],
        "f1": _f1(asked, found["answers"]),
        "answers": found["answers"],
        "versions": found["versions"],
    }


def answer_headstart(
    *, model: str, validation: list[str], limit: int | None, precision: str, compared: bool = False
) -> Found:
    """Questions a second of headstart, from text to ranked answers.

    With `compared` its answers are limited to the pipeline's 15 tokens, and there is a second decoding, not timed, by
    the pipeline's rules.
    """
    from headstart.checkpoint import load_trained
    from headstart.hardware import choose_hardware
    from headstart.inference import Predictor
    from headstart.settings import AskSettings, build

    asked = read(validation, role="validation", limit=limit)
    hardware = choose_hardware(build(AskSettings, {"precision": precision}))
    checkpoint = load_trained(model, hardware)
    task = replace(checkpoint.task, max_answer_length=15) if compared else checkpoint.task
    predictor = Predictor(checkpoint, hardware, task=task)
    predictor.predict(asked[:WARM_UP])
    begun = time.perf_counter()
    predictions = predictor.predict(asked)
    seconds = time.perf_counter() - begun
    answers = {prediction.id: task.answer(prediction).text for prediction in predictions}
    found = {"value": len(asked) / seconds, "f1": _f1(asked, answers), "answers": answers, "hardware": str(hardware)}
    if compared:
        from pipeline_rules import by_the_rules

        again = Predictor(checkpoint, hardware, task=by_the_rules(checkpoint)).predict(asked)
        found["answers_by_its_rules"] = {prediction.id: task.answer(prediction).text for prediction in again}
    return found


# -- memory ------------------------------------------------------------------------------------------------------


def evaluation_memory(*, model: str, validation: list[str], short: list[str], questions: int) -> Found:
    """The most memory `headstart evaluate` ever held, in MB."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "repeated.json"
        write_repeated(data, validation, short, questions)
        run = commands.evaluate(model, [str(data)], folder)
    return {"value": run["peak_memory_mb"], "windows": run["windows"]}


def training_memory(*, train: list[str], encoder: str, steps: int | None, limit: int | None) -> Found:
    """The most memory `headstart train` ever held, in MB; a whole epoch, or some steps of it."""
    epochs = 1 if steps is None else None
    with tempfile.TemporaryDirectory() as output:
        run = commands.train(encoder, train, output, num_train_epochs=epochs, max_steps=steps, limit=limit)
    return {"value": run["peak_memory_mb"], "steps": run["steps"]}


# -- the machine -------------------------------------------------------------------------------------------------


def matrix_peak(*, size: int = 2048, repeats: int = 7) -> Found:
    """Billions of operations a second of a product of two square matrices, in float32 and in bf16."""
    import torch

    found = {}
    for name, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        left, right = (torch.randn(size, size).to(dtype) for _ in range(2))
        found[name] = 2 * size**3 / 1e9 / statistics.median(_seconds(left, right) for _ in range(repeats))
    return found


def _seconds(left: Any, right: Any) -> float:
    begun = time.perf_counter()
    left @ right
    return time.perf_counter() - begun


MEASURES: dict[str, Callable[..., Found]] = {
    function.__name__: function
    for function in (
        prepare_recipe,
        prepare_headstart,
        train_recipe,
        train_headstart,
        real_run_headstart,
        epoch_recipe,
        epoch_headstart,
        decode_recipe,
        decode_headstart,
        answer_pipeline,
        answer_headstart,
        evaluation_memory,
        training_memory,
        matrix_peak,
    )
}

if __name__ == "__main__":
    print(json.dumps(MEASURES[sys.argv[1]](**json.loads(sys.argv[2]))))
