"""headstart beside the field's recipe, on the same data and the same model, in one run: a table of ratios.

    python benchmarks/run.py [--short | --full] [--only ROW …] [--json FILE]

Both sides of a row are measured in turn (A B A B …), each in a process of its own; the table shows medians. The short
form takes some minutes on two cores. The full form trains whole epochs with three seeds, for their F1, and takes
hours of the recipe's time; --tiny shows in a few minutes that every row works, and says nothing about speed.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import commands
import machine
import old_transformers
from bench import Bench
from inputs import Data, find_data
from rows import FORMS, Row, Side, Subjects, make_rows
from table import render

ROOT = Path(__file__).parents[1]
MODEL_STEPS = {"tiny": 2, "short": 300, "full": 1_000}  # of the model to ask, where none is given


def main() -> int:
    """Measure, print the table, write JSON; 1 if a row failed."""
    options = _options()
    data = find_data(options.data)
    python = old_transformers.python_in(options.venv.absolute())
    subjects = Subjects(data, options.encoder, str(options.model_folder.absolute()), str(python))
    makers = {
        "model": lambda: make_model(options.model_folder, options.encoder, data, MODEL_STEPS[options.form]),
        "python": lambda: old_transformers.make(options.venv.absolute()),
    }
    with tempfile.TemporaryDirectory() as cache:
        environment = {"HEADSTART_CACHE": cache, "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}
        bench = Bench(options.repeats or FORMS[options.form].repeats, makers=makers, environment=environment)
        about = machine.describe() | {"peak_gflops": bench.measure(Side("matrix_peak", {}))}
        found = [bench.row(row) for row in chosen(make_rows(FORMS[options.form], subjects), options.only)]
    report = {"form": options.form, "data": data.name, "machine": about, "rows": found}
    print(machine.headline(about), f"{options.form} form on {data.name}", "", render(found), sep="\n")
    if options.json:
        write(options.json, report)
    return int(any(one.get("failed") for one in found))


def chosen(rows: list[Row], only: list[str] | None) -> list[Row]:
    """The rows that were named, else all that need not be."""
    return [row for row in rows if (row.name in only if only else not row.asked_for)]


def make_model(folder: Path, encoder: str, data: Data, steps: int) -> None:
    """Train a small model to ask, unless there is one."""
    if not (folder / "model.safetensors").is_file():
        commands.train(encoder, data.train, str(folder), max_steps=steps)


def write(path: Path, report: dict[str, Any]) -> None:
    """Readable JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [row.name for row in make_rows(FORMS["short"], Subjects(find_data(ROOT), "", "", ""))]
    form = parser.add_mutually_exclusive_group()
    for name in FORMS:
        form.add_argument(f"--{name}", dest="form", action="store_const", const=name)
    parser.set_defaults(form="short")
    parser.add_argument("--only", nargs="+", choices=names, metavar="ROW", help=f"rows to measure: {', '.join(names)}")
    parser.add_argument("--repeats", type=int, help="how often each side is measured (default: 3)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where every measured value goes")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "qa", help="folder of data sets")
    parser.add_argument("--encoder", default="all-MiniLM-L6-v2", help="what is trained: a folder or hub id")
    parser.add_argument(
        "--model-folder", type=Path, help="a trained model to ask (default: runs/squad1, or one made here)"
    )
    parser.add_argument(
        "--venv", type=Path, default=ROOT / "build" / "bench-venv", help="for transformers 4; made once"
    )
    options = parser.parse_args()
    if options.model_folder is None:
        trained = ROOT / "runs" / "squad1"
        options.model_folder = trained if trained.is_dir() else ROOT / "build" / f"bench-model-{options.form}"
    return options


if __name__ == "__main__":
    sys.exit(main())
