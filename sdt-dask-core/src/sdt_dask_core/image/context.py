"""The build context on disk: written beside its place and then renamed; nothing but an older one of ours gives way."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sdt_dask_core.errors import ConfigurationError

__all__ = ["MANIFEST", "check_output", "write_context"]

#: Says what the context holds, and by that whose it is.
MANIFEST = "sdt-dask-image.json"
_READ = 1 << 20  # bytes


def check_output(output: Path) -> None:
    """See that a context may be written there.

    Parameters
    ----------
    output : pathlib.Path
        The folder, resolved; it need not be there.

    Raises
    ------
    ConfigurationError
        It is a file, the current folder, or holds what is not ours or was changed since.
    """
    if Path.cwd().is_relative_to(output):
        raise ConfigurationError(f"--output {output} holds the current folder; name a folder in it or beside it")
    if output.exists() and not output.is_dir():
        raise ConfigurationError(f"--output {output} is a file; name a folder")
    if output.is_dir() and any(output.iterdir()) and (problem := _not_ours(output)):
        raise ConfigurationError(
            f"--output {output} is not empty, and {problem}; it stays as it is: choose another folder, or empty it"
        )


def _not_ours(output: Path) -> str:
    """Return why this is not a context as we left it; empty if it is."""
    try:
        ours = dict(json.loads((output / MANIFEST).read_text(encoding="utf-8"))["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return "holds no context of sdt-dask image"
    there = {path.relative_to(output).as_posix(): path for path in output.rglob("*") if not path.is_dir()}
    del there[MANIFEST]
    for name in sorted(there.keys() | ours):
        if name not in ours:
            return f"its {name} is not of sdt-dask image"
        if name in there and sha256_of(there[name]) != ours[name]:
            return f"its {name} was changed since it was made"
    return ""


def sha256_of(content: bytes | Path) -> str:
    """Return the digest of a file or of its content [hex]."""
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    digest = hashlib.sha256()
    with content.open("rb") as file:
        while part := file.read(_READ):
            digest.update(part)
    return digest.hexdigest()


def write_context(output: Path, files: Mapping[str, bytes | Path], facts: Mapping[str, Any]) -> None:
    """Write a context with its manifest, in the place of an older one.

    Parameters
    ----------
    output : pathlib.Path
        The folder, resolved; checked by `check_output`.
    files : mapping of str to bytes or pathlib.Path
        What each file holds, or where it is, by its path with ``/``.
    facts : mapping
        What else the manifest says.

    Raises
    ------
    ConfigurationError
        It cannot be written; what was there still is.
    """
    try:
        digests = {name: sha256_of(content) for name, content in files.items()}
        manifest = json.dumps({**facts, "files": digests}, indent=2, sort_keys=True) + "\n"
        output.parent.mkdir(parents=True, exist_ok=True)
        # Beside it, so that renaming crosses no file system; a folder in it, because it is open to its owner alone.
        with tempfile.TemporaryDirectory(prefix=".sdt-dask-image-", dir=output.parent) as beside:
            whole = Path(beside) / "new"
            for name, content in {**files, MANIFEST: manifest.encode("utf-8")}.items():
                _write(whole / name, content)
            _swap(whole, output, aside=Path(beside) / "old")
    except OSError as error:
        raise ConfigurationError(
            f"--output {output} cannot be written: {error.strerror}; choose another folder"
        ) from error


def _write(file: Path, content: bytes | Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, Path):
        shutil.copyfile(content, file)
    else:
        file.write_bytes(content)
    if file.parent.name == "bin":
        file.chmod(0o755)


def _swap(whole: Path, output: Path, *, aside: Path) -> None:
    if not os.path.lexists(output):
        whole.rename(output)
        return
    output.rename(aside)
    try:
        whole.rename(output)
    except OSError:
        aside.rename(output)
        raise
