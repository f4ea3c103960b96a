"""The most memory that this process has held."""

from __future__ import annotations

import re
import sys
from pathlib import Path

__all__ = ["peak_memory"]

_STATUS = Path("/proc/self/status")
_KIB = 1024


def peak_memory() -> int:
    """Return the largest resident size of this process since it was started [bytes].

    On Linux from ``VmHWM``, which begins anew with each program: what ``getrusage`` gives there holds the peak of the
    process that started this one too, and would hide every growth below it.
    """
    if _STATUS.exists():
        return int(re.findall(r"^VmHWM:\s+(\d+) kB$", _STATUS.read_text(encoding="ascii"), re.MULTILINE)[0]) * _KIB
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else _KIB)
