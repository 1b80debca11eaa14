"""One exception tree; every message says what was expected, what was found and what to do."""

from __future__ import annotations

import pickle

import pytest

from headstart import errors
from headstart.errors import DataError, HeadstartError, MissingExtraError, ModelError, SettingsError, TokenizerError

EXIT_CODES = {
    HeadstartError: 1,
    SettingsError: 2,
    DataError: 3,
    ModelError: 4,
    TokenizerError: 4,
    MissingExtraError: 5,
}


@pytest.mark.parametrize("error", EXIT_CODES)
def test_message_and_exit_code(error):
    refused = error("tea", "coffee", "boil water")
    assert isinstance(refused, HeadstartError)
    assert str(refused) == "expected tea; found coffee. What to do: boil water."
    assert (refused.expected, refused.found, refused.remedy) == ("tea", "coffee", "boil water")
    assert refused.exit_code == EXIT_CODES[error]


def test_every_error_of_the_module_is_looked_at_here():
    found = {value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)}
    assert found == set(EXIT_CODES)


def test_a_tokenizer_that_does_not_fit_is_a_model_that_does_not_fit():
    assert issubclass(TokenizerError, ModelError)


def test_errors_travel_between_processes():
    error = pickle.loads(pickle.dumps(DataError("a", "b", "c")))
    assert (type(error), str(error)) == (DataError, "expected a; found b. What to do: c.")
