"""Plugs of these tests."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sdt_dask_core import Plug


def clear_days() -> pd.DataFrame:
    """Return three half sines, 15 min apart."""
    index = pd.date_range("2020-06-01", periods=3 * 96, freq="15min")
    hour = np.asarray(index.hour + index.minute / 60)
    return pd.DataFrame({"power": 5 * np.maximum(0.0, np.sin((hour - 6) / 12 * np.pi))}, index=index)


class NumbersPlug(Plug):
    """As many keys as asked for; each waits until a file is there, where one is named."""

    units = "kW"

    def __init__(self, n_keys: int = 3, gate: str = "") -> None:
        self.n_keys = n_keys
        self.gate = gate

    def list_keys(self) -> Iterator[Any]:
        return ((number,) for number in range(self.n_keys))

    def get_data(self, key: Any) -> pd.DataFrame:
        while self.gate and key[0] > 0 and not Path(self.gate).exists():
            time.sleep(0.05)
        return clear_days()


class NeedyPlug(NumbersPlug):
    """Needs what no worker has, and something that each has."""

    worker_requires = ("sdt-dask-no-such-thing>=2", "pluggy>=1", "absent-on-windows; sys_platform == 'win32'")


class MistypedPlug(NumbersPlug):
    worker_requires = ("fastparquet=>2024",)


class FilePlug(NumbersPlug):
    """Reads a file or folder of this machine."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path

    def local_paths(self) -> Iterator[str]:
        yield self.path


class SilentPathsPlug(NumbersPlug):
    def local_paths(self) -> Iterator[str]:
        raise OSError("the mount is gone")
