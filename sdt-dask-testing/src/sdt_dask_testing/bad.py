"""Systems that no analysis should trust, each bad in one known way.

Other kinds of trouble are options: ``outage_days``, ``missing_fraction``, ``capacity_step`` and ``time_shift`` of
`SystemSpec`; ``units="W"`` and ``clock="utc"`` of `SyntheticSystem.frame`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from sdt_dask_testing.synthetic import SyntheticSystem, synthetic_system

__all__ = ["all_missing_system", "constant_system", "garbage_system"]


def garbage_system(seed: int, **changes: Any) -> SyntheticSystem:
    """Return a system whose record is too short, full of gaps and mostly noise.

    200 days, half of the samples missing, a third of the days out, and each sample multiplied by a random number
    between 0 and 2. Solar Data Tools either fails on it or gives it a low quality score; its truth is that of the
    system before the noise.

    Parameters
    ----------
    seed : int
        Of everything random.
    **changes
        Fields of `SystemSpec`, over the above.
    """
    system = synthetic_system(
        **{"seed": seed, "years": 200 / 365.25, "missing_fraction": 0.5, "outage_days": 66, **changes}
    )
    noise = 2 * np.random.default_rng([seed, len(system.power)]).random(len(system.power))
    return replace(system, power=(system.power * noise).round(6))


def constant_system(seed: int = 0, value_kw: float = 1.0, **changes: Any) -> SyntheticSystem:
    """Return a system whose meter is stuck: the same value [kW] day and night. Its truth is that of the system."""
    system = synthetic_system(**{"seed": seed, **changes})
    return replace(system, power=system.power * 0 + value_kw)


def all_missing_system(seed: int = 0, **changes: Any) -> SyntheticSystem:
    """Return a system with time stamps and not one value. Its truth is that of the system."""
    return synthetic_system(**{"seed": seed, **changes, "missing_fraction": 1.0})
