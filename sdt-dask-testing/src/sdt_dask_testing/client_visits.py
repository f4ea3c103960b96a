"""Visits to a client: a process of its own uses it, is stopped from outside where that is asked, and what it left.

All that the process starts carries its mark in the environment, and what is seen below it is remembered, so that what
lost its parent is found, too.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from sdt_dask_core.reference import Reference
from sdt_dask_testing.client_request import AT_WORK, INTERRUPTS, REPORT, STARTING, Report, Request, Way
from sdt_dask_testing.footprint import command_of, settled

__all__ = ["Visit", "visit"]

_MARK = "SDT_DASK_KIT_MARK"
_STEP = 0.05  # s
_ANSWER = 1.0  # s for a traceback
_LAST_WORDS = 5_000
_SCRATCH = "dask-scratch-space"


@dataclass(frozen=True, slots=True)
class Visit:
    """What a visit found.

    Attributes
    ----------
    report : Report
        What the process saw; empty when it came to no end.
    problem : str
        Why it came to no end, with its last words; else empty.
    left : dict
        What was left, by kind: processes, sockets, threads, dask_config, signal_handlers, warnings, files, cloud.
    """

    report: Report
    problem: str
    left: dict[str, list[str]]


def visit(
    way: str,
    client: Reference,
    *,
    patience: float,
    grace: float,
    time_to_end: float | None = None,
    joins: bool = False,
    leftovers: Callable[[], Iterable[str]] = tuple,
) -> Visit:
    """Use a client in a process of its own, and look for what it leaves.

    Parameters
    ----------
    way : str
        One of `Way`.
    client : Reference
        How the client is built.
    patience : float
        How long anything may take [s]; nothing waits for it when all is well.
    grace : float
        How long what was closed may take to be gone [s].
    time_to_end : float, optional
        How long it may take to end once it was interrupted [s]; default the patience.
    joins : bool
        Whether the client joins a cluster that goes on.
    leftovers : callable
        Names what is left beyond this machine.
    """
    # Not below pytest's own folder, whose long path would not hold a socket on macOS.
    with tempfile.TemporaryDirectory(prefix="sdt-dask-kit-", ignore_cleanup_errors=True) as folder:
        request = Request(
            way=way,
            client=client.as_dict(),
            folder=folder,
            patience=patience,
            grace=grace,
            time_to_end=patience if time_to_end is None else time_to_end,
            joins=joins,
            sys_path=[entry for entry in sys.path if entry],
        )
        driver = _Driver(request)
        try:
            driver.stop_it_when_it_is_time(leftovers)
            driver.wait_for_its_end()
            left = driver.left()
            cloud = settled(lambda: list(leftovers()), grace)
            return Visit(driver.report(), driver.problem, {**left, "cloud": cloud} if cloud else left)
        finally:
            driver.kill()


class _Driver:
    """The process, and what it started."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.problem = ""
        self.home = Path(request.folder)
        self.mark = uuid.uuid4().hex
        self.below: set[psutil.Process] = set()
        file = self.home / "request.json"
        file.write_text(json.dumps(asdict(request)), encoding="utf-8")
        for name in ("tmp", "cwd"):
            (self.home / name).mkdir()
        # A file, not a pipe: a process that is left behind would hold a pipe open for ever.
        with (self.home / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "sdt_dask_testing.client_driver", str(file)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.home / "cwd",
                env={
                    **os.environ,
                    **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(self.home / "tmp")),
                    _MARK: self.mark,
                },
                start_new_session=True,
            )

    def stop_it_when_it_is_time(self, leftovers: Callable[[], Iterable[str]]) -> None:
        """Interrupt it where the way says so: in the middle of a run, or as soon as anything was started."""
        way = self.request.way
        if way == Way.START:
            self._wait_until(lambda: self._told(STARTING), self.request.patience)
            # What is below it before the cluster starts is none of the cluster's.
            self._wait_until(lambda: self.below or self._told(AT_WORK) or any(leftovers()), self.request.patience)
        elif way in (Way.CTRL_C, Way.SIGTERM):
            self._wait_until(lambda: self._told(AT_WORK), self.request.patience)
        else:
            return
        with contextlib.suppress(ProcessLookupError):  # it may have ended by itself
            if way == Way.SIGTERM:
                self.process.terminate()
            else:
                os.killpg(self.process.pid, signal.SIGINT)  # in a terminal it reaches the whole group

    def wait_for_its_end(self) -> None:
        """Wait until it ended by itself; what is wrong is the `problem`."""
        patience = self.request.time_to_end if self.request.way in INTERRUPTS else self.request.patience
        has_ended = self._wait_until(lambda: self._told(REPORT), patience)
        if self._told(REPORT):
            self._wait_until(lambda: False, self.request.grace)
        elif not has_ended:
            self._ask_where_it_hangs()
            self.problem = f"it had not ended after {patience:g} s{self._last_words()}"
        else:
            self.problem = f"it ended with exit code {self.process.returncode} in the middle{self._last_words()}"

    def left(self) -> dict[str, list[str]]:
        """Return what it left: what it said itself, and the processes and files that outlived it."""
        left = {kind: list(lines) for kind, lines in self.report().left.items()}
        if self.process.poll() is None:
            return left if self.problem else {"threads": ["one that keeps the process from ending"], **left}
        alive = settled(self._alive, self.request.grace)
        lines = [
            f"process {process.pid}, after the end of the run's own process: {command}" for process, command in alive
        ]
        more = {"processes": lines, "files": self._files()}
        for kind, found in more.items():
            if found:
                left[kind] = [*left.get(kind, ()), *found]
        return left

    def report(self) -> Report:
        """Return what it saw."""
        events = self._events(REPORT)
        return Report(**events[0]) if events else Report()

    def kill(self) -> None:
        """Leave nothing of it behind."""
        self.process.kill()  # nothing happens where it has ended
        self.process.wait()
        for process, _ in self._alive():
            with contextlib.suppress(psutil.Error):
                process.kill()

    def _wait_until(self, is_so: Callable[[], Any], seconds: float) -> bool:
        """Wait; return whether it is so, or the process ended, in that time."""
        end = time.monotonic() + seconds
        while self.process.poll() is None:
            with contextlib.suppress(psutil.Error):
                self.below.update(psutil.Process(self.process.pid).children(recursive=True))
            if is_so():
                return True
            if time.monotonic() > end:
                return False
            time.sleep(_STEP)
        return True

    def _alive(self) -> list[tuple[psutil.Process, str]]:
        found = {process for process in psutil.process_iter() if self._is_marked(process)} | self.below
        commands = ((process, command_of(process)) for process in found if process.is_running())
        return [(process, command) for process, command in commands if command]

    def _is_marked(self, process: psutil.Process) -> bool:
        try:
            return process.environ().get(_MARK) == self.mark
        except (psutil.Error, OSError):
            return False

    def _files(self) -> list[str]:
        found = [file for name in ("tmp", "cwd") for file in sorted((self.home / name).rglob("*"))]
        return [str(file.relative_to(self.home)) for file in found if not _is_dasks_own(file)]

    def _ask_where_it_hangs(self) -> None:
        if hasattr(signal, "SIGUSR1"):
            self.process.send_signal(signal.SIGUSR1)
            time.sleep(_ANSWER)

    def _told(self, event: str) -> bool:
        return bool(self._events(event))

    def _events(self, name: str) -> list[dict[str, Any]]:
        with contextlib.suppress(FileNotFoundError):
            lines = self.request.events.read_text(encoding="utf-8").splitlines(keepends=True)
            events = [json.loads(line) for line in lines if line.endswith("\n")]
            return [event for event in events if event.pop("event") == name]
        return []

    def _last_words(self) -> str:
        words = (self.home / "log").read_text(encoding="utf-8", errors="replace").strip()
        return f"; its last words:\n{words[-_LAST_WORDS:]}" if words else ", and it said nothing"


def _is_dasks_own(file: Path) -> bool:
    """Tell Dask's scratch space and its locks: they stay for the workers to come, and hold nothing of those gone."""
    home = file if file.is_dir() else file.parent
    return home.name.startswith(_SCRATCH) and (home is file or file.suffix in (".lock", ".dirlock"))
