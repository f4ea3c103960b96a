"""Plugs that the tests run: three clear days for a key, read in the one or the other way."""

from __future__ import annotations

import os
import signal
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sdt_dask_core import Plug
from sdt_dask_core.errors import SourceUnavailableError


def clear_days(peak_kw: float = 5.0, days: int = 3) -> pd.DataFrame:
    """Return a half sine by day, 15 min apart."""
    index = pd.date_range("2020-06-01", periods=days * 96, freq="15min")
    hour = np.asarray(index.hour + index.minute / 60)
    return pd.DataFrame({"power": peak_kw * np.maximum(0.0, np.sin((hour - 6) / 12 * np.pi))}, index=index)


class ManyKeysPlug(Plug):
    """As many keys as asked for, all alike, none of which ever changes."""

    def __init__(self, n_keys: int = 3, units: str = "kW") -> None:
        self.n_keys = n_keys
        self.units = units

    def list_keys(self) -> Iterator[Any]:
        return ((number,) for number in range(self.n_keys))

    def fingerprint(self, key: Any) -> str:
        return "always the same"

    def get_data(self, key: Any) -> pd.DataFrame:
        return clear_days()


class FolderPlug(Plug):
    """One text file per key: its text is the fingerprint, and what happens ("fail", "slow", or a power).

    Each read leaves a line in ``<key>.reads``, so that a test counts what was really done.
    """

    def __init__(self, path: str, units: str = "kW", seconds: float = 0.0, label: str = "") -> None:
        self.path = Path(path)
        self.units = units
        self.seconds = seconds
        self.label = label

    def list_keys(self) -> Iterator[Any]:
        return (file.stem for file in sorted(self.path.glob("*.txt")))

    def fingerprint(self, key: Any) -> str:
        return (self.path / f"{key[0]}.txt").read_text(encoding="utf-8")

    def get_data(self, key: Any) -> pd.DataFrame:
        with (self.path / f"{key[0]}.reads").open("a", encoding="utf-8") as reads:
            reads.write(f"{os.getpid()}\n")
        time.sleep(self.seconds)
        text = self.fingerprint(key)
        if text == "fail":
            raise SourceUnavailableError(f"the file of {key[0]} says so; write something else into it")
        return clear_days(float(text or 5))


class NoFingerprintPlug(FolderPlug):
    """The same files, of which nobody knows whether they changed."""

    def fingerprint(self, key: Any) -> None:  # type: ignore[override]
        return None


class DrawingPlug(ManyKeysPlug):
    """Prints a number drawn from each of the global generators."""

    def get_data(self, key: Any) -> pd.DataFrame:
        import random

        print("drew", np.random.random(), random.random())  # noqa: NPY002, T201 - the generators that are seeded
        return clear_days()


class TalkingPlug(ManyKeysPlug):
    """Prints and warns."""

    def get_data(self, key: Any) -> pd.DataFrame:
        print(f"reading {key[0]}")  # noqa: T201
        print("to the other stream", file=sys.stderr)  # noqa: T201
        os.write(1, b"below Python\n")
        warnings.warn("the sensor drifts", UserWarning, stacklevel=1)
        warnings.warn("the sensor drifts", UserWarning, stacklevel=1)
        return clear_days()


class SilentPlug(ManyKeysPlug):
    def list_keys(self) -> None:  # type: ignore[override]
        return None


class NumpyPlug(ManyKeysPlug):
    """What pandas hands out: NumPy numbers, NaN, a float for a fingerprint."""

    def fingerprint(self, key: Any) -> Any:
        return np.float64(1_600_000_000.25)

    def system_metadata(self, key: Any) -> Any:
        return {"capacity_kw": np.int64(5), "latitude": np.float32(48.0), "tilt": np.nan, "time_zone": None}


class RaisingPlug(ManyKeysPlug):
    def fingerprint(self, key: Any) -> str:
        raise OSError("the listing is down")

    def system_metadata(self, key: Any) -> Any:
        return "no mapping"

    def get_data(self, key: Any) -> pd.DataFrame:
        return clear_days()


class PickyPlug(ManyKeysPlug):
    """Cannot be built for every option, and never be closed."""

    def __init__(self, number: int = 0) -> None:
        super().__init__()
        if number == 13:
            raise ValueError("not 13")

    def close(self) -> None:
        raise RuntimeError("it does not close")


class BelievedPlug(ManyKeysPlug):
    def system_metadata(self, key: Any) -> dict[str, Any]:
        return {"believed": key != (1,)}


class NamedPlug(ManyKeysPlug):
    """Tells an analysis its key."""

    def system_metadata(self, key: Any) -> dict[str, Any]:
        return {"name": key[0]}


class WorkerKillerPlug(ManyKeysPlug):
    """Kills the Dask worker above it: for the key "once" the first time only, for "always" each time."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = Path(path)

    def get_data(self, key: Any) -> pd.DataFrame:
        mark = self.path / "once"
        if key == ("always",) or (key == ("once",) and not mark.exists()):
            if key == ("once",):
                mark.touch()
            os.kill(os.getppid(), signal.SIGKILL)
            time.sleep(600)
        return clear_days()


class MeetingPlug(Plug):
    """Each read waits for another one to go on at the same time, as long as it is patient, and tells whether one did.

    A key "exits" ends its process in the middle of the read.
    """

    units = "kW"

    def __init__(self, path: str, patience: float, max_concurrent_reads: int | None = None) -> None:
        self.path = Path(path)
        self.patience = patience
        self.max_concurrent_reads = max_concurrent_reads

    def get_data(self, key: Any) -> pd.DataFrame:
        if key == ("exits",):
            os._exit(1)
        here = self.path / f"{key[0]}.here"
        here.touch()
        end = time.monotonic() + self.patience
        while not (met := len(list(self.path.glob("*.here"))) > 1) and time.monotonic() < end:
            time.sleep(0.02)
        if met:
            (self.path / f"{key[0]}.met").touch()
            time.sleep(0.2)  # so that the other one sees it, too
        here.unlink()
        return clear_days()
