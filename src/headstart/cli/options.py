"""Settings → flags: the command line is made from the same classes that check a config file."""

from __future__ import annotations

import argparse
import types
import typing
from pathlib import Path
from typing import Any

from headstart.errors import SettingsError
from headstart.settings import Settings, flag

NOT_GIVEN = argparse.SUPPRESS


def add_settings(
    parser: argparse.ArgumentParser, settings: type[Settings], *, positional: tuple[str, ...] = ()
) -> None:
    """Add one flag per field. What is not given on the command line stays out of the result."""
    groups: dict[str, Any] = {}
    for name, field in settings.model_fields.items():
        extra = field.json_schema_extra
        group = str(extra.get("group", "options")) if isinstance(extra, dict) else "options"
        if group not in groups:
            groups[group] = parser.add_argument_group(group)
        kind, many = _kind(field.annotation)
        if name in positional:
            parser.add_argument(name, metavar=name.upper(), help=field.description)
            continue
        groups[group].add_argument(
            flag(name), dest=name, default=NOT_GIVEN, help=_help(field), **_form(name, kind, many, field.annotation)
        )


def _help(field: Any) -> str:
    """The description, with the default where it says something."""
    text = (field.description or "").replace("%", "%%")
    if field.is_required():
        return f"{text} (required)"
    shown = field.default not in (None, False, [], {}) and "default" not in text
    return f"{text} (default: {field.default})" if shown else text


def _kind(annotation: Any) -> tuple[Any, bool]:
    """The type of one value, and whether there are several."""
    options = [part for part in typing.get_args(annotation) if part is not type(None)]
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union:
        annotation = options[0]
    origin = typing.get_origin(annotation)
    if origin in (list, dict):
        return origin, True
    return annotation, False


def _form(name: str, kind: Any, many: bool, annotation: Any) -> dict[str, Any]:
    if kind is bool:
        return {"action": "store_true"}
    if kind is dict:
        return {"nargs": "+", "metavar": "OURS=YOURS"}
    if many:
        return {"nargs": "+", "metavar": "SOURCE" if name != "report_to" else "TARGET", "action": "extend"}
    if typing.get_origin(kind) is typing.Literal:
        return {"metavar": "{" + ",".join(map(str, typing.get_args(kind))) + "}"}
    return {"metavar": {int: "N", float: "X", Path: "PATH"}.get(kind, "NAME")}


def given_values(arguments: argparse.Namespace, settings: type[Settings]) -> dict[str, Any]:
    """What was given on the command line, by the names of the settings."""
    values = {name: value for name, value in vars(arguments).items() if name in settings.model_fields}
    if isinstance(values.get("columns"), list):
        values["columns"] = dict(map(_pair, values["columns"]))
    return values


def _pair(text: str) -> tuple[str, str]:
    ours, equals, theirs = text.partition("=")
    if not equals or not ours or not theirs:
        raise SettingsError("--columns ours=yours, such as question=query", repr(text), "put one = between the names")
    return ours, theirs
