"""The question that every process of a cluster is asked: what is installed there, and which files it sees.

The functions here need nothing but Python. Their source travels as text, because a process with another Python could
not read a pickled function, nor one without this package import it.
"""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Callable
from typing import Any

from sdt_dask_core.environment import importable_versions

__all__ = ["CALL", "answer_of_this_process", "call", "look_at"]

#: Evaluated there; the answer is JSON text, so that nothing is unpickled here.
CALL = "(exec(source, space), space['say'](space['answer_of_this_process'](space['question'])))[1]"


def look_at(path: str, length: int) -> str:
    """Return what is seen under a path: "folder", the digest of a file's first bytes, or why neither.

    Parameters
    ----------
    path : str
        Absolute path.
    length : int
        How many bytes of a file are looked at.
    """
    import hashlib
    import os

    try:
        if os.path.isdir(path):  # noqa: PTH112 - with nothing but what every Python has at hand
            return "folder"
        with open(path, "rb") as file:  # noqa: PTH123
            return hashlib.sha256(file.read(length)).hexdigest()
    except FileNotFoundError:
        return "missing"
    except OSError as error:
        return f"unreadable: {error.strerror}"


def answer_of_this_process(question: dict[str, Any]) -> dict[str, Any]:
    """Return versions, modules and files as this process sees them.

    Parameters
    ----------
    question : dict
        See `Terms.question`.
    """
    import importlib.machinery
    import importlib.metadata
    import importlib.util

    found: dict[str, Any] = {"versions": importable_versions(question["modules"]), "distributions": {}, "imports": {}}
    for name in question["distributions"]:
        try:
            found["distributions"][name] = importlib.metadata.version(name)
        except Exception:  # noqa: BLE001 - not there, or torn: it cannot be counted upon
            found["distributions"][name] = None
    for module in question["imports"]:
        # The folders are those of the child; this process itself imports nothing from them.
        beside = importlib.machinery.PathFinder.find_spec(module, question["folders"])
        found["imports"][module] = (beside or importlib.util.find_spec(module)) is not None
    found["files"] = {path: look_at(path, length) for path, length in question["files"]}
    return found


@functools.cache
def _program() -> str:
    parts: tuple[Callable[..., object], ...] = (importable_versions, look_at, answer_of_this_process)
    return "\n".join(
        [
            "from __future__ import annotations",
            "from json import dumps as say",
            *(inspect.getsource(part) for part in parts),
        ]
    )


def call(question: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the arguments with which ``eval`` answers a question in any process, as JSON text."""
    return CALL, {"source": _program(), "space": {"question": json.loads(json.dumps(question))}}
