"""The documentation is kept true: commands parse and run, Python runs, data can be read, links lead somewhere."""

from __future__ import annotations

import argparse
import importlib.util
import io
import os
import re
import shlex
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from headstart import read_questions
from headstart.cli.main import VERBS, build_parser, main
from headstart.cli.options import given_values
from headstart.encoders import PACKAGE, SHORT_NAME
from headstart.settings import EvaluateSettings, HardwareSettings, Settings, TrainSettings, build, flag

ROOT = Path(__file__).parents[1]
USER_DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
DOCUMENTS = [*USER_DOCUMENTS, ROOT / "CONTRIBUTING.md"]

SETTINGS: dict[str, type[Settings]] = {"train": TrainSettings, "evaluate": EvaluateSettings, "ask": HardwareSettings}
TINY = {"train": ["--max-steps", "2", "--limit", "20"], "evaluate": ["--limit", "20"]}


# -- reading the documents ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fence:
    """A fenced block: where it stands, its language and what is in it."""

    document: str
    line: int
    section: str
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.document}:{self.line}"


def fences(path: Path) -> Iterator[Fence]:
    section, language, begun, lines = "", None, 0, []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if language is None and line.startswith("```"):
            language, begun, lines = line[3:].strip(), number, []
        elif language is not None and line == "```":
            yield Fence(path.name, begun, section, language, "\n".join(lines) + "\n")
            language = None
        elif language is not None:
            lines.append(line)
        elif line.startswith("#"):
            section = line.lstrip("# ")
    assert language is None, f"{path.name}: the block of line {begun} is never closed"


FENCES = [fence for path in DOCUMENTS for fence in fences(path)]


def prose(path: Path) -> str:
    """A document without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def headstart_commands(text: str) -> Iterator[list[str]]:
    """The words after `headstart` of every command of a shell block, wherever in a pipe it stands."""
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.shlex(line.removeprefix("$ "), posix=True, punctuation_chars="|>&;")
        words.whitespace_split = True
        words.commenters = "#"
        part: list[str] = []
        for word in [*words, "|"]:
            if not set(word) <= set("|>&;"):
                part.append(word)
                continue
            part = part[next((n for n, one in enumerate(part) if "=" not in one), 0) :]  # behind NAME=value
            if part[:1] == ["headstart"]:
                yield part[1:]
            part = []


COMMANDS = [
    pytest.param(words, id=f"{fence}-{number}")
    for fence in FENCES
    if fence.language in ("console", "bash")
    for number, words in enumerate(headstart_commands(fence.text))
]


def test_commands_are_found_in_pipes_and_over_several_lines() -> None:
    text = '$ cat a.txt | headstart ask DIR -q "Who | what?" --json > b.json\n$ A=1 headstart \\\n    score  # now\n'
    assert list(headstart_commands(text)) == [["ask", "DIR", "-q", "Who | what?", "--json"], ["score"]]
    assert len(COMMANDS) > 20


# -- commands ----------------------------------------------------------------------------------------------------


def parse(words: list[str]) -> argparse.Namespace:
    parsed, unknown = build_parser(words[0]).parse_known_args(words)
    assert not unknown
    return parsed


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_parses(words: list[str]) -> None:
    parsed = parse(words)
    kind = SETTINGS.get(words[0])
    if kind is None:
        return
    elsewhere: dict[str, Any] = {}
    if getattr(parsed, "config", None) or getattr(parsed, "resume", False):
        elsewhere = {"model": "encoder", "train": ["train.json"], "output": "runs/other"}
    build(kind, {**elsewhere, **given_values(parsed, kind)})


def options_of(verb: str) -> set[str]:
    parser = build_parser(verb)
    chosen = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    names = {name for action in chosen.choices[verb]._actions for name in action.option_strings}
    return {name for name in names if name.startswith("--")}


@pytest.mark.parametrize("verb", VERBS)
def test_every_flag_is_explained(verb: str) -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in USER_DOCUMENTS)
    mentioned = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text))
    assert options_of(verb) - mentioned == set()


@pytest.mark.parametrize("path", USER_DOCUMENTS, ids=lambda path: path.name)
def test_every_flag_in_the_text_exists(path: Path) -> None:
    known = set.union(*map(options_of, VERBS))
    spans = " ".join(re.findall(r"`([^`\n]+)`", prose(path)))
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", spans)) - known == set()


# -- settings ----------------------------------------------------------------------------------------------------


def default_rows(path: Path) -> dict[str, str]:
    """Flag → default, from the tables with the columns flag, default, explanation."""
    return dict(re.findall(r"^\| `--([a-z-]+)` \| ([^|]*?) \| [^|]+ \|$", prose(path), flags=re.MULTILINE))


def shown(name: str) -> set[str]:
    """How a table may write the default of a training setting."""
    field = TrainSettings.model_fields[name]
    if field.is_required():
        return {"needed"}
    if field.default is False:
        return {"off"}
    if field.default in (None, [], {}):
        return {"none", "(data)", "(model)", "(user)"}
    whole = isinstance(field.default, float) and field.default.is_integer()
    return {f"`{field.default}`"} | ({f"`{field.default:g}`"} if whole else set())


@pytest.mark.parametrize("path", USER_DOCUMENTS, ids=lambda path: path.name)
def test_defaults_in_tables_are_the_real_ones(path: Path) -> None:
    rows = {flag.replace("-", "_"): default for flag, default in default_rows(path).items()}
    wrong = {name: default for name, default in rows.items() if name != "config" and default not in shown(name)}
    assert wrong == {}


def test_every_training_setting_stands_in_a_table() -> None:
    listed = {f"--{name}" for name in default_rows(ROOT / "docs" / "training.md")}
    assert listed == {flag(name) for name in TrainSettings.model_fields} | {"--config"}


@pytest.mark.parametrize("fence", [fence for fence in FENCES if fence.language == "yaml"], ids=str)
def test_config_files_are_accepted(fence: Fence, tmp_path: Path) -> None:
    from headstart.settings import read_config

    path = tmp_path / "config.yaml"
    path.write_text(fence.text, encoding="utf-8")
    build(TrainSettings, read_config(path))


# -- running -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FirstSteps:
    """A folder in which the README's first steps were taken, and what each of its commands printed."""

    folder: Path
    encoder: str
    printed: dict[str, str]


ENCODERS = ["tiny", pytest.param("packaged", marks=pytest.mark.slow)]


@pytest.fixture(scope="module", params=ENCODERS)
def first_steps(
    request: pytest.FixtureRequest, tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FirstSteps]:
    if request.param == "packaged" and importlib.util.find_spec(PACKAGE) is None:
        pytest.skip(f"the packaged encoder ({PACKAGE}, extra offline) is not installed")
    encoder = SHORT_NAME if request.param == "packaged" else str(tiny_bert)
    folder = tmp_path_factory.mktemp("first-steps")
    environment = dict(os.environ)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield FirstSteps(folder, encoder, dict(run_first_steps(encoder)))
    os.environ.clear()  # what the command line sets for itself is not for other tests
    os.environ.update(environment)


def run_first_steps(encoder: str) -> Iterator[tuple[str, str]]:
    """Every command as it is written, only shorter."""
    for fence in FENCES:
        if (fence.document, fence.section, fence.language) != ("README.md", "First steps", "console"):
            continue
        for words in headstart_commands(fence.text):
            words = [encoder if word == SHORT_NAME else word for word in words] + TINY.get(words[0], [])
            output, messages = io.StringIO(), io.StringIO()
            with redirect_stdout(output), redirect_stderr(messages):
                code = main(words)
            assert code == 0, f"{words}: {messages.getvalue()}"
            yield words[0], output.getvalue()


def test_first_steps_run(first_steps: FirstSteps) -> None:
    assert list(first_steps.printed) == ["train", "evaluate", "ask", "score"]
    assert "saved to runs/first" in first_steps.printed["train"]
    assert "20 questions" in first_steps.printed["evaluate"]
    assert first_steps.printed["ask"].startswith("Who built the bridge?")
    assert "HasAns_f1" in first_steps.printed["score"]
    written = {path.name for path in (first_steps.folder / "runs" / "first" / "evaluation").iterdir()}
    assert written == {"metrics.json", "predictions.json", "nbest_predictions.json", "null_odds.json"}


def test_the_run_folder_is_as_described(first_steps: FirstSteps) -> None:
    top = first_steps.folder / "runs" / "first"
    found = {path.name + "/" * path.is_dir() for path in top.iterdir()} - {"run/"}
    found |= {f"run/{path.name}" for path in (top / "run").iterdir()}
    section = prose(ROOT / "docs" / "training.md").split("## The run folder")[1].split("\n## ")[0]
    first_cells = " ".join(re.findall(r"^\| (`[^|]+) \|", section, flags=re.MULTILINE))
    assert found == set(re.findall(r"`([^`]+)`", first_cells))


PYTHON = [fence for fence in FENCES if fence.language == "python"]


@pytest.mark.parametrize("fence", PYTHON, ids=str)
def test_python_runs(fence: Fence, first_steps: FirstSteps, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is written, in the folder of the first steps; only training is shortened."""
    import headstart
    from headstart.training import train

    def short_train(settings: TrainSettings, **options: Any) -> Any:
        tiny = {"model": first_steps.encoder, "max_steps": 1, "limit": 10}
        return train(settings.model_copy(update=tiny), **options)

    monkeypatch.setattr(headstart, "train", short_train)
    monkeypatch.chdir(first_steps.folder)
    output = io.StringIO()
    with redirect_stdout(output):
        exec(compile(fence.text, str(fence), "exec"), {"__name__": "documentation"})
    assert bool(output.getvalue()) == ("print(" in fence.text)


EXAMPLES = [
    fence for fence in FENCES if fence.document == "data.md" and fence.language in ("json", "jsonl", "csv", "tsv")
]


@pytest.mark.parametrize("fence", EXAMPLES, ids=str)
def test_data_examples_can_be_read(fence: Fence, tmp_path: Path) -> None:
    path = tmp_path / f"example.{fence.language}"
    path.write_text(fence.text, encoding="utf-8")
    data = read_questions([str(path)])
    assert data.examples
    assert data.problems == ()


# -- links -------------------------------------------------------------------------------------------------------


def anchors(path: Path) -> set[str]:
    """The names by which headings can be linked to, as they are made on code hosts."""
    titles = re.findall(r"^#+ (.+)$", prose(path), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []
