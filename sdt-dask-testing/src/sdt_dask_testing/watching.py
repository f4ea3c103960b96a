"""A watch on what code touches: files, folders, sockets, databases, processes, threads."""

from __future__ import annotations

import _thread
import contextlib
import inspect
import linecache
import os
import sys
import zoneinfo
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

__all__ = ["Watch"]

_EVENTS = (
    *("open", "os.listdir", "os.scandir", "os.mkdir", "os.rmdir", "os.remove", "os.rename", "os.link", "os.symlink"),
    *("os.truncate", "os.chmod", "os.chown", "os.utime", "shutil.", "tempfile.", "sqlite3.connect"),
    *("socket.__new__", "socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo", "socket.gethostby"),
    *("subprocess.Popen", "os.fork", "os.posix_spawn", "os.spawn", "os.system", "os.exec", "os.startfile"),
)
# They raise no audit event; a profile sees them called.
_CALLS = {
    getattr(os, name): f"os.{name}" for name in ("stat", "lstat", "access", "readlink", "statvfs") if hasattr(os, name)
} | {
    getattr(_thread, name): "starts a thread"
    for name in ("start_new_thread", "start_joinable_thread")
    if hasattr(_thread, name)
}
# Imports, the source lines in a warning, and time zones are files of the installation, not of the source.
_FREE_FILES = ("<frozen importlib", "<frozen zipimport")
_FREE_MODULES = ("linecache", "tokenize", "zoneinfo", "pytz", "dateutil", "importlib._bootstrap", "pkgutil")


class Watch:
    """Lists what was touched while it is on, in this thread; made once per process, as an audit hook stays.

    Parameters
    ----------
    packages : iterable of str
        Top-level packages of the author. What is touched without a line of theirs in the stack, as a file that holds a
        secret, is not theirs.
    """

    def __init__(self, packages: Iterable[str]) -> None:
        self._packages = frozenset(packages)
        self._is_on = False
        self._found: list[tuple[str, str, int]] = []
        sys.addaudithook(self._hear)

    @contextlib.contextmanager
    def on(self) -> Iterator[list[str]]:
        """Watch; the list that is yielded is filled at the end."""
        touched: list[str] = []
        before = _descriptors()
        self._found = []
        self._is_on = True
        sys.setprofile(self._see)
        try:
            yield touched
        finally:
            sys.setprofile(None)
            self._is_on = False
            touched.extend(dict.fromkeys(_line(*found) for found in self._found))
            # What a library opens in C raises no event, but stays open.
            if not touched:
                touched.extend(f"left open: {name}" for name in _opened(before))

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._is_on or not event.startswith(_EVENTS) or event == "sqlite3.connect/handle":
            return
        what = _named(arguments)
        if not what.startswith(tuple(zoneinfo.TZPATH)):
            self._note(f"{event} {what!r}" if what else event, inspect.currentframe())

    def _see(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "c_call" and inspect.isbuiltin(argument) and argument in _CALLS:
            self._note(_CALLS[argument], frame)

    def _note(self, what: str, frame: FrameType | None) -> None:
        frames = list(_frames(frame))
        own = [each for each in frames if _module(each).partition(".")[0] in self._packages]
        if own and not any(_is_free(each) for each in frames):
            self._found.append((what, own[0].f_code.co_filename, own[0].f_lineno))


def _frames(frame: FrameType | None) -> Iterator[FrameType]:
    """Yield the frames from the innermost to the one that put the watch on."""
    while frame is not None and not _module(frame).startswith("sdt_dask_testing.probe"):
        yield frame
        frame = frame.f_back


def _named(arguments: tuple[Any, ...]) -> str:
    """Return the path, the address or the host among the arguments of an event, or nothing."""
    for argument in arguments:
        if isinstance(argument, (str, bytes, os.PathLike)):
            return os.fsdecode(argument)
        if isinstance(argument, tuple):
            return ":".join(map(str, argument))
    return ""


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def _is_free(frame: FrameType) -> bool:
    free = tuple(f"{module}." for module in _FREE_MODULES)
    return frame.f_code.co_filename.startswith(_FREE_FILES) or f"{_module(frame)}.".startswith(free)


def _line(what: str, file: str, number: int) -> str:
    text = linecache.getline(file, number).strip()
    return f"{what} at {Path(file).name}:{number}" + (f": {text}" if text else "")


def _descriptors() -> set[str]:
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        return set()
    return {f"{file.name} {_target(file)}" for file in folder.iterdir()}


def _target(file: Path) -> str:
    try:
        return str(file.readlink())
    except OSError:
        return ""  # that of the listing itself


def _opened(before: set[str]) -> list[str]:
    new = (text.partition(" ")[2] for text in sorted(_descriptors() - before))
    return [name for name in new if name.startswith(("/", "socket:")) and not name.startswith(("/proc/", "/dev/"))]
