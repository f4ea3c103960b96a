"""The task: what runs on a Dask worker, for one key.

The worker runs neither the plug nor the solvers: each of its threads drives one warm child process, so a time limit and
a memory cap are kept by a kill, a crash is one failed row, and the worker itself never goes down.
"""

from __future__ import annotations

import collections
import json
import platform
import threading
import time
from typing import Any

from sdt_dask_core import stints
from sdt_dask_core.child_process import Allowance, ChildNotStartedError, ChildProcess
from sdt_dask_core.job import Job
from sdt_dask_core.outcome import dump, failure

__all__ = ["close_children", "run_key"]

_KEYS_PER_CHILD = 500  # bounds what leaks in libraries

# By stint and thread: two runs that share a cluster share no child, and the end of one leaves the other alone.
_children: dict[tuple[str, int], ChildProcess] = {}
_ended: collections.deque[str] = collections.deque(maxlen=1000)
_lock = threading.Lock()


def run_key(
    job_text: str, key_text: str, options: dict[str, Any], metadata: dict[str, Any], stint: str, *, share: int = 1
) -> str:
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
    stint : str
        What tells this part of a run, from its start or resumption to its end, from all others.
    share : int
        How many times the memory limit it may take; above 1 it is up to the driver that no neighbour needs it.
    """
    job = Job.from_text(job_text)
    try:
        child = _child_of_this_thread(stint)
    except ChildNotStartedError as error:
        return dump(failure(stage="worker", cause="child_not_started", message=str(error), host=platform.node()))
    request = {"job": job_text, "key": json.loads(key_text), "options": options, "metadata": metadata}
    outcome = child.ask(request, _allowance(job, share), plug=job.plug.digest)
    outcome["host"] = platform.node()
    outcome["peak_rss_mb"] = round(child.work.peak_rss / 2**20, 1)
    if not child.is_alive or child.keys_done >= _KEYS_PER_CHILD:
        _forget(child)
    return dump(outcome)


def close_children(stint: str) -> None:
    """Close every child of a stint on this worker, and let none of its keys start another; called when it ends.

    A key that waits on the worker may start before the driver's word to drop it arrives.
    """
    with _lock:
        _ended.append(stint)
        own = [place for place in _children if place[0] == stint]
        children = [_children.pop(place) for place in own]
    for child in children:
        child.close()


def _child_of_this_thread(stint: str) -> ChildProcess:
    place = (stint, threading.get_ident())
    with _lock:
        child = _children.get(place)
        _refuse_ended(stint)
        if child is not None:
            child.used_at = time.monotonic()  # it is not idle, though its key comes in a moment only
    if child is not None and not child.is_alive:
        # It died after its last answer; the next key has no part in that.
        _forget(child)
        child = None
    return child or _new_child(place)


def _new_child(place: tuple[str, int]) -> ChildProcess:
    # Created outside the lock: it takes a while, and no other thread may touch this one's entry.
    child = ChildProcess()
    try:
        with _lock:
            _refuse_ended(place[0])
            _children[place] = child
        _reaper.start()
    except ChildNotStartedError:
        child.close()
        raise
    return child


def _take_idle() -> tuple[list[ChildProcess], bool]:
    with _lock:
        idle = [place for place, child in _children.items() if child.idle_for > stints.IDLE_FOR]
        return [_children.pop(place) for place in idle], bool(_children)


_reaper = stints.Reaper(_take_idle)


def _refuse_ended(stint: str) -> None:
    if stint in _ended:
        raise ChildNotStartedError("the run ended before this key's turn came; resume it")


def _forget(child: ChildProcess) -> None:
    with _lock:
        for place, other in list(_children.items()):
            if other is child:
                del _children[place]
    child.close()


def _allowance(job: Job, share: int) -> Allowance:
    from distributed.system import MEMORY_LIMIT  # of the container, where there is one

    limit = job.memory_limit or _worker_memory_limit()
    if limit is not None:
        limit = max(limit, min(share * limit, MEMORY_LIMIT))
    return Allowance(job.key_timeout, limit, MEMORY_LIMIT)


def _worker_memory_limit() -> int | None:
    try:
        from distributed import get_worker

        return get_worker().memory_manager.memory_limit or None
    except (ImportError, ValueError, AttributeError):
        return None  # not on a Dask worker
