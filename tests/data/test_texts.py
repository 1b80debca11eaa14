import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.data.texts import decode, read_bytes, sha256
from headstart.errors import DataError


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
def test_text_is_never_changed(text: str) -> None:
    if text.strip() and not text.startswith("\ufeff"):
        assert decode(text.encode(), "a.csv") == text
        assert decode(b"\xef\xbb\xbf" + text.encode(), "a.csv") == text
        assert decode(gzip.compress(text.encode()), "a.csv.gz") == text


def test_wrong_byte_is_named_by_line_and_place() -> None:
    data = b"question\nWer war Ren" + "é?".encode("cp1252")
    with pytest.raises(DataError, match=r"a\.csv, line 2, byte 20 \(0xe9\)") as caught:
        decode(data, "a.csv")
    assert "UTF-8" in caught.value.remedy


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_wide_encodings_are_named(encoding: str) -> None:
    with pytest.raises(DataError, match=rf"byte \d.*{encoding[:6].upper()}") as caught:
        decode('{"data": []}'.encode(encoding), "a.json")
    assert "save it as UTF-8" in caught.value.remedy


@pytest.mark.parametrize("data", [b"", b" \r\n\t", b"\xef\xbb\xbf"])
def test_empty_files(data: bytes) -> None:
    with pytest.raises(DataError, match=r"a\.json, which is empty"):
        decode(data, "a.json")


@pytest.mark.parametrize("data", [b"question,context", gzip.compress(b"question" * 99, mtime=0)[:-12], b"\x1f\x8b"])
def test_broken_packages(data: bytes) -> None:
    with pytest.raises(DataError, match=r"a\.csv\.gz"):
        decode(data, "a.csv.gz")


def test_reading_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"abc")
    assert read_bytes(tmp_path / "a.csv", "a.csv") == b"abc"
    assert sha256(b"abc").startswith("ba7816bf")
    with pytest.raises(DataError, match=r"b\.csv"):
        read_bytes(tmp_path / "b.csv", "b.csv")
