"""A stretch of an object's bytes, whole and of one version, however often the connection breaks on the way.

Clients of stores try requests again, and nothing that happens once the body has begun. So a body that breaks off is
asked for again from the byte where it broke, in the version of its beginning, and all that comes is counted.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sdt_dask_core.errors import SourceUnavailableError
    from sdt_dask_core.remote.origin import Body, Origin, Part

__all__ = ["Stretch", "Version"]

_FIRST_WAIT, _LONGEST_WAIT = 0.1, 20.0  # s
# Not the global generator: its seed is that of the key.
_random = random.Random()  # noqa: S311 - spreads retries


@dataclass(slots=True)
class Version:
    """Which version of an object is being read; empty until the first answer.

    Attributes
    ----------
    text : str
        What tells it from another.
    size : int or None
        Its length [bytes]; None where the source does not say.
    is_known : bool
        Whether there was an answer.
    """

    text: str = ""
    size: int | None = None
    is_known: bool = False


class _ShortBodyError(Exception):
    """A body that ended early without a word."""


class Stretch:
    """The bytes of an object from `start`, readable once.

    Parameters
    ----------
    origin : Origin
        Where they come from.
    version : Version
        Which version is wanted; filled in by the first answer.
    start, stop : int
        The first byte, and the one behind the last; None for all that follow.
    """

    def __init__(self, origin: Origin, version: Version, *, start: int = 0, stop: int | None = None) -> None:
        self._origin = origin
        self._version = version
        self._position = start
        self._stop = stop
        self._body: Body | None = None
        self._breaks = 0

    @property
    def position(self) -> int:
        """The next byte that `read` gives."""
        return self._position

    def read(self, size: int) -> bytes:
        """Return the next bytes, `size` or fewer; nothing at the end.

        Raises
        ------
        SourceUnavailableError
            The body broke off time and again, or the object was replaced meanwhile.
        """
        breaks: tuple[type[Exception], ...] = (*self._origin.breaks, _ShortBodyError)
        while not self._is_at_end():
            try:
                data = self._read_on(size)
            except breaks as error:
                self._note_break(error)
                continue
            self._position += len(data)
            self._breaks = 0
            return data
        self._finish()
        return b""

    def close(self) -> None:
        """Give the connection back, or up where there is more to come."""
        body, self._body = self._body, None
        if body is not None:
            body.close()

    def _finish(self) -> None:
        if self._body is not None:
            # Clients that hold the bytes against a checksum of the whole do so when they are asked for more.
            self._body.read(1)
        self.close()

    def _is_at_end(self) -> bool:
        return self._stop is not None and self._position >= self._stop

    def _read_on(self, size: int) -> bytes:
        body = self._opened() if self._body is None else self._body
        if body is None or self._is_at_end():
            return b""
        data = body.read(size if self._stop is None else min(size, self._stop - self._position))
        if not data:
            if self._stop is not None:
                raise _ShortBodyError(f"{self._stop - self._position} bytes are missing")
            self._stop = self._position  # the source did not say how many to expect
        return data

    def _opened(self) -> Body | None:
        part = self._origin.fetch(self._position, self._stop, self._version.text)
        if part is None:
            self._end_without_bytes()
            return None
        self._body = part.body
        self._refuse_other_version(part)
        if part.start != self._position:
            raise self._origin.unavailable(
                f"asked for the bytes from {self._position} on, the source sent those from {part.start} on, so a "
                "broken connection cannot be taken up again; try again later"
            )
        if part.size is not None:
            self._stop = part.size if self._stop is None else min(self._stop, part.size)
        return part.body

    def _end_without_bytes(self) -> None:
        if self._version.size is not None:
            raise self._replaced()
        self._stop = self._position
        if self._version.is_known or not self._position:
            self._version.size = self._position

    def _refuse_other_version(self, part: Part) -> None:
        # Not left to the source alone: some cannot be asked for a version.
        known = self._version
        is_other_size = None not in (part.size, known.size) and part.size != known.size
        if known.is_known and (part.version != known.text or is_other_size):
            raise self._replaced()
        known.text, known.size, known.is_known = part.version, known.size if part.size is None else part.size, True

    def _replaced(self) -> SourceUnavailableError:
        return self._origin.unavailable("it was replaced while it was being read; read it again")

    def _note_break(self, error: Exception) -> None:
        """Wait, so that the next read asks again; or raise when there were too many breaks without a byte between."""
        self.close()
        self._breaks += 1
        has_version = bool(self._version.text) or not self._position
        if self._breaks >= self._origin.max_attempts or not has_version:
            raise self._origin.unavailable(
                f"the answer broke off at byte {self._position} of "
                f"{'?' if self._version.size is None else self._version.size}, {self._breaks} times in a row "
                f"({type(error).__name__}: {error}); {self._origin.advice}"
            ) from error
        time.sleep(min(_LONGEST_WAIT, _FIRST_WAIT * 2**self._breaks) * _random.uniform(0.5, 1))
