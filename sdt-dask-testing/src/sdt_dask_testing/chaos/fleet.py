"""A fleet with known answers: what is read, what is computed, and what must come out."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from sdt_dask_core.analyses import Analysis, Column, System
from sdt_dask_core.frames import check_frame
from sdt_dask_core.hookspecs import hookimpl
from sdt_dask_core.keys import Key
from sdt_dask_core.workplace import seed_of
from sdt_dask_testing.faulty import FaultyPlug

__all__ = ["EnergyAnalysis", "FleetPlug", "true_columns"]

_QUARTER = 0.25  # h


class EnergyAnalysis(Analysis):
    """Adds numbers that differ from system to system, one of them drawn at random from the key's seed."""

    name = "chaos_energy"
    provides = (
        Column("chaos_peak_kw", "kW", "Highest power."),
        Column("chaos_energy_kwh", "kWh", "Energy of all days."),
        Column("chaos_drawn", "1", "A random number, the same for the same key."),
    )

    def run(self, system: System) -> Mapping[str, Any]:
        """Compute peak, energy and the random number."""
        return {
            "chaos_peak_kw": float(system.power.max()),
            "chaos_energy_kwh": float(system.power.sum() * _QUARTER),
            "chaos_drawn": random.random(),  # noqa: S311 - to see that it is seeded
        }


class FleetPlug(FaultyPlug):
    """`FaultyPlug` with a list of ``("slow", number)`` keys, of which every twentieth names a fault instead.

    Parameters
    ----------
    n_keys : int
        How many there are.
    seconds : float
        How long each good one takes [s].
    """

    _POISON: ClassVar[tuple[str, ...]] = ("exception", "os_exit", "empty")

    def __init__(self, n_keys: int = 40, seconds: float = 0.05) -> None:
        super().__init__(seconds=seconds)
        self.n_keys = n_keys

    @hookimpl
    def list_keys(self) -> Iterator[Any]:
        """Yield the keys of the fleet."""
        for number in range(self.n_keys):
            poison, is_good = divmod(number, 20)
            yield ("slow" if is_good else self._POISON[poison % len(self._POISON)], number)

    @hookimpl
    def fingerprint(self, key: Key) -> str:
        """Return what never changes."""
        return "the same for ever"


def true_columns(plug: FaultyPlug, key: Key) -> dict[str, Any]:
    """Return the columns that a good key must have, computed here and now without Dask, child or ledger."""
    # The name of a fault that does no harm to the frame would do it to this process.
    frame = plug.get_data(("good", *key[1:]))
    checked = check_frame(frame, units=plug.units, metadata={})
    random.seed(seed_of(key))
    return {**checked.statistics, **EnergyAnalysis().run(System(power=checked.power))}
