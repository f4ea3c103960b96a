"""The files of a user's folder that go into the image: all but the hidden, what Python made, and likely secrets."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterator
from pathlib import Path

from sdt_dask_core.errors import ConfigurationError

__all__ = ["read_user_files"]

_MOST = 100_000_000  # bytes; an image is no place for data
_SECRETS = ("*.pem", "*.key", "*.pfx", "*.p12", "*.jks", "*credential*", "*secret*", "*password*", "*token*", "id_*")


def read_user_files(folder: Path, *, without: Path) -> tuple[dict[str, bytes], list[str]]:
    """Read the files of a folder.

    Parameters
    ----------
    folder : pathlib.Path
        The user's.
    without : pathlib.Path
        A folder to pass over: where the context is written.

    Returns
    -------
    files : dict of str to bytes
        By path below the folder, with ``/``.
    left_out : list of str
        What looks like a secret, and links to folders.

    Raises
    ------
    ConfigurationError
        They are too large, or one cannot be read.
    """
    files: dict[str, bytes] = {}
    left_out: list[str] = []
    size = 0
    for path in sorted(_walk(folder, without.resolve())):
        name = path.relative_to(folder).as_posix()
        if path.is_dir() or _looks_secret(path.name):
            left_out.append(name)
            continue
        try:
            files[name] = path.read_bytes()
        except OSError as error:
            raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
        size += len(files[name])
        if size > _MOST:
            raise ConfigurationError(
                f"the folder {folder} holds more than {_MOST // 1_000_000} MB, up to {name}; an image is no place for "
                "data: leave the plug's own files in that folder, and keep the data elsewhere"
            )
    return files, left_out


def _walk(folder: Path, without: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        here = Path(place)
        links = [name for name in folders if (here / name).is_symlink()]
        folders[:] = [name for name in folders if _is_of_user(here / name, without)]
        yield from (here / name for name in [*names, *links] if not name.startswith(".") and not name.endswith(".pyc"))


def _is_of_user(folder: Path, without: Path) -> bool:
    is_made = folder.name == "__pycache__" or (folder / "pyvenv.cfg").is_file()
    return not (folder.name.startswith(".") or is_made or folder.resolve() == without)


def _looks_secret(name: str) -> bool:
    return not name.endswith(".py") and any(fnmatch.fnmatch(name.lower(), pattern) for pattern in _SECRETS)
