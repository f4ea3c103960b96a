"""Instants: when a driver is struck, drawn so that each phase of a run is hit."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from sdt_dask_testing.chaos.audit import Snapshot
from sdt_dask_testing.chaos.marked import wait_until

__all__ = ["PHASES", "Instant", "Watched", "draw_instant", "phase_between"]

#: Phases of a run by what can be seen from outside, and how often each is aimed at. What is aimed at and what is hit
#: differ: the machine decides.
PHASES: dict[str, float] = {
    "imports": 0.15,
    "ledger": 0.1,
    "cluster": 0.2,
    "first outcome": 0.1,
    "computing": 0.3,
    "closing": 0.075,
    "tables": 0.075,
}


@dataclass(frozen=True, slots=True)
class Watched:
    """What can be seen of a driver from outside, cheaply.

    Attributes
    ----------
    is_alive, has_ledger, has_workers, writes_tables : callable
        Whether the driver lives, its ledger is there, a cluster's process is there, tables are being written.
    n_outcomes : callable
        How many outcomes it has acknowledged since it started.
    n_todo : int
        Keys that it has to do.
    """

    is_alive: Callable[[], bool]
    has_ledger: Callable[[], bool]
    has_workers: Callable[[], bool]
    writes_tables: Callable[[], bool]
    n_outcomes: Callable[[], int]
    n_todo: int


@dataclass(frozen=True, slots=True)
class Instant:
    """When to strike.

    Attributes
    ----------
    phase : str
        One of `PHASES`.
    outcomes : int
        In "computing", after how many.
    delay : float
        Time after the phase was seen to begin [s].
    """

    phase: str
    outcomes: int
    delay: float

    def wait(self, watched: Watched, patience: float) -> bool:
        """Wait for it; tell whether it came while the driver lived."""
        begun = {
            "imports": lambda: True,
            "ledger": watched.has_ledger,
            "cluster": watched.has_workers,
            "first outcome": lambda: watched.n_outcomes() > 0,
            "computing": lambda: watched.n_outcomes() >= self.outcomes,
            "closing": lambda: watched.n_outcomes() >= watched.n_todo,
            "tables": watched.writes_tables,
        }[self.phase]
        has_begun = wait_until(lambda: begun() or not watched.is_alive(), seconds=patience, step=0.002)
        time.sleep(self.delay)
        return has_begun and watched.is_alive()


def draw_instant(rng: random.Random, n_todo: int) -> Instant:
    """Draw an instant for a driver with so many keys to do."""
    phase = rng.choices(list(PHASES), list(PHASES.values()))[0]
    longest = {"imports": 2.5, "ledger": 0.3, "cluster": 2.0, "closing": 1.0, "tables": 0.02}.get(phase, 0.1)
    return Instant(phase, rng.randint(1, max(1, min(n_todo - 1, 8))), rng.uniform(0.0, longest))


def phase_between(before: Snapshot, after: Snapshot) -> str:
    """Tell from the ledger where a driver was when it was struck."""
    if not after.run_id:
        return "before its run was in the ledger"
    news = len(after.outcomes) - len(before.outcomes)
    is_same = before.run_id == after.run_id and after.state != "running"
    if after.state == "complete":
        return "writing its tables"
    if is_same and not news:
        return "before it took up the run again"
    if after.n_todo == 0:
        return "closing"
    if len(after.attempts) == len(before.attempts):
        return "starting its cluster"
    return "computing" if news else "before its first outcome"
