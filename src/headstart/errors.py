"""The exception tree. A message says what was expected, what was found and what to do."""

from __future__ import annotations


class HeadstartError(Exception):
    """Anything headstart refuses to do, in words a person can act on.

    Args:
        expected: what headstart needed.
        found: what it met instead.
        remedy: what to do about it.

    >>> print(HeadstartError("a SQuAD file", "an empty file", "check the download"))
    expected a SQuAD file; found an empty file. What to do: check the download.
    """

    exit_code = 1

    def __init__(self, expected: str, found: str, remedy: str) -> None:
        super().__init__(expected, found, remedy)
        self.expected = expected
        self.found = found
        self.remedy = remedy

    def __str__(self) -> str:
        return f"expected {self.expected}; found {self.found}. What to do: {self.remedy}."


class SettingsError(HeadstartError):
    """A flag, a key of a config file or a combination of them cannot be used."""

    exit_code = 2


class DataError(HeadstartError):
    """A data file or a hub data set cannot be read as examples."""

    exit_code = 3


class ModelError(HeadstartError):
    """A model folder or hub id cannot be loaded or does not fit the task."""

    exit_code = 4


class TokenizerError(ModelError):
    """A tokenizer cannot give correct windows or labels."""


class MissingExtraError(HeadstartError):
    """An optional dependency is not installed; the remedy names its `pip install`."""

    exit_code = 5
