"""Bytes of a file → text, with every wrong encoding named by its place. The text itself is never changed."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import zlib
from pathlib import Path
from typing import Final

from headstart.errors import DataError

_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "UTF-32"),  # before UTF-16: its mark starts with the same two bytes
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_SAVE_AS_UTF8: Final = "save it as UTF-8 (for example: iconv -f {encoding} -t UTF-8 {label} > new-file)"


def read_bytes(path: Path, label: str) -> bytes:
    """Read a file, or say why that is not possible."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError("a readable file", f"{label}: {error.strerror or error}", "check its permissions") from error


def sha256(data: bytes) -> str:
    """Fingerprint of a file's bytes."""
    return hashlib.sha256(data).hexdigest()


def decode(data: bytes, label: str, noun: str = "questions") -> str:
    r"""Decode a text file: UTF-8 with or without a byte order mark, gzip-packed where its name ends in .gz.

    >>> decode(b"\xef\xbb\xbfcaf\xc3\xa9", "a.csv")
    'café'
    """
    if label.lower().endswith(".gz"):
        data = _unpacked(data, label)
    _refuse_wide_encodings(data, label)
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _not_utf8(error, data, label) from error
    if not text.strip():
        raise DataError(noun, f"{label}, which is empty", "check how the file was made or downloaded")
    return text


def _unpacked(data: bytes, label: str) -> bytes:
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        remedy = "download or pack it again, or take .gz off its name if it is not packed"
        raise DataError("a gzip file", f"{label}: {error}", remedy) from error


def _refuse_wide_encodings(data: bytes, label: str) -> None:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            remedy = _SAVE_AS_UTF8.format(encoding=encoding, label=label)
            raise DataError("text in UTF-8", f"{label} in {encoding} (its mark stands at byte 0)", remedy)
    place = data[:64].find(b"\0")
    if place >= 0:
        remedy = _SAVE_AS_UTF8.format(encoding="UTF-16", label=label) + ", if it is text at all"
        raise DataError("text in UTF-8", f"{label} with a zero byte at byte {place}, as UTF-16 has them", remedy)


def _not_utf8(error: UnicodeDecodeError, data: bytes, label: str) -> DataError:
    line = data.count(b"\n", 0, error.start) + 1
    found = f"{label}, line {line}, byte {error.start} (0x{data[error.start]:02x}): {error.reason}"
    return DataError("text in UTF-8", found, _SAVE_AS_UTF8.format(encoding="WINDOWS-1252", label=label))
