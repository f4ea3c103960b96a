"""Where the middle of the daily power lies: what tells timestamps in UTC from timestamps in local standard time.

The middle is a circular centre, so a day that wraps around midnight (as a UTC day does in America) is one day.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["fitting_offset", "hours_from_noon", "midday_hour"]

_BINS = 48
_MINUTES = 24 * 60
#: Rows that are looked at at once: years of minutes would need several times their own memory.
_PART = 500_000

#: Positive values needed before a centre means anything; Solar Data Tools' own floor for any analysis is 24 values.
_MIN_POSITIVE = 12

#: Peak power is 1.5 to 4 times the 75 % quantile of positive power; more than 5 times is a stand-in for "missing".
_CAP = 5.0

#: Length of the mean vector below which there is no day: 0.79 for a 12 h half-sine, 0 for noise or a constant.
_MIN_CONCENTRATION = 0.2


def midday_hour(power: pd.Series) -> float | None:
    """Return the hour of day around which the power lies.

    Parameters
    ----------
    power : pandas.Series, shape (n_timestamps,)
        Power in any unit, on a DatetimeIndex in any order; rows may be missing (night rows often are). Missing,
        infinite and absurdly large values are left out, negative ones count as no power.

    Returns
    -------
    float or None
        Hour [0 to 24) on the clock of the index; None where there is no power or no daily pattern.
    """
    profile = _daily_profile(power)
    if profile.n_positive < _MIN_POSITIVE:
        return None
    weights, total = _mean_vector(profile)
    if abs(weights) < _MIN_CONCENTRATION * total:
        return None
    return float(np.angle(weights) / (2 * np.pi) * 24 % 24)


def hours_from_noon(power: pd.Series) -> float | None:
    """Return how far midday lies from 12:00.

    Parameters
    ----------
    power : pandas.Series, shape (n_timestamps,)
        See `midday_hour`.

    Returns
    -------
    float or None
        Hours [-12 to 12), positive where midday comes after 12:00; None where there is no midday.
    """
    midday = midday_hour(power)
    return None if midday is None else midday % 24 - 12


def fitting_offset(power: pd.Series) -> int:
    """Return the whole hours to add to the timestamps that bring midday nearest to 12:00.

    For timestamps in UTC this is the UTC offset of the system's standard time, to the hour. The day cannot be told:
    +13 comes out as -11.

    Parameters
    ----------
    power : pandas.Series, shape (n_timestamps,)
        See `midday_hour`.

    Returns
    -------
    int
        Whole hours [-12 to 12]; 0 where there is no midday.
    """
    return -round(hours_from_noon(power) or 0.0)


@dataclass(frozen=True, slots=True)
class _Profile:
    """Sum of the power and number of rows of each minute of the day, and how many rows have power."""

    sums: npt.NDArray[np.float64]
    rows: npt.NDArray[np.int64]
    n_positive: int


def _daily_profile(power: pd.Series) -> _Profile:
    """Add up the rows that have both a time and a sane power, negative power as 0; a part of the series at a time."""
    index = pd.DatetimeIndex(power.index)
    values = power.to_numpy() if power.dtype == np.float64 else power.to_numpy(dtype=np.float64, na_value=np.nan)
    most = _most_sane(values[~np.asarray(index.isna())] if index.hasnans else values)
    sums, rows, n_positive = np.zeros(_MINUTES), np.zeros(_MINUTES, dtype=np.int64), 0
    for start in range(0, len(values), _PART):
        part, times = np.maximum(values[start : start + _PART], 0.0), index[start : start + _PART]
        is_sane = (part <= most) & ~np.asarray(times.isna())
        minutes = (np.asarray(times.hour, dtype=np.float64) * 60 + np.asarray(times.minute))[is_sane].astype(np.int64)
        sums += np.bincount(minutes, weights=part[is_sane], minlength=_MINUTES)
        rows += np.bincount(minutes, minlength=_MINUTES)
        n_positive += int(np.count_nonzero(part[is_sane]))
    return _Profile(sums, rows, n_positive)


def _most_sane(values: npt.NDArray[np.float64]) -> float:
    """Return the largest power that is no stand-in for "missing"."""
    positive = values[(values > 0) & np.isfinite(values)]
    return _CAP * float(np.quantile(positive, 0.75, overwrite_input=True)) if positive.size else 0.0


def _mean_vector(profile: _Profile) -> tuple[complex, float]:
    """Mean daily profile as one vector on the 24 h clock, and the sum of its lengths.

    Each half hour counts by the mean of its rows, so that hours with few rows weigh no less than others.
    """
    clock = np.exp(2j * np.pi * np.arange(_MINUTES) / _MINUTES)
    rows = np.maximum(profile.rows.reshape(_BINS, -1).sum(axis=1), 1)
    vectors = (profile.sums * clock).reshape(_BINS, -1).sum(axis=1) / rows
    total = float((profile.sums.reshape(_BINS, -1).sum(axis=1) / rows).sum())
    return complex(vectors.sum()), total
