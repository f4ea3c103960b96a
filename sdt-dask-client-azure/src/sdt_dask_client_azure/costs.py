"""What a run costs: estimated before, counted while it goes."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from sdt_dask_client_azure.prices import hourly, processors
from sdt_dask_client_azure.settings import Settings

if TYPE_CHECKING:
    from sdt_dask_client_azure.virtual_machine import _VirtualMachine

__all__ = ["cost_of", "estimate"]

_START = 300.0  # s from the request to a worker that computes, and back to nothing; measured by nobody, so generous
_HOUR = 3600.0  # s


def estimate(settings: Settings, n_keys: int, seconds_per_key: float) -> float | None:
    """Return what a run would cost [US dollars]; None where the table of prices has not these machines.

    A spot machine is counted at the full price, which is the most that it can cost.
    """
    threads = settings.threads_per_worker or processors(settings.vm_size)
    worker = hourly(settings, settings.vm_size)
    scheduler = hourly(settings, settings.scheduler_vm_size, is_public=settings.public_ingress)
    if worker is None or scheduler is None or threads is None:
        return None
    most = settings.maximum or settings.n_workers
    workers = max(1, min(most, -(-n_keys // threads)) if settings.maximum else most)
    seconds = _START + n_keys * seconds_per_key / (workers * threads)
    return (scheduler + workers * worker) * seconds / _HOUR


def cost_of(settings: Settings, machines: Iterable[_VirtualMachine]) -> float | None:
    """Return what machines have cost up to now [US dollars]; None where the price of one is unknown."""
    sizes = {(settings.vm_size, False), (settings.scheduler_vm_size, settings.public_ingress)}
    prices = {(size, is_public): hourly(settings, size, is_public=is_public) for size, is_public in sizes}
    if None in prices.values():
        return None  # said before anything is made
    spans = (
        (prices[machine.size, machine.is_public] or 0.0, (machine.removed or time.time()) - machine.made)
        for machine in machines
        if machine.made is not None
    )
    return float(sum(price * seconds / _HOUR for price, seconds in spans))
