"""Scores and training time of headstart's other tasks beside `transformers.Trainer` used plainly, on real data.

    python benchmarks/results.py [--rows cola stsb …] [--seeds 1 2 3] [--sides plain headstart] [--json FILE]

Both sides have the same encoder, data, epochs, learning rate and seeds, and are scored by the same functions; each run
is a process of its own, and the sides take turns. Every finished run is a line of JSON at the end of FILE. Runs that
stand there are not repeated, so that a measurement can be interrupted, continued, and done one side at a time. Without
the data sets there is nothing to measure: a message says so.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import commands
import machine
from bench import FailedError

HERE = Path(__file__).parent
DATA = HERE.parents[1] / "shared" / "data"
SIDES = ("plain", "headstart")
SCORES = (
    *("accuracy", "f1_macro", "f1_micro", "matthews_correlation"),
    *("pearson", "spearman", "mse"),
    *("precision", "recall", "f1"),
)

Found = dict[str, Any]


# -- what is measured --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One line of the table: a data set, what is learnt from it, for how long, and the score that counts."""

    name: str
    task: str
    train: str  # in the folder of data sets
    validation: str
    columns: dict[str, str]
    score: str
    epochs: float


JUDGMENT = {"text": "sentence_A", "text_pair": "sentence_B", "label": "entailment_judgment"}
RELATEDNESS = JUDGMENT | {"label": "relatedness_score"}
SICK, STSB = ("sick/train.tsv", "sick/test.tsv"), ("stsb/train.csv", "stsb/validation.csv")
PAIR = {"text": "1", "text_pair": "2", "label": "3"}
COLA, SST2 = ("cola/train.tsv", "cola/validation.tsv"), ("sst2/train.tsv", "sst2/test.tsv")
EWT, WNUT17 = ("ud-ewt/train.conllu", "ud-ewt/validation.conllu"), ("wnut17/train.conll", "wnut17/validation.conll")

ROWS = (
    ResultRow("cola", "classification", *COLA, {"text": "4", "label": "2"}, "matthews_correlation", 2),
    ResultRow("sst2", "classification", *SST2, {"text": "1", "label": "2"}, "accuracy", 1),
    ResultRow("sick-judgment", "classification", *SICK, JUDGMENT, "accuracy", 1),
    ResultRow("sick-relatedness", "regression", *SICK, RELATEDNESS, "pearson", 1),
    ResultRow("stsb", "regression", *STSB, PAIR, "pearson", 2),
    ResultRow("ud-ewt-upos", "tagging", *EWT, {"tags": "upos"}, "accuracy", 1),
    ResultRow("wnut17", "tagging", *WNUT17, {}, "f1", 2),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """One run: all that its scores depend on, and so what tells it apart from others in the file."""

    row: str
    side: str
    seed: int
    encoder: str
    epochs: float
    learning_rate: float
    limit: int | None


# -- measuring ---------------------------------------------------------------------------------------------------


def plain(row: ResultRow, plan: Plan, data: Path) -> Found:
    """Train and score with plain transformers in a process of its own.

    Raises:
        FailedError: it stopped with an error.
    """
    options = {
        **{"task": row.task, "columns": row.columns, "encoder": plan.encoder, "epochs": plan.epochs},
        **{"learning_rate": plan.learning_rate, "seed": plan.seed, "limit": plan.limit},
        **{"train": [str(data / row.train)], "validation": [str(data / row.validation)]},
    }
    words = [sys.executable, str(HERE / "plain_trainer.py"), json.dumps(options)]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        raise FailedError(commands.last_line(done.stderr))
    return dict(json.loads(done.stdout.splitlines()[-1]))


def headstart(row: ResultRow, plan: Plan, data: Path) -> Found:
    """`headstart train` and `headstart evaluate`, with nothing in the cache.

    Raises:
        FailedError: one of them stopped with an error.
    """
    columns = ["--columns", *(f"{ours}={theirs}" for ours, theirs in row.columns.items())] if row.columns else []
    with tempfile.TemporaryDirectory() as folder:
        model, shared = f"{folder}/model", {"limit": plan.limit, "cache_dir": f"{folder}/cache"}
        learning = {"num_train_epochs": plan.epochs, "learning_rate": plan.learning_rate, "seed": plan.seed}
        words = ["train", "--task", row.task, "--model", plan.encoder, "--train", str(data / row.train)]
        asked = ["evaluate", model, "--data", str(data / row.validation)]
        try:
            trained = commands.headstart(*words, *columns, output=model, **learning, **shared)
            found = commands.headstart(*asked, *columns, **shared)
        except RuntimeError as error:
            raise FailedError(str(error)) from None
    scores = {name: found[name] for name in SCORES if name in found}
    return {"scores": scores, "seconds": trained["seconds"], "train": trained, "evaluate": found}


MEASURES = {"plain": plain, "headstart": headstart}


class Records:
    """Finished runs, and the file they are kept in: a line of JSON for each, written as soon as it is there."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        lines = path.read_text(encoding="utf-8").splitlines() if path and path.is_file() else []
        self.runs: list[Found] = [json.loads(line) for line in lines if line.strip()]

    def find(self, plan: Plan) -> Found | None:
        """The run of a plan, if there is one."""
        wanted = asdict(plan)
        return next((run for run in self.runs if all(run.get(name) == wanted[name] for name in wanted)), None)

    def add(self, run: Found) -> None:
        """Keep a run. One line is written at once: two processes can share a file."""
        self.runs.append(run)
        if self.path:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(run, ensure_ascii=False) + "\n")


def measure(rows: Sequence[ResultRow], plans: Sequence[Plan], records: Records, data: Path) -> int:
    """Run what has not been run; gives how many runs failed."""
    by_name, failed = {row.name: row for row in rows}, 0
    for plan in plans:
        row, name = by_name[plan.row], f"{plan.row}, {plan.side}, seed {plan.seed}"
        if records.find(plan):
            continue
        try:
            found = MEASURES[plan.side](row, plan, data)
        except FailedError as error:
            failed += 1
            _say(f"{name}: failed: {error}")
            continue
        records.add({**asdict(plan), **found, "machine": machine.describe(), "load": os.getloadavg()[0]})
        _say(f"{name}: {row.score} {found['scores'][row.score]:.4f}, training {found['seconds']['train']:.0f} s")
    return failed


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


# -- the table ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Side:
    """The runs of one side of a row: their scores and the seconds of training."""

    scores: tuple[float, ...]
    seconds: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The mean score."""
        return statistics.fmean(self.scores)

    @property
    def spread(self) -> float:
        """The standard deviation over the seeds; 0 where there is only one."""
        return statistics.stdev(self.scores) if len(self.scores) > 1 else 0.0

    @property
    def time(self) -> float:
        """The median of the seconds."""
        return statistics.median(self.seconds)


def side_of(row: ResultRow, runs: Sequence[Found]) -> Side | None:
    """Some runs of one side, or nothing where there are none."""
    found = [(run["scores"][row.score], run["seconds"]["train"]) for run in runs]
    return Side(*map(tuple, zip(*found, strict=True))) if found else None


def render(rows: Sequence[ResultRow], sides: Sequence[tuple[Side | None, Side | None]]) -> str:
    """A table for a terminal of 80 columns."""
    lines = [_line(("row", "score", "plain", "headstart", "plain", "ours", "ratio"))]
    for row, (theirs, ours) in zip(rows, sides, strict=True):
        ratio = f"{theirs.time / ours.time:.1f}×" if theirs and ours and ours.time else ""
        cells = (_score(theirs), _score(ours), _seconds(theirs), _seconds(ours), ratio)
        lines.append(_line((row.name, row.score.partition("_")[0], *cells)))
    return "\n".join(lines)


def remarks(rows: Sequence[ResultRow], sides: Sequence[tuple[Side | None, Side | None]]) -> str:
    """What the columns are, and where headstart's score is lower than can be chance."""
    both = [(row.name, *pair) for row, pair in zip(rows, sides, strict=True)]
    known = [(name, theirs, ours) for name, theirs, ours in both if theirs and ours]
    lower = [name for name, theirs, ours in known if is_lower(theirs, ours)]
    text = "Scores: mean ± standard deviation over the seeds. Then the seconds of training, medians, and their ratio."
    if any(len(side.scores) > 1 for _, *pair in known for side in pair):
        text += f" Lower than plain beyond both spreads: {', '.join(lower) or 'none'}."
    return textwrap.fill(text, 80)


def is_lower(theirs: Side, ours: Side) -> bool:
    """Whether our score lies so far below theirs that the two spreads do not meet.

    >>> is_lower(Side((0.50, 0.52), (1, 1)), Side((0.49, 0.50), (1, 1)))
    False
    """
    return ours.mean + ours.spread < theirs.mean - theirs.spread


def _line(cells: Sequence[str]) -> str:
    name, score, *numbers = cells
    widths = (13, 13, 6, 6, 6)
    text = "  ".join((f"{name:16}", f"{score:8}", *map(str.rjust, numbers, widths)))
    return text.rstrip()


def _score(side: Side | None) -> str:
    if side is None:
        return "-"
    return f"{side.mean:.3f} ± {side.spread:.3f}" if len(side.scores) > 1 else f"{side.mean:.3f}        "


def _seconds(side: Side | None) -> str:
    return "-" if side is None else f"{side.time:,.0f}"


# -- the command -------------------------------------------------------------------------------------------------


def main() -> int:
    """Measure what is missing and print the table of all that was asked for; 1 if a run failed."""
    options = _options()
    rows = [row for row in ROWS if row.name in options.rows]
    missing = missing_files(rows, options.data)
    if missing:
        print(f"skipped: the data sets are not here, {options.data} lacks {', '.join(missing)}")
        return 0
    records = Records(options.json)
    failed = measure(rows, plans_of(rows, options, options.sides), records, options.data)
    runs = [[known_runs(row, options, records, side) for side in SIDES] for row in rows]
    sides = [(side_of(row, theirs), side_of(row, ours)) for row, (theirs, ours) in zip(rows, runs, strict=True)]
    print(*where([run for pair in runs for side in pair for run in side]), render(rows, sides), sep="\n")
    print(remarks(rows, sides))
    return int(failed > 0)


def missing_files(rows: Sequence[ResultRow], data: Path) -> list[str]:
    """The files that rows need and a folder lacks."""
    files = dict.fromkeys(name for row in rows for name in (row.train, row.validation))
    return [name for name in files if not (data / name).is_file()]


def plans_of(rows: Sequence[ResultRow], options: argparse.Namespace, sides: Sequence[str]) -> list[Plan]:
    """Every run, row by row, the sides in turn (A B A B …)."""
    shared = (options.encoder, options.learning_rate, options.limit)
    return [plan(row, side, seed, options.epochs, *shared) for row in rows for seed in options.seeds for side in sides]


def plan(
    row: ResultRow, side: str, seed: int, epochs: float | None, encoder: str, learning_rate: float, limit: int | None
) -> Plan:
    """One run of a row, for its own number of epochs unless another is given."""
    return Plan(row.name, side, seed, encoder, row.epochs if epochs is None else epochs, learning_rate, limit)


def known_runs(row: ResultRow, options: argparse.Namespace, records: Records, side: str) -> list[Found]:
    """The finished runs of one side of a row, measured now or before."""
    return [run for plan in plans_of([row], options, [side]) if (run := records.find(plan))]


def where(runs: Sequence[Found]) -> list[str]:
    """The machines of the runs, since seconds of different ones cannot be compared, and whether others used them."""
    lines = list(dict.fromkeys(f"{run['machine']['cpu']}, {run['machine']['cores']} cores" for run in runs))
    busy = [run["load"] for run in runs if run["load"] > run["machine"]["cores"] + 0.5]  # alone: one for each core
    if busy:
        lines.append(f"{len(busy)} of {len(runs)} runs beside other work (load {min(busy):.1f} to {max(busy):.1f})")
    return lines


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [row.name for row in ROWS]
    lengths = ", ".join(f"{row.name} {row.epochs}" for row in ROWS)
    add = parser.add_argument
    add("--rows", nargs="+", choices=names, default=names, metavar="ROW", help=f"some of {', '.join(names)}")
    add("--sides", nargs="+", choices=SIDES, default=SIDES, metavar="SIDE", help="run plain, headstart or both")
    add("--seeds", nargs="+", type=int, default=[1, 2, 3], metavar="N", help="one run of each side for each seed")
    add("--epochs", type=float, metavar="N", help=f"epochs of every row (default: {lengths})")
    add("--learning-rate", type=float, default=1e-4, metavar="X", help="of both sides (default: 1e-4)")
    add("--limit", type=int, metavar="N", help="train and score on the first N examples only")
    add("--encoder", default="all-MiniLM-L6-v2", metavar="NAME", help="what is trained: a folder or hub id")
    add("--data", type=Path, default=DATA, metavar="FOLDER", help="the folder of data sets")
    add("--json", type=Path, metavar="FILE", help="finished runs, a line of JSON each: read first, then added to")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
