from pathlib import Path

import pytest

from headstart.data.hub import HubId
from headstart.data.locating import data_suffix, locate
from headstart.errors import DataError


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def touch(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("x")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("squad", HubId("squad")),
        ("squad_v2@validation", HubId("squad_v2", None, "validation")),
        ("squad@train[:100]", HubId("squad", None, "train[:100]")),
        ("ada/questions", HubId("ada/questions")),
        ("ada/squad.v2", HubId("ada/squad.v2")),
        ("ada/squad-v1.1", HubId("ada/squad-v1.1")),
        ("ada/questions:en.short@dev", HubId("ada/questions", "en.short", "dev")),
    ],
)
def test_hub_ids(here: Path, source: str, expected: HubId) -> None:
    (place,) = locate(source, "train")
    assert place.target == expected
    assert place.label == source
    assert place.stem == expected.name.split("/")[-1]


@pytest.mark.parametrize(
    "source",
    [
        "train.json",
        "data/train.csv",
        "./train",
        "/nowhere/train",
        "~/nowhere",
        "a/b/c",
        "a/b.txt",
        r"a\b",
        "",
        "a b",
        "a/",
    ],
)
def test_paths_that_name_nothing(here: Path, source: str) -> None:
    with pytest.raises(DataError, match="existing file") as caught:
        locate(source, "train")
    assert repr(source) in caught.value.found


def test_near_names_are_offered(here: Path) -> None:
    touch("data/squad-train.json", "data/other.csv")
    with pytest.raises(DataError, match=r"squad-train\.json") as caught:
        locate("data/squad_train.json", "train")
    assert "other.csv" not in caught.value.remedy
    with pytest.raises(DataError, match="no folder 'date'"):
        locate("date/squad-train.json", "train")
    with pytest.raises(DataError, match="patterns are not expanded"):
        locate("data/*.json", "train")


def test_existing_files_and_folders_come_before_the_hub(here: Path) -> None:
    touch("ada/questions/a.json", "squad/a.csv")
    assert [place.target for place in locate("ada/questions", "train")] == [Path("ada/questions/a.json")]
    assert [place.label for place in locate("squad", "train")] == ["squad/a.csv"]


@pytest.mark.parametrize("name", ["notes.txt", "train", "a.parquet.gz", "a.xlsx", "a.gz"])
def test_unknown_suffixes(here: Path, name: str) -> None:
    touch(name)
    with pytest.raises(DataError, match=r"\.json, \.jsonl, .*\.parquet"):
        locate(f"./{name}", "train")


def test_suffixes() -> None:
    assert data_suffix("A.JSON") == ".json"
    assert data_suffix("a.b.ndjson.gz") == ".ndjson.gz"
    assert data_suffix("json") == data_suffix("a.zip") == ""


def test_a_folder_of_one_format(here: Path) -> None:
    touch("data/b.json", "data/a.json", "data/README.md", "data/.hidden.json", "data/deeper/c.json")
    places = locate("data", "train")
    assert [place.label for place in places] == ["data/a.json", "data/b.json"]
    assert [place.stem for place in places] == ["a", "b"]
    assert all(place.notes == () for place in places)


def test_a_folder_whose_names_tell_splits(here: Path) -> None:
    touch("data/train-v2.0.json", "data/dev-v2.0.json", "data/extra.json", "data/test.csv")
    (train,) = locate("data", "train")
    (validation,) = locate("data", "validation")
    assert (train.label, validation.label) == ("data/train-v2.0.json", "data/dev-v2.0.json")
    assert [(note.kind, note.fatal) for note in train.notes] == [("file not read", False)] * 3
    assert "dev-v2.0.json" in train.notes[0].found


def test_a_folder_of_a_single_split_is_taken_whole(here: Path) -> None:
    touch("data/train-1.json", "data/train-2.json", "data/more.json")
    assert len(locate("data", "validation")) == 3


def test_folders_that_cannot_be_used(here: Path) -> None:
    touch("mixed/a.json", "mixed/b.csv", "none/notes.txt", "other/dev.json", "other/test.json")
    with pytest.raises(DataError, match="csv and json files"):
        locate("mixed", "train")
    with pytest.raises(DataError, match=r"notes\.txt"):
        locate("none", "train")
    with pytest.raises(DataError, match="split train"):
        locate("other", "train")
    assert [place.label for place in locate("other", "validation")] == ["other/dev.json"]
    Path("empty").mkdir()
    with pytest.raises(DataError, match="with nothing"):
        locate("empty", "train")


def test_the_sample_is_found_by_role(here: Path) -> None:
    try:
        (place,) = locate("sample", "validation")
    except DataError as error:
        pytest.skip(f"the built-in sample is not there: {error.found}")
    assert place.label == "sample (validation)"
    assert isinstance(place.target, Path)
    assert place.target.name == "validation.json"
