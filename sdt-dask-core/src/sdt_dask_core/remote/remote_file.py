"""An object far away as a binary file: a stream from its beginning on, or parts here and there, as Parquet is read."""

from __future__ import annotations

import io
import os
from collections import deque
from typing import TYPE_CHECKING, Any

from sdt_dask_core import oversize
from sdt_dask_core.oversize import oversized, size_text
from sdt_dask_core.remote.stretch import Stretch, Version

if TYPE_CHECKING:
    from sdt_dask_core.remote.origin import Origin

__all__ = ["RemoteFile"]

#: Bytes that are asked for at least when an object is read here and there: about what a request costs in time.
READ_AHEAD = 256 * 1024

_KEPT = 16


class RemoteFile(io.RawIOBase):
    """An object that can be read and sought in.

    Parameters
    ----------
    origin : Origin
        Where its bytes come from.
    in_parts : bool
        Whether it is asked for in parts from the start, as for Parquet; else it is one stream until somebody seeks.
    """

    def __init__(self, origin: Origin, *, in_parts: bool) -> None:
        self._origin = origin
        self._version = Version()
        self._position = 0
        self._stream = None if in_parts else Stretch(origin, self._version)
        self._kept: deque[tuple[int, bytes]] = deque(maxlen=_KEPT)

    @property
    def known_size(self) -> int | None:
        """Length of the object [bytes]; None before the first answer, and where the source does not say."""
        return self._version.size

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def seekable(self) -> bool:
        """Tell that one can seek in it."""
        return True

    def tell(self) -> int:
        """Return the next byte to be read."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a byte; nothing is asked for until it is read."""
        bases = {os.SEEK_SET: 0, os.SEEK_CUR: self._position}
        self._position = offset + (bases[whence] if whence in bases else self._size())
        if self._stream is not None and self._stream.position != self._position:
            self._stream.close()
            self._stream = None
        return self._position

    def read(self, size: int | None = -1) -> bytes:
        """Return the next `size` bytes, fewer at the end only; all that are left where no size is given.

        Raises
        ------
        SourceUnavailableError
            The answers broke off time and again, or the object was replaced meanwhile; and whatever `Origin.fetch`
            raises.
        DataFormatError
            These are more than may be held of one table. Not retried.
        """
        parts: list[bytes] = []
        count = 0
        missing = size if size is not None and size >= 0 else None
        while missing is None or missing > 0:
            part = self._read_some(missing)
            if not part:
                break
            parts.append(part)
            self._position += len(part)
            count += len(part)
            self._refuse_oversize(count, is_all=missing is None)
            missing = None if missing is None else missing - len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer with the next bytes; return how many."""
        view = memoryview(buffer).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def readall(self) -> bytes:
        """Return all that is left."""
        return self.read()

    def close(self) -> None:
        """Give the connection back."""
        if self._stream is not None:
            self._stream.close()
        self._kept.clear()
        super().close()

    def _refuse_oversize(self, count: int, *, is_all: bool) -> None:
        """Refuse to hold more than is held of one table: all of an object as soon as it tells how long it is."""
        known = self._version.size
        if is_all and known is not None and known > oversize.MAX_BYTES:
            raise oversized(self._origin.name, f"has {size_text(known)}")
        if count > oversize.MAX_BYTES:
            raise oversized(self._origin.name, f"is larger than {size_text(oversize.MAX_BYTES)}")

    def _read_some(self, size: int | None) -> bytes:
        if self._stream is not None:
            # No more at once: what an answer that breaks off loses is what one call asked for.
            return self._stream.read(READ_AHEAD if size is None else min(size, READ_AHEAD))
        if self._version.size is not None and self._position >= self._version.size:
            return b""
        for start, data in self._kept:
            if start <= self._position < start + len(data):
                at = self._position - start
                return data[at:] if size is None else data[at : at + size]
        data = self._fetch(self._position, READ_AHEAD if size is None else self._worth_asking(size))
        return data if size is None else data[:size]

    def _worth_asking(self, size: int) -> int:
        # A damaged file may say that one of its parts is as long as the disk; a byte too much is enough to refuse it.
        return min(max(size, READ_AHEAD), oversize.MAX_BYTES + 1)

    def _fetch(self, start: int, size: int) -> bytes:
        """Return the bytes of one request; keep them where they are few."""
        stretch = Stretch(self._origin, self._version, start=start, stop=start + size)
        try:
            data = b"".join(iter(lambda: stretch.read(READ_AHEAD), b""))
        finally:
            stretch.close()
        if len(data) <= READ_AHEAD:
            self._kept.append((start, data))
        return data

    def _size(self) -> int:
        if self._version.size is None:
            self._fetch(0, READ_AHEAD)
        return self._version.size or 0
