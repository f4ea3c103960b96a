"""One look at all tasks at a time, at growing intervals; asked task by task, AWS soon throttles."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

from sdt_dask_client_fargate.account import is_throttled

__all__ = ["TaskStoppedError", "TaskWatch"]

logger = logging.getLogger(__name__)

_FIRST, _LONGEST, _CALM = 0.5, 5.0, 20.0  # s between two looks: at tasks that start, and at those that run
_GROWTH = 1.5
_MOST = 100  # tasks of one look

Task = dict[str, Any]


class TaskStoppedError(Exception):
    """A task stopped; ``task`` is what ECS says of it."""

    def __init__(self, task: Task) -> None:
        super().__init__(task.get("stoppedReason") or "no reason given")
        self.task = task


class TaskWatch:
    """Looks at the tasks of a cluster; used in one event loop.

    Parameters
    ----------
    describe : callable
        Given ARNs of tasks, at most 100, returns what ECS says of them; called in a thread.
    """

    def __init__(self, describe: Callable[[Sequence[str]], list[Task]]) -> None:
        self._describe = describe
        self._starting: dict[str, asyncio.Future[Task]] = {}
        self._running: dict[str, Callable[[Task], None]] = {}
        self._wake = asyncio.Event()
        self._interval = _FIRST
        self._looking: asyncio.Task[None] | None = None

    async def until_running(self, arn: str) -> Task:
        """Wait until a task runs.

        Raises
        ------
        TaskStoppedError
            It stopped before.
        """
        if self._looking is None:
            self._looking = asyncio.ensure_future(self._look_on())
        future: asyncio.Future[Task] = asyncio.get_running_loop().create_future()
        self._starting[arn] = future
        self.hurry()
        try:
            return await future
        finally:
            self._starting.pop(arn, None)

    def follow(self, arn: str, on_stop: Callable[[Task], None]) -> None:
        """Have a function called when a running task stops."""
        self._running[arn] = on_stop

    def forget(self, arn: str) -> None:
        """Look at a task no more: it is stopped on purpose."""
        self._running.pop(arn, None)

    def hurry(self) -> None:
        """Look again soon."""
        if self._interval > _FIRST:
            self._interval = _FIRST
            self._wake.set()

    async def close(self) -> None:
        """Look no more; whoever waits for a task is cancelled."""
        for future in self._starting.values():
            future.cancel()
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait([self._looking])

    async def _look_on(self) -> None:
        while True:
            try:
                await asyncio.wait_for(self._wake.wait(), self._interval)
            except (asyncio.TimeoutError, TimeoutError):
                await self._look()
                self._interval = min(self._interval * _GROWTH, _LONGEST if self._starting else _CALM)
            self._wake.clear()

    async def _look(self) -> None:
        arns = [*self._starting, *self._running]
        for start in range(0, len(arns), _MOST):
            batch = arns[start : start + _MOST]
            try:
                tasks = await asyncio.to_thread(self._describe, batch)
            except Exception as error:  # noqa: BLE001 - told to those who wait
                self._fail(batch, error)
            else:
                for task in tasks:
                    self._tell(task)

    def _fail(self, arns: Sequence[str], error: Exception) -> None:
        if is_throttled(error):
            return  # the next look comes later
        logger.warning("client 'fargate' cannot look at its tasks: %s", error)
        for arn in arns:
            future = self._starting.get(arn)
            if future is not None and not future.done():
                future.set_exception(error)

    def _tell(self, task: Task) -> None:
        arn, status = task["taskArn"], task["lastStatus"]
        future = self._starting.get(arn)
        if status == "STOPPED":
            if future is not None and not future.done():
                future.set_exception(TaskStoppedError(task))
            elif arn in self._running:
                self._running.pop(arn)(task)
        elif status == "RUNNING" and future is not None and not future.done():
            future.set_result(task)
