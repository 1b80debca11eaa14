"""JSON objects written entry by entry: what `evaluate` leaves of predictions, whatever their number."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from headstart.distribution import ALONE, Ranks

BUFFER = 2**20
ENCODE = json.JSONEncoder(ensure_ascii=False).encode


class PredictionFiles:
    """`name.json` for each name, an object with an entry for each prediction; in place once all are complete.

    Leaving the `with` block in peace completes them: the first process adds what the others wrote. A file without
    entries is not written. If anything fails, what was in the folder stays as it was.
    """

    def __init__(self, folder: Path, names: Sequence[str], ranks: Ranks = ALONE) -> None:
        self.folder, self.ranks = folder, ranks
        if ranks.is_first:
            folder.mkdir(parents=True, exist_ok=True)
        self._paths = {name: folder / f"{name}.json" for name in names}
        self._streams = {name: self._open(path) for name, path in self._paths.items()}

    def __enter__(self) -> PredictionFiles:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        try:
            if kind is None:
                for name, stream in self._streams.items():
                    self._complete(stream, self._paths[name])
        finally:
            for name, stream in self._streams.items():
                stream.close()
                if self.ranks.is_first:
                    _partial(self._paths[name]).unlink(missing_ok=True)

    def add(self, id: str, entries: Mapping[str, Any]) -> None:
        """What is to be written of one example."""
        for name, value in entries.items():
            self._append(self._streams[name], f",\n  {ENCODE(id)}: {_text(value)}".encode())

    def _open(self, path: Path) -> IO[bytes]:
        if self.ranks.is_first:
            return _partial(path).open("wb", buffering=BUFFER)
        return tempfile.TemporaryFile(buffering=BUFFER)

    def _append(self, stream: IO[bytes], entries: bytes) -> None:
        """Entries bring a comma with them; the very first of the file leaves it away."""
        first = self.ranks.is_first and not stream.tell()
        stream.write(b"{" + entries[1:] if first else entries)

    def _complete(self, stream: IO[bytes], path: Path) -> None:
        if not self.ranks.is_first:
            stream.seek(0)
        for entries in self.ranks.gathered(stream):
            self._append(stream, entries)
        if self.ranks.is_first and stream.tell():
            stream.write(b"\n}\n")
            stream.close()
            _partial(path).replace(path)


def _partial(path: Path) -> Path:
    return path.with_suffix(f".{os.getpid()}.partial")


def _text(value: Any) -> str:
    """JSON on one line; a list with an element a line.

    >>> print(_text([{"text": "a"}, {"text": "b"}]))
    [
        {"text": "a"},
        {"text": "b"}
      ]
    """
    if not isinstance(value, list) or not value:
        return ENCODE(value)
    return "[\n    " + ",\n    ".join(map(ENCODE, value)) + "\n  ]"
