"""A folder that keeps objects between runs: whole or not at all, below a size, shared by processes."""

from __future__ import annotations

import hashlib
import logging
import os
import time
import uuid
from contextlib import suppress
from pathlib import Path

__all__ = ["Cache"]

logger = logging.getLogger(__name__)

_DIGEST_SIZE = hashlib.sha256().digest_size
_SHARE = 32  # an object, or what one process writes between two looks, is at most about this part of the size
_FULL, _ROOMY = 0.85, 0.75  # parts of the size at which room is made, and that are left then
_LOCK_PATIENCE = 10.0  # s
_ABANDONED = 3600.0  # s; after that a half-written file belongs to nobody
_SUFFIX = ".object"


class Cache:
    """Objects in a folder, named by what tells one version from another.

    Files are written under another name and renamed, and carry a digest of their content: what was torn by a crash is
    dropped. Failures to write are told once and stop nothing.

    Parameters
    ----------
    folder : pathlib.Path
        The folder; made when it is first written to.
    size : int
        Size that it is kept below [bytes]; what was used longest ago goes first.
    """

    def __init__(self, folder: Path, size: int) -> None:
        self.folder = folder
        self.size = size
        self._allowance = 0
        self._has_complained = False

    def get(self, name: str) -> bytes | None:
        """Return what is kept under a name, None where nothing is or it is damaged."""
        path = self._path(name)
        try:
            content = path.read_bytes()
        except OSError:
            return None
        digest, content = content[:_DIGEST_SIZE], content[_DIGEST_SIZE:]
        if hashlib.sha256(content).digest() != digest:
            with suppress(OSError):
                path.unlink()
            return None
        with suppress(OSError):
            os.utime(path)  # it was used now
        return content

    def put(self, name: str, content: bytes) -> None:
        """Keep what belongs to a name."""
        size = len(content) + _DIGEST_SIZE
        if size > self.size // _SHARE:
            return  # it would push out too much
        try:
            if size > self._allowance:
                self._look(size)
            self._write(self._path(name), hashlib.sha256(content).digest() + content)
            self._allowance -= size
        except OSError as error:
            if not self._has_complained:
                logger.warning("the cache '%s' cannot be written (%s); going on without it", self.folder, error)
                self._has_complained = True

    def _path(self, name: str) -> Path:
        digest = hashlib.sha256(name.encode()).hexdigest()
        return self.folder / digest[:2] / f"{digest[2:]}{_SUFFIX}"

    def _write(self, path: Path, content: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f"{uuid.uuid4().hex}.part")
        try:
            beside.write_bytes(content)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)

    def _look(self, coming: int) -> None:
        """Add up what is there and make room; one process at a time."""
        from filelock import FileLock

        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / "lock", timeout=_LOCK_PATIENCE):  # its Timeout is an OSError
            total = self._make_room(coming)
        self._allowance = max((self.size - total) // _SHARE, coming)

    def _make_room(self, coming: int) -> int:
        files = sorted(_status(self.folder, f"*{_SUFFIX}"))
        total = sum(size for _, size, _ in files)
        is_full = total + coming > _FULL * self.size
        for _, size, path in files if is_full else ():
            if total + coming <= _ROOMY * self.size:
                break
            with suppress(OSError):
                path.unlink()
                total -= size
        for changed, _, path in _status(self.folder, "*.part"):
            if changed < time.time() - _ABANDONED:
                with suppress(OSError):
                    path.unlink()
        return total


def _status(folder: Path, pattern: str) -> list[tuple[float, int, Path]]:
    """Return time of last use, size and path of files; those that go meanwhile are left out."""
    found = []
    for path in folder.glob(f"*/{pattern}"):
        with suppress(OSError):
            status = path.stat()
            found.append((status.st_mtime, status.st_size, path))
    return found
