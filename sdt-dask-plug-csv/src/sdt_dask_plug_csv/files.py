"""Files below a root folder: which there are, and which one a name means. Nothing leads out of the root."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path

from sdt_dask_core.errors import AccessDeniedError, KeyNotFoundError, SourceUnavailableError
from sdt_dask_core.options import did_you_mean
from sdt_dask_core.tables import EXTENSIONS

__all__ = ["find_file", "list_names", "missing_root_reason"]

#: Extensions as they are looked for: Windows programs write them in capitals.
_SPELLINGS = (*EXTENSIONS, *(extension.upper() for extension in EXTENSIONS))
_DRIVE = re.compile(r"[A-Za-z]:")
_COMPARED = 2000
_SHOWN = 100
#: Longer than the file system takes, or links in a circle: it will be so the next time, too.
_NO_NAME = (errno.ENAMETOOLONG, errno.ELOOP)


def find_file(root: Path, name: str) -> Path:
    """Return the file that a name means.

    Parameters
    ----------
    root : pathlib.Path
        The folder, or the only file.
    name : str
        Path below `root` with ``/`` between its parts; the extension may be left off.

    Raises
    ------
    KeyNotFoundError
        There is no such file, or several share the name.
    AccessDeniedError
        The name leads out of `root`, or the file is not open to us.
    SourceUnavailableError
        The file system did not answer.
    """
    try:
        return _find_single(root, name) if root.is_file() else _find_below(root, name)
    except PermissionError as error:
        raise AccessDeniedError(f"the file {name!r} in '{root}' is not open to this user: {error.strerror}") from error
    except OSError as error:
        if error.errno in _NO_NAME:
            shown = name if len(name) <= _SHOWN else f"{name[:_SHOWN]}…"
            message = f"there is no {shown!r} in '{root}': no file can have that name ({error.strerror}); check the key"
            raise KeyNotFoundError(message) from error
        raise SourceUnavailableError(f"the file {name!r} in '{root}' cannot be read: {error.strerror}") from error


def list_names(root: Path, pattern: str) -> Iterator[str]:
    """Yield the names of all tables, lazily, folder by folder in sorted order; from names only, nothing is opened.

    The extension is left off where the name then still means one file. Hidden files, links to folders and links that
    leave `root` are left out.

    Raises
    ------
    KeyNotFoundError
        `root` does not exist.
    AccessDeniedError
        A folder may not be listed.
    """
    if root.is_file():
        yield _bare(root.name)
        return
    reason = missing_root_reason(root)
    if reason:
        raise KeyNotFoundError(reason)
    for file, shortest in _walk(root, root.resolve(), ""):
        if fnmatchcase(file, pattern) or fnmatchcase(_bare(file), pattern):
            yield shortest


def missing_root_reason(root: Path) -> str:
    """Return why a folder cannot be read from here, or nothing."""
    if not root.exists():
        return (
            f"the folder '{root}' does not exist; check the option path; the workers read the files themselves, "
            "so it must be there on their machines too"
        )
    if not root.is_dir():
        return f"'{root}' is neither a folder nor a file; check the option path"
    if not os.access(root, os.R_OK | os.X_OK):
        return f"the folder '{root}' may not be read by this user; change its permissions or the option path"
    return ""


def _find_single(root: Path, name: str) -> Path:
    if name in (root.name, _bare(root.name)):
        return root
    raise KeyNotFoundError(f"there is no {name!r}: path is the single file '{root}', whose key is {_bare(root.name)!r}")


def _find_below(root: Path, name: str) -> Path:
    _refuse_way_out(root, name)
    reason = missing_root_reason(root)
    if reason:
        raise KeyNotFoundError(reason)
    exact = root / name
    if _extension(name) and exact.is_file():
        return _inside(root, exact, name)
    found = _distinct_files(_spelled(exact)[1:])
    if len(found) > 1:
        names = ", ".join(repr(path.relative_to(root).as_posix()) for path in found)
        raise KeyNotFoundError(f"{name!r} could mean several files in '{root}': {names}; write the extension too")
    if not found:
        raise KeyNotFoundError(_not_found_message(root, name))
    return _inside(root, found[0], name)


def _refuse_way_out(root: Path, name: str) -> None:
    parts = name.split("/")
    if "\0" in name or "\\" in name or _DRIVE.match(name) or {"", ".", ".."} & set(parts):
        raise AccessDeniedError(
            f"the key {name!r} leaves the folder '{root}' or is no plain path; "
            "write the path below the folder with '/' between its parts, such as 'north/site_17'"
        )


def _inside(root: Path, path: Path, name: str) -> Path:
    if not path.resolve().is_relative_to(root.resolve()):
        raise AccessDeniedError(
            f"the key {name!r} leaves the folder '{root}': it is a link to a file outside; copy the file into it"
        )
    return path


def _distinct_files(paths: list[Path]) -> list[Path]:
    """Return the files that exist, each once: where case does not count, two spellings are one file."""
    found: list[Path] = []
    for path in paths:
        if path.is_file() and not any(path.samefile(other) and path.name != other.name for other in found):
            found.append(path)
    return found


def _spelled(path: Path) -> list[Path]:
    """Return the path as it is and with each extension."""
    return [path, *(path.with_name(path.name + extension) for extension in _SPELLINGS)]


def _odd_kind(path: Path) -> str:
    """Return what stands at a path that is no file, or nothing where nothing does; a folder may just share its name."""
    if path.is_symlink() and not path.exists():
        return f"{path.name!r} is a link to a file that is not there; mend the link"
    if path.is_dir():
        return f"{path.name!r} is a folder; name a file in it" if _extension(path.name) else ""
    return f"{path.name!r} is a pipe or a device, not a file; copy its data into one" if path.exists() else ""


def _not_found_message(root: Path, name: str) -> str:
    odd = next(filter(None, map(_odd_kind, _spelled(root / name))), "")
    if odd:
        return f"{name!r} in '{root}' cannot be read: {odd}"
    folder, _, _ = name.rpartition("/")
    if folder and not (root / folder).is_dir():
        near = did_you_mean(folder, (entry.name for entry in _neighbours(root) if entry.is_dir(follow_symlinks=False)))
        return f"there is no {name!r} in '{root}': it has no folder {folder!r}{near}"
    # Not `list_names`: the neighbours in one folder are enough, and quick to look at.
    found = (entry.name for entry in _neighbours(root / folder) if _is_table(entry.name) and _is_file(entry))
    names = [_bare(file) for file in found]
    near = did_you_mean(name, [f"{folder}/{n}" if folder else n for n in names])
    return (
        f"there is no {name!r} in '{root}' (looked for {', '.join(EXTENSIONS)}){near}; "
        "`sdt-dask keys` lists what is there"
    )


def _neighbours(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return list(islice(entries, _COMPARED))


def _walk(folder: Path, top: Path, prefix: str) -> Iterator[tuple[str, str]]:
    """Yield the path of each table below the root, and the shortest name that means it."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except PermissionError as error:
        raise AccessDeniedError(
            f"the folder '{folder}' may not be listed by this user; change its permissions or leave it out of path"
        ) from error
    neighbours = {entry.name for entry in entries}
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path), top, f"{prefix}{entry.name}/")
        elif _is_table(entry.name) and _is_file_inside(entry, top):
            yield f"{prefix}{entry.name}", f"{prefix}{_shortest(entry.name, neighbours)}"


def _is_file_inside(entry: os.DirEntry[str], top: Path) -> bool:
    return _is_file(entry) and (not entry.is_symlink() or Path(entry.path).resolve().is_relative_to(top))


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # links in a circle
        return False


def _shortest(name: str, neighbours: set[str]) -> str:
    bare = _bare(name)
    rivals = {bare + extension for extension in _SPELLINGS} - {name}
    if _extension(bare):
        rivals.add(bare)
    return name if rivals & neighbours else bare


def _is_table(name: str) -> bool:
    return bool(_extension(name)) and not name.startswith(".")


def _extension(name: str) -> str:
    return next((extension for extension in _SPELLINGS if name.endswith(extension)), "")


def _bare(name: str) -> str:
    return name.removesuffix(_extension(name))
