"""Who writes the new distribution: the name in its licence and its metadata."""

from __future__ import annotations

import subprocess
from pathlib import Path

from sdt_dask_core.errors import ConfigurationError

__all__ = ["author_here"]

_PATIENCE = 10.0


def author_here(given: str | None, *, folder: Path, name: str) -> str:
    """Return the author given, else the one that git knows in this folder, else the developers of that name.

    Raises
    ------
    ConfigurationError
        The author given is empty, or more than one line.
    """
    if given is None:
        found = _git_user(folder)
        return found if _is_one_line(found) else f"The {name} developers"
    author = given.strip()
    if not _is_one_line(author):
        raise ConfigurationError(f"--author cannot be {given!r}: give one line of text, such as a name")
    return author


def _is_one_line(text: str) -> bool:
    return bool(text) and text.isprintable()


def _git_user(folder: Path) -> str:
    command = ["git", "config", "user.name"]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, encoding="utf-8", errors="replace", check=False, timeout=_PATIENCE
        )
    except (OSError, subprocess.TimeoutExpired):  # no git
        return ""
    return done.stdout.strip()
