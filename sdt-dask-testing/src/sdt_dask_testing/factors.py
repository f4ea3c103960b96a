"""What multiplies the power of a synthetic system, and what each factor costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sdt_dask_testing.spec import SystemTruth
from sdt_dask_testing.weather import CLEAR, random_stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sdt_dask_testing.spec import SystemSpec
    from sdt_dask_testing.weather import Weather

__all__ = ["Factors", "known_truth", "make_factors"]

_GAMMA = -0.004  # power lost per degree of the cells [1/°C], crystalline silicon; within PVWatts' range
# Real inverters wander at their limit. SDT calls a day infilled, and bad, where steps between samples are equal to
# 0.0001 of the data's unit too often, as on a flat plateau (data_quality.make_linearity_scores).
_LIMIT_WANDER = 0.002
_SOILING_FLOOR = 0.7  # Kimber et al. (2006) cap the loss by dust at 30 %, as pvlib.soiling.kimber does


@dataclass(frozen=True, slots=True)
class Factors:
    """Power of a new, clean, whole system, and what is multiplied to it.

    Attributes
    ----------
    potential : numpy.ndarray, shape (n_days, samples_per_day)
        Power under the weather, before any loss [kW].
    degradation, soiling, capacity_change, outage : numpy.ndarray, shape (n_days,)
        Factor of each day [1].
    limit : numpy.ndarray, shape (n_days, samples_per_day) or ()
        What the inverter can give [kW]; infinite for no limit.
    """

    potential: NDArray[np.float64]
    degradation: NDArray[np.float64]
    soiling: NDArray[np.float64]
    capacity_change: NDArray[np.float64]
    outage: NDArray[np.float64]
    limit: NDArray[np.float64]

    def unclipped(self, *, without: str = "") -> NDArray[np.float64]:
        """Return the power that the inverter is offered [kW], one factor left out if named."""
        names = {"degradation", "soiling", "capacity_change", "outage"} - {without}
        # Sorted: a product's last bits depend on its order, a set's order on the process.
        daily = np.prod([getattr(self, name) for name in sorted(names)], axis=0)
        return np.asarray(self.potential * daily[:, None])

    def power(self, *, without: str = "") -> NDArray[np.float64]:
        """Return the AC power [kW], one factor left out if named; "clipping" is one too."""
        offered = self.unclipped(without=without)
        return offered if without == "clipping" else np.minimum(offered, self.limit)


def make_factors(
    spec: SystemSpec, weather: Weather, *, clear_sky: NDArray[np.float64], air: NDArray[np.float64]
) -> Factors:
    """Return the factors of a system.

    Parameters
    ----------
    spec : SystemSpec
        The system.
    weather : Weather
        Its weather.
    clear_sky : numpy.ndarray, shape (n_timestamps,)
        Irradiance on the panes under a clear sky [W/m²].
    air : numpy.ndarray, shape (n_timestamps,)
        Temperature of the air [°C].
    """
    from pvlib import pvsystem, temperature

    irradiance = clear_sky * weather.clear_sky_index.ravel()
    cells = temperature.faiman(irradiance, air)  # Faiman (2008), wind 1 m/s
    potential = pvsystem.pvwatts_dc(irradiance, cells, spec.capacity_kw, _GAMMA)
    day = np.arange(spec.n_days)
    return Factors(
        potential=np.asarray(potential, dtype=float).reshape(spec.n_days, spec.samples_per_day),
        degradation=(1 + spec.degradation_pct_per_year / 100) ** (day / 365.25),
        soiling=_soiling(spec, weather),
        capacity_change=_capacity_change(spec),
        outage=_outage(spec),
        limit=_limit(spec),
    )


def known_truth(spec: SystemSpec, weather: Weather, factors: Factors, *, missing_fraction: float) -> SystemTruth:
    """Return what is known of a system."""
    hours = spec.interval_minutes / 60
    energy = float(factors.power().sum()) * hours
    losses = {
        name: energy - float(factors.power(without=name).sum()) * hours
        for name in ("degradation", "soiling", "capacity_change", "outage", "clipping")
    }
    clean = energy - losses["soiling"]
    is_clipped = (factors.unclipped() > factors.limit).any(axis=1)
    levels = dict.fromkeys(float(level) * spec.capacity_kw for level in factors.capacity_change)
    return SystemTruth(
        degradation_rate_pct_per_year=spec.degradation_pct_per_year,
        energy_kwh=energy,
        **{f"{name}_loss_kwh": loss for name, loss in losses.items()},
        soiling_loss_fraction=-losses["soiling"] / clean if clean else 0.0,
        capacity_levels_kw=tuple(levels),
        clear_day_fraction=float((weather.day_kind == CLEAR).mean()),
        clipped_day_fraction=float(is_clipped.mean()),
        outage_days=spec.outage_days,
        missing_fraction=missing_fraction,
    )


def _soiling(spec: SystemSpec, weather: Weather) -> NDArray[np.float64]:
    """Return a saw-tooth: a loss that grows by each dry day, back to none by rain. The panes start clean."""
    day = np.arange(spec.n_days)
    last_cleaned = np.maximum.accumulate(np.where(weather.has_rain, day, 0))
    return np.asarray(np.maximum(1 - spec.soiling_rate_per_day * (day - last_cleaned), _SOILING_FLOOR), dtype=float)


def _capacity_change(spec: SystemSpec) -> NDArray[np.float64]:
    fraction, day = spec.capacity_step or (1.0, 0)
    return np.where(np.arange(spec.n_days) >= day, fraction, 1.0)


def _outage(spec: SystemSpec) -> NDArray[np.float64]:
    is_up = np.ones(spec.n_days)
    is_up[np.argsort(random_stream(spec.seed, "outages").random(spec.n_days))[: spec.outage_days]] = 0.0
    return is_up


def _limit(spec: SystemSpec) -> NDArray[np.float64]:
    """Return the inverter's limit of each sample [kW], up to `_LIMIT_WANDER` below the nominal one."""
    if spec.clip_kw is None:
        return np.array(np.inf)
    wander = random_stream(spec.seed, "inverter").random((spec.n_days, spec.samples_per_day))
    return spec.clip_kw * (1 - _LIMIT_WANDER * wander)
