"""Processes of a test: a command line at a terminal, a scheduler, workers; everything below carries the test's mark."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import select
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

#: How long to wait for what must happen [s]; no test is faster or slower for it when all is well.
PATIENCE = 120.0

_STEP = 0.05  # s

_MARK = "SDT_DASK_TEST_MARK"
# The process takes the terminal on its standard input for its own, so that Ctrl-C there is a signal to its group.
_AT_A_TERMINAL = """
import fcntl, sys, termios
if sys.stdin.isatty():
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
"""
_COMMAND_LINE = """
from sdt_dask_core.cli.app import main
main()
"""


def wait_until(is_so: Callable[[], Any], what: str) -> Any:
    """Wait until something is true, and return it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := is_so():
            return found
        time.sleep(0.05)
    pytest.fail(f"in {PATIENCE:g} s it never happened that {what}")


def with_mark(mark: str) -> list[psutil.Process]:
    """Return every live process that carries a mark, also those whose parent is gone."""
    return [process for process in psutil.process_iter() if _has(process, mark)]


def _has(process: psutil.Process, mark: str) -> bool:
    try:
        return process.environ().get(_MARK) == mark and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def computing(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Return those that are children of ours which compute."""
    return [process for process in processes if "sdt_dask_core.child" in command_of(process)]


def command_of(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


#: The beginning of a command that runs the rest of it elsewhere, such as in another network.
Inside = Sequence[str]


class Marked:
    """A process that the test started; what it starts carries its mark."""

    def __init__(
        self, command: list[str], *, home: Path, mark: str = "", variables: Mapping[str, str] | None = None, **how: Any
    ) -> None:
        self.mark = mark or uuid.uuid4().hex
        self.process = subprocess.Popen(
            command, cwd=home, env={**os.environ, **(variables or {}), _MARK: self.mark}, start_new_session=True, **how
        )

    @property
    def below(self) -> list[psutil.Process]:
        """Every live process that carries its mark, itself included."""
        return with_mark(self.mark)

    def kill(self) -> None:
        """Leave nothing of it behind."""
        for process in self.below:
            with contextlib.suppress(psutil.Error):
                process.kill()
        self.process.wait()


class CommandLine(Marked):
    """``sdt-dask`` with some arguments, at a terminal of its own or into a pipe."""

    def __init__(
        self, arguments: Iterable[Any], *, home: Path, before: str = "", terminal: bool = False, inside: Inside = ()
    ) -> None:
        ours, theirs = pty.openpty() if terminal else os.pipe()
        self._ours = ours
        self._said = bytearray()
        self._is_closed = threading.Event()
        super().__init__(
            [*inside, sys.executable, "-c", _AT_A_TERMINAL + before + _COMMAND_LINE, *map(str, arguments)],
            home=home,
            variables={"COLUMNS": "200", "TERM": "xterm"},
            stdin=theirs if terminal else subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        # Never blocked in a read: one that waits keeps a terminal open that another thread has closed.
        while not self._is_closed.is_set():
            if not select.select([self._ours], [], [], _STEP)[0]:
                continue
            try:
                some = os.read(self._ours, 65536)
            except OSError:  # the other end of a terminal was closed
                return
            if not some:
                return
            self._said += some

    @property
    def said(self) -> str:
        """What it wrote so far."""
        return self._said.decode("utf-8", "replace").replace("\r\n", "\n")

    def ctrl_c(self) -> None:
        """Press Ctrl-C in its terminal."""
        os.write(self._ours, b"\x03")

    def close_terminal(self) -> None:
        """Close the window in which it runs."""
        self._is_closed.set()
        self._reader.join()
        os.close(self._ours)
        self._ours = -1

    def ended(self) -> int:
        """Wait until it and all that it started have ended; return its exit code."""
        code = self.process.wait(PATIENCE)
        wait_until(lambda: not self.below, "no process of the command line was left")
        self._reader.join(PATIENCE)
        return code

    def kill(self) -> None:
        """Leave nothing of it behind."""
        super().kill()
        self._reader.join(PATIENCE)
        if self._ours >= 0:
            os.close(self._ours)


class DaskCluster:
    """A scheduler and workers as a user starts them, each in a process of its own.

    `before` is run by each worker before it works; `config` is Dask's, such as ``SCHEDULER__WORKER_TTL``.
    """

    def __init__(
        self,
        home: Path,
        *,
        n_workers: int = 2,
        nanny: bool = False,
        before: str = "",
        host: str = "127.0.0.1",
        inside: Inside = (),
        **config: str,
    ) -> None:
        self.home = home
        self.nanny = nanny
        self.mark = uuid.uuid4().hex
        self._variables = {f"DASK_DISTRIBUTED__{name}": value for name, value in config.items()}
        self._started: list[Marked] = []
        (home / "before.py").write_text(before, encoding="utf-8")
        file = home / "scheduler.json"
        self.scheduler = self._start(
            "scheduler", "--host", host, "--port", "0", "--scheduler-file", str(file), inside=inside
        )
        self.address: str = json.loads(wait_until(lambda: _read(file), "the scheduler wrote its file"))["address"]
        self.workers = [self.add_worker(str(number)) for number in range(n_workers)]

    def _start(self, kind: str, *options: str, inside: Inside = (), **variables: str) -> Marked:
        command = [*inside, sys.executable, "-m", f"distributed.cli.dask_{kind}", "--no-dashboard", *options]
        how = {"home": self.home, "mark": self.mark, "variables": {**self._variables, **variables}}
        with (self.home / f"{kind}.log").open("ab") as log:
            self._started.append(Marked(command, stdout=log, stderr=log, **how))  # type: ignore[arg-type]
        return self._started[-1]

    def add_worker(
        self, name: str, scheduler: str = "", *, host: str = "127.0.0.1", inside: Inside = (), **variables: str
    ) -> psutil.Process:
        """Start a worker with one thread, or its nanny; of a scheduler behind another address, if one is given."""
        options = ["--nthreads", "1", "--name", name, "--host", host, "--preload", str(self.home / "before.py")]
        options.append("--nanny" if self.nanny else "--no-nanny")
        started = self._start("worker", scheduler or self.address, *options, inside=inside, **variables)
        return psutil.Process(started.process.pid)

    @property
    def below(self) -> list[psutil.Process]:
        """Every live process of it."""
        return with_mark(self.mark)

    @property
    def computing(self) -> list[psutil.Process]:
        """Processes on it that compute for a run."""
        return computing(self.below)

    def kill(self) -> None:
        """Leave nothing of it behind."""
        for started in self._started:
            started.kill()


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.exists() else ""
