"""The pulse of a cluster: whether its scheduler answers and has workers, asked now and then without waiting for it.

A scheduler that hangs, or whose host is gone, breaks no connection: nothing lands any more, and every question to it
waits for ever.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import distributed

__all__ = ["Pulse"]

logger = logging.getLogger(__name__)

_ASK_EVERY = 2.0  # s
_ASK_AGAIN = 0.5  # s after a question that could not be asked
_ANSWER_WITHIN = 60.0  # s
_MISSES = 2  # in a row, for one may be ours: a driver that was suspended finds its own question too old
_SILENT_AFTER = 5.0  # s
_NO_WORKER_FOR = 600.0  # s; a machine of a cloud takes minutes to start


class Pulse:
    """Asks a scheduler for its workers, in the background.

    Parameters
    ----------
    client : distributed.Client
        The cluster.
    clock : callable
        Returns a time that only grows [s].

    Attributes
    ----------
    threads : dict
        Worker threads by worker, as last answered.
    """

    def __init__(self, client: distributed.Client, clock: Callable[[], float] = time.monotonic) -> None:
        self.client = client
        self.clock = clock
        self.threads: dict[str, int] = {}
        self._question: concurrent.futures.Future[dict[str, int]] | None = None
        self._asked_at = -math.inf
        self._misses = 0
        self._no_worker_since: float | None = None

    @property
    def n_threads(self) -> int:
        """Worker threads of the cluster, as last answered."""
        return sum(self.threads.values())

    @property
    def is_well(self) -> bool:
        """Whether the scheduler answers; one that does not is better asked for nothing else."""
        is_silent = self._question is not None and self.clock() - self._asked_at > _SILENT_AFTER
        return self.client.status == "running" and not self._misses and not is_silent

    def first(self) -> None:
        """Wait for the first answer, as long as it may take."""
        self._ask()
        if self._question is not None:
            concurrent.futures.wait([self._question], timeout=_ANSWER_WITHIN)
        self.why_lost()

    def why_lost(self) -> str:
        """Take in what was answered, and ask anew when it is time to; return why the cluster is lost, or nothing."""
        if self._question is not None and self._question.done():
            self._take_in(self._question)
            self._question = None
        if self._question is None and self.clock() - self._asked_at >= _ASK_EVERY:
            self._ask()
        if self.client.status != "running":
            return "the scheduler went away"
        if self._misses >= _MISSES:
            return f"the scheduler did not answer for {_MISSES * _ANSWER_WITHIN:g} s"
        if self._no_worker_since is not None and self.clock() - self._no_worker_since >= _NO_WORKER_FOR:
            return f"the cluster had no worker for {_NO_WORKER_FOR:g} s"
        return ""

    def stop(self) -> None:
        """Ask no more."""
        if self._question is not None:
            self._question.cancel()

    def _ask(self) -> None:
        self._asked_at = self.clock()
        question = _threads_of_workers(self.client, _ANSWER_WITHIN)
        try:
            loop: Any = self.client.loop
            self._question = asyncio.run_coroutine_threadsafe(question, loop.asyncio_loop)
        except RuntimeError:  # the client's loop has ended, and its status says so
            question.close()

    def _take_in(self, question: concurrent.futures.Future[dict[str, int]]) -> None:
        try:
            self.threads = question.result()
        except (Exception, concurrent.futures.CancelledError):  # noqa: BLE001 - whatever a broken connection raises
            self._misses += 1
            return
        self._misses = 0
        if self.threads:
            self._no_worker_since = None
        elif self._no_worker_since is None:
            self._no_worker_since = self.clock()
            logger.warning(
                "the cluster has no worker; the run waits for one, and ends as lost when none comes in %g s",
                _NO_WORKER_FOR,
            )


async def _threads_of_workers(client: Any, timeout: float) -> dict[str, int]:
    """Ask until there is an answer, for at most some seconds."""

    async def ask() -> dict[str, int]:
        while True:
            try:
                return dict(await client.scheduler.ncores(workers=None))
            except OSError:  # this question's connection broke; the one that matters may stand
                await asyncio.sleep(_ASK_AGAIN)

    return await asyncio.wait_for(ask(), timeout)
