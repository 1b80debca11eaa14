"""Content of a source → checked sentences of words with tags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from headstart.data.contents import Content, Lines, Nested, Table
from headstart.data.delimited import parse_tabs, read_delimited
from headstart.data.locating import WORD_FORMATS
from headstart.data.records import Diagnosis, Origin, Problem
from headstart.data.text_columns import refuse_nested
from headstart.data.word_checks import RawWords, examine_words
from headstart.data.word_columns import COLUMNS, is_header
from headstart.data.word_lines import read_lines
from headstart.data.word_rows import read_rows
from headstart.examples import WordsExample


@dataclass(slots=True)
class WordsReader:
    """Reads sentences of words, each word with a tag."""

    noun: ClassVar[str] = "sentences"
    columns: ClassVar[tuple[str, ...]] = COLUMNS
    formats: ClassVar[Mapping[str, str]] = WORD_FORMATS
    telling: ClassVar[tuple[str, ...]] = ("words", "tokens")
    lists: ClassVar[bool] = True

    irregular: int = 0  # sentences of the source read last with a tag that continues nothing
    first: WordsExample | None = None

    def read(self, content: Content, origin: Origin) -> Iterator[Diagnosis[WordsExample]]:
        """Check one sentence after the other."""
        self.irregular, self.first = 0, None
        return (self._diagnose(raw, origin) for raw in read_sentences(content, origin))

    def notes(self, origin: Origin) -> tuple[Problem, ...]:
        """Say how often an entity goes on that has not begun: no fault, but worth knowing."""
        if self.first is None:
            return ()
        assert self.first.tags is not None
        tag = first_irregular(self.first.tags)
        found = f"{self.irregular:,} sentences with a tag such as {tag!r} that continues nothing"
        remedy = "an entity begins there too, as conlleval has it; B- says so clearly"
        return (Problem(self.first.place, self.first.id, "irregular BIO", found, remedy),)

    def _diagnose(self, raw: RawWords | Problem, origin: Origin) -> Diagnosis[WordsExample]:
        if isinstance(raw, Problem):
            return Diagnosis(None, (raw,))
        diagnosis = examine_words(raw, labelled=origin.labelled)
        example = diagnosis.example
        if example is not None and example.tags is not None and first_irregular(example.tags) is not None:
            self.irregular += 1
            self.first = self.first or example
        return diagnosis


def read_sentences(content: Content, origin: Origin) -> Iterator[RawWords | Problem]:
    """Yield the sentences of a source, nothing checked.

    Raises:
        DataError: it holds none, or its columns are in doubt.
    """
    if isinstance(content, Nested):
        raise refuse_nested(origin)
    if isinstance(content, Table):
        return read_rows(content, origin)
    if content.format == "csv":
        return read_rows(read_delimited(content.text, origin, delimiter=","), origin)
    if content.format == "tsv" and holds_lists(content):
        return read_rows(read_delimited(content.text, origin, delimiter="\t"), origin)
    return read_lines(content.text, origin)


def holds_lists(lines: Lines) -> bool:
    r"""Whether a TSV is a table of lists written as JSON, rather than columns with a word a line.

    >>> holds_lists(Lines('words\ttags\n["Yes"]\t["O"]\n', "tsv"))
    True
    """
    records = parse_tabs("\n".join(lines.text.split("\n", 2)[:2]))
    return len(records) == 2 and is_header(records[0][1]) and any(cell.startswith("[") for cell in records[1][1])


def first_irregular(tags: Sequence[str]) -> str | None:
    """The first tag that continues an entity (I-x) where none of its kind has begun.

    >>> first_irregular(["O", "B-x", "I-x", "O"]), first_irregular(["O", "I-x"]), first_irregular(["B-x", "I-y"])
    (None, 'I-x', 'I-y')
    """
    for before, tag in zip(("O", *tags), tags, strict=False):
        if tag.startswith("I-") and before not in (tag, f"B-{tag[2:]}"):
            return tag
    return None
