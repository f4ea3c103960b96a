"""Wheels written so that the same files give the same bytes."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import stat
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.parser import HeaderParser

__all__ = ["WheelFile", "pack", "stand_in", "unpack"]

_LONG_AGO = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class WheelFile:
    """A wheel as it stands in the context.

    Attributes
    ----------
    name, version : str
        Of the distribution.
    file : str
        The name of the file.
    content : bytes
        What is in it.
    """

    name: str
    version: str
    file: str
    content: bytes

    @property
    def sha256(self) -> str:
        """Of the content [hex]."""
        return hashlib.sha256(self.content).hexdigest()


def pack(files: Mapping[str, bytes]) -> WheelFile:
    """Make a wheel.

    Parameters
    ----------
    files : mapping of str to bytes
        By their paths, with ``/``: those of the packages, and one ``.dist-info`` with METADATA and WHEEL.
    """
    info = next(path.partition("/")[0] for path in files if path.endswith(".dist-info/METADATA"))
    metadata = HeaderParser().parsestr(files[f"{info}/METADATA"].decode("utf-8"))
    contents = {path: content for path, content in sorted(files.items()) if path != f"{info}/RECORD"}
    contents[f"{info}/RECORD"] = _record(contents, info)
    buffer = io.BytesIO()
    # Stored, because each release of zlib compresses in its own way.
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as wheel:
        for path, content in contents.items():
            wheel.writestr(_entry(path), content)
    file = f"{info.removesuffix('.dist-info')}-{_tag(files[f'{info}/WHEEL'])}.whl"
    return WheelFile(metadata["Name"], metadata["Version"], file, buffer.getvalue())


def _entry(path: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(path, _LONG_AGO)
    entry.create_system = 3  # Unix, on Windows too
    entry.external_attr = (stat.S_IFREG | 0o644) << 16
    return entry


def _record(contents: Mapping[str, bytes], info: str) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    for path, content in contents.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode("ascii")
        rows.writerow((path, f"sha256={digest}", len(content)))
    rows.writerow((f"{info}/RECORD", "", ""))
    return text.getvalue().encode("utf-8")


def _tag(wheel: bytes) -> str:
    tags = HeaderParser().parsestr(wheel.decode("utf-8")).get_all("Tag") or ["py3-none-any"]
    return "-".join(".".join(dict.fromkeys(parts)) for parts in zip(*(tag.split("-") for tag in tags), strict=True))


def unpack(content: bytes) -> dict[str, bytes]:
    """Return the files of a wheel."""
    with zipfile.ZipFile(io.BytesIO(content)) as wheel:
        return {entry.filename: wheel.read(entry) for entry in wheel.infolist() if not entry.is_dir()}


def stand_in(name: str, version: str, *, summary: str, requires: Iterable[str] = ()) -> WheelFile:
    """Make the wheel of a distribution with nothing in it.

    Parameters
    ----------
    name, version : str
        What it claims to be.
    summary : str
        Why it is there.
    requires : iterable of str
        What it requires.
    """
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    wheel = "Wheel-Version: 1.0\nGenerator: sdt-dask\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    metadata = "\n".join([*_head(name, version, summary), *(f"Requires-Dist: {one}" for one in requires), ""])
    return pack({f"{info}/METADATA": metadata.encode(), f"{info}/WHEEL": wheel.encode()})


def _head(name: str, version: str, summary: str) -> Iterator[str]:
    yield "Metadata-Version: 2.1"
    yield f"Name: {name}"
    yield f"Version: {version}"
    yield f"Summary: {summary}"
