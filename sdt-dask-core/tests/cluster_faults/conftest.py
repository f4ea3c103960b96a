"""Data that wait for the test's word, the command line, and clusters of which each process can be stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sdt_dask_core import Run
from sdt_dask_core.errors import LedgerError
from sdt_dask_core.ledger import LedgerReader

from .processes import CommandLine, DaskCluster, wait_until

N_KEYS = 12

_PLUG = """
import ctypes, os, time
from pathlib import Path

import numpy as np
import pandas as pd


class HeldPlug:
    def __init__(self, path: str, units: str = "kW"):
        self.path = Path(path)
        self.units = units

    def list_keys(self):
        return [(number,) for number in range(int((self.path / "n_keys").read_text()))]

    def get_data(self, keys):
        with (self.path / f"{keys[0]}.reads").open("a") as file:
            file.write(os.environ.get("WHO", "") + "\\n")
        if (self.path / f"{keys[0]}.hangs").exists():
            ctypes.PyDLL(None).sleep(600)
        while (self.path / f"{keys[0]}.hold").exists():
            time.sleep(0.05)
        time.sleep(float(os.environ.get("SLOW", "0.05")))
        index = pd.date_range("2020-06-01", periods=288, freq="15min")
        return pd.DataFrame({"power": np.maximum(0, np.sin((index.hour - 6) / 12 * np.pi))}, index=index)
"""


class Fleet:
    """The data of a run, and its output.

    A key hangs in C, and holds the interpreter, where it is told to; or it is held until it is let go.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.data = home / "data"
        self.output = home / "out"
        self.data.mkdir()
        (home / "plug").mkdir()
        (home / "plug" / "dataplug.py").write_text(_PLUG, encoding="utf-8")
        (self.data / "n_keys").write_text(str(N_KEYS))

    def hang(self, *numbers: int) -> None:
        """Let keys hang."""
        for number in numbers:
            (self.data / f"{number}.hangs").touch()

    def hold(self, *numbers: int) -> None:
        """Hold keys."""
        for number in numbers:
            (self.data / f"{number}.hold").touch()

    def let_go(self) -> None:
        """Let every key go on, but for one that is in its hang already."""
        for pattern in ("*.hold", "*.hangs"):
            for file in self.data.glob(pattern):
                file.unlink()

    def reads(self, number: int) -> list[str]:
        """Return who read a key, each time."""
        file = self.data / f"{number}.reads"
        return file.read_text().splitlines() if file.exists() else []

    @property
    def done(self) -> set[int]:
        """Keys that are done, also while the run goes on."""
        try:
            with LedgerReader(self.output) as ledger:
                rows = list(ledger.rows(ledger.run().run_id))
        except LedgerError:
            return set()
        return {int(row["key"].strip("[]")) for row in rows if row["state"] == "done"}

    @property
    def run(self) -> Run:
        """The newest run."""
        return Run(self.output)

    @property
    def states(self) -> set[str]:
        """What became of the keys."""
        return {row["state"] for row in self.run.rows}

    def endings(self, number: int) -> list[str]:
        """Return how each attempt at a key ended."""
        with LedgerReader(self.output) as ledger:
            return [attempt["ending"] for attempt in ledger.attempts(ledger.run().run_id, f"[{number}]")]

    @property
    def n_attempts(self) -> int:
        """How many attempts there were at all keys."""
        return sum(len(self.endings(number)) for number in range(N_KEYS))

    @property
    def arguments(self) -> list[Any]:
        """The arguments of ``sdt-dask run``."""
        return ["run", self.home / "plug", "-p", f"path={self.data}", "--analyses", "none", "-o", self.output]

    def wait_for_reads(self, *numbers: int) -> None:
        """Wait until keys are being read."""
        wait_until(lambda: all(self.reads(number) for number in numbers), f"the keys {numbers} were read")

    def wait_for_done(self, n_keys: int) -> None:
        """Wait until so many keys are done."""
        wait_until(lambda: len(self.done) >= n_keys, f"{n_keys} keys were done")


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    """Twelve keys that come to their end at once."""
    return Fleet(tmp_path)


@pytest.fixture
def sdt_dask(tmp_path: Path) -> Iterator[Callable[..., CommandLine]]:
    """Start a command line; nothing of it is left after the test."""
    started: list[CommandLine] = []

    def start(*arguments: Any, **how: Any) -> CommandLine:
        started.append(CommandLine(arguments, home=tmp_path, **how))
        return started[-1]

    yield start
    for command_line in started:
        command_line.kill()


@pytest.fixture
def dask_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., DaskCluster]]:
    """Start a cluster; nothing of it is left after the test."""
    started: list[DaskCluster] = []

    def start(**how: Any) -> DaskCluster:
        started.append(DaskCluster(tmp_path_factory.mktemp("dask"), **how))
        return started[-1]

    yield start
    for cluster in started:
        cluster.kill()
