"""The lock of an output folder: one writer, whose name the next one is told."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from sdt_dask_core.errors import LedgerBusyError, LedgerError
from sdt_dask_core.ledger.file_system import refuse_network_folder
from sdt_dask_core.ledger.holder import HOLDER_NAME, Holder
from sdt_dask_core.whole_file import make_folder, sweep, write_whole

__all__ = ["FolderLock"]

_LOOKS = 10  # at the name of a holder that has just taken the folder
_LOOK_EVERY = 0.05  # s


class FolderLock:
    """The lock of a folder, which is made; the kernel releases it at the end of the process, however that comes.

    Parameters
    ----------
    folder : path
        The output folder.

    Raises
    ------
    LedgerBusyError
        Another process has it; the message names it.
    LedgerError
        The folder cannot be made, locked or written.
    """

    def __init__(self, folder: Path) -> None:
        import filelock

        self._folder = folder
        refuse_network_folder(folder)
        try:
            make_folder(folder)
        except OSError as error:
            raise LedgerError(f"the output folder {folder} cannot be made: {error.strerror}; choose another") from error
        self._lock = filelock.FileLock(folder / "ledger.lock")
        try:
            self._lock.acquire(timeout=0)
        except filelock.Timeout:
            raise LedgerBusyError(
                f"the output folder {folder} is in use by {_who_holds(folder)}; "
                "wait for it, stop it, or choose another output"
            ) from None
        except OSError as error:
            raise _not_writable(folder, error) from error
        self._sign()

    def _sign(self) -> None:
        try:
            write_whole(self._folder / HOLDER_NAME, str(Holder.this_process()))
            sweep(self._folder)
        except OSError as error:
            self._lock.release()
            raise _not_writable(self._folder, error) from error

    def release(self) -> None:
        """Let the next one write."""
        with contextlib.suppress(OSError):  # the next one writes its own over it
            (self._folder / HOLDER_NAME).unlink()
        self._lock.release()


def _not_writable(folder: Path, error: OSError) -> LedgerError:
    return LedgerError(
        f"the output folder {folder} cannot be written: {error.strerror or error}; make room or choose another"
    )


def _who_holds(folder: Path) -> str:
    for _ in range(_LOOKS):
        holder = Holder.of(folder)
        if holder and not holder.is_gone:
            return str(holder)
        time.sleep(_LOOK_EVERY)  # what stands there is of the one before; the one that took the lock writes soon
    return "another process"
