"""Opening a table: a path or a binary stream becomes a bounded stream of plain bytes."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from sdt_dask_core.errors import AccessDeniedError, DataFormatError, KeyNotFoundError, SourceUnavailableError

if TYPE_CHECKING:
    from collections.abc import Buffer  # type: ignore[attr-defined,unused-ignore]

__all__ = ["MAX_BYTES", "PlainBytes", "open_plain"]

#: Most bytes that are read of one table after decompression, so that a hostile file cannot fill the memory: 2 GiB.
MAX_BYTES = 2 * 1024**3

_HEAD_BYTES = 256 * 1024
_GZIP_MAGIC = b"\x1f\x8b"


class PlainBytes(io.RawIOBase):
    """The decompressed bytes of a table: readable once, its head twice, never more than `MAX_BYTES`.

    Attributes
    ----------
    name : str
        How messages name the table.
    head : bytes
        Its first bytes, enough to know its format and its columns.
    """

    def __init__(self, stream: Any, name: str) -> None:
        self.name = name
        self._stream = stream
        self._count = 0
        self.head = self._read_head()
        self._ahead = memoryview(self.head)

    @property
    def is_cut(self) -> bool:
        """Whether there may be more than the head."""
        return len(self.head) >= _HEAD_BYTES

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: Buffer) -> int:
        """Fill `buffer` with the next bytes; return how many."""
        view = memoryview(buffer).cast("B")
        data = self._ahead[: len(view)]
        if data:
            self._ahead = self._ahead[len(data) :]
        else:
            data = memoryview(self._read_on(len(view)))
        view[: len(data)] = data
        return len(data)

    def seekable_whole(self) -> BinaryIO:
        """Return all of it as a stream that can seek, as Parquet, which is read from its end, needs."""
        if not isinstance(self._stream, gzip.GzipFile) and getattr(self._stream, "seekable", lambda: False)():
            self._stream.seek(0)
            seekable: BinaryIO = self._stream
            return seekable
        return io.BytesIO(io.BufferedReader(self).read())

    def _read_head(self) -> bytes:
        parts: list[bytes] = []
        while (missing := _HEAD_BYTES - sum(map(len, parts))) > 0 and (part := self._read_on(missing)):
            parts.append(part)
        return b"".join(parts)

    def _read_on(self, size: int) -> bytes:
        try:
            data: bytes = self._stream.read(size)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise DataFormatError(
                f"{self.name} cannot be decompressed: {error}; the file is cut off or damaged, copy it again"
            ) from error
        self._count += len(data)
        if self._count > MAX_BYTES:
            raise DataFormatError(
                f"{self.name} is larger than {MAX_BYTES / 1024**3:g} GiB when decompressed, which is more than is read "
                "of one table; split it, one file for each system"
            )
        return data


@contextmanager
def open_plain(source: Path | BinaryIO, name: str) -> Iterator[PlainBytes]:
    """Open a table and take off its compression, which its first bytes tell; a stream stays open afterwards.

    Raises
    ------
    KeyNotFoundError, AccessDeniedError, SourceUnavailableError
        The path cannot be opened.
    DataFormatError
        The table is empty, or its compression is damaged.
    """
    if not isinstance(source, Path):
        yield _take_off_compression(PlainBytes(source, name))
        return
    with _open_path(source, name) as stream:
        yield _take_off_compression(PlainBytes(stream, name))


def _open_path(path: Path, name: str) -> BinaryIO:
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        raise KeyNotFoundError(f"{name} cannot be read: the file '{path}' does not exist; check the name") from error
    except PermissionError as error:
        raise AccessDeniedError(
            f"{name} cannot be read: no permission to open '{path}'; let this user read it"
        ) from error
    except IsADirectoryError as error:
        raise DataFormatError(f"{name} cannot be read: '{path}' is a folder; name a file in it") from error
    except OSError as error:
        raise SourceUnavailableError(f"{name} cannot be read: {error.strerror} ('{path}')") from error


def _take_off_compression(plain: PlainBytes) -> PlainBytes:
    if plain.head.startswith(_GZIP_MAGIC):
        packed = io.BufferedReader(plain)
        plain = PlainBytes(gzip.GzipFile(fileobj=packed), plain.name)
    if not plain.head:
        raise DataFormatError(f"{plain.name} is empty (0 bytes); copy the file again or leave its key out")
    return plain
