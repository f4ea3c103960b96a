"""A child process, seen from the worker's thread that drives it: started, asked for one key after another, closed."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sdt_dask_core.child import read_message, write_message
from sdt_dask_core.deaths import Work
from sdt_dask_core.job import Job
from sdt_dask_core.outcome import failure
from sdt_dask_core.secret import redact, redact_from_now_on
from sdt_dask_core.stints import nobody_waits
from sdt_dask_core.turns import turn_to_read

__all__ = ["Allowance", "ChildNotStartedError", "ChildProcess"]

_START_TIMEOUT = 120.0  # s; a cold disk, a busy machine
_POLL = 0.1  # s between two looks at a child's memory
_TERMINATE_TIMEOUT = 10.0  # s for a plug's close()
_LAST_WORDS = 4_000
_LAST_WORDS_READ = 256 * 1024  # a secret cut in two is not known again, so more is read than shown
_END_TIMEOUT = 5.0  # s for a child without a pipe to end by itself


class ChildNotStartedError(Exception):
    """A child did not say that it is ready."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a key may take.

    Attributes
    ----------
    seconds : float
        Longest time [s], without that in which its child waits for its turn to read.
    memory : int or None
        Most memory that its child may hold [bytes].
    machine_memory : int
        What the machine has [bytes].
    """

    seconds: float
    memory: int | None
    machine_memory: int


class ChildProcess:
    """One warm child process.

    Raises
    ------
    ChildNotStartedError
        It did not say that it is ready.

    Attributes
    ----------
    keys_done : int
        Keys that it answered.
    work : Work
        What is known of the key that it is at, or was at last.
    used_at : float
        When a key last needed it.
    """

    def __init__(self) -> None:
        self.keys_done = 0
        self.work = Work()
        self.used_at = time.monotonic()
        self._is_busy = False
        self._is_dropped: Callable[[], bool] = nobody_waits()
        self._request: dict[str, Any] = {}
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sdt_dask_core.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=_environment(),
            start_new_session=True,  # a group of its own, so that what a plug forks goes down with it
        )
        self._answers: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()
        self._wait_until_ready()

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    @property
    def idle_for(self) -> float:
        """How long it has had nothing to do [s]."""
        return 0.0 if self._is_busy else time.monotonic() - self.used_at

    def _listen(self) -> None:
        # Closed by the thread that reads it: closing it from another one waits for the read to end.
        with self._process.stdout as stream, contextlib.suppress(OSError, ValueError):  # type: ignore[union-attr]
            while (message := read_message(stream)) is not None:  # type: ignore[arg-type]
                self._answers.put(message)
        self._answers.put(None)

    def _wait_until_ready(self) -> None:
        try:
            answer = self._answers.get(timeout=_START_TIMEOUT)
        except queue.Empty:
            answer = None
        if answer is None:
            self._kill()
            said = self._last_words() or "it said nothing"
            self.close()
            raise ChildNotStartedError(
                f"the process that computes did not start on {platform.node()} with {sys.executable}: {said}; "
                "is sdt-dask-core installed there?"
            )

    def ask(self, request: dict[str, Any], allowance: Allowance, *, plug: str) -> dict[str, Any]:
        """Send one key and wait for its outcome, within what it may take; `plug` tells whose turns to read it takes."""
        self._is_busy = True
        self._is_dropped = nobody_waits()
        self._request = request
        self.work = Work()
        try:
            with contextlib.ExitStack() as turn:
                return self._ask(request, allowance, lambda message: self._hear(turn, plug, message))
        finally:
            self.used_at = time.monotonic()
            self._is_busy = False

    def _ask(
        self, request: dict[str, Any], allowance: Allowance, hear: Callable[[dict[str, Any]], float]
    ) -> dict[str, Any]:
        deadline = time.monotonic() + allowance.seconds
        try:
            write_message(self._process.stdin, json.dumps(request))  # type: ignore[arg-type]
        except OSError:
            return self._death()
        while True:
            with contextlib.suppress(queue.Empty):
                message = self._answers.get(timeout=_POLL)
                self._look_at_memory()
                if message is None or "status" in message:
                    self.keys_done += 1
                    return message or self._death()
                deadline += hear(message)
                continue
            self._look_at_memory()
            if not self.is_alive:
                return self._last_answer()
            if allowance.memory and self.work.peak_rss > allowance.memory:
                self._kill()
                return self.work.out_of_memory(allowance.memory, allowance.machine_memory)
            if time.monotonic() > deadline:
                self._kill()
                return self.work.timed_out(allowance.seconds)
            if self._is_dropped():
                self._kill()
                return failure(stage="worker", cause="dropped", message="the driver left, so nobody waits for this key")

    def _hear(self, turn: contextlib.ExitStack, plug: str, message: dict[str, Any]) -> float:
        """Take in what the child says before its answer; return for how long that kept it waiting [s]."""
        start = time.monotonic()
        if "has_read" in message:
            turn.close()
        elif "wants_to_read" in message:
            self._give_turn(turn, plug, message["wants_to_read"])
        else:
            self.work.hear(message)
        return time.monotonic() - start

    def _give_turn(self, turn: contextlib.ExitStack, plug: str, limit: int) -> None:
        try:
            turn.enter_context(turn_to_read(plug, limit, is_wanted=lambda: self.is_alive and not self._is_dropped()))
        except BaseException:
            self._kill()  # it would take the next key for its leave
            raise
        with contextlib.suppress(OSError, ValueError):  # it died or was closed meanwhile; the next look tells
            write_message(self._process.stdin, json.dumps({"may_read": True}))  # type: ignore[arg-type]

    def _last_answer(self) -> dict[str, Any]:
        """Return what a child said before it ended; a process that it forked may hold its pipe open."""
        self._kill()
        with contextlib.suppress(queue.Empty):
            while (message := self._answers.get(timeout=_END_TIMEOUT)) is not None:
                if "status" in message:
                    return message
                self.work.hear(message)
        return self._death()

    def _look_at_memory(self) -> None:
        import psutil

        with contextlib.suppress(psutil.Error):  # it died; the queue will say so
            self.work.peak_rss = max(self.work.peak_rss, int(psutil.Process(self._process.pid).memory_info().rss))

    def _death(self) -> dict[str, Any]:
        try:
            code = self._process.wait(timeout=_END_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._kill()
            return self.work.disconnected(self._last_words())
        return self.work.died(code, self._last_words())

    def _last_words(self) -> str:
        if self._log.closed:
            return ""  # the run ended under the key
        size = self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, size - _LAST_WORDS_READ))
        _know_secrets_of(self._request)
        return redact(self._log.read().decode("utf-8", "replace")).strip()[-_LAST_WORDS:]

    def _kill(self) -> None:
        self._kill_group()
        self._process.wait()

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: a group of zombies
            os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """Let the child close its plug and end; kill it when it does not, or is at work on a key nobody waits for."""
        if self._is_busy:
            self._kill_group()
        try:
            if self._process.stdin is not None:
                self._process.stdin.close()
            self._process.wait(timeout=_TERMINATE_TIMEOUT)
        except (OSError, subprocess.TimeoutExpired):
            self._kill()
        self._kill_group()
        self._log.close()


def _know_secrets_of(request: dict[str, Any]) -> None:
    """Let this process know what a child may have printed that cannot redact it any more."""
    if request:
        job = Job.from_text(request["job"]).with_plug_options(request["options"])
        for reference in (job.plug, *job.analyses, *job.addons):
            redact_from_now_on(reference.options)


def _environment() -> dict[str, str]:
    """Return the child's environment: one thread for BLAS, no window system, no trimming of freed memory."""
    threads = dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "RAYON_NUM_THREADS"), "1"
    )
    environment = {**os.environ, **threads, "MPLBACKEND": "Agg", "PYTHONSAFEPATH": "1", "PYTHONUNBUFFERED": "1"}
    # Dask's nanny sets it; it costs the solvers several per cent.
    environment.pop("MALLOC_TRIM_THRESHOLD_", None)
    return environment
