"""Which columns of a source hold words and tags: by name in tables, by number in files with a word a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from headstart.data.column_names import among, doubtful_column, missing_column, plain, quoted, wished_columns
from headstart.data.conll import CONLLU, Block, Form, is_numbered
from headstart.data.offsets import short
from headstart.data.records import Origin
from headstart.errors import DataError

COLUMNS: Final = ("id", "words", "tags")
"""The names by which columns can be mapped."""

# all without case and marks, as `plain` makes them
IDS: Final = ("id", "sentid", "guid", "uid")
WORDS: Final = ("words", "tokens", "word", "token", "form")
TAGS: Final = ("tags", "nertags", "postags", "upos", "xpos", "ner", "pos", "tag", "labels", "label", "chunktags")


@dataclass(frozen=True, slots=True)
class WordLayout:
    """Which of a table's columns holds what; None where none does. `text` is what the words were cut from."""

    id: str | None
    words: str
    tags: str | None
    text: str | None


@dataclass(frozen=True, slots=True)
class Places:
    """Which fields of a line hold the word and its tag, counted from 0; `id` is the comment that names a sentence."""

    word: int
    tag: int | None
    id: str
    has_header: bool = False


def find_word_layout(names: Sequence[str], origin: Origin) -> WordLayout:
    """Find our columns among the names of a table.

    >>> find_word_layout(["id", "tokens", "ner_tags"], Origin("a.jsonl", "a"))
    WordLayout(id='id', words='tokens', tags='ner_tags', text=None)

    Raises:
        DataError: a column is missing, or several could be meant.
    """
    wished = wished_columns(COLUMNS, names, origin)
    left = [name for name in names if name not in wished.values()]
    words = wished.get("words") or _only(among(left, WORDS), "words", origin)
    if words is None:
        raise missing_column("a column words, a list in each row,", names, "words", origin)
    tags = wished.get("tags") or _only([name for name in among(left, TAGS) if name != words], "tags", origin)
    if tags is None and origin.labelled:
        raise missing_column("a column tags, a list in each row,", names, "tags", origin)
    name = wished.get("id") or next(iter(among(left, IDS)), None)
    return WordLayout(name, words, tags, "text" if "text" in left else None)


def _only(candidates: list[str], ours: str, origin: Origin) -> str | None:
    """The one candidate; our own name wins, and UPOS over XPOS as in CoNLL-U."""
    if len(candidates) > 1 and candidates[0] != ours and candidates != ["upos", "xpos"]:
        raise doubtful_column(ours, candidates, {ours: candidates[0]}, origin)
    return candidates[0] if candidates else None


def find_places(form: Form, blocks: Sequence[Block], origin: Origin) -> Places:
    """Find word and tag in the lines of a file; `blocks` are its first sentences.

    Without wishes the word is the first field and the tag the last, in CoNLL-U FORM and UPOS.

    Raises:
        DataError: the file has no such column, or its columns are in doubt.
    """
    first = blocks[0].rows[0][1] if blocks else []
    if form.is_conllu:
        names, word, tag = list(CONLLU), 1, 3
    elif is_header(first):
        names = [plain(name) for name in first]
        word = names.index(among(names, WORDS)[0])
        tag = form.width - 1
    else:
        names, word, tag = [], 0, form.width - 1
        _refuse_counted(form, blocks, origin)
    places = {"words": word, "tags": tag if tag != word else None}
    for ours in ("words", "tags"):
        if (wish := origin.wish(ours)) is not None:
            places[ours] = _place(ours, wish, names, first, form, origin)
    if places["tags"] is None and origin.labelled:
        found = f"{origin.label} with one column: {short(first[0] if first else '')}"
        raise DataError("columns of words and of tags", found, "separate word and tag by a tab or a blank")
    assert places["words"] is not None
    identity = origin.wish("id") or "sent_id"
    return Places(places["words"], places["tags"], identity, bool(names) and not form.is_conllu)


def is_header(fields: Sequence[str]) -> bool:
    """Whether fields are the names of columns of words and tags."""
    names = [plain(field) for field in fields]
    return bool(among(names, WORDS) and among(names, TAGS))


def _place(ours: str, wish: str, names: Sequence[str], first: Sequence[str], form: Form, origin: Origin) -> int:
    if wish.isdecimal() and 1 <= int(wish) <= form.width:
        return int(wish) - 1
    if plain(wish) in names:
        return names.index(plain(wish))
    known = f"the names {', '.join(names)} or " if names else ""
    found = f"{ours}={wish} for {origin.label}, whose first line has {quoted(first)}"
    remedy = f"count the columns from 1, for example --columns {ours}={1 if ours == 'words' else form.width}"
    raise DataError(f"{known}a column number from 1 to {form.width}", found, remedy)


def _refuse_counted(form: Form, blocks: Sequence[Block], origin: Origin) -> None:
    """A first column that counts the words is not what anyone wants to read as words."""
    if origin.wish("words") is None and form.width > 2 and is_numbered(blocks):
        found = f"{origin.label}, whose first column counts the words: {quoted(blocks[0].rows[0][1])}"
        remedy = f"give the columns by number, for example --columns words=2 tags={form.width}"
        raise DataError("words in the first column", found, remedy)
