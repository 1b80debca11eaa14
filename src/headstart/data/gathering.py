"""Reading, whatever is read: from the words a person gives to checked examples, everything counted."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import ClassVar, Final, Generic, Literal, Protocol, TypeAlias, get_args

from headstart.data.contents import Content
from headstart.data.hub import Role
from headstart.data.locating import Place, locate
from headstart.data.opening import Opened, open_place
from headstart.data.packed import PackedExamples
from headstart.data.records import Diagnosis, Example, Origin, Problem, ReadData, SourceInfo
from headstart.errors import DataError, SettingsError

OnBadData: TypeAlias = Literal["stop", "skip"]

SHOWN: Final = 10
"""How many problems the message of a stopped run spells out."""


class Reader(Protocol[Example]):
    """What differs between questions, texts and sentences of words."""

    noun: ClassVar[str]  # what messages call the examples: "questions"
    columns: ClassVar[tuple[str, ...]]  # the names by which columns can be mapped
    formats: ClassVar[Mapping[str, str]]  # suffixes of the files to read
    telling: ClassVar[tuple[str, ...]]  # columns that tell a row
    lists: ClassVar[bool]  # whether such a column may hold a list of texts

    def read(self, content: Content, origin: Origin) -> Iterator[Diagnosis[Example]]:
        """Content of a source → one diagnosis for each row of it; missing columns are refused at once."""

    def notes(self, origin: Origin) -> tuple[Problem, ...]:
        """What is worth knowing of the source read last as a whole."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a caller wants of all sources alike."""

    role: Role = "train"
    columns: Mapping[str, str] | None = None
    on_bad_data: OnBadData = "stop"
    limit: int | None = None
    labelled: bool = True


def read_sources(sources: Sequence[str], reader: Reader[Example], wishes: Wishes) -> ReadData[Example]:
    """Read all sources with one reader."""
    sources = [sources] if isinstance(sources, str) else [os.fspath(source) for source in sources]
    _check(sources, reader, wishes)
    places = [place for source in sources for place in locate(source, wishes.role, reader.formats)]
    _refuse_repeated([place.label for place in places], [place.identity for place in places])
    gathered = _Gathered(reader, wishes.limit)
    for place, stem in zip(places, _stems(places), strict=True):
        if not gathered.is_full:
            origin = origin_of(place, stem, reader, wishes)
            gathered.add(open_place(place, origin, wishes.role), origin)
    _refuse_repeated([source.name for source in gathered.sources])
    data = gathered.data()
    if wishes.on_bad_data == "stop" or not data.examples:
        _refuse_bad(data, reader.noun, wishes.on_bad_data)
    return data


def origin_of(place: Place, stem: str, reader: Reader[Example], wishes: Wishes) -> Origin:
    """How one place is to be read."""
    columns = tuple((wishes.columns or {}).items())
    return Origin(place.label, stem, columns, wishes.labelled, reader.noun, reader.telling, reader.lists)


@dataclass(slots=True)
class _Gathered(Generic[Example]):
    """What has been read so far; ids are known across sources."""

    reader: Reader[Example]
    limit: int | None
    examples: PackedExamples[Example] = field(default_factory=PackedExamples)
    sources: list[SourceInfo] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    rows: int = 0
    places: dict[str, str] = field(default_factory=dict)  # id → place

    @property
    def is_full(self) -> bool:
        return self.limit is not None and self.rows >= self.limit

    def add(self, opened: Opened, origin: Origin) -> None:
        rows_before, examples_before = self.rows, len(self.examples)
        self.problems += opened.notes
        room = None if self.limit is None else self.limit - self.rows
        origin = replace(origin, label=opened.label)
        for diagnosis in islice(self.reader.read(opened.content, origin), room):
            self.rows += 1
            self._take(diagnosis)
        rows, examples = self.rows - rows_before, len(self.examples) - examples_before
        if not rows:
            raise DataError(self.reader.noun, f"{opened.label}, which has none", "check how the file was made")
        self.problems += self.reader.notes(origin)
        info = SourceInfo(opened.label, opened.split, opened.format, opened.fingerprint, rows, examples)
        self.sources.append(info)

    def data(self) -> ReadData[Example]:
        return ReadData(self.examples, tuple(self.sources), tuple(self.problems))

    def _take(self, diagnosis: Diagnosis[Example]) -> None:
        example = diagnosis.example
        twin = None if example is None else self._twin(example)
        if twin is not None:
            self.problems.append(twin)
            return
        self.problems += diagnosis.problems
        if example is not None:
            self.examples.append(example)

    def _twin(self, example: Example) -> Problem | None:
        """Name an example whose id was met before, to be left out: predictions are told apart by ids."""
        first = self.places.setdefault(example.id, example.place)
        if first == example.place:
            return None
        noun = self.reader.noun.removesuffix("s")
        found, remedy = f"the id stands already at {first}", f"give each {noun} an id of its own, or take one out"
        return Problem(example.place, example.id, "duplicate id", found, remedy, left_out="example")


def _stems(places: Sequence[Place]) -> Iterator[str]:
    """Say what made-up ids start with: the name, or all that was given where two sources share the name."""
    counts = Counter(place.stem for place in places)
    for place in places:
        yield place.stem if counts[place.stem] == 1 else place.label


def _check(sources: Sequence[str], reader: Reader[Example], wishes: Wishes) -> None:
    if not sources:
        raise SettingsError(
            f"at least one source of {reader.noun}", "none", "name a file, a folder, a hub id or sample"
        )
    if wishes.role not in get_args(Role):
        raise SettingsError("the role train or validation", repr(wishes.role), "choose one of them")
    if wishes.on_bad_data not in get_args(OnBadData):
        raise SettingsError("stop or skip for bad data", repr(wishes.on_bad_data), "choose one of them")
    if wishes.limit is not None and wishes.limit < 1:
        raise SettingsError("a limit of at least 1", str(wishes.limit), "leave it out to read everything")
    unknown = sorted(set(wishes.columns or {}) - set(reader.columns))
    if unknown:
        raise SettingsError(f"columns to map among {', '.join(reader.columns)}", ", ".join(unknown), "correct the name")


def _refuse_repeated(labels: Sequence[str], identities: Sequence[object] | None = None) -> None:
    """Refuse the same source twice: it would only give duplicate ids."""
    identities = identities or labels
    for number, identity in enumerate(identities):
        if identity in identities[:number]:
            twin = labels[identities.index(identity)]
            raise SettingsError("each source once", f"{labels[number]} and {twin}, which are the same", "take one out")


def _refuse_bad(data: ReadData[Example], noun: str, on_bad_data: str) -> None:
    """Stop with a summary of the faults: how many of which kind, and the first of them in full."""
    fatal = [problem for problem in data.problems if problem.fatal]
    if not fatal:
        return
    one = noun.removesuffix("s")
    expected = f"{noun} without faults" if on_bad_data == "stop" else f"at least one {one} without a fault"
    remedy = "mend the data, or leave these out by name with --on-bad-data skip"
    if not data.examples:
        remedy = f"mend the data; no {one} would be left without the faulty ones"
    raise DataError(expected, _summary(fatal, data.rows, noun), remedy)


def _summary(problems: Sequence[Problem], rows: int, noun: str) -> str:
    counts = Counter(problem.kind for problem in problems).most_common()
    kinds = ", ".join(f"{kind}: {count:,}" for kind, count in counts)
    lines = [f"{len(problems):,} in {rows:,} {noun} ({kinds})", *_listed(problems)]
    return "\n  ".join(lines)


def _listed(problems: Sequence[Problem]) -> Iterable[str]:
    yield from (str(problem) for problem in problems[:SHOWN])
    if len(problems) > SHOWN:
        yield f"… and {len(problems) - SHOWN:,} more"
