"""The keys that wait for another attempt: for their time to come, or for all others to be done."""

from __future__ import annotations

import heapq
import itertools
import time
from collections import deque
from collections.abc import Callable, Collection

from sdt_dask_core.ledger import PlannedTask
from sdt_dask_core.retries import Again

__all__ = ["Waiting", "places_apart"]


class Waiting:
    """Keys that are tried again.

    Parameters
    ----------
    clock : callable
        Returns a time that only grows [s].
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._order = itertools.count()
        self._later: list[tuple[float, int, PlannedTask]] = []
        self._large: deque[PlannedTask] = deque()

    def __len__(self) -> int:
        return len(self._later) + len(self._large)

    def add(self, task: PlannedTask, again: Again) -> None:
        """Let a key wait for the attempt that it is given."""
        if again.share > 1:
            self._large.append(task)
        else:
            heapq.heappush(self._later, (self.clock() + again.wait, next(self._order), task))

    def due(self) -> PlannedTask | None:
        """Return the next key whose time has come, once, or None."""
        if self._later and self._later[0][0] <= self.clock():
            return heapq.heappop(self._later)[2]
        return None

    def large(self) -> PlannedTask | None:
        """Return the next key that wants more than its share of memory, once; None while others may still come."""
        return None if self._later or not self._large else self._large.popleft()


def places_apart(workers: Collection[str]) -> list[str]:
    """Return the addresses of workers of which each can use the memory of a neighbour on its machine: every other one.

    Parameters
    ----------
    workers : collection of str
        Addresses, such as ``tcp://10.0.0.5:40123``.
    """
    chosen = []
    for _, on_machine in itertools.groupby(sorted(workers), key=lambda address: address.rpartition(":")[0]):
        together = list(on_machine)
        chosen += together[: max(1, len(together) // 2)]
    return chosen
