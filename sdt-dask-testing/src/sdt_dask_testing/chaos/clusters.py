"""A cluster of processes of its own, as a team has one: a scheduler, and workers each below a nanny."""

from __future__ import annotations

import random
import socket
import sys
from pathlib import Path

import psutil

from sdt_dask_testing.chaos.marked import Marked, computing, wait_until

__all__ = ["StandingCluster"]

_START_TIMEOUT = 120.0  # s


class StandingCluster:
    """A scheduler and two workers on this machine, which outlive the runs on them.

    Parameters
    ----------
    folder : path
        Where their files go.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = _free_port()
        self._parts: list[Marked] = []

    @property
    def address(self) -> str:
        """Where its scheduler listens."""
        return f"tcp://127.0.0.1:{self.port}"

    def start(self) -> bool:
        """Start whatever is not there; tell whether it answers."""
        if len(self._parts) == 3 and all(part.is_alive for part in self._parts):  # noqa: PLR2004 - scheduler, workers
            return True
        self.end()
        listen = ["--host", "127.0.0.1", "--no-dashboard"]
        scheduler = _dask("scheduler", *listen, "--port", str(self.port))
        self._parts.append(Marked(scheduler, self.folder))
        if not wait_until(self._answers, seconds=_START_TIMEOUT, step=0.1):
            return False
        worker = _dask("worker", self.address, *listen, "--nworkers", "1", "--nthreads", "1", "--memory-limit", "2GiB")
        self._parts += [Marked([*worker, "--local-directory", str(self.folder)], self.folder) for _ in range(2)]
        return True

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return True
        except OSError:
            return False

    def scheduler(self) -> psutil.Process:
        """Return its scheduler."""
        return psutil.Process(self._parts[0].pid)

    def nanny(self, rng: random.Random) -> psutil.Process:
        """Return one of its nannies."""
        return psutil.Process(rng.choice(self._parts[1:]).pid)

    def processes(self) -> list[psutil.Process]:
        """Return every process of it, those that its workers started too."""
        return [process for part in self._parts for process in part.all()]

    def n_computing(self) -> int:
        """Return how many processes compute for it, or would if they were asked."""
        return len(computing(self.processes()))

    def end(self) -> None:
        """Leave nothing of it behind."""
        for part in self._parts:
            part.end()
        self._parts.clear()


def _dask(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "dask", *arguments]


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
