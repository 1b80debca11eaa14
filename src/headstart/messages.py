"""What headstart tells a person while it works: always on standard error, so that standard output stays data."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")


class Messages:
    """How much is said. `level` 0 says only warnings, 1 what matters, 2 everything.

    Progress bars are drawn on terminals only; elsewhere the same news comes as a line now and then.
    """

    def __init__(self, level: int = 1) -> None:
        self.level = level

    @property
    def interactive(self) -> bool:
        """Whether a person watches: only then are bars drawn."""
        return self.level > 0 and sys.stderr.isatty()

    def say(self, text: str) -> None:
        """Something a person wants to know."""
        self._write(text, 1)

    def detail(self, text: str) -> None:
        """Something only `--verbose` shows."""
        self._write(text, 2)

    def warn(self, text: str) -> None:
        """Something to be seen even with `--quiet`."""
        self._write(f"warning: {text}", 0)

    def _write(self, text: str, level: int) -> None:
        if self.level >= level:
            print(text, file=sys.stderr, flush=True)

    def bar(self, total: int, label: str, *, initial: int = 0, unit: str = "it") -> Any:
        """A tqdm bar; silent where nobody watches."""
        from tqdm import tqdm

        return tqdm(
            total=total,
            desc=label,
            initial=initial,
            unit=unit,
            disable=not self.interactive,
            file=sys.stderr,
            dynamic_ncols=True,
            leave=False,
        )

    def progress(self, items: Iterable[T], total: int, label: str, unit: str) -> Iterator[T]:
        """Pass items on while a bar counts them."""
        with self.bar(total, label, unit=unit) as bar:
            for item in items:
                yield item
                bar.update()


QUIET = Messages(0)
