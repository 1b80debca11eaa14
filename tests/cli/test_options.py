"""Flags are made from the settings, one each, and give back what was said on the line."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from headstart.cli.options import add_settings, given_values
from headstart.errors import SettingsError
from headstart.settings import AskSettings, EvaluateSettings, Settings, TrainSettings, build, flag, option

VERBS = [TrainSettings, EvaluateSettings, AskSettings]


def parser_of(settings: type[Settings], **options) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    add_settings(parser, settings, **options)
    return parser


def given(line: str, settings: type[Settings] = TrainSettings) -> dict[str, object]:
    return given_values(parser_of(settings).parse_args(line.split()), settings)


@pytest.mark.parametrize("settings", VERBS)
def test_every_field_is_a_flag_with_its_help(settings):
    text = " ".join(parser_of(settings).format_help().split())
    for name, field in settings.model_fields.items():
        assert f"{flag(name)} " in text
        assert " ".join(field.description.split()) in text or "-" in field.description


def test_what_is_not_given_stays_out():
    assert given("--seed 3") == {"seed": "3"}
    assert given("") == {}


def test_several_values_follow_one_flag_and_flags_repeat():
    assert given("--train a.json b.csv --train c.tsv")["train"] == ["a.json", "b.csv", "c.tsv"]
    assert given("--report-to tensorboard wandb")["report_to"] == ["tensorboard", "wandb"]


def test_switches_take_no_value():
    assert given("--resume --gradient-checkpointing") == {"resume": True, "gradient_checkpointing": True}


def test_columns_are_pairs():
    assert given("--columns question=query context=a=b") == {"columns": {"question": "query", "context": "a=b"}}


@pytest.mark.parametrize("pair", ["question", "=query", "question="])
def test_a_column_without_its_pair_is_refused(pair):
    with pytest.raises(SettingsError, match="--columns ours=yours.*found '" + pair):
        given(f"--columns {pair}")


def test_the_dropout_of_the_published_model():
    values = {"model": "m", "train": ["t"], "output": "o", **given("--attention-dropout none")}
    assert build(TrainSettings, values).attention_dropout is None


def test_flags_are_not_abbreviated():
    with pytest.raises(SystemExit):
        given("--learn 3")


def test_a_negative_number_is_a_value():
    assert given("--null-threshold -1.5") == {"null_threshold": "-1.5"}


def test_a_positional_field_is_no_flag():
    parser = parser_of(EvaluateSettings, positional=("model",))
    assert "--model" not in parser.format_help()
    assert given_values(parser.parse_args(["runs/first"]), EvaluateSettings) == {"model": "runs/first"}


def test_the_line_and_the_settings_agree():
    line = "--model m --train a b --output o --learning-rate 3e-5 --max-length 100 --doc-stride 20 --limit 7"
    settings = build(TrainSettings, given(line))
    assert (settings.train, settings.output) == (["a", "b"], Path("o"))
    assert (settings.learning_rate, settings.max_length, settings.doc_stride, settings.limit) == (3e-5, 100, 20, 7)


class Sample(Settings):
    """Options of every kind."""

    share: float = option(0.5, "about 50% of it", "group one")
    many: list[str] = option(..., "sources", "group two", min_length=1)
    perhaps: int | None = option(None, "a number or none", "group two")


def test_help_shows_defaults_groups_and_per_cent_signs():
    text = parser_of(Sample).format_help()
    assert "group one:" in text
    assert "group two:" in text
    assert "about 50% of it (default: 0.5)" in text
    assert "sources (required)" in text
    assert "a number or none (default" not in text
