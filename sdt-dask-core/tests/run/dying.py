"""A plug and an analysis that die on the way; they import nothing of the tests, because they travel."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import numpy as np
import pandas as pd

from sdt_dask_core import Plug
from sdt_dask_core.analyses import Analysis, Column


def clear_days() -> pd.DataFrame:
    """Return three days of a half sine."""
    index = pd.date_range("2020-06-01", periods=288, freq="15min")
    hour = np.asarray(index.hour + index.minute / 60)
    return pd.DataFrame({"power": 5.0 * np.maximum(0.0, np.sin((hour - 6) / 12 * np.pi))}, index=index)


class DyingPlug(Plug):
    """Reads three clear days, or is killed on the way."""

    def __init__(self, dies: bool = False) -> None:
        self.dies = dies

    def get_data(self, key: Any) -> pd.DataFrame:
        if self.dies:
            os.kill(os.getpid(), signal.SIGTERM)
        return clear_days()


class DyingAnalysis(Analysis):
    """Dies of the signal that it is given, holds memory first, or returns far too much."""

    name = "dying"
    version = 1
    provides = (Column("anything", "text", "Anything.", ""),)

    def __init__(self, how: str = "SIGSEGV") -> None:
        self.how = how

    def run(self, system: Any) -> dict[str, Any]:
        if self.how.startswith("SIG"):
            os.kill(os.getpid(), signal.Signals[self.how])
        if self.how == "exit":
            os._exit(7)
        if self.how == "sleep":
            time.sleep(600)
        system.values["findings of its own"] = ["x" * 9_000] * 1_000
        return {"anything": None}
