"""What Fargate costs, from a table with its date and source; nothing is asked of AWS."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from importlib import resources
from typing import Any

from sdt_dask_client_fargate.fleet import Stint
from sdt_dask_client_fargate.wanted import Wanted

__all__ = ["Prices", "price_table", "prices_in"]

_HOUR = 3600.0  # s
_START = 180.0  # s that a cluster is paid for before the first key: image, scheduler, workers
_LEAST = 60.0  # s that each task is charged at least
_MIB_PER_GIB = 1024


class Prices:
    """Prices of one region and kind of processor [US dollars].

    Parameters
    ----------
    vcpu, gib : float
        Of one hour.
    spot : float
        Ratio of the spot price to them.
    public_address : float
        Of one hour of a public IPv4 address.
    """

    def __init__(self, vcpu: float, gib: float, *, spot: float, public_address: float) -> None:
        self.vcpu = vcpu
        self.gib = gib
        self.spot = spot
        self.public_address = public_address

    def of_hour(self, wanted: Wanted, part: str) -> float:
        """Return what one hour of a task costs."""
        size = wanted.worker if part == "worker" else wanted.scheduler
        compute = self.vcpu * size.cpu / 1024 + self.gib * size.memory / _MIB_PER_GIB
        ratio = self.spot if part == "worker" and wanted.spot else 1.0
        return compute * ratio + (0.0 if wanted.is_private else self.public_address)

    def of_run(self, wanted: Wanted, n_keys: int, seconds_per_key: float) -> float:
        """Return what a run costs, with all the workers that it may have."""
        threads = wanted.maximum * wanted.threads_per_worker
        hours = (_START + n_keys * seconds_per_key / threads) / _HOUR
        return hours * (self.of_hour(wanted, "scheduler") + wanted.maximum * self.of_hour(wanted, "worker"))

    def of_stints(self, wanted: Wanted, stints: Iterable[Stint], now: float) -> float:
        """Return what tasks have cost up to now, on the clock of ``time.monotonic`` [s]."""
        return sum(
            self.of_hour(wanted, stint.part)
            * max(_LEAST, (now if stint.ended is None else stint.ended) - stint.started)
            / _HOUR
            for stint in list(stints)
        )


def prices_in(region: str | None, cpu_architecture: str) -> Prices | None:
    """Return the prices of a region, None where the table has none.

    Parameters
    ----------
    region : str, optional
        AWS region.
    cpu_architecture : {"X86_64", "ARM64"}
        Kind of processor.
    """
    table = price_table()
    found = table["regions"].get(region or "", {}).get(cpu_architecture)
    if found is None:
        return None
    return Prices(
        found["vcpu_hour"],
        found["gib_hour"],
        spot=table["spot_ratio"],
        public_address=table["public_address_hour"],
    )


@lru_cache(maxsize=1)
def price_table() -> dict[str, Any]:
    """Return the table as it stands in the distribution."""
    text = resources.files("sdt_dask_client_fargate").joinpath("prices.json").read_text(encoding="utf-8")
    table: dict[str, Any] = json.loads(text)
    return table
