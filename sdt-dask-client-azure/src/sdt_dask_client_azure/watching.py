"""The watch over a cluster's workers: one that is gone is removed and replaced."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sdt_dask_client_azure.cluster import AzureCluster

__all__ = ["Watch"]

logger = logging.getLogger(__name__)

STEP = 1.0  # s between two looks at what the scheduler knows
LOST_AFTER = 15.0  # s that a worker which was there may be away
REFUSED_AGAIN = 60.0  # s before another machine is asked for where one was refused
_FIRST_LOOK, _LONGEST_LOOK = 0.5, 20.0  # s between two questions to Azure about a worker that has not come
_MOST_IN_VAIN = 3  # machines that are replaced though they never came


class Watch:
    """Sees to it that there are as many workers as there should be.

    Parameters
    ----------
    cluster : AzureCluster
        The cluster.

    Attributes
    ----------
    reasons : dict
        Why a worker is not there any more, or never was, by its name.
    """

    def __init__(self, cluster: AzureCluster) -> None:
        self.cluster = cluster
        self.reasons: dict[str, str] = {}
        self._away: dict[str, float] = {}
        self._looks: dict[str, tuple[float, float]] = {}
        self._in_vain = 0
        self._not_before = 0.0
        self._removing: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            await asyncio.sleep(STEP)
            try:
                await self._look()
            except Exception:
                logger.exception("the watch over %s stumbled and goes on", self.cluster.name)

    async def _look(self) -> None:
        joined = self.cluster.joined
        for name, machine in list(self.cluster.workers.items()):
            if name in joined:
                machine.joined = True
                self._away.pop(name, None)
            elif (why := await self._why_away(name, machine)) is not None:
                self._lose(name, machine, why)
        self._replace()

    async def _why_away(self, name: str, machine: Any) -> str | None:
        """Return why a worker that the scheduler does not know will not come; None where it may."""
        now = time.monotonic()
        since = self._away.setdefault(name, now)
        if machine.joined:
            if now - since < LOST_AFTER:
                return None
            return str(await machine.why_not() or "the scheduler lost it")
        due, step = self._looks.get(name, (now + _FIRST_LOOK, _FIRST_LOOK))
        if now >= due:
            step = min(step * 1.5, _LONGEST_LOOK)
            due = now + step
            why: str | None = await machine.why_not()
            if why is not None:
                return f"{why}{await machine.last_words()}"
        self._looks[name] = due, step
        if now - since > self.cluster.settings.timeout:
            return f"its worker did not come within {self.cluster.settings.timeout:g} s{await machine.last_words()}"
        return None

    def _lose(self, name: str, machine: Any, why: str) -> None:
        logger.warning("worker %s is lost: %s", name, why)
        if not machine.joined:
            self._in_vain += 1
        self._forget(name, machine, why)

    def refused(self, name: str, machine: Any) -> None:
        """Hear that Azure made no machine for a worker."""
        logger.warning("worker %s did not start: %s", name, machine.failure)
        self._not_before = time.monotonic() + REFUSED_AGAIN
        self._forget(name, machine, machine.failure)

    async def until_asking_makes_sense(self) -> None:
        """Wait as long as Azure would only refuse again."""
        while time.monotonic() < self._not_before:
            self.cluster.go_on()
            await asyncio.sleep(STEP)

    def _forget(self, name: str, machine: Any, why: str) -> None:
        self.reasons[name] = why
        self.cluster.worker_spec.pop(name, None)
        self.cluster.workers.pop(name, None)
        self._away.pop(name, None)
        self._looks.pop(name, None)
        task = asyncio.create_task(self._remove(name, machine))
        self._removing.add(task)
        task.add_done_callback(self._removing.discard)

    async def _remove(self, name: str, machine: Any) -> None:
        try:
            await machine.close()
        except Exception as error:  # noqa: BLE001 - what is left goes with the cluster
            logger.warning("the machine of worker %s could not be removed yet: %s", name, error)

    async def end(self) -> None:
        """Wait for what is being removed."""
        await asyncio.gather(*self._removing, return_exceptions=True)

    def _replace(self) -> None:
        """Ask for as many workers as are missing; adaptive scaling does that by itself."""
        cluster = self.cluster
        if cluster.settings.maximum is not None or time.monotonic() < self._not_before:
            return
        missing = cluster.settings.n_workers - len(cluster.worker_spec)
        if missing > 0 and self.may_replace:
            logger.info("asking for %d worker(s) in place of those lost", missing)
            cluster.scale(cluster.settings.n_workers)

    @property
    def may_replace(self) -> bool:
        """Whether another machine may do better than those before."""
        has_worked = any(getattr(machine, "joined", False) for machine in self.cluster.machines)
        return has_worked and self._in_vain <= _MOST_IN_VAIN
