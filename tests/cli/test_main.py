"""What every verb does the same way: help, hints, exit codes, where things are printed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from argparse import Namespace
from importlib import import_module
from pathlib import Path

import pytest

from headstart._version import __version__
from headstart.cli import ask, main, score
from headstart.cli.main import VERBS, Result
from headstart.errors import DataError, MissingExtraError, ModelError, SettingsError
from headstart.settings import AskSettings, EvaluateSettings, PredictSettings, TrainSettings, flag

SETTINGS = {"train": TrainSettings, "evaluate": EvaluateSettings, "ask": AskSettings, "predict": PredictSettings}


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch):
    """The command calms libraries through the environment: no other test is to notice."""
    monkeypatch.setattr(os, "environ", os.environ.copy())


@pytest.fixture
def files(tmp_path):
    """Flags of a `score` that works."""
    (tmp_path / "p.json").write_text('{"q1": "the Nile", "q2": "Ana"}')
    gold = [{"id": "q1", "answers": ["Nile"]}, {"id": "q2", "answers": ["Bo"]}, {"id": "q3", "answers": ["Zoë"]}]
    (tmp_path / "g.json").write_text(json.dumps(gold))
    return ["--predictions", str(tmp_path / "p.json"), "--references", str(tmp_path / "g.json")]


def exit_of(*words: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(words)
    return end.value.code


def run_alone(*words: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "headstart", *words], capture_output=True, text=True, **options)


# -- help --------------------------------------------------------------------------------------------------------


def test_help_lists_verbs_exit_codes_and_first_steps(capsys):
    assert exit_of("--help") == 0
    text = capsys.readouterr().out
    assert all(verb in text and about in text for verb, about in VERBS.items())
    assert "130 interrupted" in text
    assert "headstart train --model" in text


def test_no_verb_shows_the_help(capsys):
    assert main([]) == 0
    assert "verbs:" in capsys.readouterr().out


def test_version(capsys):
    assert exit_of("--version") == 0
    assert capsys.readouterr().out == f"headstart {__version__}\n"


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_a_verb_names_every_flag_and_gives_examples(verb, capsys):
    assert exit_of(verb, "--help") == 0
    text = capsys.readouterr().out
    wanted = ["--json", "--verbose", "--help", "--quiet" if verb != "ask" else "--silent"]
    if verb in SETTINGS:
        positional = {"evaluate": {"model"}, "predict": {"model"}}.get(verb, set())
        wanted += [flag(name) for name in SETTINGS[verb].model_fields if name not in positional]
    else:
        wanted += ["--predictions", "--references", "--null-odds", "--threshold", "--rules"]
    assert not [name for name in wanted if name not in text]
    assert f"examples:\n  headstart {verb} " in text


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_one_file_with_the_same_three_parts(verb):
    module = import_module(f"headstart.cli.{verb}")
    assert module.__doc__
    assert module.EXAMPLES.startswith("examples:\n")
    assert callable(module.add_arguments)
    assert callable(module.run)


def test_the_command_and_the_module_are_the_same():
    done = run_alone("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"headstart {__version__}\n", "")


# -- exit codes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["train", "--modle", "x"], "Did you mean --model?"),
        (["train", "--learning_rate", "1"], "Did you mean --learning-rate?"),
        (["score", "--predictions", "p", "--references", "r", "--nul-odds", "x"], "Did you mean --null-odds?"),
        (["evaluate", "DIR", "--data", "x", "--jsn"], "Did you mean --json?"),
    ],
)
def test_an_unknown_flag_is_2_with_a_hint(words, hint, capsys):
    assert exit_of(*words) == 2
    captured = capsys.readouterr()
    assert hint in captured.err
    assert f"`headstart {words[0]} --help`" in captured.err
    assert captured.out == ""


@pytest.mark.parametrize("words", [["trian"], ["ask"], ["score"], ["ask", "DIR"], ["evaluate"]])
def test_a_wrong_verb_and_missing_arguments_are_2(words, capsys):
    assert exit_of(*words) == 2
    assert capsys.readouterr().out == ""


def test_missing_settings_are_2_and_named(capsys):
    assert main(["train", "--model", "m", "--output", "o"]) == 2
    assert capsys.readouterr().err.startswith("headstart: expected a value for --train; found none")


def test_a_wrong_value_is_2_and_names_its_flag_and_verb(capsys):
    assert main(["ask", "DIR", "-q", "who", "--context", "c", "--precision", "fp8"]) == 2
    error = capsys.readouterr().err
    assert "--precision" in error
    assert "'fp8'" in error
    assert "`headstart ask --help`" in error


def test_a_wrong_file_is_3(files, tmp_path, capsys):
    assert main(["score", "--predictions", str(tmp_path / "absent.json"), *files[2:], "--json"]) == 3
    captured = capsys.readouterr()
    assert captured.err.startswith("headstart: expected ")
    assert "absent.json" in captured.err
    assert captured.out == ""


@pytest.mark.parametrize(
    ("error", "code"), [(SettingsError, 2), (DataError, 3), (ModelError, 4), (MissingExtraError, 5)]
)
def test_every_refusal_is_its_exit_code_and_one_line_on_standard_error(error, code, files, monkeypatch, capsys):
    def refuse(*_):
        raise error("tea", "coffee", "boil water")

    monkeypatch.setattr(score, "run", refuse)
    assert main(["score", *files, "--json"]) == code
    assert capsys.readouterr() == ("", "headstart: expected tea; found coffee. What to do: boil water.\n")


def interrupt(*_):
    raise KeyboardInterrupt


def test_ctrl_c_is_130_without_a_traceback(files, monkeypatch, capsys):
    monkeypatch.setattr(score, "run", interrupt)
    assert main(["score", *files]) == 130
    captured = capsys.readouterr()
    assert "headstart: interrupted." in captured.err
    assert "Traceback" not in captured.err
    assert "--resume" not in captured.err


def test_ctrl_c_while_training_says_how_to_go_on(monkeypatch, capsys):
    from headstart.cli import train

    monkeypatch.setattr(train, "run", interrupt)
    assert main(["train", "--model", "m"]) == 130
    assert "--resume" in capsys.readouterr().err


def test_an_unexpected_error_is_not_hidden(files, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(score, "run", fail)
    with pytest.raises(ZeroDivisionError):
        main(["score", *files])


def test_a_pipe_that_is_closed_early_is_no_error(files):
    """`headstart … | head`: nobody reads any more, which is fine, and no traceback tells of it."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as closed:
        done = subprocess.run(
            [sys.executable, "-m", "headstart", "score", *files, "--json"],
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


# -- what is printed where ---------------------------------------------------------------------------------------


def test_json_is_one_document_and_nothing_else(files, capsys):
    assert main(["score", *files, "--json"]) == 0
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert document["missing"] == ["q3"]
    assert document["exact_match"] == pytest.approx(100 / 3)
    assert captured.err == "warning: 1 without a prediction, counted wrong: q3\n"


def test_text_is_for_people(files, capsys):
    assert main(["score", *files]) == 0
    captured = capsys.readouterr()
    assert "f1           33.33" in captured.out
    with pytest.raises(json.JSONDecodeError):
        json.loads(captured.out)


def test_letters_are_printed_as_they_are(monkeypatch, files, capsys):
    monkeypatch.setattr(score, "run", lambda *_: Result({"answer": "Zoë 东"}, "Zoë"))
    main(["score", *files, "--json"])
    assert "Zoë 东" in capsys.readouterr().out


@pytest.mark.parametrize(("words", "level"), [([], 1), (["--verbose"], 2), (["-v"], 2), (["--quiet"], 0), (["-q"], 0)])
def test_loudness(words, level, files, monkeypatch):
    heard = []
    monkeypatch.setattr(score, "run", lambda _, messages: heard.append(messages.level) or Result({}, ""))
    main(["score", *files, *words])
    assert heard == [level]


def test_verbose_and_quiet_exclude_each_other(files):
    assert exit_of("score", *files, "--verbose", "--quiet") == 2


# -- asking: the parts that need no model ------------------------------------------------------------------------

CONTEXT = (
    "Ana Ruiz built the bridge over the Duero in 1874, and no one then alive thought that it would stand for so long."
)


class Terminal:
    """Standard output that is a terminal, or is none."""

    def __init__(self, *, tty: bool) -> None:
        self.tty = tty

    def isatty(self) -> bool:
        return self.tty


@pytest.mark.parametrize(
    ("tty", "no_color", "coloured"), [(True, "", True), (True, "1", False), (False, "", False), (False, "1", False)]
)
def test_colour_only_on_terminals_and_not_against_no_color(tty, no_color, coloured, monkeypatch, tmp_path):
    from headstart import answering
    from headstart.tasks.question_replies import Reply

    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setattr(sys, "stdout", Terminal(tty=tty))
    reply = Reply("Who?", "Ana Ruiz", 0.5, 0, 8, ())
    monkeypatch.setattr(answering, "load", lambda *_, **__: lambda **___: [reply])
    arguments = Namespace(
        model="m", question=["Who?"], context=CONTEXT, context_file=None, null_threshold=None, n_best=3
    )
    text = ask.run(arguments, None).text
    assert ("\x1b[" in text) is coloured
    assert ("[Ana Ruiz]" in text) is not coloured


def test_an_answer_is_shown_in_its_surroundings():
    start = CONTEXT.index("1874")
    shown = ask._surroundings(CONTEXT, start, start + 4, colour=False)
    assert shown.startswith("Ana Ruiz built the bridge over the Duero in [1874], and no one then alive")
    assert shown.endswith(" …")
    assert ask._surroundings(CONTEXT, len(CONTEXT) - 5, len(CONTEXT), colour=False).startswith("… ")


@pytest.mark.parametrize(
    ("words", "message", "code"),
    [
        (["--context", "  "], "nothing in --context", 3),
        (["--context-file", "absent.txt"], "absent.txt: No such file", 3),
        (["--context", CONTEXT, "--n-best", "0"], "--n-best of at least 1", 2),
    ],
)
def test_questions_that_cannot_be_asked(words, message, code, capsys):
    assert main(["ask", "DIR", "-q", "Who?", *words]) == code
    assert message in capsys.readouterr().err


def test_a_text_file_that_is_not_utf8_is_named(tmp_path, capsys):
    path = tmp_path / "latin.txt"
    path.write_bytes("Zoë".encode("latin-1"))
    assert main(["ask", "DIR", "-q", "Who?", "--context-file", str(path)]) == 3
    assert "latin.txt, byte 2" in capsys.readouterr().err


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path):
    path = tmp_path / "windows.txt"
    path.write_bytes(b"\xef\xbb\xbfZo\xc3\xab\r\nAna")
    assert ask._read(Path(path)) == "Zoë\r\nAna"


def test_context_and_context_file_exclude_each_other():
    assert exit_of("ask", "DIR", "-q", "Who?", "--context", "a", "--context-file", "b") == 2


def test_a_missing_model_is_4(capsys, tmp_path):
    assert main(["ask", str(tmp_path / "absent"), "-q", "Who?", "--context", CONTEXT]) == 4
    captured = capsys.readouterr()
    assert captured.err.startswith("headstart: expected a model folder or a hub id")
    assert captured.out == ""
