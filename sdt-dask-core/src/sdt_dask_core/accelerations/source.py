"""Whether the source of what an acceleration stands in for is the one that it was derived from."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Mapping
from operator import attrgetter
from types import ModuleType

__all__ = ["digest_of", "is_source"]

_LENGTH = 16


def is_source(module: ModuleType, digests: Mapping[str, str]) -> bool:
    """Tell whether functions of a module have the source of the given digests.

    A version says less: what matters is whether the lines that were read when the acceleration was written are those
    that are installed, be the release older, newer or patched.

    Parameters
    ----------
    module : module
        Where they are.
    digests : mapping of str to str
        By the name in the module, dotted for methods, what `digest_of` gave.
    """
    try:
        return all(digest_of(attrgetter(name)(module)) == digest for name, digest in digests.items())
    except (AttributeError, OSError, TypeError):
        return False


def digest_of(function: object) -> str:
    """Return a digest of the source of a function or class, whatever its layout of blank ends of lines."""
    lines = inspect.getsource(function).splitlines()  # type: ignore[arg-type]
    return hashlib.sha256("\n".join(line.rstrip() for line in lines).encode()).hexdigest()[:_LENGTH]
