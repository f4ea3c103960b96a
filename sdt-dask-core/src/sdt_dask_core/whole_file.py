"""Files that appear whole or not at all, also after a kill, on a full disk, and after a power cut."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

__all__ = ["make_folder", "sweep", "whole_file", "write_whole"]

# The process in the name tells who may still be at work on it.
_TEMPORARY = re.compile(r"\..+\.(\d+)-[0-9a-f]{8}\.part")


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary file beside `path`, which takes its place when all is written and synced.

    On an error nothing of it is left, and what stood at `path` before still does.

    Raises
    ------
    OSError
        The folder or the disk cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.part")
    temporary.touch(exist_ok=False)
    try:
        yield temporary
        _sync(temporary)
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    _sync_folder(path.parent)


def write_whole(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, so that a power cut does not take them, with what is in them, away again."""
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in made:
        _sync_folder(path.parent)


def sweep(folder: Path) -> None:
    """Remove the temporary files that killed processes left in a folder."""
    import psutil

    for path in folder.iterdir():
        found = _TEMPORARY.fullmatch(path.name)
        if found and not psutil.pid_exists(int(found.group(1))):
            with contextlib.suppress(OSError):  # it takes a little room and does no harm
                path.unlink()


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return  # Windows opens no folders
    try:
        number = os.open(folder, os.O_RDONLY)
    except PermissionError:
        return  # a folder in which one may write, but not look
    try:
        os.fsync(number)
    except OSError as error:
        if error.errno != errno.EINVAL:  # a file system that syncs no folders
            raise
    finally:
        os.close(number)
