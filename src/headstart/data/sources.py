"""Reading questions: from the words a person gives to checked examples, everything counted."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, Literal, get_args

from headstart.data.doctor import Diagnosis, examine
from headstart.data.hub import Role
from headstart.data.locating import Place, locate
from headstart.data.opening import Opened, open_place
from headstart.data.packed import PackedExamples
from headstart.data.records import Entry, Origin, Problem, ReadData, SourceInfo
from headstart.data.table import COLUMNS
from headstart.errors import DataError, SettingsError
from headstart.examples import QuestionExample

SHOWN: Final = 10
"""How many problems the message of a stopped run spells out."""


def read_questions(
    sources: Sequence[str],
    *,
    role: Role = "train",
    columns: Mapping[str, str] | None = None,
    on_bad_data: Literal["stop", "skip"] = "stop",
    limit: int | None = None,
    labelled: bool = True,
) -> ReadData:
    """Read questions from files, folders, the built-in `sample` and hub ids, and check every one.

    Files may be official SQuAD JSON (1.1, 2.0), flat JSON, JSON lines, CSV, TSV or Parquet, the text formats also
    packed (.gz). Small faults are repaired; other ones stop the run or are left out by name. All is in `problems`.

    Args:
        sources: paths, `sample`, or hub ids (`squad`, `user/name:config@validation[:100]`).
        role: which split to take where a source has several.
        columns: our column names → those of flat sources, as in `{"question": "query"}`. A source that lacks the
            given name is read by ours.
        on_bad_data: whether faults beyond repair stop the run or are left out.
        limit: read at most so many questions, in the order of the sources.
        labelled: whether answers are needed; without, a question whose row does not speak of them has answers None.

    Raises:
        DataError: a source cannot be read, has faults (on "stop") or leaves no example.
        SettingsError: the arguments do not make sense.

    >>> data = read_questions(["sample"], limit=20)
    >>> data.rows, len(data.examples), data.left_out
    (20, 20, 0)
    """
    sources = [sources] if isinstance(sources, str) else [os.fspath(source) for source in sources]
    _check(sources, role, columns, on_bad_data, limit)
    places = [place for source in sources for place in locate(source, role)]
    _refuse_repeated([place.label for place in places], [place.identity for place in places])
    gathered = _Gathered(limit)
    for place, stem in zip(places, _stems(places), strict=True):
        if not gathered.is_full:
            origin = Origin(place.label, stem, tuple((columns or {}).items()), labelled)
            gathered.add(open_place(place, origin, role), labelled=labelled)
    _refuse_repeated([source.name for source in gathered.sources])
    data = gathered.data()
    if on_bad_data == "stop" or not data.examples:
        _refuse_bad(data, on_bad_data)
    return data


@dataclass(slots=True)
class _Gathered:
    """What has been read so far; ids and contexts are known across sources."""

    limit: int | None
    examples: PackedExamples = field(default_factory=PackedExamples)
    sources: list[SourceInfo] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    rows: int = 0
    places: dict[str, str] = field(default_factory=dict)  # id → place
    contexts: dict[str, str] = field(default_factory=dict)  # one string for all questions of a context

    @property
    def is_full(self) -> bool:
        return self.limit is not None and self.rows >= self.limit

    def add(self, opened: Opened, *, labelled: bool) -> None:
        rows_before, examples_before = self.rows, len(self.examples)
        self.problems += opened.notes
        room = None if self.limit is None else self.limit - self.rows
        for entry in islice(opened.entries, room):
            self.rows += 1
            self._take(self._diagnose(entry, labelled=labelled))
        rows, examples = self.rows - rows_before, len(self.examples) - examples_before
        if not rows:
            raise DataError("questions", f"{opened.label}, which has none", "check how the file was made")
        info = SourceInfo(opened.label, opened.split, opened.format, opened.fingerprint, rows, examples)
        self.sources.append(info)

    def data(self) -> ReadData:
        return ReadData(self.examples, tuple(self.sources), tuple(self.problems))

    def _diagnose(self, entry: Entry, *, labelled: bool) -> Diagnosis:
        if isinstance(entry, Problem):
            return Diagnosis(None, (entry,))
        if isinstance(entry.context, str):
            entry = entry.with_context(self.contexts.setdefault(entry.context, entry.context))
        diagnosis = examine(entry, labelled=labelled)
        return diagnosis if diagnosis.example is None else self._refuse_twin(diagnosis, diagnosis.example)

    def _refuse_twin(self, diagnosis: Diagnosis, example: QuestionExample) -> Diagnosis:
        """Leave out a question whose id was met before: predictions are told apart by ids."""
        first = self.places.setdefault(example.id, example.place)
        if first == example.place:
            return diagnosis
        found, remedy = f"the id stands already at {first}", "give each question an id of its own, or take one out"
        return Diagnosis(
            None, (Problem(example.place, example.id, "duplicate id", found, remedy, left_out="question"),)
        )

    def _take(self, diagnosis: Diagnosis) -> None:
        self.problems += diagnosis.problems
        if diagnosis.example is not None:
            self.examples.append(diagnosis.example)


def _stems(places: Sequence[Place]) -> Iterator[str]:
    """Say what made-up ids start with: the name, or all that was given where two sources share the name."""
    counts = Counter(place.stem for place in places)
    for place in places:
        yield place.stem if counts[place.stem] == 1 else place.label


def _check(
    sources: Sequence[str], role: str, columns: Mapping[str, str] | None, on_bad_data: str, limit: int | None
) -> None:
    if not sources:
        raise SettingsError("at least one source of questions", "none", "name a file, a folder, a hub id or sample")
    if role not in get_args(Role):
        raise SettingsError("the role train or validation", repr(role), "choose one of them")
    if on_bad_data not in ("stop", "skip"):
        raise SettingsError("stop or skip for bad data", repr(on_bad_data), "choose one of them")
    if limit is not None and limit < 1:
        raise SettingsError("a limit of at least 1", str(limit), "leave it out to read everything")
    unknown = sorted(set(columns or {}) - set(COLUMNS))
    if unknown:
        raise SettingsError(f"columns to map among {', '.join(COLUMNS)}", ", ".join(unknown), "correct the name")


def _refuse_repeated(labels: Sequence[str], identities: Sequence[object] | None = None) -> None:
    """Refuse the same source twice: it would only give duplicate ids."""
    identities = identities or labels
    for number, identity in enumerate(identities):
        if identity in identities[:number]:
            twin = labels[identities.index(identity)]
            raise SettingsError("each source once", f"{labels[number]} and {twin}, which are the same", "take one out")


def _refuse_bad(data: ReadData, on_bad_data: str) -> None:
    """Stop with a summary of the faults: how many of which kind, and the first of them in full."""
    fatal = [problem for problem in data.problems if problem.fatal]
    if not fatal:
        return
    expected = "questions without faults" if on_bad_data == "stop" else "at least one question without a fault"
    remedy = "mend the data, or leave these out by name with --on-bad-data skip"
    if not data.examples:
        remedy = "mend the data; no question would be left without the faulty ones"
    raise DataError(expected, _summary(fatal, data.rows), remedy)


def _summary(problems: Sequence[Problem], rows: int) -> str:
    counts = Counter(problem.kind for problem in problems).most_common()
    kinds = ", ".join(f"{kind}: {count:,}" for kind, count in counts)
    lines = [f"{len(problems):,} in {rows:,} questions ({kinds})", *_listed(problems)]
    return "\n  ".join(lines)


def _listed(problems: Sequence[Problem]) -> Iterable[str]:
    yield from (str(problem) for problem in problems[:SHOWN])
    if len(problems) > SHOWN:
        yield f"… and {len(problems) - SHOWN:,} more"
