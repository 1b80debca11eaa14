"""JSON and JSON lines, told apart by what the file holds rather than by its name."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from headstart.data.contents import Nested, Row, Table
from headstart.data.records import Origin, Problem
from headstart.data.squad import is_squad
from headstart.errors import DataError

_WRAP: Final = 'wrap it as the official files are: {"version": "1.1", "data": [{"title": "…", "paragraphs": […]}]}'


def read_json(text: str, origin: Origin) -> tuple[str, Table | Nested]:
    """Read the text of a JSON or JSON lines file: the format found and what it holds."""
    try:
        if _is_lines(text, origin.label):
            return "jsonl", Table(list(_line_rows(text, origin)))
        document = json.loads(text)
    except json.JSONDecodeError as error:
        found = f"{origin.label}, line {error.lineno}, column {error.colno}: {error.msg}"
        raise DataError("JSON", found, "mend that place, or make the file again") from error
    except (RecursionError, ValueError) as error:  # endless nesting; a number of thousands of digits
        raise DataError("JSON", f"{origin.label}: {error}", "make the file again") from error
    return _read_document(document, origin)


def _is_lines(text: str, label: str) -> bool:
    """Whether each line is a document of its own.

    A complete object on the first line with more behind it can be nothing else. Where the first line is broken
    the name of the file decides, unless it holds the mere beginning of a document.
    """
    first, _, rest = text.strip().partition("\n")
    if not rest:
        return False
    try:
        return isinstance(json.loads(first), dict)
    except ValueError:
        return _names_lines(label) and first.strip() not in ("{", "[")


def _names_lines(label: str) -> bool:
    return label.lower().removesuffix(".gz").endswith((".jsonl", ".ndjson"))


def _line_rows(text: str, origin: Origin) -> Iterator[Row]:
    number = 0
    for line, content in enumerate(text.split("\n"), start=1):  # splitlines() would split at U+2028 inside a text
        if not content.strip():
            continue
        place = f"{origin.label}, row {number}, line {line}"
        yield Row(number, place, _parse_line(content, place))
        number += 1


def _parse_line(content: str, place: str) -> Any:
    try:
        return json.loads(content)
    except json.JSONDecodeError as error:
        found, remedy = f"column {error.colno}: {error.msg}", "mend the line or take it out"
        return Problem(place, "", "broken JSON", found, remedy, left_out="example")
    except (RecursionError, ValueError) as error:
        return Problem(place, "", "broken JSON", str(error), "mend the line or take it out", left_out="example")


def _read_document(document: Any, origin: Origin) -> tuple[str, Table | Nested]:
    if is_squad(document):
        return "squad", Nested(document)
    return "json", Table(_rows(_list_of_rows(document, origin), origin))


def _rows(values: Iterable[Any], origin: Origin) -> list[Row]:
    return [Row(number, f"{origin.label}, row {number}", value) for number, value in enumerate(values)]


def _list_of_rows(document: Any, origin: Origin) -> list[Any]:
    """Find the list of rows in a document that is not the official form, or say what it looks like instead."""
    if not isinstance(document, (dict, list)):
        raise _wrong(origin, "a list of rows or an object", f"{json.dumps(document)[:60]}", _wrap(origin))
    if isinstance(document, list):
        _refuse_nested(document, origin, "the top level is a list")
        return document
    if isinstance(document.get("data"), list):
        _refuse_nested(document["data"], origin, 'the list "data"')
        return list(document["data"])
    if "data" in document:
        raise _wrong(origin, 'a list under the key "data"', f"{type(document['data']).__name__} there", _wrap(origin))
    return _lone_row(document, origin)


def _refuse_nested(values: list[Any], origin: Origin, where: str) -> None:
    """Articles or paragraphs standing one level too high are named as what they are."""
    first = next((value for value in values if isinstance(value, dict)), {})
    for key, thing in (("paragraphs", "articles"), ("qas", "paragraphs")):
        if key in first:
            found = f"{where} of {thing} (first keys: {_keys(first)})"
            expected = 'articles with "paragraphs" in the list "data" of an object, or flat rows'
            raise _wrong(origin, expected, found, _WRAP)


def _lone_row(document: dict[str, Any], origin: Origin) -> list[Any]:
    _refuse_nested([document], origin, "the top level is one")
    held = [document[name] for name in _telling(origin) if name in document]
    if held and all(_is_one_value(value, origin) for value in held):
        return [document]
    expected = 'a list of rows, or an object with the list "data"'
    if held:
        remedy = 'write one object per row (pandas: to_json(orient="records"))'
        raise _wrong(origin, expected, f"columns as keys ({_keys(document)})", remedy)
    if document and _names_lines(origin.label) and "version" not in document:
        return [document]
    lists = [key for key, value in document.items() if isinstance(value, list)]
    hint = (
        f"write the list under one of its keys ({', '.join(lists)}) into a file of its own" if lists else _wrap(origin)
    )
    raise _wrong(origin, expected, f"an object with the keys {_keys(document)}", hint)


def _wrap(origin: Origin) -> str:
    is_asked = "context" in origin.telling
    return _WRAP if is_asked else f'write the rows as a list: [{{"{origin.telling[0]}": …}}, …]'


def _telling(origin: Origin) -> set[str]:
    wished = {origin.wish(name) for name in ("question", "context", "text", "text_pair", "words")}
    return {name for name in wished if name} | set(origin.telling)


def _is_one_value(value: Any, origin: Origin) -> bool:
    """Whether a value belongs to one row, rather than being a whole column of values."""
    is_list_of_texts = isinstance(value, list) and all(isinstance(one, str) for one in value)
    return isinstance(value, str) or (origin.lists and is_list_of_texts)


def _keys(row: dict[str, Any]) -> str:
    names = [repr(key) for key in row]
    return ", ".join(names[:8]) + (", …" if len(names) > 8 else "") if names else "none"


def _wrong(origin: Origin, expected: str, found: str, remedy: str) -> DataError:
    return DataError(expected, f"{origin.label}: {found}", remedy)
