"""How full the days are: what is missing by day makes results uncertain, and too much of it leaves nothing to fit."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sdt_dask_core.frames.findings import FindingLog
from sdt_dask_core.frames.stamps import DAY, HOUR, Record

__all__ = ["check_density"]

# Solar Data Tools' own rule (`make_density_scores`): a day counts where more than a fifth of it is above 2 % of the
# 95 % quantile. Without such days it ends in "n_samples=0" or "'NoneType' object has no attribute 'no_errors'".
_FULL_DAY = 0.2
_ABOVE = 0.02
_FEWEST_DAYS = 3

#: Daylight at any place and season in which PV yields, and a whole number of every common interval.
_FROM, _UNTIL = 9 * HOUR, 15 * HOUR
#: Solar Data Tools' quality score falls from 1 to below 0.1 where 45 % are missing at random.
_MUCH_MISSING = 0.3


def check_density(record: Record, interval: int, log: FindingLog) -> None:
    """Fail where fewer than 3 days hold power for a fifth of the day; note where much of the daytime is missing.

    Parameters
    ----------
    record : Record
        Power [kW] on a regular grid.
    interval : int
        Its sampling interval [µs].
    log : FindingLog
        Where findings go.
    """
    is_known = np.isfinite(record.values)
    starts = _day_starts(record.stamps)
    _check_full_days(record, is_known, starts, interval, log)
    n_days = int(np.count_nonzero(np.logical_or.reduceat(is_known, starts)))
    clock = record.stamps % DAY
    n_known = int(np.count_nonzero(is_known & (clock >= _FROM) & (clock < _UNTIL)))
    missing = 1 - n_known * interval / (n_days * (_UNTIL - _FROM))
    if missing > _MUCH_MISSING:
        log.noted(
            "daytime_missing",
            f"{missing:.0%} of the values between 9:00 and 15:00 are missing, on the {n_days} days that hold any, so "
            "results are less certain and Solar Data Tools may find no day good enough.",
            missing_share=round(missing, 4),
            n_days=n_days,
        )


def _day_starts(stamps: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    days = stamps // DAY
    return np.flatnonzero(np.r_[True, days[1:] != days[:-1]])


def _check_full_days(
    record: Record, is_known: npt.NDArray[np.bool_], starts: npt.NDArray[np.int64], interval: int, log: FindingLog
) -> None:
    known = record.values[is_known]
    limit = _ABOVE * float(np.quantile(known, 0.95, overwrite_input=True))
    n_rows = np.add.reduceat(record.values > limit, starts, dtype=np.int64)
    n_full = int(np.count_nonzero(n_rows * interval > _FULL_DAY * DAY))
    if n_full < _FEWEST_DAYS:
        log.fail(
            "too_thin",
            f"only {n_full} of {starts.size} days hold power for more than a fifth of the day (the fullest for "
            f"{n_rows.max() * interval / HOUR:.1f} h); {_FEWEST_DAYS} are the least that Solar Data Tools can work "
            "with. Look for the missing values at the source, or ask for a longer period.",
            n_full_days=n_full,
            n_days=int(starts.size),
            fullest_day_hours=round(float(n_rows.max() * interval / HOUR), 2),
        )
