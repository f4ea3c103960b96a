"""The task: what runs on a Dask worker, for one key.

The worker runs neither the plug nor the solvers: each of its threads drives one warm child process, so a time limit and
a memory cap are kept by a kill, a crash is one failed row, and the worker itself never goes down.
"""

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
from typing import Any

from sdt_dask_core.child import read_message, write_message
from sdt_dask_core.job import Job
from sdt_dask_core.outcome import dump, failure

__all__ = ["close_children", "run_key"]

_START_TIMEOUT = 120.0  # s; a cold disk, a busy machine
_POLL = 0.1  # s between two looks at a child's memory
_KEYS_PER_CHILD = 500  # bounds what leaks in libraries
_TERMINATE_TIMEOUT = 10.0  # s for a plug's close()
_LAST_WORDS = 4_000
_END_TIMEOUT = 5.0  # s for a child without a pipe to end by itself

_children: dict[int, _Child] = {}
_lock = threading.Lock()


def run_key(job_text: str, key_text: str, options: dict[str, Any], metadata: dict[str, Any]) -> str:
    """Analyse one key in this thread's child; return its outcome as JSON text, whatever happens.

    Parameters
    ----------
    job_text : str
        The `Job`.
    key_text : str
        The key's canonical text.
    options : dict
        Options of the plug that this system has of its own.
    metadata : dict
        What is known of the system.
    """
    job = Job.from_text(job_text)
    try:
        child = _child_of_this_thread()
    except _ChildNotStartedError as error:
        return dump(failure(stage="worker", cause="child_not_started", message=str(error), host=platform.node()))
    request = {"job": job_text, "key": json.loads(key_text), "options": options, "metadata": metadata}
    outcome = child.ask(request, timeout=job.key_timeout, memory_limit=job.memory_limit or _worker_memory_limit())
    outcome["host"] = platform.node()
    outcome["peak_rss_mb"] = round(child.peak_rss / 2**20, 1)
    if not child.is_alive or child.keys_done >= _KEYS_PER_CHILD:
        _forget(child)
    return dump(outcome)


def close_children() -> None:
    """Close every child of this worker; called when a run ends."""
    with _lock:
        children = list(_children.values())
        _children.clear()
    for child in children:
        child.close()


def _child_of_this_thread() -> _Child:
    thread = threading.get_ident()
    with _lock:
        child = _children.get(thread)
    if child is not None and not child.is_alive:
        # It died after its last answer; the next key has no part in that.
        _forget(child)
        child = None
    if child is None:
        # Created outside the lock: it takes a while, and no other thread may touch this one's entry.
        child = _Child()
        with _lock:
            _children[thread] = child
    return child


def _forget(child: _Child) -> None:
    with _lock:
        for thread, other in list(_children.items()):
            if other is child:
                del _children[thread]
    child.close()


def _worker_memory_limit() -> int | None:
    try:
        from distributed import get_worker

        return get_worker().memory_manager.memory_limit or None
    except (ImportError, ValueError, AttributeError):
        return None  # not on a Dask worker


class _ChildNotStartedError(Exception):
    """A child did not say that it is ready."""


class _Child:
    """One warm child process, seen from the worker's thread that drives it."""

    def __init__(self) -> None:
        self.keys_done = 0
        self.peak_rss = 0
        self._is_busy = False
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
        return self._process.poll() is None

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
            raise _ChildNotStartedError(
                f"the process that computes did not start on {platform.node()} with {sys.executable}: {said}; "
                "is sdt-dask-core installed there?"
            )

    def ask(self, request: dict[str, Any], *, timeout: float, memory_limit: int | None) -> dict[str, Any]:
        """Send one key and wait for its outcome, within the time and memory it may take."""
        self._is_busy = True
        try:
            return self._ask(request, timeout=timeout, memory_limit=memory_limit)
        finally:
            self._is_busy = False

    def _ask(self, request: dict[str, Any], *, timeout: float, memory_limit: int | None) -> dict[str, Any]:
        self.peak_rss = 0
        deadline = time.monotonic() + timeout
        try:
            write_message(self._process.stdin, json.dumps(request))  # type: ignore[arg-type]
        except OSError:
            return self._death()
        while True:
            with contextlib.suppress(queue.Empty):
                answer = self._answers.get(timeout=_POLL)
                self.keys_done += 1
                self.peak_rss = max(self.peak_rss, self._rss())
                return answer if answer is not None else self._death()
            self.peak_rss = max(self.peak_rss, self._rss())
            if not self.is_alive:
                return self._last_answer()
            if memory_limit and self.peak_rss > memory_limit:
                return self._out_of_memory(memory_limit)
            if time.monotonic() > deadline:
                return self._timed_out(timeout)

    def _last_answer(self) -> dict[str, Any]:
        """Return what a child said before it ended; a process that it forked may hold its pipe open."""
        self._kill()
        with contextlib.suppress(queue.Empty):
            return self._answers.get(timeout=_END_TIMEOUT) or self._death()
        return self._death()

    def _rss(self) -> int:
        import psutil

        try:
            return int(psutil.Process(self._process.pid).memory_info().rss)
        except psutil.Error:
            return 0  # it died; the queue will say so

    def _out_of_memory(self, limit: int) -> dict[str, Any]:
        self._kill()
        return failure(
            stage="worker",
            cause="out_of_memory",
            message=f"the key took {self.peak_rss / 2**30:.2f} GiB, more than the {limit / 2**30:.2f} GiB that one "
            "process may hold, and was stopped; use fewer workers or set memory_limit higher",
        )

    def _timed_out(self, timeout: float) -> dict[str, Any]:
        self._kill()
        return failure(
            stage="worker",
            cause="timeout",
            message=f"the key took longer than {timeout:g} s and was stopped; set key_timeout higher, "
            "or look at the system's data",
        )

    def _death(self) -> dict[str, Any]:
        try:
            code = self._process.wait(timeout=_END_TIMEOUT)
            how = f"ended with signal {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        except subprocess.TimeoutExpired:
            how = "closed its connection to the worker, or wrote into it, and was stopped"
            self._kill()
        return failure(
            stage="worker",
            cause="crashed",
            message=f"the process that computed the key {how}; a library it uses crashed or left, "
            "the other keys are not touched",
            prints=self._last_words(),
        )

    def _last_words(self) -> str:
        if self._log.closed:
            return ""  # the run ended under the key
        size = self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, size - _LAST_WORDS))
        return self._log.read().decode("utf-8", "replace").strip()

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


def _environment() -> dict[str, str]:
    """Return the child's environment: one thread for BLAS, no window system, no trimming of freed memory."""
    threads = dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "RAYON_NUM_THREADS"), "1"
    )
    environment = {**os.environ, **threads, "MPLBACKEND": "Agg", "PYTHONSAFEPATH": "1", "PYTHONUNBUFFERED": "1"}
    # Dask's nanny sets it; it costs the solvers several per cent.
    environment.pop("MALLOC_TRIM_THRESHOLD_", None)
    return environment
