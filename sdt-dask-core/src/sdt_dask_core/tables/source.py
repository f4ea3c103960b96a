"""Opening a table: a path or a binary stream becomes a bounded stream of plain bytes."""

from __future__ import annotations

import gzip
import io
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from sdt_dask_core import oversize
from sdt_dask_core.errors import AccessDeniedError, DataFormatError, KeyNotFoundError, SourceUnavailableError
from sdt_dask_core.oversize import oversized, size_text

if TYPE_CHECKING:
    from collections.abc import Buffer  # type: ignore[attr-defined,unused-ignore]

__all__ = ["ByteStream", "PlainBytes", "open_plain"]

_HEAD_BYTES = 256 * 1024
_GZIP_MAGIC = b"\x1f\x8b"
# Tables of power shrink to a tenth or a thirtieth. What unpacks to so many times its size is a bomb, which shows long
# before it fills the memory.
_MOST_TIMES = 250
_BOMB_FROM = 32 * 1024**2


class ByteStream(Protocol):
    """A binary file object; one that can also seek is read only where it is needed."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, `size` or fewer; nothing at the end only."""


class PlainBytes(io.RawIOBase):
    """The decompressed bytes of a table: readable once, its head twice, never more than `oversize.MAX_BYTES`.

    Parameters
    ----------
    stream : binary file object
        Where they come from.
    name : str
        How messages name the table.
    packed : PlainBytes, optional
        What `stream` unpacks.

    Attributes
    ----------
    head : bytes
        Its first bytes, enough to know its format and its columns.
    n_read : int
        How many were read so far.
    """

    def __init__(self, stream: Any, name: str, packed: PlainBytes | None = None) -> None:
        self.name = name
        self._stream = stream
        self._packed = packed
        self.n_read = 0
        self.head = self._read_head()
        self._ahead = memoryview(self.head)

    @property
    def is_cut(self) -> bool:
        """Whether there may be more than the head."""
        return len(self.head) >= _HEAD_BYTES

    def parts(self) -> Iterator[bytes | memoryview]:
        """Yield all that is left, in small parts.

        Raises
        ------
        DataFormatError
            It is larger than what is held of one table; known before it is read where the source tells its size.
        """
        size = _size_of(self._stream) if self._packed is None else None
        if size is not None and size > oversize.MAX_BYTES:
            raise oversized(self.name, f"has {size_text(size)}")
        yield self._ahead
        self._ahead = self._ahead[len(self._ahead) :]
        while part := self._read_on(_HEAD_BYTES):
            yield part

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

    def readall(self) -> bytes:
        """Return all that is left; see `parts`."""
        return b"".join(self.parts())

    def seekable_whole(self) -> BinaryIO:
        """Return all of it as a stream that can seek, as Parquet, which is read from its end, needs."""
        if self._packed is None and getattr(self._stream, "seekable", lambda: False)():
            self._stream.seek(0)
            seekable: BinaryIO = self._stream
            return seekable
        return io.BytesIO(self.readall())

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
        self.n_read += len(data)
        self._refuse_bomb()
        return data

    def _refuse_bomb(self) -> None:
        if self.n_read > oversize.MAX_BYTES:
            unpacked = "" if self._packed is None else " when unpacked"
            raise oversized(self.name, f"is larger than {size_text(oversize.MAX_BYTES)}{unpacked}")
        if self._packed is not None and self.n_read > max(_BOMB_FROM, _MOST_TIMES * self._packed.n_read):
            raise DataFormatError(
                f"{self.name} unpacks to more than {_MOST_TIMES} times its size: {size_text(self._packed.n_read)} "
                f"became {size_text(self.n_read)}, and there is more; no table of power does that, check its origin"
            )


@contextmanager
def open_plain(source: Path | ByteStream, name: str) -> Iterator[PlainBytes]:
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


def _size_of(stream: Any) -> int | None:
    """Return how long a file, or an object far away that was begun to be read, is; None where nobody says."""
    known: int | None = getattr(stream, "known_size", None)
    if known is not None:
        return known
    try:
        return os.fstat(stream.fileno()).st_size
    except (AttributeError, OSError, ValueError):  # no file of this machine
        return None


def _take_off_compression(plain: PlainBytes) -> PlainBytes:
    if plain.head.startswith(_GZIP_MAGIC):
        packed = io.BufferedReader(plain)
        plain = PlainBytes(gzip.GzipFile(fileobj=packed), plain.name, plain)
        if plain.head.startswith(_GZIP_MAGIC):
            raise DataFormatError(f"{plain.name} is compressed twice; unpack it once, or leave its key out")
    if not plain.head:
        raise DataFormatError(f"{plain.name} is empty (0 bytes); copy the file again or leave its key out")
    return plain
