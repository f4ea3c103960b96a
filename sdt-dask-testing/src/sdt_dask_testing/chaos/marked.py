"""Processes that carry a mark, which all that they start inherits: so nothing that is left behind goes unseen."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import psutil

__all__ = ["MARK", "Marked", "computing", "marked_processes", "said", "wait_until", "workers"]

#: Environment variable with the mark.
MARK = "SDT_DASK_CHAOS_MARK"
_STEP = 0.005  # s
_LAST_WORDS = 2000
_END_TIMEOUT = 30.0  # s


class Marked:
    """A command that runs in a session of its own, with a mark.

    Parameters
    ----------
    command : sequence of str
        The program and its arguments.
    folder : path
        Where it runs.
    """

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self.mark = uuid.uuid4().hex
        self._printed = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self.process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=self._printed,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={**os.environ, MARK: self.mark},
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    @property
    def printed(self) -> str:
        """The end of what it printed."""
        # Not by seek(), which would move where the process writes next.
        number = self._printed.fileno()
        start = max(0, os.fstat(number).st_size - _LAST_WORDS)
        return os.pread(number, _LAST_WORDS, start).decode("utf-8", "replace").strip()

    def all(self) -> list[psutil.Process]:
        """Return every live process that carries the mark, also those whose parent is gone."""
        return marked_processes(self.mark)

    def __enter__(self) -> Marked:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """Leave nothing of it behind."""
        wait_until(lambda: not self._kill_all(), seconds=_END_TIMEOUT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=_END_TIMEOUT)
        self._printed.close()

    def _kill_all(self) -> list[psutil.Process]:
        processes = self.all()
        for process in processes:
            with contextlib.suppress(psutil.Error):
                process.kill()
        return processes


def marked_processes(mark: str) -> list[psutil.Process]:
    """Return every live process that carries a mark."""
    # A second look, because one that ends while the first goes on may just have started another one.
    return _carriers(mark) or _carriers(mark)


def _carriers(mark: str) -> list[psutil.Process]:
    return [process for process in psutil.process_iter() if _carries(process, mark)]


def _carries(process: psutil.Process, mark: str) -> bool:
    try:
        return process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, OSError):
        return False


def computing(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Return those that compute keys."""
    return [process for process in processes if "sdt_dask_core.child" in said(process)]


def workers(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Return those that are Dask workers."""
    return [process for process in processes if "spawn_main" in said(process)]


def said(process: psutil.Process) -> str:
    """Return a process' command, or nothing when it is gone."""
    with contextlib.suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""


def wait_until(is_so: Callable[[], object], *, seconds: float, step: float = _STEP) -> bool:
    """Wait until something is so; tell whether it came to be."""
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            return False
        time.sleep(step)
    return True
