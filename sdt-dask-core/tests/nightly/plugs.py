"""A source whose items come, change, fail and go: one text file for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sdt_dask_core import Plug
from sdt_dask_core.errors import SourceUnavailableError


class FilesPlug(Plug):
    """One system for each ``*.txt``: its text is the fingerprint, and the power [kW], "fail" or "unknown"."""

    def __init__(self, path: str, units: str = "kW", tilt: float | None = None) -> None:
        self.path = Path(path)
        self.units = units
        self.tilt = tilt

    def list_keys(self) -> Iterator[Any]:
        return (file.stem for file in sorted(self.path.glob("*.txt")))

    def system_metadata(self, key: Any) -> dict[str, Any]:
        return {"tilt": self.tilt}

    def fingerprint(self, key: Any) -> str | None:
        text = (self.path / f"{key[0]}.txt").read_text(encoding="utf-8")
        if text == "down":
            raise ConnectionError("no route to the catalogue")
        return None if text == "unknown" else text

    def get_data(self, key: Any) -> pd.DataFrame:
        text = (self.path / f"{key[0]}.txt").read_text(encoding="utf-8")
        if text == "fail":
            raise SourceUnavailableError(f"the file of {key[0]} says so")
        index = pd.date_range("2020-06-01", periods=5 * 96, freq="15min")
        hour = np.asarray(index.hour + index.minute / 60)
        return pd.DataFrame({"power": float(text) * np.maximum(0.0, np.sin((hour - 6) / 12 * np.pi))}, index=index)


class OtherPlug(FilesPlug):
    """The same files under another name."""
