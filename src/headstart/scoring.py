"""Anyone's prediction file against anyone's reference file: what `headstart score` prints.

The official scripts never look at offsets or contexts, so neither does this: gold texts count exactly as published,
also those that training would refuse because the context does not hold them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from headstart.data import read_questions
from headstart.errors import DataError, SettingsError
from headstart.metrics.squad import Rules, SquadScore, score_squad

__all__ = ["score_files"]

_JSON_SUFFIXES = (".json", ".jsonl", ".ndjson")


@dataclass(frozen=True, slots=True)
class _Question:
    """What scoring needs to know of a question."""

    id: str
    golds: tuple[str, ...]
    is_impossible: bool
    place: str


def score_files(
    predictions: Path,
    references: Sequence[str],
    *,
    null_odds: Path | None = None,
    threshold: float | None = None,
    rules: Literal["auto", "1.1", "2.0"] = "auto",
) -> SquadScore:
    """Score a file of predicted texts by the official SQuAD rules.

    Args:
        predictions: JSON `{id: text}` as run_qa and the official script know it, or a list or JSON lines of
            `{"id", "prediction_text"}`, with `"no_answer_probability"` if there are odds.
        references: official nested SQuAD files, JSON or JSON lines of `{"id", "answers"}` (no context needed), or
            anything that training reads. The order of the sources is the order of summation.
        null_odds: JSON `{id: number}`, on any scale; preferred to probabilities in the prediction file.
        threshold: odds above it turn a prediction into "no answer"; None is the official script's default, 1.0.
        rules: "auto" follows 2.0 where a question has no answer or the file calls itself version 2, else 1.1.

    Raises:
        DataError: a file cannot be read, an id occurs twice, or predictions and references share no id.
        SettingsError: a threshold without odds, or odds with rules 1.1.

    >>> import tempfile
    >>> predictions, gold = Path(tempfile.mkdtemp(), "predictions.json"), Path(tempfile.mkdtemp(), "gold.json")
    >>> _ = predictions.write_text('{"q1": "in Paris", "q2": ""}')
    >>> _ = gold.write_text('[{"id": "q1", "answers": ["Paris"]}, {"id": "q2", "answers": []}]')
    >>> score_files(predictions, [str(gold)]).scores["f1"]
    83.33333333333333
    """
    golds, followed = _read_references(references)
    texts, odds = _read_predictions(predictions)
    if rules != "auto":
        followed = rules
    if null_odds is not None:
        odds = _read_odds(null_odds)
    elif followed == "1.1":
        odds = None  # probabilities that merely came along; the 1.1 script knows none
    if threshold is not None and odds is None:
        raise SettingsError("a threshold only together with no-answer odds", "no odds", "give the null odds file")
    _check_same_ids(texts, golds, predictions)
    return score_squad(
        golds, texts, rules=followed, no_answer_odds=odds, threshold=1.0 if threshold is None else threshold
    )


# --- predictions ------------------------------------------------------------------------------------------------


def _read_predictions(path: Path) -> tuple[dict[str, str], dict[str, float] | None]:
    """Predicted texts, and no-answer odds if the file holds any."""
    document = _load(path)
    if isinstance(document, dict) and not {"id", "prediction_text"} <= document.keys():
        return {key: _text(value, f"{path}, id {key!r}") for key, value in document.items()}, None
    if not isinstance(document, (list, dict)):
        raise DataError(f"an object {{id: text}} in {path}", _kind(document), "give the file of predictions")
    texts: dict[str, str] = {}
    odds: dict[str, float] = {}
    for number, value in enumerate(document if isinstance(document, list) else [document]):
        place = f"{path}, row {number}"
        key, row = _identified(value, place)
        if key in texts:
            raise DataError(f"one prediction for each id in {path}", f"{key!r} again in row {number}", "keep one")
        texts[key] = _text(row.get("prediction_text"), f"{place}, id {key!r}")
        if "no_answer_probability" in row:
            odds[key] = _number(row["no_answer_probability"], f"{place}, id {key!r}")
    return texts, odds or None


def _read_odds(path: Path) -> dict[str, float]:
    document = _load(path)
    if not isinstance(document, dict):
        raise DataError(f"an object {{id: number}} in {path}", _kind(document), "give null_odds.json")
    return {key: _number(value, f"{path}, id {key!r}") for key, value in document.items()}


def _text(value: object, place: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        remedy = "give predictions.json, with one text for each id, not the n-best list"
    else:
        remedy = 'write the predicted text, "" for no answer'
    raise DataError(f"a text in {place}", _kind(value), remedy)


def _number(value: object, place: str) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        return value
    found = str(value) if isinstance(value, float) else _kind(value)
    raise DataError(f"a finite number in {place}", found, "give the odds that belong to the predictions")


def _check_same_ids(texts: Mapping[str, str], golds: Mapping[str, object], path: Path) -> None:
    if golds and not texts.keys() & golds.keys():
        found = f"ids such as {next(iter(texts))!r}" if texts else "no predictions"
        wanted = f"predictions for questions such as {next(iter(golds))!r} in {path}"
        raise DataError(wanted, found, "one of the two is probably the wrong file: give those that belong together")


# --- references -------------------------------------------------------------------------------------------------


def _read_references(sources: Sequence[str]) -> tuple[dict[str, tuple[str, ...]], Rules]:
    """Gold texts in the order of the files, and the rules that suit them."""
    seen: dict[str, _Question] = {}
    is_version_2 = False
    for source in sources:
        is_json = Path(source).suffix.lower() in _JSON_SUFFIXES
        document = _load(Path(source)) if is_json else None
        version = document.get("version") if isinstance(document, dict) else None
        is_version_2 |= str(version).lower().removeprefix("v").startswith("2")
        for question in _questions(document, source):
            if question.id in seen:
                found = f"{question.id!r} in {seen[question.id].place} and in {question.place}"
                raise DataError("one question for each id", found, "remove or rename one, or score the files apart")
            seen[question.id] = question
    golds = {key: question.golds for key, question in seen.items()}
    any_impossible = any(question.is_impossible or not question.golds for question in seen.values())
    return golds, "2.0" if is_version_2 or any_impossible else "1.1"


def _questions(document: object, source: str) -> Iterator[_Question]:
    """The questions of a source: by its own form where we know it, else by the reader that training uses."""
    rows = document["data"] if isinstance(document, dict) and isinstance(document.get("data"), list) else document
    if isinstance(rows, dict):
        rows = [rows]  # JSON lines of a single line
    if not isinstance(rows, list):
        return _through_training_reader(source)
    if any(isinstance(row, dict) and "paragraphs" in row for row in rows):
        return _nested(rows, source)
    if rows and all(isinstance(row, dict) and {"id", "answers"} <= row.keys() for row in rows):
        return (_question(row, f"{source}, row {number}") for number, row in enumerate(rows))
    return _through_training_reader(source)


def _nested(articles: Sequence[object], source: str) -> Iterator[_Question]:
    for a, article in enumerate(articles):
        in_article = f"{source}, article {a}"
        for p, paragraph in enumerate(_list_under(article, "paragraphs", in_article)):
            in_paragraph = f"{in_article}, paragraph {p}"
            for q, row in enumerate(_list_under(paragraph, "qas", in_paragraph)):
                yield _question(row, f"{in_paragraph}, question {q}")


def _through_training_reader(source: str) -> Iterator[_Question]:
    for example in read_questions([source], role="validation").examples:
        golds = tuple(answer.text for answer in example.answers or ())
        yield _Question(example.id, golds, example.is_impossible, example.place or source)


def _question(value: object, place: str) -> _Question:
    key, row = _identified(value, place)
    is_impossible = row.get("is_impossible") is True
    answers = row.get("answers", [] if is_impossible else None)
    golds = _gold_texts(answers)
    if golds is None:
        found = f"answers {json.dumps(answers, ensure_ascii=False)[:80]}" if "answers" in row else "no answers"
        remedy = "score against a labelled file; an empty list stands for a question without an answer"
        raise DataError(f"a list of answers, each with a text, in {place}, id {key!r}", found, remedy)
    return _Question(key, golds, is_impossible, place)


def _gold_texts(answers: object) -> tuple[str, ...] | None:
    """The texts of the official form `[{"text": …}]` or the hub's `{"text": […]}`, untouched."""
    texts = answers.get("text") if isinstance(answers, dict) else answers
    if not isinstance(texts, list):
        return None
    values = [text.get("text") if isinstance(text, dict) else text for text in texts]
    golds = tuple(value for value in values if isinstance(value, str))
    return golds if len(golds) == len(values) else None


# --- JSON -------------------------------------------------------------------------------------------------------


def _load(path: Path) -> object:
    """A JSON document, or the list of the documents of JSON lines."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"UTF-8 text in {path}", f"{error.reason} at byte {error.start}", "save it as UTF-8") from error
    except OSError as error:
        raise DataError(f"a readable file {path}", error.strerror or str(error), "check the path") from error
    first, _, rest = text.partition("\n")
    if not (rest.strip() and _is_object(first)):
        return _parse(text, str(path))
    lines = enumerate(text.split("\n"), 1)
    return [_parse(line, f"{path}, line {number}") for number, line in lines if line.strip()]


def _is_object(line: str) -> bool:
    """Whether a first line stands for itself, so that the others must too."""
    try:
        return isinstance(json.loads(line), dict)
    except json.JSONDecodeError:
        return False


def _parse(text: str, place: str) -> object:
    try:
        return json.loads(text, object_pairs_hook=lambda pairs: _distinct(pairs, place))
    except json.JSONDecodeError as error:
        found = f"{error.msg} at line {error.lineno}, column {error.colno}" if text.strip() else "nothing"
        raise DataError(f"JSON in {place}", found, "check that the file is complete") from error


def _distinct(pairs: list[tuple[str, object]], place: str) -> dict[str, object]:
    """An object whose keys occur once each: JSON itself would keep the last in silence."""
    document = dict(pairs)
    if len(document) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise DataError(f"every key once in an object of {place}", f"{twice!r} twice", "keep one")
    return document


# --- values -----------------------------------------------------------------------------------------------------


def _identified(value: object, place: str) -> tuple[str, dict[str, object]]:
    """A record with its id as text: files exist whose ids are numbers."""
    if not isinstance(value, dict):
        raise DataError(f"an object with an id in {place}", _kind(value), "write one object for each question")
    key = value.get("id")
    if isinstance(key, bool) or not isinstance(key, (str, int)):
        found = (
            f"{_kind(key)} as id" if "id" in value else f"keys {', '.join(map(repr, value)) or 'of an empty object'}"
        )
        raise DataError(f"an id in {place}", found, "give every question its id, a text or a whole number")
    return str(key), value


def _list_under(container: object, key: str, place: str) -> list[object]:
    found = container.get(key) if isinstance(container, dict) else container
    if not isinstance(container, dict) or not isinstance(found, list):
        raise DataError(f"a list {key!r} in {place}", _kind(found), "nest as data → paragraphs → qas → answers")
    return found


def _kind(value: object) -> str:
    """A JSON value's kind in words."""
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null or nothing"}
    return kinds.get(type(value), "a number")
