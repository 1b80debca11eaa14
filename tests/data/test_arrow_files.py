from pathlib import Path
from typing import Any

import pytest

from headstart.data import read_questions
from headstart.data.arrow_files import hash_folder, is_saved
from headstart.errors import DataError
from headstart.examples import Answer

ROWS = [
    {"id": "1", "question": "Who?", "context": "It was Ada.", "answers": {"text": ["Ada"], "answer_start": [7]}},
    {"id": "2", "question": "Where?", "context": "It was Ada.", "answers": {"text": [], "answer_start": []}},
]


def save_parquet(path: Path, rows: list[dict[str, Any]]) -> str:
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    return str(path)


def save_split(folder: Path, splits: dict[str, list[dict[str, Any]]]) -> str:
    import datasets

    datasets.disable_progress_bars()
    sets = {name: datasets.Dataset.from_list(rows) for name, rows in splits.items()}
    datasets.DatasetDict(sets).save_to_disk(str(folder))
    return str(folder)


def test_parquet_in_hub_form(tmp_path: Path) -> None:
    source = save_parquet(tmp_path / "a.parquet", ROWS)
    data = read_questions([source])
    assert [one.answers for one in data.examples] == [(Answer("Ada", 7),), ()]
    assert [one.place for one in data.examples] == [f"{source}, row 0", f"{source}, row 1"]
    assert data.examples[0].context is data.examples[1].context
    assert (data.sources[0].format, data.sources[0].rows, data.sources[0].split) == ("parquet", 2, None)


def test_parquet_with_nan_and_null(tmp_path: Path) -> None:
    nan = float("nan")
    texts = {"question": "Who?", "context": "It was Ada."}
    rows = [
        {**texts, "id": 1.0, "answer_text": "Ada", "answer_start": 7.0, "title": None},
        {**texts, "id": nan, "answer_text": "Ada", "answer_start": nan, "title": None},
        {**texts, "id": 3.0, "answer_text": None, "answer_start": nan, "title": "T"},
    ]
    data = read_questions([save_parquet(tmp_path / "a.parquet", rows)])
    assert [(one.id, one.answers, one.title) for one in data.examples] == [
        ("1", (Answer("Ada", 7),), ""),
        ("a:1", (Answer("Ada", 7),), ""),
        ("3", (), "T"),
    ]
    assert data.counts == {"empty id": 1}


def test_a_list_of_answer_objects_in_parquet(tmp_path: Path) -> None:
    rows = [{**ROWS[0], "answers": [{"text": "Ada", "answer_start": 7}]}]
    data = read_questions([save_parquet(tmp_path / "a.parquet", rows)])
    assert data.examples[0].answers == (Answer("Ada", 7),)


@pytest.mark.parametrize("content", [b"", b"question,context", b"PAR1" + b"x" * 40 + b"PAR1"])
def test_damaged_parquet(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a Parquet file; found .*a\.parquet"):
        read_questions([str(path)])


def test_empty_parquet_and_missing_columns(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    empty = pyarrow.Table.from_pylist(ROWS).slice(0, 0)
    pyarrow.parquet.write_table(empty, tmp_path / "a.parquet")
    with pytest.raises(DataError, match="which has none"):
        read_questions([str(tmp_path / "a.parquet")])
    pyarrow.parquet.write_table(empty.drop_columns(["context"]), tmp_path / "b.parquet")
    with pytest.raises(DataError, match="columns 'id', 'question', 'answers'"):
        read_questions([str(tmp_path / "b.parquet")])


def test_saved_data_set_and_its_splits(tmp_path: Path) -> None:
    source = save_split(tmp_path / "saved", {"train": ROWS[:1], "test": ROWS[1:]})
    assert [one.id for one in read_questions([source]).examples] == ["1"]
    validation = read_questions([source], role="validation")
    assert [one.id for one in validation.examples] == ["2"]
    assert validation.sources[0].name == f"{source}@test"
    assert validation.sources[0].split == "test"
    assert validation.counts == {"other split": 1}
    assert not validation.problems[0].fatal
    lone = read_questions([f"{source}/test"])
    assert [one.id for one in lone.examples] == ["2"]
    assert lone.sources[0].format == "datasets"


def test_saved_data_set_that_was_reordered(tmp_path: Path) -> None:
    import datasets

    datasets.Dataset.from_list(ROWS).select([1, 0]).save_to_disk(str(tmp_path / "saved"))
    assert [one.id for one in read_questions([str(tmp_path / "saved")]).examples] == ["2", "1"]


def test_saved_data_set_without_the_split(tmp_path: Path) -> None:
    source = save_split(tmp_path / "saved", {"easy": ROWS[:1], "hard": ROWS[1:]})
    with pytest.raises(DataError, match="splits easy, hard"):
        read_questions([source])


def test_damaged_saved_data_set(tmp_path: Path) -> None:
    source = save_split(tmp_path / "saved", {"train": ROWS})
    (tmp_path / "saved" / "train" / "state.json").write_text("{")
    with pytest.raises(DataError, match="save_to_disk"):
        read_questions([source])


def test_hash_of_a_folder_sees_names_and_bytes(tmp_path: Path) -> None:
    hashes = set()
    for name, content in (("a", "1"), ("a", "2"), ("b", "2")):
        folder = tmp_path / name / content
        (folder / "deep").mkdir(parents=True)
        (folder / "deep" / name).write_text(content)
        hashes.add(hash_folder(folder))
        assert hash_folder(folder) in hashes
        assert not is_saved(folder)
    assert len(hashes) == 3
