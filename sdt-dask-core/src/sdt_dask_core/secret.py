"""Secrets: references that travel, values that are resolved where they are used and never shown.

``env:NAME`` names an environment variable, ``file:/path`` a file that holds the value. Whatever was resolved in a
process is taken out of any text by `redact` before that text leaves it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from sdt_dask_core.errors import OptionError

__all__ = ["Secret", "is_reference", "redact"]

_MASK = "***"
_revealed: set[str] = set()
# The user may be left out (redis://:password@host), and a password may hold an @ of its own.
_URL_PASSWORD = re.compile(r'(?<=://)([^/\s:@"]*):([^/\s"]+)@')


def is_reference(value: object) -> bool:
    """Tell whether a value is a reference to a secret (``env:NAME`` or ``file:/path``)."""
    return isinstance(value, str) and value.startswith(("env:", "file:")) and len(value.partition(":")[2]) > 0


class Secret:
    """A reference to a secret; its value is read by `reveal`, where and when it is used.

    Parameters
    ----------
    reference : str
        ``env:NAME`` or ``file:/path``.

    Raises
    ------
    OptionError
        The text is not a reference. Its value is not repeated in the message: it may be the secret itself.
    """

    __slots__ = ("reference",)

    def __init__(self, reference: str) -> None:
        if not is_reference(reference):
            raise OptionError(
                "a secret is given as a reference, never as its value: write env:NAME for an environment variable "
                "or file:/path for a file that holds it"
            )
        self.reference = reference

    def reveal(self) -> str:
        """Return the secret's value.

        Raises
        ------
        OptionError
            The environment variable is not set, or the file cannot be read.
        """
        scheme, _, name = self.reference.partition(":")
        value = _from_environment(name) if scheme == "env" else _from_file(name)
        if value:
            _revealed.add(value)
        return value

    def __repr__(self) -> str:
        return f"Secret({self.reference!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.reference == self.reference

    def __hash__(self) -> int:
        return hash(self.reference)


def _from_environment(name: str) -> str:
    try:
        return os.environ[name]
    except KeyError:
        raise OptionError(f"the secret env:{name} cannot be read: {name} is not set in this process; set it") from None


def _from_file(name: str) -> str:
    try:
        return Path(name).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise OptionError(f"the secret file:{name} cannot be read: {error.strerror}; check the path") from error


def redact(text: str) -> str:
    """Return the text without any secret that this process resolved and without passwords in URLs."""
    for value in sorted(_revealed, key=len, reverse=True):
        text = text.replace(value, _MASK)
    return _URL_PASSWORD.sub(rf"\1:{_MASK}@", text)
