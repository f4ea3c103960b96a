"""Plugs that the tests run: three clear days for a key, and every way in which reading them can go wrong."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sdt_dask_core import Plug
from sdt_dask_core.errors import KeyNotFoundError, SourceUnavailableError

MIB = 2**20


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


class BrokenTextError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text for you")


class LockHolderError(Exception):
    def __init__(self) -> None:
        super().__init__("it holds a lock")
        self.lock = threading.Lock()


class ItemError(Exception):
    item = "not a method"


class ClosingError(BaseException):
    """What a solver's panic looks like: no Exception."""


class FaultyPlug(Plug):
    """Each key names the fault that it has, see `fault_...`; any other key is a good one."""

    units = "kW"

    def get_data(self, key: Any) -> Any:
        return getattr(self, f"fault_{key[0]}", getattr(self, key[0], clear_days))()

    def fault_exception(self) -> None:
        raise ValueError("no such column")

    def fault_own_error(self) -> None:
        raise KeyNotFoundError("there is no such system; look at the list")

    def fault_without_message(self) -> None:
        raise AssertionError

    def fault_broken_text(self) -> None:
        raise BrokenTextError

    def fault_unpicklable(self) -> None:
        raise LockHolderError

    def fault_item(self) -> None:
        raise ItemError("it has an item")

    def fault_panic(self) -> None:
        raise ClosingError("panicked at solver.rs")

    def fault_recursion(self) -> None:
        self.fault_recursion()

    def fault_os_exit(self) -> None:
        os._exit(3)

    def fault_sys_exit(self) -> None:
        sys.exit(4)

    def fault_segfault(self) -> None:
        ctypes.string_at(0)

    def fault_kill(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def fault_keyboard(self) -> None:
        raise KeyboardInterrupt

    def fault_memory_error(self) -> None:
        raise MemoryError("Unable to allocate 4.66 GiB")

    def fault_hang(self) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(600)

    def fault_hang_in_c(self) -> None:
        ctypes.PyDLL(None).sleep(600)

    def fault_hang_with_children(self) -> None:
        # Forked, so that it holds all of our pipes.
        if os.fork() == 0:
            time.sleep(600)
        time.sleep(600)

    def fault_fork_and_exit(self) -> None:
        if os.fork() == 0:
            time.sleep(600)
        os._exit(5)

    def fault_hog(self) -> None:
        hoard = bytearray(1536 * MIB)
        hoard[::4096] = b"x" * len(hoard[::4096])
        time.sleep(600)

    def fault_closes_everything(self) -> None:
        os.closerange(3, 200)
        time.sleep(600)

    def fault_talks_into_the_protocol(self) -> None:
        for number in range(3, 200):
            try:
                os.write(number, b"\xff" * 64)
            except OSError:
                continue

    def fault_none(self) -> None:
        return None

    def fault_text(self) -> str:
        return "a,b,c"

    def fault_strings(self) -> pd.DataFrame:
        return clear_days().astype(str)

    def fault_long_message(self) -> None:
        raise ValueError("x" * 5_000_000)

    def fault_surrogates(self) -> None:
        raise ValueError("the file caf\udce9.csv cannot be read")

    def fault_frame_that_raises(self) -> Any:
        class Raises(pd.DataFrame):
            def __len__(self) -> int:
                raise RuntimeError("no length for you")

        return Raises()

    def good_prints_100_mb(self) -> pd.DataFrame:
        for _ in range(100):
            sys.stdout.write("y" * MIB)
        os.write(1, b"z" * MIB)
        return clear_days()

    def fault_closes_stdout(self) -> pd.DataFrame:
        sys.stdout.close()
        return clear_days()

    def good_starts_a_process(self) -> pd.DataFrame:
        subprocess.run([sys.executable, "-c", "print('hello')"], check=True)
        return clear_days()

    def good_leaves_a_process(self) -> pd.DataFrame:
        if os.fork() == 0:
            time.sleep(600)
        return clear_days()
