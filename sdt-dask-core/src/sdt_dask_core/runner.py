"""The runner: what happens on the driver from the first future to the last.

A bounded window of futures is in flight. What has landed is recorded, in one transaction that reaches the disk, before
anybody hears of it; its futures are released, so memory does not grow with the number of keys. A lost scheduler is a
lost scheduler, never ten thousand failed keys.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sdt_dask_core import task as worker_side
from sdt_dask_core.addons import tell
from sdt_dask_core.agreement.newcomers import Newcomers
from sdt_dask_core.errors import ClusterLostError, LimitReachedError, RunInterruptedError, SdtDaskError
from sdt_dask_core.job import Job
from sdt_dask_core.landed import NobodyAnswersError, outcome_of
from sdt_dask_core.ledger import Ledger, PlannedTask
from sdt_dask_core.left_out import LeftOut
from sdt_dask_core.limits import LimitWatch
from sdt_dask_core.outcome import without_picture
from sdt_dask_core.progress import Progress, RunInfo
from sdt_dask_core.pulse import Pulse
from sdt_dask_core.retries import Again, Retries
from sdt_dask_core.stopping import StopRequest
from sdt_dask_core.waiting import Waiting, places_apart

if TYPE_CHECKING:
    import distributed

__all__ = ["Runner"]

logger = logging.getLogger(__name__)

_TASKS_PER_THREAD = 2  # one that computes and one that waits, so that no worker idles
_LARGE_SHARE = 2  # of memory, for a key that took more than one
_CLOSING_CHILDREN = 20.0  # s; a plug may take ten of them for its own close()
_CLOSING_AT_ONCE = 2.0  # s; the word to kill them is on its way, and the workers need no one to wait for it
_KEPT_OF_ATTEMPT = ("message", "at", "signal", "exit_code", "host", "peak_rss_mb", "n_rows", "seconds_in_work")
_TOGETHER = 1.0  # s for which what was fetched may wait for what else has landed, before it is recorded
_LOOK_EVERY = 0.1  # s between two looks at what may end the run while nothing lands


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A key that was handed out: to a worker of its own where it may take more than its share of memory."""

    task: PlannedTask
    number: int
    worker: str = ""

    @property
    def share(self) -> int:
        return _LARGE_SHARE if self.worker else 1


_Landed = tuple[_Attempt, dict[str, Any], Again | None]


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
    limits : LimitWatch
        What ends the run early.
    newcomers : Newcomers
        Hands the keys out, to workers that have what the run needs.
    stop : StopRequest
        What the user asked by signals.
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
        limits: LimitWatch,
        newcomers: Newcomers,
        stop: StopRequest,
    ) -> None:
        self.client = client
        self.job = job
        self.job_text = job.as_text()
        self.ledger = ledger
        self.run = run
        self.hooks = hooks
        self.observe = observe
        self.limits = limits
        self.newcomers = newcomers
        self.stop = stop
        self.pulse = Pulse(client)
        self._stint = uuid.uuid4().hex
        self._flying: dict[Any, _Attempt] = {}
        self._landed: list[_Landed] = []  # judged, and not yet written
        self._untold: deque[tuple[PlannedTask, dict[str, Any]]] = deque()  # written, and not yet counted
        self._retries = Retries()
        self._again = Waiting()
        self._left_out = LeftOut()

    def work_off(self, tasks: Iterable[PlannedTask], progress: Progress) -> None:
        """Run every task and record its outcome; the tasks are taken one by one, as there is room for them.

        Raises
        ------
        ClusterLostError
            The scheduler went away or has no worker left.
        LimitReachedError, RunInterruptedError
            A limit, or Ctrl-C, ended it; what was finished is recorded.
        """
        from distributed import span

        self.progress = progress
        self._waiting = iter(tasks)
        self.pulse.first()
        progress.dashboard = _dashboard(self.client) if self.pulse.is_well else ""
        tell(self.hooks, "run_started", run=self.run)
        try:
            # One for all keys: Dask would make another whenever the cluster had nothing to do, and keep each.
            with span("sdt-dask"):
                self._fly()
        except KeyboardInterrupt:  # of a program that hears its signals itself
            raise self._interrupted() from None
        except SdtDaskError:
            raise
        except Exception as error:
            if self.client.status != "running":
                raise self._lost("the scheduler went away") from error
            self._abandon("interrupted")
            raise
        finally:
            self.pulse.stop()
            tell(self.hooks, "run_finished", run=self.run)
            self._close_children()

    def _fly(self) -> None:
        from distributed import as_completed

        self._landing = as_completed([])
        self.limits.look()  # the cluster alone may have cost all that it may
        self._record_and_launch()
        self.observe(self.progress)
        while not (self._landing.is_empty() and not self._again):
            is_over = self._is_over()
            if self._take_in_what_landed():
                self._record_and_launch()
                continue
            if is_over:
                break
            with self._landing.thread_condition:  # as its own iterator does, which would wait for ever
                came = self._landing.thread_condition.wait(timeout=_LOOK_EVERY)
            if not came and len(self._flying) < self.progress.todo:
                self._record_and_launch()
        if self.stop.is_asked and self.progress.todo:
            raise self._interrupted()
        if self.limits.reason and self.progress.todo:
            raise self._stopped()

    def _take_in_what_landed(self) -> bool:
        """Fetch and judge what has landed, for a while; tell whether anything has."""
        until = time.monotonic() + _TOGETHER
        # What a scheduler that hangs holds cannot be fetched.
        while self._landing.has_ready() and self.pulse.is_well and time.monotonic() < until:
            future = next(self._landing)
            attempt = self._flying[future]
            judged = self._judged(future, attempt)
            del self._flying[future]
            self._landed.append((attempt, *judged))
            future.release()
            self.pulse.why_lost()  # so that an answer which came meanwhile is not taken for silence
        return bool(self._landed)

    def _record_and_launch(self) -> None:
        """Write all that has landed in one transaction, and hand out what there is room for meanwhile."""
        with self._recorded():
            self._launch_what_fits()
        while self._untold:
            self._count(*self._untold.popleft())
            self.observe(self.progress)

    @contextlib.contextmanager
    def _recorded(self) -> Iterator[None]:
        """Write all that has landed, and what the body writes, in one transaction; nobody hears of it before."""
        landed, self._landed = self._landed, []
        with self.ledger.transaction():
            for attempt, outcome, again in landed:
                self._write(attempt, outcome, again)
            yield
        for attempt, outcome, again in landed:
            if again is None:
                self.progress.in_work.pop(attempt.task.key, None)
                self._untold.append((attempt.task, outcome))

    def _write(self, attempt: _Attempt, outcome: Mapping[str, Any], again: Again | None) -> None:
        if again is None:
            self.ledger.record(self.run.run_id, attempt.task, attempt.number, outcome)
        else:
            self._put_back(attempt, outcome, again)

    def _judged(self, future: Any, attempt: _Attempt) -> tuple[dict[str, Any], Again | None]:
        """Return what an attempt came to, and the next one, or None where there is none."""
        try:
            outcome = outcome_of(future)
        except NobodyAnswersError as error:
            raise self._lost(str(error)) from error
        if not self.newcomers.turned_away(future, outcome):
            return self._retries.judge(attempt.task.key, outcome)
        why = self.newcomers.why_none_is_left()
        if why:
            raise self._lost(why)
        return {"cause": "turned away"}, Again(share=attempt.share)

    def _put_back(self, attempt: _Attempt, outcome: Mapping[str, Any], again: Again) -> None:
        """Write how an attempt ended that is not the last one, and let the key wait for the next."""
        detail = {name: outcome[name] for name in _KEPT_OF_ATTEMPT if outcome.get(name) is not None}
        self.ledger.end_attempt(self.run.run_id, attempt.task.key, attempt.number, outcome["cause"], detail or None)
        self._again.add(attempt.task, again)

    def _is_over(self) -> bool:
        """Look at what may end the run early; return whether also the keys in work have no time left."""
        why = self.pulse.why_lost()
        if why:
            raise self._lost(why)
        return self.stop.look() or self.limits.look() or (self.stop.is_asked and not self._flying)

    def _launch_what_fits(self) -> None:
        while len(self._flying) < self._room() and self._launch_next():
            pass

    def _room(self) -> int:
        """Return how many keys may be handed out at once; workers come and go."""
        self.progress.n_threads = max(1, self.pulse.n_threads)
        return _TASKS_PER_THREAD * self.progress.n_threads

    def _interrupted(self) -> RunInterruptedError:
        self._abandon("interrupted")
        progress = self.progress
        return RunInterruptedError(
            f"interrupted with {progress.todo} of {progress.total} keys to do; what was finished is recorded: "
            f"sdt-dask resume {self.run.output} does the rest"
        )

    def _stopped(self) -> LimitReachedError:
        self._abandon("limit reached")
        progress = self.progress
        advice = f" ({self.limits.advice})" if self.limits.advice else ""
        return LimitReachedError(
            f"stopped with {progress.todo} of {progress.total} keys to do: {self.limits.reason}; what was finished is "
            f"recorded: sdt-dask resume {self.run.output} does the rest{advice}"
        )

    def _launch_next(self) -> bool:
        if self.stop.is_asked or self.limits.reason:
            return False
        task = self._again.due() or next(self._waiting, None)
        if task is None:
            return self._launch_large()
        self.progress.in_work.setdefault(task.key, len(self.progress.in_work))
        self._launch(task)
        return True

    def _launch_large(self) -> bool:
        """Hand out a key that may take a neighbour's memory too, when nobody else computes."""
        taken = [attempt.worker for attempt in self._flying.values()]
        if not all(taken):
            return False
        free = [worker for worker in places_apart(self.pulse.threads) if worker not in taken]
        task = self._again.large() if free else None
        if task is not None:
            self._launch(task, worker=free[0])
        return task is not None

    def _launch(self, task: PlannedTask, worker: str = "") -> None:
        attempt = _Attempt(task, self.ledger.start_attempt(self.run.run_id, task.key), worker)
        name = hashlib.sha256(task.key.encode()).hexdigest()[:12]
        future = self.newcomers.submit(
            {
                "job_text": self.job_text,
                "key_text": task.key,
                "options": task.options,
                "metadata": task.metadata,
                "stint": self._stint,
                "share": attempt.share,
            },
            # Dask gives back an old result for an old name, so each attempt has its own; it is public, so no key in it.
            key=f"sdt-dask-{self.run.run_id}-{name}-{attempt.number}",
            worker=worker,
        )
        self._flying[future] = attempt
        self._landing.add(future)

    def _lost(self, why: str) -> ClusterLostError:
        self._abandon("lost")
        return ClusterLostError(
            f"{why}; what was finished is recorded: sdt-dask resume {self.run.output} does the rest"
        )

    def _abandon(self, ending: str) -> None:
        """Record what has landed, and give up what has not."""
        with self._recorded():
            for attempt in self._flying.values():
                self.ledger.end_attempt(self.run.run_id, attempt.task.key, attempt.number, ending)
        while self._untold:
            self._count(*self._untold.popleft())
        with contextlib.suppress(Exception):  # the cluster may be gone
            self.client.cancel(list(self._flying))
        self._flying.clear()

    def _count(self, task: PlannedTask, outcome: Mapping[str, Any]) -> None:
        progress = self.progress
        self.limits.landed()
        self._left_out.look(outcome)
        if outcome["status"] == "failed":
            progress.failed += 1
            logger.warning("key %s failed: %s: %s", task.key, outcome["cause"], outcome["message"])
        else:
            progress.grades[outcome["grade"]] += 1
        tell(self.hooks, "key_finished", run=self.run, outcome={"key": task.key, **without_picture(outcome)})

    def _close_children(self) -> None:
        # A cluster that goes on after us must not keep our processes, nor the plug's connections in them.
        patience = _CLOSING_CHILDREN if self.pulse.is_well and not self.stop.is_urgent else _CLOSING_AT_ONCE
        with contextlib.suppress(Exception):
            self.client.run(worker_side.close_children, self._stint, on_error="ignore", callback_timeout=patience)


def _dashboard(client: distributed.Client) -> str:
    with contextlib.suppress(Exception):  # it is shown, and nothing depends on it
        if client.scheduler_info(n_workers=0).get("services"):
            return client.dashboard_link or ""
    return ""
