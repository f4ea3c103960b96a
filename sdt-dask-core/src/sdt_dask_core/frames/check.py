"""The check of a frame, from what the plug returned to power that analyses can trust."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sdt_dask_core.frames import cutting, density, plausible, sampling, stamps, values
from sdt_dask_core.frames import units as _units
from sdt_dask_core.frames.findings import Finding, FindingLog
from sdt_dask_core.frames.received import receive
from sdt_dask_core.frames.stamps import DAY, SECOND, Record
from sdt_dask_core.window import Window

__all__ = ["CheckedFrame", "check_frame"]


_HUGE = 1e300


@dataclass(frozen=True, slots=True)
class CheckedFrame:
    """Power that analyses can trust, and what was found on the way.

    Attributes
    ----------
    power : pandas.Series, shape (n_timestamps,)
        Float64, named ``power_kw`` [kW], NaN where missing, on a DatetimeIndex named ``timestamp``: local standard
        time without a zone, sorted, unique, at nanosecond resolution whatever the source had.
    findings : tuple of Finding
        What was repaired or noted, in the order of the checks.
    statistics : dict
        JSON-ready: ``n_timestamps``; ``first_timestamp`` and ``last_timestamp`` (ISO);
        ``sampling_interval_minutes`` (median); ``missing_fraction`` (share of NaN values);
        ``longest_gap_days`` (longest stretch without any value, in days and fractions); ``length_days``.
    """

    power: pd.Series
    findings: tuple[Finding, ...]
    statistics: dict[str, Any]


def check_frame(
    frame: object,
    *,
    units: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    now: pd.Timestamp | None = None,
    window: Window | None = None,
) -> CheckedFrame:
    """Check what a plug's `get_data` returned, repair what needs no guess, and fail on the rest.

    Parameters
    ----------
    frame : pandas.DataFrame or pandas.Series
        DatetimeIndex (or one column of timestamps) in local standard time, or time zone aware; one numeric power
        column. Never changed.
        ``frame.attrs["units"]`` overrides `units`; each of ``frame.attrs["notes"]``, sentences or
        ``{"code": …, "message": …}``, becomes a finding, and a caution where it says ``"repaired": False``.
    units : {"W", "kW", "MW"}, optional
        Unit of the power. Where nothing says the unit it is taken as kW, and noted.
    metadata : mapping, optional
        What is known of the system; ``capacity_kw`` [kW] makes the check of the unit firm.
    now : pandas.Timestamp, optional
        Time after which (plus a day) timestamps are in the future; the clock's by default. Without a zone it is UTC.
    window : Window, optional
        What of the record is kept; by default all.

    Returns
    -------
    CheckedFrame
        Power [kW], findings and statistics.

    Raises
    ------
    FrameError
        No analysis can use the frame. ``finding`` is the code (see `FINDINGS`), ``evidence`` its facts, ``findings``
        what was found before. Not safe to retry.

    Notes
    -----
    It holds at most three times the frame's memory at once, the result included, and four times where the frame is out
    of order, off its grid and in another time zone: 0.25 or 0.33 GiB for ten years of minutes.
    """
    log = FindingLog()
    received = receive(frame, units, log)
    unit = received.unit
    record = stamps.local_record(received.times, received.values, log)
    del received  # its timestamps, which may be as large as the frame
    record = stamps.put_in_order(record, log)
    window = window or Window()
    record = cutting.between(record, window, log)  # first, so that it drops a stray row
    stamps.check_stray(record.stamps, now, log)
    record = cutting.back(record, window, log)  # last, so that a stray row is not what it looks back from
    record = _clean_values(record, unit, log)
    record = _regular(record, log)
    statistics = _statistics(record)
    power = _as_series(record)
    _units.check_size(record.values, unit, metadata, log)
    plausible.check_midday(power, log)
    return CheckedFrame(power, tuple(log.findings), statistics)


def _clean_values(record: Record, unit: str, log: FindingLog) -> Record:
    values.mask_infinite(record.values, log)
    values.mask_sentinels(record.values, unit, log)
    # Clipped so that no sum or difference overflows; such values are masked as impossible. In place, as the values are
    # an array of our own: ten years of minutes are 40 MiB each time.
    np.clip(record.values, -_HUGE, _HUGE, out=record.values)
    np.multiply(record.values, _units.KW_PER_UNIT[unit], out=record.values)
    values.check_has_power(record.values, log)
    return record


def _regular(record: Record, log: FindingLog) -> Record:
    sampling.check_interval_range(record.stamps, log)
    plausible.check_covers_days(record, log)
    record, interval = sampling.regular_record(record, log)
    plausible.check_not_cumulative(record, log)
    values.mask_impossible(record.values, log)
    density.check_density(record, interval, log)
    return record


def _as_series(record: Record) -> pd.Series:
    index = pd.DatetimeIndex(record.stamps.view("M8[us]"), name="timestamp").as_unit("ns")
    return pd.Series(record.values, index=index, name="power_kw")


def _statistics(record: Record) -> dict[str, Any]:
    interval = float(np.median(np.diff(record.stamps), overwrite_input=True))
    missing = np.isnan(record.values)
    finite = record.stamps[~missing] if missing.any() else record.stamps
    ends = (finite[0] - record.stamps[0], record.stamps[-1] - finite[-1])
    gap = max(int(np.diff(finite).max()), *map(int, ends))
    return {
        "n_timestamps": int(record.stamps.size),
        "first_timestamp": stamps.iso(record.stamps[0]),
        "last_timestamp": stamps.iso(record.stamps[-1]),
        "sampling_interval_minutes": round(interval / (60 * SECOND), 4),
        "missing_fraction": float(missing.mean()),
        "longest_gap_days": round(gap / DAY, 4),
        "length_days": round((float(record.stamps[-1] - record.stamps[0]) + interval) / DAY, 4),
    }
