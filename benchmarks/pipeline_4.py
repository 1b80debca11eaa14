"""Ask the `question-answering` pipeline of transformers 4, in its default form. Runs in an environment of its own.

    python benchmarks/pipeline_4.py QUESTIONS.json

QUESTIONS.json holds {"model": folder, "warm_up": 8, "questions": [{"id", "question", "context"}, …]}. The answers,
the seconds they took (after a warm-up that does not count) and the versions go to standard output as JSON.
headstart is not installed here: this file needs torch and transformers 4 alone.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any


def main() -> None:
    """Read the order, ask, print."""
    order = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    print(json.dumps(ask(order["model"], order["questions"], order["warm_up"]), ensure_ascii=False))


def ask(model: str, questions: list[dict[str, str]], warm_up: int) -> dict[str, Any]:
    """Give each question to the pipeline with nothing but defaults: float32, one window at a time, top answer."""
    import torch
    import transformers

    pipe = transformers.pipeline("question-answering", model=model, device="cpu")
    for one in questions[:warm_up]:
        pipe(question=one["question"], context=one["context"])
    begun = time.perf_counter()
    found = pipe(question=[one["question"] for one in questions], context=[one["context"] for one in questions])
    seconds = time.perf_counter() - begun
    answers = found if isinstance(found, list) else [found]  # of one question it gives the bare answer
    return {
        "seconds": seconds,
        "answers": {one["id"]: answer["answer"] for one, answer in zip(questions, answers, strict=True)},
        "scores": {one["id"]: answer["score"] for one, answer in zip(questions, answers, strict=True)},
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
    }


if __name__ == "__main__":
    main()
