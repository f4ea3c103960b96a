"""Blows aside: what is struck while a driver is at work, and is not the driver."""

from __future__ import annotations

import contextlib
import random
import signal
import time
from collections.abc import Callable, Sequence

import psutil

from sdt_dask_testing.chaos.clusters import StandingCluster
from sdt_dask_testing.chaos.instants import Watched
from sdt_dask_testing.chaos.marked import Marked, computing, said, wait_until, workers
from sdt_dask_testing.chaos.tally import Tally

__all__ = ["strike_aside"]

_PATIENCE = 60.0  # s
_GONE = 60.0  # s for what was below a process that was killed

Finder = Callable[[], Sequence[psutil.Process]]


def strike_aside(
    rng: random.Random, driver: Marked, watched: Watched, standing: StandingCluster | None, tally: Tally
) -> None:
    """Strike a worker, a computing child, a nanny, the scheduler, or stop one of them for a while.

    Parameters
    ----------
    rng : random.Random
        Draws what and when.
    driver : Marked
        The driver, to which a local cluster belongs.
    watched : Watched
        What is seen of it.
    standing : StandingCluster, optional
        The cluster where it is not the driver's own.
    tally : Tally
        Counts the blow once it was dealt, and what outlived the process that it was below.
    """
    everything: Finder = driver.all if standing is None else standing.processes
    names: dict[str, Finder] = {
        "worker kill -9": lambda: workers(everything()),
        "worker SIGTERM": lambda: workers(everything()),
        "worker stopped for a while": lambda: workers(everything()),
        "computing child kill -9": lambda: computing(everything()),
        "computing child stopped for a while": lambda: computing(everything()),
        "driver stopped for a while": lambda: [psutil.Process(driver.pid)],
    }
    if standing is not None:
        names["nanny kill -9"] = lambda: [standing.nanny(rng)]
        names["scheduler kill -9"] = lambda: [standing.scheduler()]
    name = rng.choice(sorted(names))
    wait_until(lambda: watched.n_outcomes() > 0 or not watched.is_alive(), seconds=_PATIENCE, step=0.02)
    time.sleep(rng.uniform(0.0, 0.5))
    with contextlib.suppress(psutil.Error, IndexError):
        if watched.is_alive():
            left = _strike(rng.choice(names[name]()), name, rng.uniform(0.2, 2.0))
            tally.faults[name] += 1
            if left:
                tally.harm("left", f"{len(left)} processes were left {_GONE:g} s after {name}: {list(map(said, left))}")


def _strike(process: psutil.Process, name: str, pause: float) -> list[psutil.Process]:
    """Strike; return the processes below one that was killed that did not go down with it."""
    below = process.children(recursive=True)
    if name.endswith("-9"):
        process.kill()
        left: list[psutil.Process] = psutil.wait_procs(below, timeout=_GONE)[1]
        return left
    if name.endswith("SIGTERM"):
        process.terminate()
    else:
        process.send_signal(signal.SIGSTOP)
        time.sleep(pause)
        process.send_signal(signal.SIGCONT)
    return []
