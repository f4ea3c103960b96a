"""The runner: what happens on the driver from the first future to the last.

A bounded window of futures is in flight; each outcome is recorded as it lands and its future released, so memory does
not grow with the number of keys. A lost scheduler is a lost scheduler, never ten thousand failed keys.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sdt_dask_core import task as worker_side
from sdt_dask_core.addons import tell
from sdt_dask_core.errors import ClusterLostError, RunInterruptedError
from sdt_dask_core.job import Job
from sdt_dask_core.ledger import Ledger, PlannedTask
from sdt_dask_core.outcome import failure, load

if TYPE_CHECKING:
    import distributed

__all__ = ["Progress", "RunInfo", "Runner"]

logger = logging.getLogger(__name__)

_TASKS_PER_THREAD = 2  # one that computes and one that waits, so that no worker idles
_ATTEMPTS = 3  # for a worker that dies under a key; a crash of the key itself stays inside its child
_RESULT_TIMEOUT = 60.0  # s to fetch the text of a finished task


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What addons are told of a run.

    Attributes
    ----------
    run_id : str
        Its id in the ledger.
    output : str
        The output folder.
    n_keys : int
        Number of keys, skipped ones included.
    """

    run_id: str
    output: str
    n_keys: int


@dataclass(slots=True)
class Progress:
    """How far a run is.

    Attributes
    ----------
    total, skipped, failed : int
        Numbers of keys.
    grades : dict
        Number of finished systems by grade.
    in_work : dict
        Keys handed out, by canonical text, the oldest first; those beyond the number of threads wait.
    n_threads : int
        Worker threads that the cluster has.
    dashboard : str
        Address of Dask's dashboard, or nothing.
    """

    total: int
    skipped: int = 0
    failed: int = 0
    grades: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("ok", "caution", "withheld"), 0))
    in_work: dict[str, int] = field(default_factory=dict)
    n_threads: int = 0
    dashboard: str = ""

    @property
    def finished(self) -> int:
        """Keys that were worked on and have their outcome."""
        return self.failed + sum(self.grades.values())

    @property
    def todo(self) -> int:
        """Keys that have none yet."""
        return self.total - self.skipped - self.finished


class Runner:
    """Runs the tasks of one run on one cluster.

    Parameters
    ----------
    client : distributed.Client
        The cluster.
    job : Job
        What is done for each key.
    ledger : Ledger
        Where outcomes go.
    run : RunInfo
        The run.
    hooks : pluggy hook relay
        Of the enabled addons.
    observe : callable
        Called with `Progress` after every change.
    """

    def __init__(
        self,
        client: distributed.Client,
        *,
        job: Job,
        ledger: Ledger,
        run: RunInfo,
        hooks: Any,
        observe: Callable[[Progress], None],
    ) -> None:
        self.client = client
        self.job = job
        self.job_text = job.as_text()
        self.ledger = ledger
        self.run = run
        self.hooks = hooks
        self.observe = observe
        self._flying: dict[Any, tuple[PlannedTask, int]] = {}

    def work_off(self, tasks: Iterable[PlannedTask], progress: Progress) -> None:
        """Run every task and record its outcome.

        Raises
        ------
        ClusterLostError
            The scheduler went away or has no worker left.
        RunInterruptedError
            Ctrl-C; what was finished is recorded.
        """
        progress.n_threads = max(1, sum(self.client.nthreads().values()))
        progress.dashboard = self.client.dashboard_link if self.client.scheduler_info().get("services") else ""
        tell(self.hooks, "run_started", run=self.run)
        try:
            self._fly(iter(tasks), progress)
        except KeyboardInterrupt:
            self._abandon("interrupted")
            raise RunInterruptedError(
                f"interrupted with {progress.todo} of {progress.total} keys to do; what was finished is recorded: "
                f"sdt-dask resume {self.run.output} does the rest"
            ) from None
        finally:
            tell(self.hooks, "run_finished", run=self.run)
            self._close_children()

    def _fly(self, waiting: Iterator[PlannedTask], progress: Progress) -> None:
        from distributed import as_completed

        landing = as_completed([])
        room = _TASKS_PER_THREAD * progress.n_threads
        with self.ledger.transaction():
            for _ in range(room):
                self._launch_next(waiting, landing, progress)
        self.observe(progress)
        for future in landing:
            task, number = self._flying[future]
            outcome = self._outcome(future, number)
            del self._flying[future]
            future.release()
            with self.ledger.transaction():
                if outcome is None:
                    self.ledger.end_attempt(self.run.run_id, task.key, number, "worker died")
                    self._launch(task, landing)
                else:
                    self.ledger.record(self.run.run_id, task, number, outcome)
                    self._launch_next(waiting, landing, progress)
            if outcome is not None:
                self._count(task, outcome, progress)

    def _launch_next(self, waiting: Iterator[PlannedTask], landing: Any, progress: Progress) -> None:
        task = next(waiting, None)
        if task is not None:
            progress.in_work[task.key] = len(progress.in_work)
            self._launch(task, landing)

    def _launch(self, task: PlannedTask, landing: Any) -> None:
        number = self.ledger.start_attempt(self.run.run_id, task.key)
        future = self.client.submit(
            worker_side.run_key,
            self.job_text,
            task.key,
            task.options,
            task.metadata,
            # Dask gives back an old result for an old name, so each attempt has its own; it is public, so no key in it.
            key=f"sdt-dask-{self.run.run_id}-{_short(task.key)}-{number}",
            pure=False,
        )
        self._flying[future] = (task, number)
        landing.add(future)

    def _outcome(self, future: Any, number: int) -> dict[str, Any] | None:
        """Return the outcome that a future brought; None when the worker died and the key gets another attempt."""
        from distributed import CancelledError, TimeoutError

        try:
            if future.status == "finished":
                return load(future.result(timeout=_RESULT_TIMEOUT))
            if future.status == "cancelled":
                raise self._lost("the scheduler went away")
            if future.status == "lost":
                # The worker died with the finished outcome in its hands.
                return _retry_or_fail(number)
            error = future.exception(timeout=_RESULT_TIMEOUT)
        except TimeoutError:  # it died while we fetched the outcome, and Dask computes it once more
            return _retry_or_fail(number)
        except (CancelledError, OSError) as error_of_comm:
            raise self._lost("the scheduler went away") from error_of_comm
        name = type(error).__name__
        if name in ("NoWorkerError", "NoValidWorkerError"):
            raise self._lost("the cluster has no worker left")
        if name == "KilledWorker":
            return _retry_or_fail(number)
        return failure(stage="worker", cause="worker_error", message=f"the Dask worker failed: {name}: {error}")

    def _lost(self, why: str) -> ClusterLostError:
        self._abandon("lost")
        return ClusterLostError(
            f"{why}; what was finished is recorded: sdt-dask resume {self.run.output} does the rest"
        )

    def _abandon(self, ending: str) -> None:
        with self.ledger.transaction():
            for task, number in self._flying.values():
                self.ledger.end_attempt(self.run.run_id, task.key, number, ending)
        with contextlib.suppress(Exception):  # the cluster may be gone
            self.client.cancel(list(self._flying))
        self._flying.clear()

    def _count(self, task: PlannedTask, outcome: Mapping[str, Any], progress: Progress) -> None:
        progress.in_work.pop(task.key, None)
        if outcome["status"] == "failed":
            progress.failed += 1
            logger.warning("key %s failed: %s: %s", task.key, outcome["cause"], outcome["message"])
        else:
            progress.grades[outcome["grade"]] += 1
        tell(self.hooks, "key_finished", run=self.run, outcome={"key": task.key, **outcome})
        self.observe(progress)

    def _close_children(self) -> None:
        # A cluster that goes on after us must not keep our processes, nor the plug's connections in them.
        with contextlib.suppress(Exception):
            self.client.run(worker_side.close_children, on_error="ignore")


def _retry_or_fail(attempt: int) -> dict[str, Any] | None:
    """Return None, for another attempt at a key under which the worker died, or the failure that it is after many."""
    if attempt < _ATTEMPTS:
        return None
    return failure(
        stage="worker",
        cause="worker_died",
        message=f"the Dask worker died under this key in each of {attempt} attempts; look at the worker's log and "
        "memory, then sdt-dask retry",
    )


def _short(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:12]
