"""Everything said goes to standard error, as loud as asked for."""

from __future__ import annotations

import sys

import pytest

from headstart.messages import QUIET, Messages


def all_said(messages: Messages) -> None:
    messages.say("said")
    messages.detail("detail")
    messages.warn("odd")


@pytest.mark.parametrize(
    ("level", "heard"),
    [(0, ["warning: odd"]), (1, ["said", "warning: odd"]), (2, ["said", "detail", "warning: odd"])],
)
def test_levels(capsys, level, heard):
    all_said(Messages(level))
    captured = capsys.readouterr()
    assert captured.err.splitlines() == heard
    assert captured.out == ""


def test_quiet_warns_all_the_same(capsys):
    all_said(QUIET)
    assert capsys.readouterr().err == "warning: odd\n"


def test_progress_passes_everything_on_and_draws_nothing_where_nobody_watches(capsys):
    assert list(Messages(2).progress(iter("abc"), 3, "reading", "q")) == ["a", "b", "c"]
    assert capsys.readouterr() == ("", "")


def test_a_bar_is_drawn_on_a_terminal_on_standard_error(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert Messages().interactive
    assert list(Messages().progress([1, 2], 2, "reading", "q")) == [1, 2]
    captured = capsys.readouterr()
    assert "reading" in captured.err
    assert captured.out == ""


def test_quiet_draws_no_bar_even_on_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert not Messages(0).interactive
    assert list(Messages(0).progress([1], 1, "reading", "q")) == [1]
    assert capsys.readouterr().err == ""
