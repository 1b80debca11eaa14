"""Hub data sets, against a small stand-in hub on loopback that answers just what loading a data set asks for."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

import headstart.errors
from headstart.data import read_questions
from headstart.data.hub import HubId, choose_split, parse_hub_id
from headstart.errors import DataError

COMMIT = "0123456789abcdef0123456789abcdef01234567"
MOST_REQUESTS = 60
MOVED = {"squad": "rajpurkar/squad", "squad_v2": "rajpurkar/squad_v2", "questions": "ada/questions"}


def row(name: str, *texts: str) -> dict[str, Any]:
    context = f"It was Ada who wrote note {name}."
    answers = {"text": list(texts), "answer_start": [context.index(text) for text in texts]}
    return {"id": name, "title": "Ada", "context": context, "question": "Who wrote it?", "answers": answers}


REPOSITORIES: dict[str, dict[str, dict[str, list[dict[str, Any]]]]] = {  # name → configuration → split → rows
    "rajpurkar/squad": {
        "plain_text": {
            "train": [row(f"t{number}", "Ada") for number in range(5)],
            "validation": [row("v0", "Ada", "It was Ada")],
        }
    },
    "rajpurkar/squad_v2": {
        "squad_v2": {"train": [row("t0", "Ada"), row("t1")], "validation": [row("v0"), row("v1", "Ada")]}
    },
    "ada/questions": {
        "long": {"train": [row("l0", "Ada")], "test": [row("l1", "Ada")]},
        "short": {"dev": [row("s0", "Ada")]},
    },
    "nyu-mll/glue": {
        "sst2": {
            "train": [{"sentence": "a fine film", "label": 1}, {"sentence": "a bad film", "label": 0}],
            "test": [{"sentence": "a film", "label": -1}],
        }
    },
    "ada/odd": {"default": {"easy": [row("e0", "Ada")], "hard": [row("h0", "Ada")]}},
}


def parquet_with_features(rows: list[dict[str, Any]]) -> bytes:
    """As the hub holds GLUE: the names of the labels stand in the schema."""
    import datasets

    names = datasets.ClassLabel(names=["negative", "positive"])
    features = datasets.Features({"sentence": datasets.Value("string"), "label": names})
    file = io.BytesIO()
    datasets.Dataset.from_list(rows, features=features).to_parquet(file)
    return file.getvalue()


def parquet(rows: list[dict[str, Any]]) -> bytes:
    import pyarrow
    import pyarrow.parquet

    if "sentence" in rows[0]:
        return parquet_with_features(rows)
    answers = pyarrow.struct(
        [("text", pyarrow.list_(pyarrow.string())), ("answer_start", pyarrow.list_(pyarrow.int32()))]
    )
    fields = [(name, pyarrow.string()) for name in ("id", "title", "context", "question")]
    table = pyarrow.Table.from_pylist(rows, schema=pyarrow.schema([*fields, ("answers", answers)]))
    file = io.BytesIO()
    pyarrow.parquet.write_table(table, file)
    return file.getvalue()


def card(configurations: dict[str, dict[str, Any]]) -> bytes:
    """The head of a data set's README, from which `datasets` learns the configurations and their files."""
    lines = ["---", "configs:"]
    for name, splits in configurations.items():
        lines += [f"- config_name: {name}", "  data_files:"]
        for split in splits:
            lines += [f"  - split: {split}", f"    path: {name}/{split}-*"]
    return "\n".join([*lines, "---", ""]).encode()


def repository_files(configurations: dict[str, dict[str, list[dict[str, Any]]]]) -> dict[str, bytes]:
    files = {"README.md": card(configurations)}
    for name, splits in configurations.items():
        for split, rows in splits.items():
            files[f"{name}/{split}-00000-of-00001.parquet"] = parquet(rows)
    return files


class StandInHub(ThreadingHTTPServer):
    """Serves REPOSITORIES and counts what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {name: repository_files(configurations) for name, configurations in REPOSITORIES.items()}
        self.requests: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 20
    server: StandInHub

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.server.requests.append(f"{self.command} {path}")
        if len(self.server.requests) > MOST_REQUESTS:
            return self.answer(429, b"")
        for bare, full in MOVED.items():
            for start in (f"/datasets/{bare}/", f"/api/datasets/{bare}/"):
                if f"{path}/".startswith(start):
                    return self.answer(
                        307, b"", {"Location": self.path.replace(f"datasets/{bare}", f"datasets/{full}", 1)}
                    )
        for name, files in self.server.files.items():
            if path.startswith(f"/datasets/{name}/resolve/"):
                return self.send_file(files, path.split("/resolve/")[1].partition("/")[2])
            if path.startswith(f"/api/datasets/{name}/tree/"):
                return self.send_tree(files, path.split("/tree/")[1].partition("/")[2])
            if path == f"/api/datasets/{name}" or path.startswith(f"/api/datasets/{name}/revision/"):
                return self.send_json({"id": name, "sha": COMMIT, "siblings": [{"rfilename": one} for one in files]})
        return self.answer(404, b"", {"X-Error-Code": "RepoNotFound"})

    def do_HEAD(self) -> None:
        self.do_GET()

    def send_file(self, files: dict[str, bytes], path: str) -> None:
        if path not in files:
            return self.answer(404, b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT})
        tag = f'"{hashlib.sha256(files[path]).hexdigest()}"'
        return self.answer(200, files[path], {"ETag": tag, "X-Repo-Commit": COMMIT})

    def send_tree(self, files: dict[str, bytes], folder: str) -> None:
        inside = {path: data for path, data in files.items() if path.rpartition("/")[0] == folder}
        found: list[dict[str, Any]] = [
            {"type": "file", "path": path, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
            for path, data in inside.items()
        ]
        if not folder:
            folders = sorted({path.partition("/")[0] for path in files if "/" in path})
            found += [{"type": "directory", "path": name, "size": 0, "oid": COMMIT} for name in folders]
        return self.send_json(found)

    def send_json(self, value: object) -> None:
        self.answer(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Say nothing on standard error."""


@pytest.fixture
def hub() -> Iterator[StandInHub]:
    with StandInHub() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join(timeout=10)


READ = """
import dataclasses, json, sys
from headstart.data import guess_task, read_questions, read_texts
from headstart.errors import DataError

for source, options in json.loads(sys.argv[1]):
    try:
        is_text = source.startswith("glue")
        data = (read_texts if is_text else read_questions)([source], **options)
        task = guess_task([source]).reason if is_text else None
    except DataError as error:
        print(json.dumps({"error": str(error)}))
    else:
        ids = {one.id: one.label if is_text else [answer.text for answer in one.answers] for one in data.examples}
        places = [one.place for one in data.examples]
        print(json.dumps({"ids": ids, "places": places, "counts": data.counts, "task": task,
                          "sources": [dataclasses.asdict(one) for one in data.sources]}))
"""


def read(home: Path, endpoint: str, *wanted: tuple[str, dict[str, Any]], **more: str) -> list[dict[str, Any]]:
    """Read in a process of its own: the libraries take endpoint and cache from the environment once, at import."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    source_folder = str(Path(headstart.errors.__file__).parents[1])
    environment = {
        **kept, "HF_ENDPOINT": endpoint, "HF_HOME": str(home), "PYTHONPATH": source_folder,
        "HF_HUB_DISABLE_TELEMETRY": "1", "NO_PROXY": "127.0.0.1", **more,
    }  # fmt: skip
    command = [sys.executable, "-c", READ, json.dumps(wanted)]
    done = subprocess.run(command, env=environment, cwd=home, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


TRAIN = {"role": "train"}
VALIDATION = {"role": "validation"}


def test_squad_by_its_bare_name(hub: StandInHub, tmp_path: Path) -> None:
    wanted = [("squad", TRAIN), ("squad", VALIDATION), ("squad@train[:2]", VALIDATION), ("rajpurkar/squad", TRAIN)]
    train, validation, part, full = read(tmp_path, hub.address, *wanted)
    assert train["ids"] == {f"t{number}": ["Ada"] for number in range(5)}
    assert train["places"][3] == "squad@train, row 3"
    assert validation["ids"] == {"v0": ["Ada", "It was Ada"]}
    assert list(part["ids"]) == ["t0", "t1"]
    assert part["places"] == ["squad@train[:2], row 0", "squad@train[:2], row 1"]
    assert full["ids"] == train["ids"]
    assert full["sources"][0]["name"] == "rajpurkar/squad@train"
    (source,) = train["sources"]
    assert (source["name"], source["split"], source["format"], source["rows"]) == ("squad@train", "train", "hub", 5)
    prints = [one["sources"][0]["fingerprint"] for one in (train, validation, part, full)]
    assert len(set(prints[:3])) == 3
    assert prints[3] == prints[0]
    assert all(one["counts"] == {} for one in (train, validation, part, full))
    assert 0 < len(hub.requests) <= MOST_REQUESTS


def test_squad_v2_has_questions_without_answer(hub: StandInHub, tmp_path: Path) -> None:
    train, validation = read(tmp_path, hub.address, ("squad_v2", TRAIN), ("squad_v2", VALIDATION))
    assert train["ids"] == {"t0": ["Ada"], "t1": []}
    assert validation["ids"] == {"v0": [], "v1": ["Ada"]}


def test_configurations_and_splits_of_other_names(hub: StandInHub, tmp_path: Path) -> None:
    wanted = [
        ("ada/questions:long", TRAIN), ("ada/questions:long", VALIDATION), ("ada/questions:short", VALIDATION),
        ("ada/questions", TRAIN), ("ada/odd", TRAIN), ("ada/odd@hard", VALIDATION), ("questions:short@dev", TRAIN),
        ("ada/nothing", TRAIN),
    ]  # fmt: skip
    train, test, dev, no_config, no_split, hard, bare, nothing = read(tmp_path, hub.address, *wanted)
    assert list(train["ids"]) == ["l0"]
    assert list(test["ids"]) == ["l1"]
    assert test["counts"] == {"other split": 1}
    assert list(dev["ids"]) == ["s0"]
    assert dev["sources"][0]["split"] == "dev"
    assert "long" in no_config["error"]
    assert "name:config" in no_config["error"]
    assert "a split named train" in no_split["error"]
    assert "ada/odd@easy" in no_split["error"]
    assert list(hard["ids"]) == ["h0"]
    assert list(bare["ids"]) == ["s0"]
    assert "'ada/nothing'" in nothing["error"]
    assert "doesn't exist" in nothing["error"]


def test_glue_by_its_bare_name(hub: StandInHub, tmp_path: Path) -> None:
    unlabelled = {**VALIDATION, "labelled": False}
    train, test, refused = read(
        tmp_path, hub.address, ("glue:sst2", TRAIN), ("glue:sst2", unlabelled), ("glue:sst2@test", VALIDATION)
    )
    assert train["ids"] == {"glue:0": "positive", "glue:1": "negative"}
    assert train["task"] == "columns sentence, label with the names of 2 labels"
    assert test["ids"] == {"glue:0": None}
    assert "label is -1 in every row" in refused["error"]


def test_what_was_loaded_before_is_read_without_a_network(hub: StandInHub, tmp_path: Path) -> None:
    (online,) = read(tmp_path, hub.address, ("squad", TRAIN))
    asked = len(hub.requests)
    offline, unknown = read(tmp_path, hub.address, ("squad", TRAIN), ("ada/questions", TRAIN), HF_HUB_OFFLINE="1")
    assert offline["ids"] == online["ids"]
    assert offline["sources"][0]["fingerprint"] == online["sources"][0]["fingerprint"]
    for word in (hub.address, "HF_ENDPOINT", "HF_HUB_OFFLINE", "as a file"):
        assert word in unknown["error"]
    assert len(hub.requests) == asked


def test_a_network_failure_says_what_was_tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import datasets

    def unreachable(*arguments: object, **options: object) -> None:
        raise ConnectionError("Couldn't reach 'ada/questions' on the Hub\n  for once")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(datasets, "load_dataset", unreachable)
    monkeypatch.setenv("HF_ENDPOINT", "http://mirror.example")
    with pytest.raises(DataError) as caught:
        read_questions(["ada/questions@train"])
    assert caught.value.expected == "a data set that can be loaded as 'ada/questions@train'"
    assert "http://mirror.example" in caught.value.found
    assert "split train" in caught.value.found
    assert "ConnectionError: Couldn't reach 'ada/questions' on the Hub for once" in caught.value.found


@pytest.mark.parametrize("source", ["", "a b", "a/b/c", "@train", "a@", "a:@train", "-a", "a/b:c/d"])
def test_what_is_no_hub_id(source: str) -> None:
    assert parse_hub_id(source) is None


def test_parts_of_a_hub_id() -> None:
    assert parse_hub_id("a.b/c-d:e_f@g+h[10%:]") == HubId("a.b/c-d", "e_f", "g+h[10%:]")


def test_choice_of_splits() -> None:
    assert choose_split(["test", "validation"], "validation", "x") == ("validation", None)
    split, note = choose_split(["train", "test"], "validation", "x")
    assert split == "test"
    assert note is not None
    assert "test is read instead" in note
    with pytest.raises(DataError, match="splits dev, test"):
        choose_split(["dev", "test"], "train", "x")
