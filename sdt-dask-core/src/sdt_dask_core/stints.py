"""Stints on a worker: how it notices that nobody waits for what its children do.

The driver closes them when its run ends. One that was killed, or cut off, cannot; then a task that Dask has dropped
takes its child with it, and a child that is asked nothing for a while is closed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sdt_dask_core.child_process import ChildProcess

__all__ = ["IDLE_FOR", "Reaper", "nobody_waits"]

#: How long a child may wait for its next key [s]; in a run that goes on, another is soon started.
IDLE_FOR = 300.0
_LOOK_EVERY = 10.0  # s


def nobody_waits() -> Callable[[], bool]:
    """Return what tells whether Dask has dropped the task of this thread; off a worker nothing ever is."""
    from distributed import Status, get_worker

    try:
        worker: Any = get_worker()
    except ValueError:
        return lambda: False
    key = worker.active_threads.get(threading.get_ident())

    def is_dropped() -> bool:
        if worker.status in (Status.closing, Status.closed):  # its scheduler went away, say; it waits for this thread
            return True
        # Its client left or cancelled it: the scheduler then says so, and a worker cannot stop a thread.
        task = worker.state.tasks.get(key)
        return task is not None and task.state == "cancelled"

    return is_dropped


class Reaper:
    """Closes idle children, in a thread that lives as long as there are any.

    Parameters
    ----------
    take_idle : callable
        Takes the idle ones out and returns them; and whether any other is left.
    """

    def __init__(self, take_idle: Callable[[], tuple[list[ChildProcess], bool]]) -> None:
        self.take_idle = take_idle
        self._lock = threading.Lock()
        self._is_at_work = False

    def start(self) -> None:
        """Begin to look, if it does not already; call it after a child was added."""
        with self._lock:
            if not self._is_at_work:
                self._is_at_work = True
                threading.Thread(target=self._work, name="sdt-dask idle children", daemon=True).start()

    def _work(self) -> None:
        is_any_left = True
        while is_any_left:
            time.sleep(min(_LOOK_EVERY, IDLE_FOR / 4))
            with self._lock:  # a child that is added meanwhile is seen, or starts another thread
                idle, is_any_left = self.take_idle()
                self._is_at_work = is_any_left
            for child in idle:
                child.close()
