"""The check of a frame, from what the plug returned to power that analyses can trust."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sdt_dask_core.frames import column, plausible, sampling, stamps, values
from sdt_dask_core.frames import units as _units
from sdt_dask_core.frames.findings import Finding, FindingLog
from sdt_dask_core.frames.stamps import DAY, SECOND, Record

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
) -> CheckedFrame:
    """Check what a plug's `get_data` returned, repair what needs no guess, and fail on the rest.

    Parameters
    ----------
    frame : pandas.DataFrame or pandas.Series
        DatetimeIndex in local standard time, or time zone aware; one numeric power column. Never changed.
        ``frame.attrs["units"]`` overrides `units`; each of ``frame.attrs["notes"]``, sentences or
        ``{"code": …, "message": …}``, becomes a finding.
    units : {"W", "kW", "MW"}, optional
        Unit of the power. Where nothing says the unit it is taken as kW, and noted.
    metadata : mapping, optional
        What is known of the system; ``capacity_kw`` [kW] makes the check of the unit firm.
    now : pandas.Timestamp, optional
        Time after which (plus a day) timestamps are in the future; the clock's by default. Without a zone it is UTC.

    Returns
    -------
    CheckedFrame
        Power [kW], findings and statistics.

    Raises
    ------
    FrameError
        No analysis can use the frame. ``finding`` is the code (see `FINDINGS`), ``evidence`` its facts, ``findings``
        what was found before. Not safe to retry.
    """
    log = FindingLog()
    table = column.as_frame(frame, log)
    column.log_plug_notes(table.attrs.get("notes"), log)
    column.check_not_empty(table, log)
    times = stamps.datetimes(table.index, log)
    chosen = column.power_column(table, log)
    unit = _units.stated_units(units, table.attrs, chosen.name, log)
    record = stamps.local_record(times, column.to_floats(chosen, log), log)
    record = stamps.put_in_order(record, log)
    stamps.check_stray(record.stamps, now, log)
    record = _clean_values(record, unit, log)
    record = _regular(record, log)
    power = _as_series(record)
    _units.check_size(record.values, unit, metadata, log)
    plausible.check_midday(power, log)
    return CheckedFrame(power, tuple(log.findings), _statistics(record))


def _clean_values(record: Record, unit: str, log: FindingLog) -> Record:
    values.mask_infinite(record.values, log)
    values.mask_sentinels(record.values, unit, log)
    # Clipped so that no sum or difference overflows; such values are masked as impossible.
    power = np.clip(record.values, -_HUGE, _HUGE) * _units.KW_PER_UNIT[unit]
    values.check_has_power(power, log)
    return Record(record.stamps, power)


def _regular(record: Record, log: FindingLog) -> Record:
    sampling.check_interval_range(record.stamps, log)
    plausible.check_covers_days(record, log)
    record = sampling.regular_record(record, log)
    plausible.check_not_cumulative(record, log)
    values.mask_impossible(record.values, log)
    return record


def _as_series(record: Record) -> pd.Series:
    index = pd.DatetimeIndex(record.stamps.view("M8[us]"), name="timestamp").as_unit("ns")
    return pd.Series(record.values, index=index, name="power_kw")


def _statistics(record: Record) -> dict[str, Any]:
    steps = np.diff(record.stamps)
    interval = float(np.median(steps))
    missing = np.isnan(record.values)
    finite = record.stamps[~missing]
    gaps = np.diff(np.r_[record.stamps[0], finite, record.stamps[-1]])
    return {
        "n_timestamps": int(record.stamps.size),
        "first_timestamp": stamps.iso(record.stamps[0]),
        "last_timestamp": stamps.iso(record.stamps[-1]),
        "sampling_interval_minutes": round(interval / (60 * SECOND), 4),
        "missing_fraction": float(missing.mean()),
        "longest_gap_days": round(float(gaps.max()) / DAY, 4),
        "length_days": round((float(record.stamps[-1] - record.stamps[0]) + interval) / DAY, 4),
    }
