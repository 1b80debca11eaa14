"""Time and memory of preparing windows, from a thousand questions to a million: both should be straight lines.

    python benchmarks/preparation_scale.py [--largest 1000000] [--model all-MiniLM-L6-v2] [--json FILE]

The questions of squad-v1.1-train (of the built-in sample where that is missing) are repeated under fresh ids. Each
size runs in a process of its own, so that its peak memory is its own. `examples` is what the process holds when the
examples are in memory and nothing is prepared yet; `peak` is the most it ever held, until every window was read back.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

SIZES = (1_000, 10_000, 100_000, 1_000_000)
COLUMNS = {  # name → width and form in the table
    "questions": "11,",
    "seconds": "9,.2f",
    "questions_per_second": "12,.0f",
    "examples_mb": "11,.0f",
    "peak_mb": "8,.0f",
    "file_mb": "8,.0f",
    "read_seconds": "13,.2f",
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
    return ["questions", "seconds", "questions/s", "examples MB", "peak MB", "file MB", "reading back"]


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
    """Prepare so many questions once, then read the windows back in order."""
    from transformers import AutoTokenizer

    from headstart.encoders import resolve
    from headstart.inference import peak_memory_mb
    from headstart.tokens import TextEncoder
    from headstart.window_store import stored_windows
    from headstart.windows import make_windows
    from inputs import find_data, read, repeated

    encoder = TextEncoder(AutoTokenizer.from_pretrained(resolve(model)))
    examples = repeated(read(find_data(data).train), size)
    held = resident_mb()
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        store, _ = stored_windows("windows", make_windows(examples, encoder), folder=Path(folder))
        prepared = time.perf_counter()
        for place in range(0, len(store), 64):
            store.rows(range(place, min(place + 64, len(store))))
        read_back = time.perf_counter()
        file_mb = (Path(folder) / "windows.arrow").stat().st_size / 1e6
    return {
        "questions": size,
        "windows": len(store),
        "seconds": round(prepared - begun, 3),
        "questions_per_second": round(size / (prepared - begun), 1),
        "examples_mb": held,
        "peak_mb": peak_memory_mb(),
        "file_mb": round(file_mb, 1),
        "read_seconds": round(read_back - prepared, 3),
    }


def resident_mb() -> float | None:
    """What this process holds now; None where the system does not say."""
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="ascii").splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), None)


if __name__ == "__main__":
    main()
