"""Options: closed against unknown keys, checked with their flag named, the same in flags and config files."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from headstart.errors import SettingsError
from headstart.settings import (
    AskSettings,
    EvaluateSettings,
    HardwareSettings,
    TrainSettings,
    build,
    flag,
    read_config,
    verb,
)

NEEDED = {"model": "m", "train": ["t.json"], "output": "out"}
EVERY = [TrainSettings, EvaluateSettings, AskSettings]


def train(**values) -> TrainSettings:
    return build(TrainSettings, {**NEEDED, **values})


def refusal(**values) -> str:
    with pytest.raises(SettingsError) as refused:
        train(**values)
    return str(refused.value)


def test_what_must_be_given_is_enough():
    settings = train()
    assert (settings.model, settings.train, settings.output) == ("m", ["t.json"], Path("out"))
    assert (settings.max_length, settings.doc_stride, settings.seed) == (384, 128, 42)
    assert settings.learning_rate is None


@pytest.mark.parametrize("missing", sorted(NEEDED))
def test_what_is_missing_is_named_with_its_flag(missing):
    with pytest.raises(SettingsError, match=f"a value for --{missing}; found none in mine.yaml"):
        build(TrainSettings, {key: value for key, value in NEEDED.items() if key != missing}, source="mine.yaml")


@pytest.mark.parametrize(
    ("key", "meant"), [("learning_rat", "learning_rate"), ("max_len", "max_length"), ("outptu", "output")]
)
def test_an_unknown_key_is_refused_with_the_one_that_was_meant(key, meant):
    message = refusal(**{key: 1})
    assert f"the unknown key {key!r}" in message
    assert f"did you mean {meant!r}?" in message


def test_a_key_like_no_other_is_refused_too():
    assert "`headstart train --help` lists them" in refusal(zzz=1)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"learning_rate": "fast"}, "--learning-rate"),
        ({"learning_rate": 0}, "--learning-rate"),
        ({"max_length": 7}, "--max-length"),
        ({"max_length": "12.5"}, "--max-length"),
        ({"doc_stride": -1}, "--doc-stride"),
        ({"num_train_epochs": 0}, "--num-train-epochs"),
        ({"gradient_accumulation_steps": 0}, "--gradient-accumulation-steps"),
        ({"attention_dropout": 1}, "--attention-dropout"),
        ({"precision": "fp8"}, "--precision"),
        ({"answers": "second"}, "--answers"),
        ({"on_bad_data": "ignore"}, "--on-bad-data"),
        ({"task": "qq"}, "--task"),
        ({"train": []}, "--train"),
        ({"train": "t.json"}, "--train"),
        ({"columns": {"question": 3}}, "--columns"),
        ({"resume": "perhaps"}, "--resume"),
        ({"null_threshold": "high"}, "--null-threshold"),
        ({"save_total_limit": 0}, "--save-total-limit"),
        ({"seed": -1}, "--seed"),
        ({"limit": 0}, "--limit"),
    ],
)
def test_wrong_types_and_ranges_are_named_with_their_flag_and_what_was_given(values, named):
    (given,) = values.values()
    message = refusal(**values)
    assert message.startswith(f"expected {named}: ")
    assert "`headstart train --help`" in message
    if named != "--columns":
        assert repr(given) in message


def test_texts_of_a_command_line_become_numbers():
    settings = train(learning_rate="3e-5", max_length="200", warmup_steps="0.06", null_threshold="-1.5")
    assert (settings.learning_rate, settings.max_length) == (3e-5, 200)
    assert (settings.warmup_steps, settings.null_threshold) == (0.06, -1.5)


def test_settings_cannot_be_changed_afterwards():
    with pytest.raises(ValueError, match="frozen"):
        train().seed = 1


@pytest.mark.parametrize("settings", EVERY)
def test_every_field_has_a_help_text_and_a_group(settings):
    for name, field in settings.model_fields.items():
        assert field.description, name
        assert len(field.description) > 8, name
        assert not field.description.endswith("."), f"{name}: help texts are phrases"
        assert isinstance(field.json_schema_extra, dict), name
        assert field.json_schema_extra["group"], name


@pytest.mark.parametrize("settings", EVERY)
def test_every_default_passes_its_own_check(settings):
    needed = {"model": "m", "train": ["t"], "data": ["d"], "output": "o"}
    build(settings, {name: needed[name] for name, field in settings.model_fields.items() if field.is_required()})


def test_options_of_the_same_name_say_the_same_on_every_verb():
    for name, field in HardwareSettings.model_fields.items():
        for settings in EVERY:
            assert settings.model_fields[name].description == field.description
            assert settings.model_fields[name].default == field.default


def test_names_of_flags_and_verbs():
    names = ("seed", "max_length", "columns.question")
    assert [flag(name) for name in names] == ["--seed", "--max-length", "--columns"]
    assert [verb(settings) for settings in EVERY] == ["train", "evaluate", "ask"]


# -- config files ------------------------------------------------------------------------------------------------


def config(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_yaml_file_of_options(tmp_path):
    path = config(tmp_path, "# mine\nlearning_rate: 2e-4\nmax-length: 200\ntrain: [a.json, b.csv]\n")
    values = read_config(path)
    assert values == {"learning_rate": "2e-4", "max_length": 200, "train": ["a.json", "b.csv"]}
    assert train(**values).learning_rate == 2e-4, "YAML takes 2e-4, which has no point, for a text"


def test_json_is_yaml(tmp_path):
    assert read_config(config(tmp_path, '{"seed": 3, "columns": {"question": "query"}}')) == {
        "seed": 3,
        "columns": {"question": "query"},
    }


def test_settings_survive_a_config_file(tmp_path):
    settings = train(learning_rate=3e-5, columns={"question": "query"}, validation=["0.1"], attention_dropout=None)
    path = config(tmp_path, yaml.safe_dump(settings.model_dump(mode="json")))
    assert build(TrainSettings, read_config(path)) == settings


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1, 2", "a YAML config file"),
        ("a: b: c", "a YAML config file"),
        (b"\xff\xfe\x00", "a YAML config file"),
        ("- seed: 1\n", "lines such as `learning_rate: 3e-5`"),
        ("", "lines such as"),
        ("just text", "lines such as"),
    ],
)
def test_a_broken_config_file_is_named(tmp_path, text, message):
    path = config(tmp_path, text)
    with pytest.raises(SettingsError, match=message) as refused:
        read_config(path)
    assert "mine.yaml" in str(refused.value)


def test_a_missing_config_file_is_named(tmp_path):
    with pytest.raises(SettingsError, match=r"absent\.yaml: No such file.*--config"):
        read_config(tmp_path / "absent.yaml")
    with pytest.raises(SettingsError, match="--config"):
        read_config(tmp_path)


def test_none_is_a_word_for_the_published_attention_dropout():
    values = {"model": "m", "train": ["sample"], "output": "o", "attention_dropout": "none"}
    assert build(TrainSettings, values).attention_dropout is None
