"""Synthetic systems and fleets of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import timedelta, timezone
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from sdt_dask_core.errors import OptionError
from sdt_dask_testing.factors import known_truth, make_factors
from sdt_dask_testing.sky import air_temperature, clear_sky_irradiance, local_index
from sdt_dask_testing.spec import SystemSpec, SystemTruth
from sdt_dask_testing.weather import make_weather, random_stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Clock", "SyntheticSystem", "Units", "synthetic_fleet", "synthetic_system"]

Units = Literal["W", "kW", "MW"]
Clock = Literal["local", "utc", "aware"]

_PER_KW = {"W": 1000.0, "kW": 1.0, "MW": 0.001}
_GAP_HOURS = 2
_DECIMALS = 6  # of power [kW]: hides the last bits, in which machines differ

#: What varies within a fleet unless the caller says otherwise.
_FLEET_RANGES: dict[str, Any] = {
    "latitude": (30.0, 45.0),
    "longitude": (-120.0, -100.0),
    "tilt": (10.0, 35.0),
    "azimuth": (150.0, 210.0),
    "capacity_kw": (3.0, 12.0),
    "degradation_pct_per_year": (-2.0, 0.0),
    "cloudiness": (0.45, 0.65),
    "soiling_rate_per_day": (0.0, 0.001),
}
_PAIRS = frozenset({"capacity_step", "time_shift"})  # their own values are pairs, so never a range


@dataclass(frozen=True, slots=True)
class SyntheticSystem:
    """A synthetic system.

    Attributes
    ----------
    spec : SystemSpec
        What was asked for.
    power : pandas.Series, shape (n_timestamps,)
        AC power, mean over the interval that starts at the time stamp [kW]; naive local standard time, index and
        series named "timestamp" and "power". Missing samples are NaN.
    truth : SystemTruth
        What is known of it.
    """

    spec: SystemSpec
    power: pd.Series[float]
    truth: SystemTruth

    def frame(self, *, units: Units = "kW", clock: Clock = "local") -> pd.DataFrame:
        """Return the power as a plug would.

        Parameters
        ----------
        units : {"W", "kW", "MW"}
            Unit of the numbers; also in ``frame.attrs["units"]``.
        clock : {"local", "utc", "aware"}
            Time stamps in naive local standard time; in naive UTC, which is a usual mistake; or aware of their fixed
            offset from UTC.

        Returns
        -------
        pandas.DataFrame, shape (n_timestamps, 1)
            One column, "power"; a new frame each time.
        """
        frame: pd.DataFrame = pd.DataFrame({"power": self.power * _PER_KW[units]})
        offset = timedelta(hours=self.spec.utc_offset_hours)
        if clock == "utc":
            frame.index = pd.DatetimeIndex(self.power.index) - pd.Timedelta(offset)
        elif clock == "aware":
            frame.index = pd.DatetimeIndex(self.power.index).tz_localize(timezone(offset))
        frame.attrs["units"] = units
        return frame


def synthetic_system(spec: SystemSpec | None = None, /, **changes: Any) -> SyntheticSystem:
    """Make one system with known truth.

    Power is pvlib's clear sky on the tilted panes times the clouds, through a cell temperature
    (``pvlib.temperature.faiman``) and ``pvlib.pvsystem.pvwatts_dc``, times degradation, soiling and capacity, cut at
    the inverter's limit; then come outages, the wrong clock and missing samples.

    Parameters
    ----------
    spec : SystemSpec, optional
        What it shall be.
    **changes
        Fields of `SystemSpec`, over those of `spec`; ``seed`` is needed where no `spec` is given.

    Returns
    -------
    SyntheticSystem
        The same for the same spec, on any machine.

    Raises
    ------
    OptionError
        A value is out of its range.

    Examples
    --------
    >>> system = synthetic_system(seed=1, years=1.0, degradation_pct_per_year=-0.8)
    >>> system.truth.degradation_rate_pct_per_year
    -0.8
    """
    spec = replace(spec, **changes) if spec else SystemSpec(**changes)
    index = local_index(spec)
    weather = make_weather(spec)
    factors = make_factors(spec, weather, clear_sky=clear_sky_irradiance(spec, index), air=air_temperature(spec, index))
    power = _shift_clock(spec, factors.power().ravel()).round(_DECIMALS)
    is_missing = _is_missing(spec)
    power[is_missing] = np.nan
    series = pd.Series(power, index=index, name="power")
    truth = known_truth(spec, weather, factors, missing_fraction=float(is_missing.mean()))
    return SyntheticSystem(spec, series, truth)


def synthetic_fleet(n: int, seed: int, **ranges: Any) -> Iterator[SyntheticSystem]:
    """Yield `n` systems, each made when it is asked for.

    Parameters
    ----------
    n : int
        How many. The first ten of a fleet of ten are those of a fleet of a thousand.
    seed : int
        Of the fleet.
    **ranges
        Fields of `SystemSpec`: a value for all, or a pair ``(low, high)`` to draw from (whole numbers from a pair of
        whole numbers). Site, mounting, capacity, degradation, soiling and cloudiness vary anyway.

    Yields
    ------
    SyntheticSystem
        Named ``system_00000``, ``system_00001``, ….

    Raises
    ------
    OptionError
        A field is unknown or a value is out of its range.
    """
    known = {field.name for field in fields(SystemSpec)} - {"seed", "system_id"}
    unknown = sorted(set(ranges) - known)
    if unknown:
        raise OptionError(f"a fleet has no field {unknown[0]!r}; it has {', '.join(sorted(known))}", option=unknown[0])
    return (synthetic_system(_fleet_spec(seed, number, {**_FLEET_RANGES, **ranges})) for number in range(n))


def _fleet_spec(seed: int, number: int, ranges: dict[str, Any]) -> SystemSpec:
    rng = np.random.default_rng([seed, number])
    own_seed = int(rng.integers(2**32))
    # One number for each field, used or not: a new range then leaves the other fields as they were.
    draws = {field.name: float(rng.random()) for field in fields(SystemSpec)}
    values = {name: _draw(name, value, draws[name]) for name, value in ranges.items()}
    return SystemSpec(seed=own_seed, system_id=f"system_{number:05d}", **values)


def _draw(name: str, value: Any, draw: float) -> Any:
    if not isinstance(value, tuple) or name in _PAIRS:
        return value
    low, high = value
    if isinstance(low, int) and isinstance(high, int):
        return low + int(draw * (high - low + 1))
    return low + draw * (high - low)


def _shift_clock(spec: SystemSpec, power: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the power as a clock that is ahead from some day on would stamp it."""
    hours, day = spec.time_shift or (0.0, 0)
    first = day * spec.samples_per_day
    shifted = np.roll(power[first:], round(hours * 60 / spec.interval_minutes))
    return np.concatenate([power[:first], shifted])


def _is_missing(spec: SystemSpec) -> NDArray[np.bool_]:
    per_gap = max(1, _GAP_HOURS * 60 // spec.interval_minutes)
    n_samples = spec.n_days * spec.samples_per_day
    n_gaps = -(-n_samples // per_gap)
    order = np.argsort(random_stream(spec.seed, "gaps").random(n_gaps))
    is_gap = np.zeros(n_gaps, dtype=bool)
    is_gap[order[: round(spec.missing_fraction * n_gaps)]] = True
    return np.repeat(is_gap, per_gap)[:n_samples]
