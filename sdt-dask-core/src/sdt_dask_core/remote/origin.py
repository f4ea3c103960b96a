"""Where the bytes of one object come from: how they are asked for, and what is done when a connection breaks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from sdt_dask_core.errors import SourceUnavailableError

__all__ = ["Body", "Fetch", "Origin", "Part"]


class Body(Protocol):
    """The bytes of an answer, as they arrive."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, `size` or fewer; nothing at the end."""

    def close(self) -> None:
        """Give the connection back, or up where there is more to come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The answer to a request for some bytes of an object.

    Attributes
    ----------
    body : binary stream
        The bytes, not read yet: it has ``read(size)`` and ``close()``.
    start : int
        The first of them, counted from the beginning of the object.
    size : int, optional
        Length of the whole object [bytes]; None where the source does not say.
    version : str
        What tells this version of the object from another, such as its ETag; empty where the source has no such thing.
    """

    body: Body
    start: int = 0
    size: int | None = None
    version: str = ""


#: Asks for the bytes from the first number up to the second (None: to the end) of a version (empty: whichever there
#: is). None: the object has no such bytes.
Fetch: TypeAlias = Callable[[int, "int | None", str], "Part | None"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where the bytes of one object come from.

    Attributes
    ----------
    name : str
        How messages name the object.
    fetch : callable
        Given a first byte, the one behind the last (None for all that follow) and a version (empty for whichever there
        is), asks for these bytes and returns a `Part`; or None, where the object has none of them. What it raises is
        not tried again: a request that fails is the matter of whoever makes it.
    breaks : tuple of exception types
        What reading a body raises when the connection breaks.
    max_attempts : int
        How often in a row, without a byte in between, an answer may break off.
    advice : str
        What to do then, for messages.
    context : mapping
        Attributes of the errors.
    """

    name: str
    fetch: Fetch
    breaks: tuple[type[Exception], ...] = (OSError,)
    max_attempts: int = 5
    advice: str = "try again later"
    context: Mapping[str, Any] = field(default_factory=dict)

    def unavailable(self, reason: str) -> SourceUnavailableError:
        """Return the error that the object cannot be read for a reason that may pass."""
        return SourceUnavailableError(f"{self.name} cannot be read: {reason}", **self.context)
