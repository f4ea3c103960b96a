"""The lock of an output folder: one writer, whose name the next one is told."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

from sdt_dask_core.errors import LedgerBusyError, LedgerError
from sdt_dask_core.ledger.rows import now

__all__ = ["lock_folder"]


def lock_folder(folder: Path) -> Any:
    """Make the folder and lock it; return the lock, which the end of the process releases too."""
    import filelock

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerError(f"the output folder {folder} cannot be made: {error.strerror}; choose another") from error
    holder = folder / "ledger.holder"
    lock = filelock.FileLock(folder / "ledger.lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        who = holder.read_text(encoding="utf-8") if holder.is_file() else "another process"
        raise LedgerBusyError(
            f"the output folder {folder} is in use by {who}; wait for it, stop it, or choose another output"
        ) from None
    except OSError as error:
        raise LedgerError(f"the output folder {folder} cannot be written: {error}; choose another") from error
    holder.write_text(f"process {os.getpid()} on {platform.node()}, since {now()}", encoding="utf-8")
    return lock
