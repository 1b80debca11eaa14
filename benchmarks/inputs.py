"""What is measured on: the real data where it is there, and what is made of it by repetition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from headstart.data import read_questions
from headstart.data.squad import write_squad
from headstart.examples import QuestionExample

Logits = npt.NDArray[np.float32]

SHIFTS = ("squadshifts-new-wiki.json", "squadshifts-amazon.json", "squadshifts-reddit.json")
QAMR = ("qamr-a.json", "qamr-b.json")
TRAIN, VALIDATION = "squad-v1.1-train.json", "squad-v1.1-validation.json"
LENGTH = 384  # tokens of a window to decode


@dataclass(frozen=True, slots=True)
class Data:
    """The sources of every row, in the words of `--train` and `--data`."""

    name: str
    train: tuple[str, ...]
    validation: tuple[str, ...]
    short: tuple[str, ...]  # short texts
    real_run: tuple[str, ...]
    all_lengths: tuple[str, ...]


def find_data(folder: Path) -> Data:
    """The data sets in a folder; the built-in sample for everything where any of them is missing."""
    files = {name: folder.resolve() / name for name in (*SHIFTS, *QAMR, TRAIN, VALIDATION)}
    missing = [name for name, path in files.items() if not path.is_file()]
    if missing:
        sample = ("sample",)
        name = f"the built-in sample for every row, since {folder} lacks {', '.join(missing)}"
        return Data(name, sample, sample, sample, sample, sample)

    def paths(*names: str) -> tuple[str, ...]:
        return tuple(str(files[name]) for name in names)

    return Data(
        name="SQuAD 1.1 dev articles, QAMR, SQuADShifts",
        train=paths(TRAIN),
        validation=paths(VALIDATION),
        short=paths(*QAMR),
        real_run=paths(*SHIFTS, *QAMR),
        all_lengths=paths(TRAIN, *SHIFTS, QAMR[0]),
    )


def read(sources: Sequence[str], *, role: Any = "train", limit: int | None = None) -> Sequence[QuestionExample]:
    """Sources → examples."""
    return read_questions(sources, role=role, limit=limit).examples


def repeated(examples: Sequence[QuestionExample], count: int) -> list[QuestionExample]:
    """So many questions, the same ones over and over under fresh ids.

    >>> one = QuestionExample("a", "Who?", "Ada did.", ())
    >>> [example.id for example in repeated([one], 3)]
    ['0-a', '1-a', '2-a']
    """
    return [replace(one, id=f"{place}-{one.id}") for place, one in enumerate(islice(cycle(examples), count))]


def write_repeated(path: Path, long: Sequence[str], short: Sequence[str], count: int) -> None:
    """A SQuAD file of `count` questions, one in eight about a long text: the shapes of a mixed data set."""
    longer, shorter = read(long, role="validation"), read(short)
    mixed = [*longer[::8][:250], *shorter[:1750]]
    write_squad(repeated(mixed, count), path)


def full_windows(examples: Sequence[QuestionExample], tokenizer: Any, count: int) -> list[QuestionExample]:
    """Questions about texts so long that one fills a window of 384 tokens and none needs two.

    The contexts are cut out of all passages joined; they go round as often as it takes.
    """
    texts = " ".join(dict.fromkeys(example.context for example in examples))
    questions = [example.question.strip() for example in examples]
    lengths = [len(ids) for ids in tokenizer(questions, add_special_tokens=False, truncation=False)["input_ids"]]
    offsets = tokenizer(texts, add_special_tokens=False, truncation=False, return_offsets_mapping=True)
    room = LENGTH - 8 - max(lengths)  # special tokens, and words that a cut turns into more tokens
    pieces = [offsets["offset_mapping"][begin : begin + room] for begin in range(0, len(offsets["input_ids"]), room)]
    contexts = [texts[piece[0][0] : piece[-1][1]] for piece in pieces]
    made = [
        QuestionExample("made", question, context, ())
        for question, context, _ in zip(cycle(questions), cycle(contexts), range(count), strict=False)
    ]
    return repeated(made, count)


def likely_logits(windows: int, *, seed: int = 0) -> tuple[Logits, Logits]:
    """Start and end logits (windows, 384) as a trained model gives them: low noise, and some places that stand out.

    The tokens beside such a place stand out, too, so that about 50 pairs of one of the 20 best starts and one of the
    20 best ends make a span: with a trained model and windows this full it was 53.
    """
    draw = np.random.default_rng(seed)
    starts, ends = (draw.normal(-4.8, 1.5, (windows, LENGTH)).astype(np.float32) for _ in range(2))
    rows = np.arange(windows)
    for height in (8, 6.5, 5.5, 4.5):
        first = draw.integers(40, LENGTH - 20, windows)
        last = first + draw.integers(0, 8, windows)
        for away in (-1, 0, 1):
            starts[rows, first + away] += height - 2 * abs(away)
            ends[rows, last + away] += height - 2 * abs(away)
    return starts, ends
