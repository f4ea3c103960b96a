"""Who holds an output folder: a line in a file beside the lock, for the next one who asks."""

from __future__ import annotations

import os
import platform
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from sdt_dask_core.ledger.rows import now

__all__ = ["HOLDER_NAME", "Holder"]

HOLDER_NAME = "ledger.holder"

_LINE = re.compile(r"process (\d{1,10}) on (\S+), since (\S+), running ([^\n]+)")


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that writes to an output folder.

    Attributes
    ----------
    process : int
        Its number.
    host : str
        The machine that it runs on.
    since : str
        When it took the folder, UTC.
    program : str
        The name of its program, without its arguments, which may be private.
    """

    process: int
    host: str
    since: str
    program: str

    def __str__(self) -> str:
        return f"process {self.process} on {self.host}, since {self.since}, running {self.program}"

    @property
    def is_gone(self) -> bool:
        """It was on this machine, and there is no such process any more."""
        import psutil

        return self.host == _host() and not psutil.pid_exists(self.process)

    @classmethod
    def this_process(cls) -> Holder:
        """Return this process as the holder, from now on."""
        return cls(os.getpid(), _host(), now(), _program())

    @classmethod
    def of(cls, folder: Path) -> Holder | None:
        """Return who holds a folder; None when its file is not there or does not say it."""
        try:
            found = _LINE.fullmatch((folder / HOLDER_NAME).read_text(encoding="utf-8", errors="replace"))
        except OSError:
            return None
        return cls(int(found[1]), found[2], found[3], found[4]) if found else None


def _host() -> str:
    return platform.node() or "localhost"


def _program() -> str:
    name = Path(sys.argv[0]).name if sys.argv else ""
    is_name = name.isprintable() and name not in ("", "-c", "-m", "__main__.py")
    return name if is_name else "python"
