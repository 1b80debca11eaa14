"""The official nested SQuAD JSON, 1.1 and 2.0: articles → paragraphs → questions, and back."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, Literal, TypeGuard

from headstart.data.answers import MalformedAnswersError, raw_answers
from headstart.data.offsets import short
from headstart.data.records import ABSENT, Entry, Origin, Problem, RawQuestion
from headstart.errors import DataError
from headstart.examples import QuestionExample


def is_squad(document: Any) -> TypeGuard[dict[str, Any]]:
    """Whether a JSON document has the official nesting: some article with paragraphs in its list "data"."""
    data = document.get("data") if isinstance(document, dict) else None
    return isinstance(data, list) and any(isinstance(article, dict) and "paragraphs" in article for article in data)


def read_squad(document: dict[str, Any], origin: Origin) -> Iterator[Entry]:
    """Yield the questions of an official file in their order.

    A part that is not nested as it should be is yielded as a Problem, so that the rest can still be read.
    """
    questions = list(_questions(document, origin))
    if origin.labelled and questions and not any(_is_labelled(entry) for entry in questions):
        keys = sorted({key for entry in _paragraph_items(document) for key in entry})
        found = f"{origin.label}, where no question has them (keys of its questions: {', '.join(keys)})"
        raise DataError('"answers" at the questions', found, "use a labelled file; this one can only be asked")
    return iter(questions)


def _is_labelled(entry: Entry) -> bool:
    return isinstance(entry, RawQuestion) and (entry.answers is not None or entry.impossible is not ABSENT)


def _paragraph_items(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the question objects of the document, as far as it is well nested."""
    for article in document["data"]:
        for paragraph in article.get("paragraphs", ()) if isinstance(article, dict) else ():
            items = paragraph.get("qas", ()) if isinstance(paragraph, dict) else ()
            yield from (item for item in items if isinstance(item, dict))


def _questions(document: dict[str, Any], origin: Origin) -> Iterator[Entry]:
    for number, entry in enumerate(_walk(document["data"], origin.label)):
        if isinstance(entry, Problem):
            yield entry
        else:
            place, item, context, title = entry
            yield _question(place, f"{origin.stem}:{number}", item, context, title)


def _walk(articles: list[Any], label: str) -> Iterator[tuple[str, dict[str, Any], object, object] | Problem]:
    """Go down to the questions: place, question, context and title of each."""
    for a, article in enumerate(articles):
        for p, paragraph in enumerate(_list_in(article, "paragraphs", f"{label}, article {a}")):
            if isinstance(paragraph, Problem):
                yield paragraph
                continue
            place = f"{label}, article {a}, paragraph {p}"
            for q, item in enumerate(_list_in(paragraph, "qas", place)):
                if isinstance(item, Problem):
                    yield item
                elif isinstance(item, dict):
                    yield f"{place}, question {q}", item, paragraph.get("context", ABSENT), article.get("title")
                else:
                    yield _misplaced(f"{place}, question {q}", "a question object", item)


def _list_in(value: Any, key: str, place: str) -> list[Any]:
    """Return the list under `key`, or a list of the one Problem that it is not there."""
    if isinstance(value, dict) and isinstance(value.get(key), list):
        return list(value[key])
    return [_misplaced(place, f'an object with the list "{key}"', value)]


def _misplaced(place: str, expected: str, value: Any) -> Problem:
    found = f"the keys {', '.join(map(repr, value))}" if isinstance(value, dict) else short(value)
    return Problem(place, "", "wrong nesting", f"expected {expected}, found {found}", "nest it so", left_out="example")


def _question(place: str, made_up_id: str, item: dict[str, Any], context: object, title: object) -> Entry:
    try:
        answers = raw_answers(item["answers"]) if "answers" in item else None
    except MalformedAnswersError as error:
        name = str(item.get("id", made_up_id))
        return Problem(place, name, "wrong type", error.found, error.remedy, left_out="example")
    impossible = item.get("is_impossible", ABSENT)
    question, name = item.get("question", ABSENT), item.get("id", ABSENT)
    return RawQuestion(place, made_up_id, name, question, context, answers, impossible, title)


def write_squad(
    examples: Iterable[QuestionExample], path: str | os.PathLike[str], *, version: Literal["1.1", "v2.0"] = "v2.0"
) -> None:
    """Write examples as an official file; reading it gives the same examples in the same order.

    Neighbours of one title share an article, neighbours of one context a paragraph. Examples whose answers are
    unknown get no `answers`. The file appears whole or not at all.

    Raises:
        DataError: version 1.1 cannot hold a question without an answer.
    """
    articles = [_article(title, group, version) for title, group in groupby(examples, key=lambda one: one.title)]
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f"{target.name}.{os.getpid()}.unfinished")
    unfinished.write_bytes(json.dumps({"version": version, "data": articles}, ensure_ascii=False).encode())
    unfinished.replace(target)


def _article(title: str, examples: Iterable[QuestionExample], version: str) -> dict[str, Any]:
    paragraphs = [
        {"context": context, "qas": [_item(example, version) for example in group]}
        for context, group in groupby(examples, key=lambda example: example.context)
    ]
    return {"title": title, "paragraphs": paragraphs}


def _item(example: QuestionExample, version: str) -> dict[str, Any]:
    item: dict[str, Any] = {"id": example.id, "question": example.question}
    if example.answers is None:
        return item
    if version == "1.1" and example.is_impossible:
        remedy = "write version v2.0, or leave such questions out"
        raise DataError("questions that have an answer (SQuAD 1.1)", f"none at id {example.id!r}", remedy)
    item["answers"] = [{"text": answer.text, "answer_start": answer.start} for answer in example.answers]
    return item if version == "1.1" else {**item, "is_impossible": example.is_impossible}
