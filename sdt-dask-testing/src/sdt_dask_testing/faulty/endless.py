"""Faults that do not end, or take what there is."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from typing import TYPE_CHECKING

from sdt_dask_testing.faulty.reading import Reading

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Endless"]

_MIB = 2**20
_PAGE = 4096
_STEP_MIB = 10
_SEEN = 3.0  # s that memory is held, for whoever watches it
_DESCRIPTORS = range(3, 200)


class Endless(Reading):
    """Faults that do not end, or take what there is."""

    def _fault_hang(self) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(self.seconds)

    def _fault_hang_in_c(self) -> None:
        ctypes.PyDLL(None).sleep(int(self.seconds))

    def _fault_hang_with_children(self) -> None:
        self._leave_a_process()
        time.sleep(self.seconds)

    def _fault_endless_loop(self) -> None:
        end = time.monotonic() + self.seconds
        while time.monotonic() < end:
            pass

    def _fault_hog(self) -> None:
        hoard = _taken(self.hog_mib)
        time.sleep(self.seconds)
        hoard.clear()

    def _fault_leak(self) -> None:
        hoard = []
        for _ in range(self.hog_mib // _STEP_MIB):
            hoard.append(_taken(_STEP_MIB))
            time.sleep(0.005)
        time.sleep(self.seconds)

    def _fault_good_with_twice_the_memory(self) -> pd.DataFrame:
        hoard = _taken(self.hog_mib // 2)
        time.sleep(_SEEN)
        hoard.clear()
        return self._clear_days()

    def _fault_closes_everything(self) -> None:
        os.closerange(_DESCRIPTORS.start, _DESCRIPTORS.stop)
        time.sleep(self.seconds)

    def _fault_slow(self) -> pd.DataFrame:
        time.sleep(self.seconds)
        return self._clear_days()


def _taken(mib: int) -> bytearray:
    """Return memory that the machine had to give: each page is written to."""
    hoard = bytearray(mib * _MIB)
    hoard[::_PAGE] = b"x" * len(hoard[::_PAGE])
    return hoard
