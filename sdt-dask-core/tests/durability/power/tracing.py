"""A trace of all that SQLite does to the files of one folder, taken between SQLite and its file system layer.

SQLite lets a program register a file system layer ("VFS"). The one here is the default one with its calls to write,
truncate, sync, create and delete written down, and made to fail where a test wants it. It is registered for the whole
process, so trace in one of its own.
"""

from __future__ import annotations

import _sqlite3
import ctypes
import math
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

_OK = 0
_POINTER = ctypes.c_void_p
_IO_METHODS = (
    *("xClose", "xRead", "xWrite", "xTruncate", "xSync", "xFileSize", "xLock", "xUnlock", "xCheckReservedLock"),
    *("xFileControl", "xSectorSize", "xDeviceCharacteristics"),
    *("xShmMap", "xShmLock", "xShmBarrier", "xShmUnmap", "xFetch", "xUnfetch"),
)
_METHODS_BY_VERSION = {1: 12, 2: 16, 3: 18}

_WRITE = ctypes.CFUNCTYPE(ctypes.c_int, _POINTER, _POINTER, ctypes.c_int, ctypes.c_int64)
_TRUNCATE = ctypes.CFUNCTYPE(ctypes.c_int, _POINTER, ctypes.c_int64)
_SYNC = ctypes.CFUNCTYPE(ctypes.c_int, _POINTER, ctypes.c_int)
# Paths are pointers, which go on as they came: SQLite keeps them, and a copy of Python's would be freed under it.
_OPEN = ctypes.CFUNCTYPE(ctypes.c_int, _POINTER, _POINTER, _POINTER, ctypes.c_int, _POINTER)
_DELETE = ctypes.CFUNCTYPE(ctypes.c_int, _POINTER, _POINTER, ctypes.c_int)
_OPEN_FOLDER = ctypes.CFUNCTYPE(ctypes.c_int, _POINTER, _POINTER)
_SET_CALL = ctypes.CFUNCTYPE(ctypes.c_int, _POINTER, ctypes.c_char_p, _POINTER)
_GET_CALL = ctypes.CFUNCTYPE(_POINTER, _POINTER, ctypes.c_char_p)


class _IoMethods(ctypes.Structure):
    _fields_ = [("iVersion", ctypes.c_int), *((name, _POINTER) for name in _IO_METHODS)]


class _File(ctypes.Structure):
    _fields_ = [("pMethods", ctypes.POINTER(_IoMethods))]


class _Vfs(ctypes.Structure):
    _fields_ = [
        ("iVersion", ctypes.c_int),
        ("szOsFile", ctypes.c_int),
        ("mxPathname", ctypes.c_int),
        ("pNext", _POINTER),
        ("zName", ctypes.c_char_p),
        ("pAppData", _POINTER),
        *((name, _POINTER) for name in ("xOpen", "xDelete", "xAccess", "xFullPathname")),
        *((name, _POINTER) for name in ("xDlOpen", "xDlError", "xDlSym", "xDlClose")),
        *((name, _POINTER) for name in ("xRandomness", "xSleep", "xCurrentTime", "xGetLastError")),
        *((name, _POINTER) for name in ("xCurrentTimeInt64", "xSetSystemCall", "xGetSystemCall", "xNextSystemCall")),
    ]


class NoTracingError(Exception):
    """The SQLite of this Python cannot be traced."""


def library() -> ctypes.CDLL:
    """Return the SQLite that Python's own module uses.

    Raises
    ------
    NoTracingError
        It is linked into Python in a way that hides its functions, or this is not a POSIX system.
    """
    try:
        found = ctypes.CDLL(getattr(_sqlite3, "__file__", None))
        found.sqlite3_vfs_find.restype = ctypes.POINTER(_Vfs)
        if found.sqlite3_vfs_find(None).contents.iVersion < 3:
            raise NoTracingError("this SQLite is from before 2011")
        found.sqlite3_vfs_register  # noqa: B018 - looks it up
    except (OSError, AttributeError, ValueError) as error:
        raise NoTracingError(f"the SQLite of this Python shows no functions: {error}") from error
    return found


class Tracing:
    """What SQLite did to files, as a list of tuples: what, the name of the file, and more.

    ``("create", name)``, ``("delete", name)``, ``("write", name, offset, data)``, ``("truncate", name, size)``,
    ``("sync", name)``, ``("sync_folder",)``, and ``("mark", anything)`` for what the program says itself.
    """

    def __init__(self) -> None:
        self.events: list[tuple[Any, ...]] = []
        self._names: dict[int, str] = {}
        self._methods: dict[int, _IoMethods] = {}
        self._folder_was_opened = False
        self._calls_before_failure = math.inf
        self._failure = _OK
        self._fails_on = False
        self._kept: list[Any] = []  # what C code points at must not be collected
        self._register(library())

    def mark(self, what: Any) -> None:
        """Write down something of the program's own."""
        self.events.append(("mark", what))

    def fail(self, after: int, code: int, *, lasting: bool) -> None:
        """Let the next call to write, truncate or sync after so many of them fail; a lasting failure stays."""
        self._calls_before_failure, self._failure, self._fails_on = after, code, lasting

    def heal(self) -> None:
        """Let no call fail any more."""
        self._calls_before_failure = math.inf

    @property
    def has_failed(self) -> bool:
        """Whether a call failed since `fail`."""
        return self._calls_before_failure < 0

    def _is_failing(self) -> bool:
        self._calls_before_failure -= 1
        return self._calls_before_failure == -1 or (self._calls_before_failure < 0 and self._fails_on)

    def save(self, path: Path) -> None:
        """Write the trace into a file, for `load`."""
        path.write_bytes(pickle.dumps(self.events))

    def _register(self, sqlite: ctypes.CDLL) -> None:
        default = sqlite.sqlite3_vfs_find(None)
        vfs = _Vfs.from_buffer_copy(default.contents)
        vfs.zName = b"tracing"
        vfs.pNext = None
        vfs.xOpen = self._callback(_OPEN, self._opening(_OPEN(vfs.xOpen)))
        vfs.xDelete = self._callback(_DELETE, self._deleting(_DELETE(vfs.xDelete)))
        self._watch_folders(default)
        self._kept.append(vfs)
        sqlite.sqlite3_vfs_register.argtypes = [_POINTER, ctypes.c_int]
        if sqlite.sqlite3_vfs_register(ctypes.addressof(vfs), 1) != _OK:
            raise NoTracingError("this SQLite does not take a file system layer")

    def _watch_folders(self, default: Any) -> None:
        # A folder is opened by SQLite for nothing but to sync it.
        vfs = default.contents
        at = ctypes.addressof(vfs)
        original = _OPEN_FOLDER(_GET_CALL(vfs.xGetSystemCall)(at, b"openDirectory"))

        def opened(path: int, number: int) -> int:
            self._folder_was_opened = True
            return int(original(path, number))

        if _SET_CALL(vfs.xSetSystemCall)(at, b"openDirectory", self._callback(_OPEN_FOLDER, opened)) != _OK:
            raise NoTracingError("this SQLite does not tell when it syncs a folder")

    def _callback(self, kind: Any, function: Callable[..., int]) -> int:
        made = kind(function)
        self._kept.append(made)
        return int(ctypes.cast(made, _POINTER).value or 0)

    def _opening(self, original: Any) -> Callable[..., int]:
        def opened(vfs: int, path: int | None, file: int, flags: int, out: int) -> int:
            if path is None:  # a temporary file, which no later process looks for
                return int(original(vfs, path, file, flags, out))
            where = _path(path)
            was_there = where.exists()
            code = int(original(vfs, path, file, flags, out))
            if code == _OK:
                self._names[file] = where.name
                self._wrap(file)
            if code == _OK and not was_there:
                self.events.append(("create", where.name))
            return code

        return opened

    def _deleting(self, original: Any) -> Callable[..., int]:
        def deleted(vfs: int, path: int, sync_folder: int) -> int:
            where = _path(path)
            was_there = where.exists()
            code = int(original(vfs, path, sync_folder))
            if code == _OK and was_there:
                self.events.append(("delete", where.name))
            self._folder_is_synced()
            return code

        return deleted

    def _folder_is_synced(self) -> None:
        if self._folder_was_opened:
            self.events.append(("sync_folder",))
            self._folder_was_opened = False

    def _wrap(self, file: int) -> None:
        handle = _File.from_address(file)
        at = ctypes.addressof(handle.pMethods.contents)
        if at not in self._methods:
            self._methods[at] = self._wrapped(at)
        handle.pMethods = ctypes.pointer(self._methods[at])

    def _wrapped(self, at: int) -> _IoMethods:
        version = ctypes.c_int.from_address(at).value
        size = _IoMethods.xClose.offset + _METHODS_BY_VERSION[min(version, 3)] * ctypes.sizeof(_POINTER)
        methods = _IoMethods()
        ctypes.memmove(ctypes.addressof(methods), at, size)
        methods.iVersion = min(version, 3)
        methods.xWrite = self._callback(_WRITE, self._writing(_WRITE(methods.xWrite)))
        methods.xTruncate = self._callback(_TRUNCATE, self._truncating(_TRUNCATE(methods.xTruncate)))
        methods.xSync = self._callback(_SYNC, self._syncing(_SYNC(methods.xSync)))
        return methods

    def _writing(self, original: Any) -> Callable[..., int]:
        def written(file: int, data: int, size: int, offset: int) -> int:
            if self._is_failing():
                return self._failure
            self.events.append(("write", self._names[file], offset, ctypes.string_at(data, size)))
            return int(original(file, data, size, offset))

        return written

    def _truncating(self, original: Any) -> Callable[..., int]:
        def truncated(file: int, size: int) -> int:
            if self._is_failing():
                return self._failure
            self.events.append(("truncate", self._names[file], size))
            return int(original(file, size))

        return truncated

    def _syncing(self, original: Any) -> Callable[..., int]:
        def synced(file: int, flags: int) -> int:
            if self._is_failing():
                return self._failure
            code = int(original(file, flags))
            if code == _OK:
                self.events.append(("sync", self._names[file]))
                self._folder_is_synced()
            return code

        return synced


def _path(at: int) -> Path:
    return Path(os.fsdecode(ctypes.string_at(at)))


def load(path: Path) -> list[tuple[Any, ...]]:
    """Read the trace that `Tracing.save` wrote."""
    events: list[tuple[Any, ...]] = pickle.loads(path.read_bytes())
    return events
