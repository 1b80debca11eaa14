"""The documentation is kept true: commands parse and run, Python runs, data can be read, links lead somewhere."""

from __future__ import annotations

import argparse
import importlib.util
import io
import json
import os
import re
import shlex
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from headstart import read_questions, read_texts, read_words
from headstart.cli.main import VERBS, build_parser, main
from headstart.cli.options import given_values
from headstart.data import guess_task
from headstart.encoders import PACKAGE, SHORT_NAME
from headstart.recipe import MOST_TOKENS
from headstart.settings import AskSettings, EvaluateSettings, PredictSettings, Settings, TrainSettings, build, flag
from headstart.tasks import TASKS

ROOT = Path(__file__).parents[1]
USER_DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
DOCUMENTS = [*USER_DOCUMENTS, ROOT / "CONTRIBUTING.md"]

SETTINGS: dict[str, type[Settings]] = {
    "train": TrainSettings,
    "evaluate": EvaluateSettings,
    "predict": PredictSettings,
    "ask": AskSettings,
}
TINY = {"train": ["--max-steps", "2", "--limit", "20"], "evaluate": ["--limit", "20"]}


# -- reading the documents ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fence:
    """A fenced block: where it stands, its language, the name of the file it shows, if any, and what is in it."""

    document: str
    line: int
    section: str
    language: str
    name: str
    text: str

    def __str__(self) -> str:
        return f"{self.document}:{self.line}"


def fences(path: Path) -> Iterator[Fence]:
    section, language, begun, lines = "", None, 0, []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if language is None and line.startswith("```"):
            language, begun, lines = line[3:].strip(), number, []
        elif language is not None and line == "```":
            first, _, name = language.partition(" ")
            yield Fence(path.name, begun, section, first, name, "\n".join(lines) + "\n")
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
    assert echoed('$ echo \'{"text": "Who?"}\' | headstart predict DIR') == '{"text": "Who?"}\n'


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
class Ran:
    """A command that was run, and what it printed."""

    section: str
    words: list[str]
    output: str


@dataclass(frozen=True)
class FirstSteps:
    """A folder in which the README's first steps were taken, and then the examples of the page on tasks."""

    folder: Path
    encoder: str
    readme: list[Ran]
    tasks: list[Ran]


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
        write_files("tasks.md", folder)
        readme = list(run_commands("README.md", ["First steps"], encoder))
        yield FirstSteps(folder, encoder, readme, list(run_commands("tasks.md", TRIED, encoder)))
    os.environ.clear()  # what the command line sets for itself is not for other tests
    os.environ.update(environment)


TRIED = [
    "A text has a label",
    "A pair of texts has a label",
    "Two texts have a number",
    "Words have tags",
    "Skewed data",
    "What predict writes",
]


def write_files(document: str, folder: Path) -> None:
    """The files that a page shows, by the names it gives them."""
    for fence in FENCES:
        if fence.document == document and fence.name:
            (folder / fence.name).write_text(fence.text, encoding="utf-8")


def run_commands(document: str, sections: list[str], encoder: str) -> Iterator[Ran]:
    """Every command of some sections as it is written, only shorter."""
    for fence in FENCES:
        if fence.document == document and fence.section in sections and fence.language == "console":
            for line in fence.text.replace("\\\n", " ").splitlines():
                for words in headstart_commands(line):
                    words = [encoder if word == SHORT_NAME else word for word in words] + TINY.get(words[0], [])
                    yield Ran(fence.section, words, run_command(words, echoed(line)))


def run_command(words: list[str], typed: str) -> str:
    output, messages = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(output), redirect_stderr(messages):
        patch.setattr("sys.stdin", io.StringIO(typed))
        code = main(words)
    assert code == 0, f"{words}: {messages.getvalue()}"
    return output.getvalue()


def echoed(line: str) -> str:
    """What `echo … |` hands to the command behind it."""
    words = shlex.split(line.removeprefix("$ "))
    return words[1] + "\n" if words[0] == "echo" else ""


def test_first_steps_run(first_steps: FirstSteps) -> None:
    printed = {ran.words[0]: ran.output for ran in first_steps.readme}
    assert list(printed) == ["train", "evaluate", "ask", "score"]
    assert "saved to runs/first" in printed["train"]
    assert "20 questions" in printed["evaluate"]
    assert printed["ask"].startswith("Who built the bridge?")
    assert "HasAns_f1" in printed["score"]
    written = {path.name for path in (first_steps.folder / "runs" / "first" / "evaluation").iterdir()}
    assert written == {"metrics.json", "predictions.json", "nbest_predictions.json", "null_odds.json"}


def test_the_examples_of_every_task_run(first_steps: FirstSteps) -> None:
    assert {ran.section for ran in first_steps.tasks} == set(TRIED)
    found = {
        path.parent.name: json.loads(path.read_text(encoding="utf-8"))["task"]
        for path in (first_steps.folder / "runs").glob("*/headstart.json")
        if path.parent.name in ("reviews", "follows", "alike", "names")
    }
    tasks = {"reviews": "classification", "follows": "classification", "alike": "regression", "names": "tagging"}
    assert found == tasks  # none of the commands names its task
    assert len((first_steps.folder / "alike.jsonl").read_text(encoding="utf-8").splitlines()) == 8


def section(document: str, title: str) -> str:
    """A section of a page, without its blocks."""
    text = prose(ROOT / "docs" / document).split(f"\n## {title}\n")[1]
    return text.split("\n## ")[0]


def rows_by_task(text: str) -> dict[str, str]:
    """Task → the rest of its row in a table."""
    return dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", text, flags=re.MULTILINE))


def described_fields() -> dict[str, list[str]]:
    """Task → the fields that the page on tasks says `predict` writes."""
    rows = rows_by_task(section("tasks.md", "What predict writes"))
    return {task: re.findall(r"`([a-z]\w*)`", fields) for task, fields in rows.items()}


@pytest.mark.parametrize(
    ("file", "model"), [("reviews.tsv", "reviews"), ("alike.csv", "alike"), ("names.conll", "names")]
)
def test_predict_writes_what_is_described(
    file: str, model: str, first_steps: FirstSteps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(first_steps.folder)
    [record, *_] = map(json.loads, run_command(["predict", f"runs/{model}", "--data", file], "").splitlines())
    task = json.loads(Path("runs", model, "headstart.json").read_text(encoding="utf-8"))["task"]
    inner = [one for value in record.values() if isinstance(value, list) for one in value]
    found = {name for one in (record, *inner) for name in one} - {"id"}
    assert found - {"type", "text"} == set(described_fields()[task]) - {"type", "text"}  # no entity, no type


def test_the_scores_of_every_task_are_described() -> None:
    rows = rows_by_task(section("tasks.md", "Scores"))
    assert list(rows) != []
    for name, task in TASKS.items():
        assert set(task.metrics) <= set(re.findall(r"`(\w+)`", rows[name])), name


def test_the_differences_between_tasks_are_the_real_ones() -> None:
    rows = re.findall(r"^\| (.*) \|$", section("tasks.md", "What changes between tasks"), flags=re.MULTILINE)
    table = {title: cells for title, *cells in (row.split(" | ") for row in rows)}
    tasks = [TASKS[cell.strip("`")] for cell in table["task"]]
    assert set(tasks) == set(TASKS.values())
    heads, batches = table["class in transformers: `AutoModelFor…`"], table["a batch, unless told otherwise"]
    for task, head, metric, batch in zip(tasks, heads, table["best model by"], batches, strict=True):
        assert task.head == "AutoModelFor" + re.findall(r"`(\w+)`", head)[0]
        assert (task().metric or "f1") == re.findall(r"`(\w+)`", metric)[0]  # of tags it follows from the data
        assert batch.startswith(f"{task.batch} " if task.batch else f"{MOST_TOKENS:,} tokens")


def test_the_run_folder_is_as_described(first_steps: FirstSteps) -> None:
    top = first_steps.folder / "runs" / "first"
    found = {path.name + "/" * path.is_dir() for path in top.iterdir()} - {"run/"}
    found |= {f"run/{path.name}" for path in (top / "run").iterdir()}
    first_cells = " ".join(re.findall(r"^\| (`[^|]+) \|", section("training.md", "The run folder"), flags=re.MULTILINE))
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


READERS = {
    "qa": read_questions,
    "classification": read_texts,
    "regression": partial(read_texts, numbers=True),
    "tagging": read_words,
}
FORMATS = ("json", "jsonl", "csv", "tsv", "conll", "conllu")
EXAMPLES = [fence for fence in FENCES if fence.document in ("data.md", "tasks.md") and fence.language in FORMATS]


@pytest.mark.parametrize("fence", EXAMPLES, ids=str)
def test_data_examples_can_be_read(fence: Fence, tmp_path: Path) -> None:
    """And it is told without doubt which task they are for."""
    path = tmp_path / f"example.{fence.language}"
    path.write_text(fence.text, encoding="utf-8")
    data = READERS[guess_task([str(path)]).name]([str(path)])
    assert data.examples
    assert [problem for problem in data.problems if problem.kind != "columns inferred"] == []


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
