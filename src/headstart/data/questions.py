"""Content of a source → checked questions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from headstart.data.contents import Content, Nested, Table
from headstart.data.delimited import read_delimited
from headstart.data.doctor import examine
from headstart.data.locating import FORMATS
from headstart.data.records import Diagnosis, Entry, Origin, Problem
from headstart.data.squad import read_squad
from headstart.data.table import COLUMNS, read_table
from headstart.examples import QuestionExample


def read_entries(content: Content, origin: Origin) -> Iterator[Entry]:
    """Yield the questions of a source, nothing checked."""
    if isinstance(content, Nested):
        return read_squad(content.document, origin)
    if isinstance(content, Table):
        return read_table(content.rows, origin, content.names)
    table = read_delimited(content.text, origin, delimiter="," if content.format == "csv" else "\t")
    return read_table(table.rows, origin, table.names)


@dataclass(slots=True)
class QuestionReader:
    """Reads questions; equal contexts become one string in memory, across sources."""

    noun: ClassVar[str] = "questions"
    columns: ClassVar[tuple[str, ...]] = COLUMNS
    formats: ClassVar[Mapping[str, str]] = FORMATS
    telling: ClassVar[tuple[str, ...]] = ("question", "context")
    lists: ClassVar[bool] = False

    contexts: dict[str, str] = field(default_factory=dict)

    def read(self, content: Content, origin: Origin) -> Iterator[Diagnosis[QuestionExample]]:
        """Check one question after the other."""
        entries = read_entries(content, origin)
        return (self._diagnose(entry, origin) for entry in entries)

    def notes(self, origin: Origin) -> tuple[Problem, ...]:
        """Nothing is said of a source of questions as a whole."""
        return ()

    def _diagnose(self, entry: Entry, origin: Origin) -> Diagnosis[QuestionExample]:
        if isinstance(entry, Problem):
            return Diagnosis(None, (entry,))
        if isinstance(entry.context, str):
            entry = entry.with_context(self.contexts.setdefault(entry.context, entry.context))
        return examine(entry, labelled=origin.labelled)
