"""What `import headstart` offers, and that it costs nothing until it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import headstart

HEAVY = ("torch", "transformers", "datasets", "pyarrow", "pandas", "matplotlib", "accelerate", "tokenizers", "yaml")


def loaded_by(code: str) -> set[str]:
    """Which of the heavy packages a fresh interpreter has loaded after this code."""
    report = f"\nimport sys; print(','.join(name for name in {HEAVY} if name in sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code + report], capture_output=True, text=True, check=True)
    return set(done.stderr.strip().splitlines()[-1].split(",")) - {""} if done.stderr.strip() else set()


def help_of(*words: str) -> str:
    """Code that runs the command in-process and survives its exit."""
    return f"""
import runpy, sys
sys.argv = ["headstart", *{words!r}]
try:
    runpy.run_module("headstart", run_name="__main__")
except SystemExit as end:
    assert end.code == 0, end.code
"""


def test_names_are_sorted_and_listed():
    assert headstart.__all__ == sorted(headstart.__all__)
    assert dir(headstart) == headstart.__all__


@pytest.mark.parametrize("name", headstart.__all__)
def test_every_name_can_be_imported_and_has_a_docstring(name):
    value = getattr(headstart, name)
    assert name == "__version__" or value.__doc__


def test_names_that_load_late_are_the_ones_that_are_listed():
    assert {*headstart._HOMES, "__version__"} == set(headstart.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'headstart' has no attribute 'trian'"):
        headstart.trian  # noqa: B018  # reading it is what has to fail


def test_the_probe_sees_what_it_is_to_see():
    assert loaded_by("import yaml, tokenizers") == {"yaml", "tokenizers"}


def test_importing_loads_nothing():
    assert loaded_by("import headstart") == set()


def test_importing_writes_nothing_and_starts_nothing():
    code = """
import os, sys, threading, warnings
before = dict(os.environ), list(warnings.filters), threading.active_count(), list(sys.path)
import headstart
assert before == (dict(os.environ), list(warnings.filters), threading.active_count(), list(sys.path))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        ("--version",),
        ("train", "--help"),
        ("evaluate", "--help"),
        ("ask", "--help"),
        ("score", "--help"),
    ],
)
def test_help_loads_nothing_heavy(words):
    assert loaded_by(help_of(*words)) == set()


def test_errors_settings_and_data_need_no_torch():
    assert loaded_by("import headstart; headstart.HeadstartError, headstart.TrainSettings") == set()
    loaded = loaded_by("import headstart; headstart.score_files, headstart.read_questions")
    assert not loaded & {"torch", "transformers"}


def test_scoring_a_file_needs_no_torch(tmp_path):
    predictions, gold = tmp_path / "p.json", tmp_path / "g.json"
    predictions.write_text('{"q": "x"}')
    gold.write_text('[{"id": "q", "answers": ["x"]}]')
    run = help_of("score", "--predictions", str(predictions), "--references", str(gold))
    assert not loaded_by(run) & {"torch", "transformers", "datasets"}
