"""What shows that a process elsewhere sees the same files: the first bytes of a few of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

from sdt_dask_core.agreement.question import look_at

__all__ = ["Sight", "sights_of"]

_LENGTH = 64 * 1024
_CANDIDATES = 200  # files of a folder that are looked at for its witnesses
_WITNESSES = 3
_MOST_PATHS = 20  # of a plug that names its files one by one, the first stand for all

#: A path, how many bytes of it are looked at, and what is seen there.
Sight = tuple[str, int, str]


def sights_of(paths: Iterable[str]) -> list[Sight]:
    """Return what this process sees under each path; of a folder also a few of its files stand witness.

    Of a file only the bytes count that it has now, so that one to which a logger goes on writing stays the same.
    """
    return [
        _sight(path)
        for given in itertools.islice(paths, _MOST_PATHS)
        for path in (Path(given), *_witnesses(Path(given)))
    ]


def _sight(path: Path) -> Sight:
    length = min(_size(path), _LENGTH)
    return str(path), length, look_at(str(path), length)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0


def _witnesses(folder: Path) -> list[Path]:
    """Return the files of a folder that were left alone longest; the others may change while the run goes on."""
    candidates = itertools.islice(_files(folder), _CANDIDATES)
    return [path for _, path in sorted(candidates)[:_WITNESSES]]


def _files(folder: Path) -> Iterator[tuple[float, Path]]:
    try:
        for path in folder.rglob("*") if folder.is_dir() else ():
            if path.is_file():
                yield path.stat().st_mtime, path
    except OSError:
        return  # what is seen of the rest has to do
