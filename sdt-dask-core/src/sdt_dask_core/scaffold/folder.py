"""A folder written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from sdt_dask_core.errors import ConfigurationError

__all__ = ["write_folder"]


def write_folder(target: Path, files: Mapping[str, str]) -> None:
    """Write the files beside the target under a hidden name, then give the folder its own.

    Parameters
    ----------
    target : pathlib.Path
        The new folder; the one that it stands in exists.
    files : mapping
        The text of each file, by its path below the folder, with ``/``.

    Raises
    ------
    ConfigurationError
        The target is there already, or the folder that it stands in is not, or cannot be written.
    """
    if os.path.lexists(target):
        raise ConfigurationError(f"{target} is there already and stays as it is; choose another name or --output")
    if not target.parent.is_dir():
        raise ConfigurationError(f"the folder {target.parent} is not there; make it, or choose another with --output")
    try:
        with tempfile.TemporaryDirectory(prefix=".sdt-dask-new-", dir=target.parent) as beside:
            # A folder in the temporary one, because that one is open to its owner alone.
            whole = Path(beside) / target.name
            for name, text in files.items():
                file = whole / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8", newline="\n")
            whole.rename(target)
    except OSError as error:
        raise ConfigurationError(
            f"{target} cannot be written: {error.strerror}; nothing was kept; choose another folder with --output"
        ) from error
