"""Text of others, such as keys and messages, made safe for a terminal; and numbers as people read them."""

from __future__ import annotations

import shlex
import shutil
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path

from sdt_dask_core.secret import redact

__all__ = [
    "clean",
    "count",
    "first_keys",
    "line",
    "origin",
    "quoted_command",
    "reasons_text",
    "vanished_text",
]

# Control characters, those that reverse the direction of writing, and lone surrogates.
_HIDDEN = ("Cc", "Cf", "Cs")
_FIRST_KEYS = 5


def clean(text: object) -> str:
    r"""Return a text with everything that a terminal obeys written out, such as ``\x1b``; line ends and tabs stay.

    Secrets are taken out.
    """
    known = redact(str(text))
    return "".join(c if c in "\n\t" or unicodedata.category(c) not in _HIDDEN else _escaped(c) for c in known)


def line(text: object) -> str:
    """Return a cleaned text in one line."""
    return " ".join(clean(text).split())


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def first_keys(keys: Sequence[str]) -> str:
    """Return the first few of some keys, given as canonical text, in one line."""
    from sdt_dask_core.keys import key_label

    first = ", ".join(line(key_label(key)) for key in keys[:_FIRST_KEYS])
    return f"{first}, …" if len(keys) > _FIRST_KEYS else first


def reasons_text(reasons: Mapping[str, int]) -> str:
    """Return how many keys ran or did not, for each reason, in one line."""
    return line("; ".join(f"{number} {reason}" for reason, number in reasons.items()))


def vanished_text(keys: Sequence[str]) -> str:
    """Return the sentence about systems that the source no longer has, given as canonical text."""
    return f"{count(len(keys), 'system')} vanished from the source, kept with the last row: {first_keys(keys)}"


def count(number: int, noun: str) -> str:
    """Return ``1 system`` or ``2 systems``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def origin(distribution: str, version: str) -> str:
    """Return where a provider comes from; a class of the user's own has a digest for a version."""
    return f"yours, {version}" if distribution == "(yours)" else f"{distribution} {version}"


def quoted_command(*arguments: object) -> str:
    """Return a command line of ours that works as printed, in the shell that started this program."""
    return " ".join([_program(), *(shlex.quote(str(argument)) for argument in arguments)])


def _program() -> str:
    own, found = Path(sys.argv[0]), shutil.which("sdt-dask")
    if own.stem != "sdt-dask":
        return f"{shlex.quote(sys.executable)} -m sdt_dask_core.cli"
    # The one on the path may be that of another environment.
    is_on_path = found is not None and own.exists() and Path(found).samefile(own)
    return "sdt-dask" if is_on_path else shlex.quote(str(own))
