"""Faults of what is done beside reading: good frames mostly."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import warnings
from typing import TYPE_CHECKING

from sdt_dask_testing.faulty.reading import Reading

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Manners"]

_MIB = 2**20
_DESCRIPTORS = range(3, 200)
_WARNINGS = 20_000
_THREADS = 50


class Manners(Reading):
    """Faults of what is done beside reading."""

    def _fault_talks_into_the_protocol(self) -> None:
        for number in _DESCRIPTORS:
            try:
                os.write(number, b"\xff" * 64)
            except OSError:
                continue

    def _fault_closes_stdout(self) -> pd.DataFrame:
        sys.stdout.close()
        return self._clear_days()

    def _fault_good_prints_100_mb(self) -> pd.DataFrame:
        for _ in range(100):
            sys.stdout.write("y" * _MIB)
        os.write(1, b"z" * _MIB)
        return self._clear_days()

    def _fault_good_starts_a_process(self) -> pd.DataFrame:
        subprocess.run([sys.executable, "-c", "print('hello')"], check=True)
        return self._clear_days()

    def _fault_good_leaves_a_process(self) -> pd.DataFrame:
        self._leave_a_process()
        return self._clear_days()

    def _fault_good_leaves_threads(self) -> pd.DataFrame:
        for _ in range(_THREADS):
            threading.Thread(target=time.sleep, args=(self.seconds,)).start()
        return self._clear_days()

    def _fault_good_warns_often(self) -> pd.DataFrame:
        for number in range(_WARNINGS):
            warnings.warn(f"overflow in block {number}", RuntimeWarning, stacklevel=1)
        return self._clear_days()

    def _fault_good_then_hangs_in_close(self) -> pd.DataFrame:
        self._hangs_in_close = True
        return self._clear_days()
