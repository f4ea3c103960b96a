"""Secrets: references that travel, values that are resolved where they are used and never shown.

``env:NAME`` names an environment variable, ``file:/path`` a file that holds the value. Whatever was resolved in a
process is taken out of any text by `redact` before that text leaves it, however a library spelled it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sdt_dask_core.errors import OptionError
from sdt_dask_core.redaction import without_named_secrets, without_values

__all__ = ["Secret", "is_reference", "redact", "redact_from_now_on"]

#: No key and no password is longer [bytes]; a reference to a file of data would fill the memory.
_LONGEST = 64 * 1024

_revealed: set[str] = set()


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
        with Path(name).open("rb") as file:
            content = file.read(_LONGEST + 1)
    except OSError as error:
        raise OptionError(f"the secret file:{name} cannot be read: {error.strerror}; check the path") from error
    if len(content) > _LONGEST:
        raise OptionError(
            f"the secret file:{name} cannot be read: it is longer than the {_LONGEST // 1024} KiB that a secret may "
            "have; check the path"
        )
    try:
        return content.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise OptionError(f"the secret file:{name} cannot be read: it is no UTF-8 text; check the path") from None


def redact_from_now_on(options: Mapping[str, Any]) -> None:
    """Let `redact` know the secrets that these options refer to, as far as they can be read here.

    For a process that shows what another one printed, such as the worker of a child that crashed.
    """
    for value in options.values():
        if isinstance(value, Mapping):
            redact_from_now_on(value)
        elif is_reference(value):
            with contextlib.suppress(OptionError):  # not to be read here, so not known here either
                Secret(value).reveal()


def redact(text: str) -> str:
    """Return the text without any secret that this process resolved, and without what names itself one.

    A value is found also where it is escaped, percent-encoded, in base64 or in hex; see `sdt_dask_core.redaction`.
    """
    return without_named_secrets(without_values(text, frozenset(_revealed)))
