"""What is no table at all, told by its first bytes: pages of errors, archives, workbooks, other formats."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sdt_dask_core.errors import DataFormatError

if TYPE_CHECKING:
    from sdt_dask_core.tables.source import PlainBytes

__all__ = ["refuse_foreign"]

_SAVE = "save the sheet as CSV"
_UNPACK = "unpack it"
_EXPORT = "write it as CSV or Parquet"
_FETCH = "look at its text and fetch the file again"

# First bytes: what it is, and what to do.
_SIGNATURES: dict[bytes, tuple[str, str]] = {
    b"PK\x03\x04": ("a zip archive (an Excel workbook is one too)", f"{_UNPACK}, or {_SAVE}"),
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": ("an old Excel workbook", _SAVE),
    b"BZh": ("compressed by bzip2", _UNPACK),
    b"\xfd7zXZ\0": ("compressed by xz", _UNPACK),
    b"7z\xbc\xaf\x27\x1c": ("a 7-Zip archive", _UNPACK),
    b"\x28\xb5\x2f\xfd": ("compressed by Zstandard", _UNPACK),
    b"Rar!\x1a\x07": ("a RAR archive", _UNPACK),
    b"%PDF-": ("a PDF", _EXPORT),
    b"\x89PNG\r\n": ("a picture", "check that it is the file you mean"),
    b"\x89HDF\r\n": ("an HDF5 file", _EXPORT),
    b"\x93NUMPY": ("a NumPy array", _EXPORT),
    b"SQLite format 3\0": ("an SQLite database", _EXPORT),
    b"ARROW1": ("an Arrow or Feather file", _EXPORT),
    b"ORC": ("an ORC file", _EXPORT),
    b"PARE": ("an encrypted Parquet file", "decrypt it"),
    b"version https://git-lfs": ("a pointer of Git LFS in place of the file", "run git lfs pull"),
}
_TEXTS: tuple[tuple[re.Pattern[bytes], str, str], ...] = (
    (
        re.compile(rb"<(!doctype\s+html|html|head|body)\b", re.IGNORECASE),
        "an HTML page (a server's error, perhaps)",
        _FETCH,
    ),
    (re.compile(rb"<\?xml\b", re.IGNORECASE), "XML (a store's error, perhaps)", _FETCH),
    (re.compile(rb'(\[\s*)?\{\s*"|\[\s*[\["]|\[\s*\d[^\]]*,\s*\n'), "JSON", _EXPORT),
)
_UTF8_MARK = b"\xef\xbb\xbf"


def refuse_foreign(plain: PlainBytes) -> None:
    """Refuse what is known to be something else than CSV or Parquet.

    Raises
    ------
    DataFormatError
        It is; the message says what.
    """
    found = next((told for signature, told in _SIGNATURES.items() if plain.head.startswith(signature)), None)
    if found is None:
        start = plain.head[:1000].removeprefix(_UTF8_MARK).lstrip()
        found = next(((what, advice) for pattern, what, advice in _TEXTS if pattern.match(start)), None)
    if found is not None:
        raise DataFormatError(f"{plain.name} is {found[0]}, not CSV or Parquet; {found[1]}")
