"""Endings: how a driver is ended."""

from __future__ import annotations

import contextlib
import os
import signal
import time

from sdt_dask_testing.chaos.marked import Marked

__all__ = ["ENDS", "end_driver"]

#: How a driver is ended, and how often.
ENDS = {"kill -9": 0.7, "SIGTERM": 0.08, "Ctrl-C": 0.08, "Ctrl-C twice": 0.06, "stopped, then kill -9": 0.08}


def end_driver(driver: Marked, how: str, pause: float) -> None:
    """End a driver, or ask it to end; Ctrl-C reaches its whole group, as in a terminal.

    Parameters
    ----------
    driver : Marked
        The driver.
    how : str
        One of `ENDS`.
    pause : float
        Time between the two blows of those that are two [s].
    """
    with contextlib.suppress(ProcessLookupError):
        if how.startswith("Ctrl-C"):
            os.killpg(driver.pid, signal.SIGINT)
        elif how == "SIGTERM":
            driver.process.terminate()
        elif how.startswith("stopped"):
            driver.process.send_signal(signal.SIGSTOP)
            time.sleep(pause)
        if how.endswith("twice"):
            time.sleep(pause)
            os.killpg(driver.pid, signal.SIGINT)
        if how.endswith("-9"):
            driver.process.kill()
