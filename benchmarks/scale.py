"""Time and memory of preparing and of decoding, from a thousand questions to a million: all should be straight lines.

    python benchmarks/scale.py [--largest 1000000] [--model all-MiniLM-L6-v2] [--json FILE]

The questions of squad-v1.1-train (of the built-in sample where that is missing) are repeated under fresh ids. Each
size runs in a process of its own, so that its peak memory is its own. `examples` is what the process holds when the
examples are in memory and nothing is prepared yet; then come the seconds of preparing and the peak until then, and
those of a whole evaluation (reading, padding, decoding, scoring) with a model that gives random logits at no cost.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any

SIZES = (1_000, 10_000, 100_000, 1_000_000)
COLUMNS = {  # name → width and form in the table
    "questions": "11,",
    "examples_mb": "11,.0f",
    "prepare_seconds": "9,.2f",
    "prepare_peak_mb": "8,.0f",
    "file_mb": "8,.0f",
    "evaluate_seconds": "10,.2f",
    "decode_seconds": "9,.2f",
    "evaluate_peak_mb": "8,.0f",
}


def main() -> None:
    """Measure every size in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="all-MiniLM-L6-v2")
    parser.add_argument("--data", type=Path, default=Path("../shared/data/qa"), help="folder of squad-v1.1-train.json")
    parser.add_argument("--largest", type=int, default=SIZES[-1], help="leave larger sizes out")
    parser.add_argument("--json", type=Path, help="write the rows here")
    parser.add_argument("--only", type=int, help=argparse.SUPPRESS)  # one size, for the process that measures it
    options = parser.parse_args()
    if options.only:
        print(json.dumps(measure(options.only, options.data, options.model)))
        return
    print("  ".join(name.rjust(int(form.split(",")[0])) for name, form in zip(titles(), COLUMNS.values(), strict=True)))
    rows = [show(in_own_process(size, options)) for size in sizes(options.largest)]
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def titles() -> list[str]:
    """The heads of the table's columns."""
    return ["questions", "examples MB", "prepare s", "peak MB", "file MB", "evaluate s", "decode s", "peak MB"]


def sizes(largest: int) -> list[int]:
    """The usual sizes up to the largest one asked for, which is one of them."""
    return sorted({*(size for size in SIZES if size < largest), largest})


def in_own_process(size: int, options: argparse.Namespace) -> dict[str, Any]:
    """Measure one size in a fresh process."""
    words = [sys.executable, __file__, "--only", str(size), "--data", str(options.data), "--model", options.model]
    done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True)
    row: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return row


def show(row: dict[str, Any]) -> dict[str, Any]:
    """Print a row of the table; "-" where the system does not tell."""
    cells = [
        f"{row[name]:{form}}" if row[name] is not None else "-".rjust(int(form.split(",")[0]))
        for name, form in COLUMNS.items()
    ]
    print("  ".join(cells), flush=True)
    return row


def measure(size: int, data: Path, model: str) -> dict[str, Any]:
    """Prepare so many questions once, then evaluate a stand-in model on them."""
    from transformers import AutoTokenizer

    from headstart.data.packed import PackedExamples
    from headstart.encoders import resolve
    from headstart.inference import peak_memory_mb
    from headstart.tasks import QuestionAnswering
    from headstart.tokens import TextEncoder
    from headstart.window_store import stored_windows
    from inputs import find_data, read

    tokenizer, task, examples = AutoTokenizer.from_pretrained(resolve(model)), QuestionAnswering(), PackedExamples()
    for place, example in enumerate(islice(cycle(read(find_data(data).train)), size)):
        examples.append(replace(example, id=f"{place}-{example.id}"))
    held = resident_mb()
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        store, _ = stored_windows("windows", task.windows(examples, TextEncoder(tokenizer)), folder=Path(folder))
        prepared, peak = time.perf_counter() - begun, peak_memory_mb()
        work = stand_in(tokenizer, task).evaluate(store, examples).work
        file_mb = (Path(folder) / "windows.arrow").stat().st_size / 1e6
    return {
        "questions": size,
        "windows": len(store),
        "examples_mb": held,
        "prepare_seconds": round(prepared, 3),
        "prepare_peak_mb": peak,
        "file_mb": round(file_mb, 1),
        "evaluate_seconds": round(work.seconds, 3),
        "decode_seconds": round(work.decode, 3),
        "evaluate_peak_mb": peak_memory_mb(),
    }


def stand_in(tokenizer: Any, task: Any) -> Any:
    """What evaluates, with random logits in the place of a model's."""
    import torch
    from transformers.modeling_outputs import QuestionAnsweringModelOutput

    from headstart.checkpoint import Checkpoint
    from headstart.hardware import Hardware
    from headstart.inference import Predictor

    class Random(torch.nn.Module):
        def forward(self, input_ids: Any, attention_mask: Any, token_type_ids: Any) -> Any:
            starts, ends = (torch.randn(input_ids.shape) for _ in range(2))
            return QuestionAnsweringModelOutput(start_logits=starts, end_logits=ends)

    hardware = Hardware(torch.device("cpu"), "fp32", "sdpa", 1)
    model: Any = Random()
    return Predictor(Checkpoint("stand-in", model, tokenizer, task, trained=True), hardware, task=task)


def resident_mb() -> float | None:
    """What this process holds now; None where the system does not say."""
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="ascii").splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), None)


if __name__ == "__main__":
    main()
