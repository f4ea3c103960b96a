"""Writes a ledger as a run does, in a process of its own, with all that SQLite does traced and each commit marked.

Called as ``python -m durability.power.workload KIND FOLDER SYNCHRONOUS TRACE``; KIND is "runs" or "migration".
"""

from __future__ import annotations

import itertools
import random
import sys
from pathlib import Path

from sdt_dask_core.ledger import Ledger, PlannedTask

from ..contents import digest
from .tracing import Tracing

N_KEYS = 24
_CHECKPOINT = 40  # pages; few, so that a short trace holds many checkpoints and wraps the log around


class Workload:
    """A driver's work on the ledger; each commit that returned is marked with what the ledger then holds."""

    def __init__(self, folder: Path, synchronous: str) -> None:
        self.folder = folder
        self.synchronous = synchronous
        self.random = random.Random(1)
        self.tracing = Tracing()

    def open(self) -> Ledger:
        """Open the ledger, as strict as asked for."""
        ledger = Ledger(self.folder)
        connection = ledger._connection  # noqa: SLF001 - what no method does
        connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT}")
        connection.execute(f"PRAGMA synchronous = {self.synchronous}")
        self.acknowledge(ledger)
        return ledger

    def acknowledge(self, ledger: Ledger) -> None:
        """Say that what was written is durable."""
        self.tracing.mark(digest(ledger._connection))  # noqa: SLF001

    def begin(self, ledger: Ledger) -> str:
        tasks = [
            PlannedTask(f'["{number}"]', "todo", "new", "1", "d", {"tilt": number}, {}) for number in range(N_KEYS)
        ]
        run_id = ledger.begin_run({"job": "x" * 2_000}, {"sqlite": "3"}, tasks)
        self.acknowledge(ledger)
        return run_id

    def work(self, ledger: Ledger, run_id: str, n_keys: int) -> None:
        """Work off some keys as the runner does: an outcome and the next attempt in one commit."""
        waiting = itertools.islice(ledger.todo(run_id), n_keys + 2)
        flying = [next(waiting), next(waiting)]
        with ledger.transaction():
            numbers = {task.key: ledger.start_attempt(run_id, task.key) for task in flying}
        self.acknowledge(ledger)
        for task in waiting:
            landed = flying.pop(0)
            with ledger.transaction():
                self._land(ledger, run_id, landed, numbers)
                numbers[task.key] = ledger.start_attempt(run_id, task.key)
            flying.append(task)
            self.acknowledge(ledger)

    def _land(self, ledger: Ledger, run_id: str, task: PlannedTask, numbers: dict[str, int]) -> None:
        if self.random.random() < 0.2:
            detail = {"signal": 9, "peak_mb": 812.5}
            ledger.end_attempt(run_id, task.key, numbers[task.key], "out_of_memory", detail)
            numbers[task.key] = ledger.start_attempt(run_id, task.key)
        text = self.random.randbytes(self.random.randint(100, 4_000)).hex()
        ledger.record(run_id, task, numbers[task.key], {"status": "done", "grade": "ok", "columns": {"text": text}})


def runs(workload: Workload) -> None:
    """Two runs in two sittings, the first of them cut off."""
    ledger = workload.open()
    run_id = workload.begin(ledger)
    workload.work(ledger, run_id, 14)
    ledger.close()
    ledger = workload.open()  # closes what was cut off
    ledger.reopen_run(run_id)
    workload.acknowledge(ledger)
    workload.work(ledger, run_id, 6)
    ledger.end_run(run_id, "complete")
    workload.acknowledge(ledger)
    workload.work(ledger, workload.begin(ledger), 14)
    ledger.close()


def migration(workload: Workload) -> None:
    """Open a ledger of the first release, and go on with its run."""
    ledger = workload.open()
    workload.work(ledger, workload.begin(ledger), 4)
    ledger.close()


if __name__ == "__main__":
    kind, folder, synchronous, trace = sys.argv[1:]
    done = Workload(Path(folder), synchronous)
    {"runs": runs, "migration": migration}[kind](done)
    done.tracing.save(Path(trace))
