"""Two real processes, as torchrun starts them: they share the work, and the result is that of one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from headstart.checkpoint import load, save
from headstart.distribution import ALONE, Ranks, connected
from headstart.hardware import Hardware
from headstart.tasks import QuestionAnswering
from tokenizers_made_here import SENTENCES

CPU = Hardware(torch.device("cpu"), "fp32", "sdpa", 1)
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2")


def run(*words: object, cache: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HEADSTART_CACHE": str(cache), "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [sys.executable, *map(str, words)], capture_output=True, text=True, env=environment, timeout=600
    )
    assert done.returncode == 0, done.stderr
    return done


# -- evaluate ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model(tiny_bert, tmp_path_factory) -> Path:
    """A saved model with a head, drawn rather than trained."""
    folder = tmp_path_factory.mktemp("model")
    torch.manual_seed(0)
    task = QuestionAnswering(max_length=40, doc_stride=10, n_best_size=4, no_answer=True, null_threshold=0.1)
    save(folder, load(tiny_bert, CPU), task=task, facts={})
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Questions of one window and of several, with and without an answer."""
    rows = []
    for number in range(41):
        context = " ".join(SENTENCES[number % 5 : number % 5 + 1 + number % 4])
        answers = [] if number % 3 == 0 else [{"text": context.split()[1], "answer_start": context.index(" ") + 1}]
        qas = [
            {"id": f"q{number}", "question": f"Which is {number}?", "answers": answers, "is_impossible": not answers}
        ]
        rows.append({"context": context, "qas": qas})
    path = tmp_path_factory.mktemp("data") / "dev.json"
    path.write_text(json.dumps({"version": "v2.0", "data": [{"title": "t", "paragraphs": rows}]}), encoding="utf-8")
    return path


FILES = ("predictions", "nbest_predictions", "null_odds")
TIMES = ("windows_per_second", "tokens_per_second", "padding_share", "peak_memory_mb")


def evaluated(model: Path, data: Path, folder: Path, *launcher: str) -> tuple[dict[str, Any], list[Any], str]:
    """The document on standard output, the three files, and what was said."""
    words = ("-m", "headstart", "evaluate", model, "--data", data, "--output", folder, "--precision", "fp32", "--json")
    done = run(*launcher, *words, cache=folder / "cache")
    left = {path.name for path in folder.iterdir()} - {"cache"}
    assert left == {"metrics.json", *(f"{name}.json" for name in FILES)}
    files = [json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for name in FILES]
    document = json.loads(done.stdout)
    assert json.loads((folder / "metrics.json").read_text(encoding="utf-8")) == document
    return document, files, done.stderr


def rounded(value: Any) -> Any:
    """Floats to the digits that do not hang on which windows shared a batch."""
    if isinstance(value, float):
        return pytest.approx(value, abs=1e-4)
    if isinstance(value, list):
        return [rounded(part) for part in value]
    return {key: rounded(part) for key, part in value.items()} if isinstance(value, dict) else value


def test_two_processes_evaluate_as_one_does(model, data, tmp_path):
    alone, files_alone, _ = evaluated(model, data, tmp_path / "alone")
    shared, files_shared, said = evaluated(model, data, tmp_path / "shared", *TORCHRUN)
    assert alone["total"] == shared["examples"] == 41
    for name, value in alone.items():
        if not name.startswith("seconds") and name not in TIMES:
            assert shared[name] == rounded(value), name
    assert shared["padding_share"] >= 0
    texts_alone, texts_shared = files_alone[0], files_shared[0]
    assert texts_shared == texts_alone
    assert list(texts_shared) == list(texts_alone) == [f"q{number}" for number in range(41)]
    assert files_shared[1:] == rounded(files_alone[1:])
    assert said.count("data: 41 questions") == 1, "only the first process talks"
    assert len(list((tmp_path / "shared" / "cache").rglob("*.arrow"))) == 1


# -- what ranks do together --------------------------------------------------------------------------------------

SCRIPT = """
import sys, io, pathlib
import numpy as np, torch
from headstart import distribution
from headstart.distribution import connected, silence_others

silence_others()
folder = pathlib.Path(sys.argv[1])
distribution.CHUNK = 1000
with connected(torch.device("cpu")) as ranks:
    assert ranks.size == 2 and ranks.local_rank == ranks.rank
    with ranks.first_goes_first():
        if ranks.rank == 0:
            (folder / "cache").write_text("ready")
        assert (folder / "cache").read_text() == "ready"
    numbers = np.array([[1.5, np.nan if ranks.rank else 0.0], [0.0, ranks.rank]])
    ranks.add_up(numbers)
    assert numbers.tolist()[0][0] == 3.0 and np.isnan(numbers[0, 1]) and numbers[1].tolist() == [0.0, 1.0]
    for content in (b"", b"abc", bytes(range(256)) * 20):
        found = b"".join(ranks.gathered(io.BytesIO(content)))
        assert found == (content if ranks.rank == 0 else b"")
    with connected(torch.device("cpu")) as again:
        assert again.rank == ranks.rank, "a group that is there is used"
    ranks.wait()
    try:
        with ranks.first_goes_first():
            raise ValueError("on every rank")
    except ValueError:
        print("rank", ranks.rank, "goes on")
"""


def test_ranks_wait_for_each_other_and_exchange_what_they_have(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    assert run(*TORCHRUN, script, tmp_path, cache=tmp_path).stdout == "rank 0 goes on\n"


def test_one_process_is_alone_and_waits_for_nobody():
    with connected(torch.device("cpu")) as ranks:
        assert ranks is ALONE
        assert not torch.distributed.is_initialized()
        with ranks.first_goes_first():
            ranks.wait()
        numbers = np.array([1.0])
        ranks.add_up(numbers)
        assert (numbers.tolist(), ranks.share("abc"), ranks.is_first) == ([1.0], "abc", True)


@given(st.integers(0, 50), st.integers(1, 9))
def test_shares_are_all_items_in_order_and_equally_many(count, size):
    items = list(range(count))
    shares = [Ranks(rank, size).share(items) for rank in range(size)]
    assert [item for share in shares for item in share] == items
    lengths = [len(share) for share in shares]
    assert max(lengths) - min(lengths) <= 1
    assert shares[0] or not items, "the first begins the files"
