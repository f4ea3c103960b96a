"""The power as a whole: enough days, power rather than a counter, midday near noon."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sdt_dask_core import daylight
from sdt_dask_core.frames.findings import FindingLog
from sdt_dask_core.frames.stamps import DAY, HOUR, Record, iso

__all__ = ["check_covers_days", "check_midday", "check_not_cumulative"]

_FEWEST_DAYS = 3
_LEAST_COVERED = 0.05
_FIVE_YEARS = 5 * 365.25 * DAY

#: Power falls in about half of its changes; a counter that starts again each day, hourly in winter, in 1 of 8.
_FEWEST_FALLS = 0.15
_FEWEST_CHANGES = 50

#: Time zone, daylight saving (1 h) and orientation (up to about 1.5 h) add up to less than 3.5 h.
_FAR_HOURS = 3.5
_OFF_HOURS = 1.5


def check_covers_days(record: Record, log: FindingLog) -> None:
    """Fail where fewer than 3 days hold values, or the record is nearly all gap."""
    stamps = record.stamps[np.isfinite(record.values)]
    days = stamps // DAY
    n_days = 1 + int(np.count_nonzero(days[1:] != days[:-1]))
    del days  # each of these is as large as the record
    if n_days < _FEWEST_DAYS:
        log.fail(
            "too_short",
            f"only {n_days} days hold values ({iso(stamps[0])} to {iso(stamps[-1])}); {_FEWEST_DAYS} are the least "
            "that can be analysed, and degradation needs two years. Ask for a longer period.",
            n_days=n_days,
        )
    span = int(record.stamps[-1] // DAY - record.stamps[0] // DAY) + 1
    gap = _longest_gap(stamps)
    is_split = gap[1] > _FIVE_YEARS and gap[1] > 0.5 * span * DAY
    if n_days / span < _LEAST_COVERED or is_split:
        log.fail(
            "too_sparse",
            f"only {n_days} of the {span} days from {iso(record.stamps[0])[:10]} to {iso(record.stamps[-1])[:10]} "
            f"hold values, and the longest gap is {gap[1] / DAY:.0f} days, from {iso(gap[0])[:10]}. "
            "Analyse the periods that hold data as keys of their own.",
            n_days=n_days,
            n_days_span=span,
            longest_gap_days=round(gap[1] / DAY, 2),
            longest_gap_from=iso(gap[0]),
        )


def _longest_gap(stamps: np.ndarray[tuple[int], np.dtype[np.int64]]) -> tuple[int, int]:
    steps = np.diff(stamps)
    place = int(steps.argmax())
    return int(stamps[place]), int(steps[place])


def check_not_cumulative(record: Record, log: FindingLog) -> None:
    """Fail where values rise through each day and hardly ever fall: an energy counter."""
    is_near = np.diff(record.stamps) < 2 * HOUR
    changes = np.diff(record.values)
    n_changes = int(np.count_nonzero(is_near & np.isfinite(changes) & (changes != 0)))
    if n_changes < _FEWEST_CHANGES:
        return
    falls = float(np.count_nonzero(is_near & (changes < 0)) / n_changes)
    if falls >= _FEWEST_FALLS:
        return
    log.fail(
        "looks_cumulative",
        f"the values fall in only {falls:.1%} of their {n_changes} changes within days (power falls in about half), "
        f"and reach {np.nanmax(record.values):.6g}: this looks like an energy counter, not power. Choose the power "
        "column, or turn the counter into power: its difference divided by the interval in hours.",
        falling_share=round(falls, 4),
        n_changes=n_changes,
    )


def check_midday(power: pd.Series, log: FindingLog) -> None:
    """Compare the middle of the daily power with 12:00."""
    deviation = daylight.hours_from_noon(power)
    if deviation is None or abs(deviation) < _OFF_HOURS:
        return
    offset = -round(deviation)
    facts = {"midday_hour": round((12 + deviation) % 24, 2), "hours_from_noon": round(deviation, 2)}
    if abs(deviation) >= _FAR_HOURS:
        log.fail(
            "midday_far_from_noon",
            f"midday is near {(12 - offset) % 24:02d}:00: these timestamps look like UTC; set timestamps=utc and "
            f"utc_offset={offset}, or tz=auto. Timestamps must be in the system's local standard time, for days are "
            "taken from midnight to midnight.",
            utc_offset=offset,
            **facts,
        )
    side = "after" if deviation > 0 else "before"
    log.noted(
        "midday_off_noon",
        f"midday is near {_clock(facts['midday_hour'])}, {abs(deviation):.1f} h {side} noon. Check the clock: "
        "daylight saving, a neighbouring time zone, or panels that face east or west.",
        **facts,
    )


def _clock(hour: float) -> str:
    minutes = round(hour * 60) % (24 * 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
