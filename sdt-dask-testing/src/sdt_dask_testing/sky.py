"""The clear sky over a tilted plane, from pvlib, without any table that must be looked up or fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sdt_dask_testing.spec import SystemSpec

__all__ = ["air_temperature", "clear_sky_irradiance", "local_index"]

# Rural air at mid-latitudes is near 3 all year, hazier in summer (Remund et al., "Worldwide Linke turbidity
# information", ISES 2003). Given here, pvlib need not read its monthly maps.
_LINKE_MEAN = 3.0
_LINKE_SWING = 0.5

_ALBEDO = 0.2  # grass and soil; pvlib's "grass"

# Mean, seasonal and daily swing of the air [°C], as at a dry mid-latitude site.
_AIR_MEAN, _AIR_SEASON, _AIR_DAY = 16.0, 9.0, 6.0
_WARMEST_DAY, _WARMEST_HOUR = 205, 15


def local_index(spec: SystemSpec) -> pd.DatetimeIndex:
    """Return the time stamps of a system.

    Returns
    -------
    pandas.DatetimeIndex, shape (n_days * samples_per_day,)
        Start of each interval in local standard time, without time zone.
    """
    periods = spec.n_days * spec.samples_per_day
    return pd.date_range(spec.start, periods=periods, freq=f"{spec.interval_minutes}min", name="timestamp")


def clear_sky_irradiance(spec: SystemSpec, index: pd.DatetimeIndex) -> NDArray[np.float64]:
    """Return the irradiance on the panes under a clear sky.

    ``pvlib.clearsky.ineichen`` (Ineichen and Perez 2002), transposed by ``pvlib.irradiance.get_total_irradiance``
    (Hay and Davies 1980).

    Returns
    -------
    numpy.ndarray, shape (n_timestamps,)
        Irradiance [W/m²], exactly 0 while the sun is down.
    """
    from pvlib import atmosphere, clearsky, irradiance

    zenith, azimuth = _sun(spec, index)
    is_day = zenith < 90  # noqa: PLR2004 - the horizon; below it pvlib divides by zero
    zenith, azimuth, index = zenith[is_day], azimuth[is_day], index[is_day]
    airmass = atmosphere.get_absolute_airmass(atmosphere.get_relative_airmass(zenith))
    dni_extra = irradiance.get_extra_radiation(index.day_of_year.to_numpy())
    turbidity = _LINKE_MEAN + _LINKE_SWING * _season(spec, index)
    sky = clearsky.ineichen(zenith, airmass, turbidity, dni_extra=dni_extra)
    plane = irradiance.get_total_irradiance(
        spec.tilt,
        spec.azimuth,
        zenith,
        azimuth,
        sky["dni"],
        sky["ghi"],
        sky["dhi"],
        dni_extra=dni_extra,
        albedo=_ALBEDO,
        model="haydavies",
    )
    irradiance_on_panes = np.zeros(len(is_day))
    irradiance_on_panes[is_day] = plane["poa_global"]
    return irradiance_on_panes


def _sun(spec: SystemSpec, index: pd.DatetimeIndex) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the zenith and the azimuth of the sun [°] in the middle of each interval (Spencer 1971).

    Within a degree, which is enough here. pvlib's functions of time stamps call what pandas 3.1 deprecates.
    """
    from pvlib import solarposition

    day = index.day_of_year.to_numpy()
    local_hour = index.hour.to_numpy() + (index.minute.to_numpy() + spec.interval_minutes / 2) / 60
    equation_of_time = solarposition.equation_of_time_spencer71(day)  # [min]
    utc_hour = local_hour - spec.utc_offset_hours
    hour_angle = np.radians(15 * (utc_hour - 12 + equation_of_time / 60) + spec.longitude)
    declination = solarposition.declination_spencer71(day)
    latitude = np.radians(spec.latitude)
    zenith = solarposition.solar_zenith_analytical(latitude, hour_angle, declination)
    # It takes the side of the sky from the sign of the hour angle, so this must lie within half a turn of noon.
    half_turn = (hour_angle + np.pi) % (2 * np.pi) - np.pi
    azimuth = solarposition.solar_azimuth_analytical(latitude, half_turn, declination, zenith)
    return np.degrees(zenith), np.degrees(azimuth)


def air_temperature(spec: SystemSpec, index: pd.DatetimeIndex) -> NDArray[np.float64]:
    """Return the temperature of the air: a mean with a seasonal and a daily swing.

    Returns
    -------
    numpy.ndarray, shape (n_timestamps,)
        Temperature [°C].
    """
    hour = index.hour.to_numpy() + index.minute.to_numpy() / 60
    day_swing = np.cos(2 * np.pi * (hour - _WARMEST_HOUR) / 24)
    return np.asarray(_AIR_MEAN + _AIR_SEASON * _season(spec, index) + _AIR_DAY * day_swing, dtype=float)


def _season(spec: SystemSpec, index: pd.DatetimeIndex) -> NDArray[np.float64]:
    """Return +1 in the height of summer and -1 in the depth of winter."""
    turn = 2 * np.pi * (index.day_of_year.to_numpy() - _WARMEST_DAY) / 365.25
    return np.asarray(np.cos(turn) * (1 if spec.latitude >= 0 else -1), dtype=float)
