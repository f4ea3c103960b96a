"""The arrays of a system that its figures show, and the line of its days in a few characters."""

from __future__ import annotations

import string
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

__all__ = ["BAD", "CLEAR", "CLIPPED", "GOOD", "SPARKS", "Picture", "sparkline"]

#: Bits of `Picture.flags`.
GOOD, CLEAR, CLIPPED = 1, 2, 4
#: What `Picture.flags` holds of a day that SDT did not call good.
BAD = 0
#: Digits of a sparkline, the smallest first; a full stop is a stretch without data.
SPARKS = string.digits + string.ascii_lowercase

_LONGEST_SPARKLINE = 40


@dataclass(slots=True)
class Picture:
    """A system in small.

    Attributes
    ----------
    first_day : str
        ISO date of the first day, local standard time.
    days_per_column : int
        How many days a column of `power` is the mean of.
    power : numpy.ndarray, shape (n_times, n_columns)
        Mean power by time of day and column of days [kW], NaN where there is none.
    energy : numpy.ndarray, shape (n_days,)
        Daily energy [kWh], NaN where there is none.
    flags : numpy.ndarray, shape (n_days,)
        Bits GOOD, CLEAR and CLIPPED; empty where SDT did not come to flag the days.
    levels : numpy.ndarray, shape (n_days,)
        The number of the capacity level of each day; empty where SDT found none.
    noon : numpy.ndarray, shape (n_days,)
        Solar noon as SDT saw it before it moved anything [h]; empty without a time-shift analysis.
    clock : numpy.ndarray, shape (n_days,)
        The part of `noon` that is constant between shifts of the clock [h].
    daily_max : numpy.ndarray, shape (n_days,)
        The highest power of each day over that of the record; empty without a clipping analysis.
    max_kw : float
        The highest power of the record [kW].
    point_masses : numpy.ndarray
        Where the distribution of `daily_max` has a point mass, which is where an inverter clips.
    samples : numpy.ndarray
        Monte Carlo samples of the degradation rate [%/yr]; empty without a loss analysis.
    """

    first_day: str
    days_per_column: int
    power: Floats
    energy: Floats
    flags: npt.NDArray[np.uint8]
    levels: npt.NDArray[np.uint8]
    noon: Floats
    clock: Floats
    daily_max: Floats
    max_kw: float
    point_masses: Floats
    samples: Floats

    @property
    def n_days(self) -> int:
        """Number of days."""
        return len(self.energy)


def sparkline(energy: Floats) -> str:
    """Return daily energies as at most 40 characters, each the mean of a stretch of days."""
    import numpy as np

    known = energy[np.isfinite(energy)]
    top = float(np.quantile(known, 0.98)) if len(known) else 0.0
    if top <= 0:
        return ""
    return "".join(_spark(part / top) for part in np.array_split(energy, min(_LONGEST_SPARKLINE, len(energy))))


def _spark(shares: Floats) -> str:
    import numpy as np

    known = shares[np.isfinite(shares)]
    if not len(known):
        return "."
    return SPARKS[round(min(max(float(known.mean()), 0.0), 1.0) * (len(SPARKS) - 1))]
