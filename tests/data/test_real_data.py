"""Published files, faults and all, go through the reader. They are no part of the project: skipped where absent."""

from pathlib import Path

import pytest

from headstart.data import read_questions

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "qa"

# file → rows, questions left out, answers left out, problems by kind
EXPECTED: dict[str, tuple[int, int, int, dict[str, int]]] = {
    "squad-v1.1-train.json": (5001, 0, 0, {}),
    "squad-v1.1-validation.json": (2793, 0, 0, {}),
    "squad-v2.0-train.json": (6950, 0, 0, {}),
    "squad-v2.0-validation.json": (2556, 0, 0, {}),
    "qamr-a.json": (17123, 0, 0, {}),
    "qamr-b.json": (17034, 0, 0, {}),
    "squadshifts-new-wiki.json": (7938, 0, 0, {}),
    "squadshifts-amazon.json": (9885, 0, 0, {}),
    "squadshifts-reddit.json": (9803, 0, 0, {}),
    "covid-qa.json": (1380, 0, 0, {"shifted offset": 234, "blanks around answer": 184}),
    "cmrc2018-trial.json": (1002, 2, 0, {"shifted offset": 5, "blanks around answer": 3, "empty question": 2}),
    "cmrc2018-dev.json": (
        3219, 0, 193, {"answer not in context": 193, "blanks around answer": 13, "shifted offset": 7}
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPECTED)
def test_published_files(name: str) -> None:
    path = FOLDER / name
    if not path.is_file():
        pytest.skip(f"the published data are not here: no ../shared/data/qa/{name} beside the repository")
    rows, questions_lost, answers_lost, kinds = EXPECTED[name]
    data = read_questions([str(path)], on_bad_data="skip")
    assert (data.rows, data.left_out, data.left_out_answers, data.counts) == (rows, questions_lost, answers_lost, kinds)
    assert len(data.examples) == rows - questions_lost
    assert data.has_impossible == ("v2.0" in name)
    for example in data.examples:
        for answer in example.answers or ():
            assert example.context[answer.start : answer.end] == answer.text == answer.text.strip()
