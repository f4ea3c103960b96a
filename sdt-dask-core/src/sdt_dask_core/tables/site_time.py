"""Bringing timestamps to the site's local standard time: the same offset from UTC all year."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sdt_dask_core.daylight import fitting_offset, midday_hour
from sdt_dask_core.errors import DataFormatError

if TYPE_CHECKING:
    from sdt_dask_core.tables.table_format import TableFormat

__all__ = ["to_site_time"]

Notes = list[dict[str, str]]


def to_site_time(series: pd.Series, table_format: TableFormat, *, name: str) -> tuple[pd.Series, Notes]:
    """Return a series in naive local standard time, and what was done for it.

    Parameters
    ----------
    series : pandas.Series
        Power, with a naive or time-zone aware DatetimeIndex; changed in place.
    table_format : TableFormat
        Says what the timestamps are (``timestamps``, ``tz``, ``utc_offset``).
    name : str
        How messages name the table.

    Raises
    ------
    DataFormatError
        No row has a timestamp.
    """
    series, notes = _without_missing_stamps(series)
    zone = None if table_format.tz in (None, "auto") else zoneinfo.ZoneInfo(str(table_format.tz))
    if _index(series).tz is None and zone is not None and table_format.timestamps == "local":
        series, wall_notes = _from_wall_clock(series, zone)
        notes += wall_notes
    if series.empty:
        raise DataFormatError(f"{name} has no row with a timestamp that can be used")
    if table_format.tz == "auto":
        return _fitted(_as_utc(series), notes)
    if _index(series).tz is None and table_format.timestamps == "local":
        return series, notes
    return _shifted_to_site(series, table_format, zone, notes)


def _index(series: pd.Series) -> pd.DatetimeIndex:
    index = series.index
    if not isinstance(index, pd.DatetimeIndex):
        raise TypeError(f"a DatetimeIndex is needed, not {type(index).__name__}")
    return index


def _without_missing_stamps(series: pd.Series) -> tuple[pd.Series, Notes]:
    missing = np.asarray(series.index.isna())
    # Blank lines and the ends of half-written lines lose nothing.
    lost = int((missing & series.notna().to_numpy()).sum())
    if not missing.any():
        return series, []
    message = f"{lost} rows with power but without a timestamp were left out"
    return series[~missing], [{"code": "missing_timestamps", "message": message}] if lost else []


def _as_utc(series: pd.Series) -> pd.Series:
    index = _index(series)
    if index.tz is not None:
        series.index = index.tz_convert("UTC").tz_localize(None)
    return series


def _fitted(series: pd.Series, notes: Notes) -> tuple[pd.Series, Notes]:
    hours = fitting_offset(series)
    done = f"the timestamps were shifted by {hours:+d} h" if hours else "the timestamps were left as they are"
    if midday_hour(series) is None:
        return series, [*notes, {"code": "utc_offset_unknown", "message": f"tz=auto: the power has no midday; {done}"}]
    message = f"tz=auto: midday was near {(12 - hours) % 24:02d}:00, so {done}"
    series.index = _index(series) + pd.Timedelta(hours=hours)
    return series, [*notes, {"code": "utc_offset_found", "message": message}]


def _shifted_to_site(
    series: pd.Series, table_format: TableFormat, zone: dt.tzinfo | None, notes: Notes
) -> tuple[pd.Series, Notes]:
    own = _index(series).tz
    series = _as_utc(series)
    if table_format.utc_offset is not None:
        hours, why = table_format.utc_offset, f"utc_offset={table_format.utc_offset:g}"
    elif zone is not None:
        hours, why = _standard_offset(zone, series), f"standard time of {table_format.tz}"
    elif own is not None:
        hours, why = _standard_offset(own, series), f"the offset that they carry, {own}"
    else:  # pragma: no cover - TableFormat refuses it
        raise DataFormatError("timestamps=utc needs tz or utc_offset")
    series.index = _index(series) + pd.Timedelta(hours=hours)
    message = f"the timestamps were brought to {hours:+g} h from UTC ({why})"
    if own is not None and zone is None and table_format.utc_offset is None and hours == 0:
        message = "the timestamps are UTC and were kept so: neither tz nor utc_offset says where the site is"
    return series, [*notes, {"code": "utc_offset_applied", "message": message}]


def _standard_offset(zone: dt.tzinfo, series: pd.Series) -> float:
    """Return a zone's standard offset [h] in the middle of the data: what it keeps in its winter."""
    year = _index(series)[len(series) // 2].year
    offsets = (pd.Timestamp(year, month, 1, tz=zone).utcoffset() for month in (1, 7))
    return min(float(offset.total_seconds()) for offset in offsets if offset is not None) / 3600


def _from_wall_clock(series: pd.Series, zone: dt.tzinfo) -> tuple[pd.Series, Notes]:
    """Make wall-clock times of a zone UTC; hours that it skips or repeats are told by their order or left out."""
    wall = _index(series)
    summer = wall.tz_localize(zone, ambiguous=np.ones(len(wall), bool), nonexistent="NaT")
    winter = wall.tz_localize(zone, ambiguous=np.zeros(len(wall), bool), nonexistent="NaT")
    skipped = np.asarray(summer.isna())
    repeated = np.asarray(summer != winter) & ~skipped
    is_summer, is_open = _sides_of_switch(wall, repeated)
    utc = winter.where(~is_summer, summer)
    series.index = utc
    usable = ~(skipped | is_open)
    notes = []
    for code, lost, what in (
        ("dst_nonexistent", int(skipped.sum()), "in the hour that the change to summer time skips"),
        ("dst_ambiguous", int(is_open.sum()), "in the hour that the change to winter time repeats"),
    ):
        if lost:
            message = (
                f"{lost} rows {what} were left out (tz={zone}); if the timestamps keep to standard time, leave tz out"
            )
            notes.append({"code": code, "message": message})
    return series[usable], notes


def _sides_of_switch(
    wall: pd.DatetimeIndex, repeated: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> tuple[np.ndarray[tuple[int], np.dtype[np.bool_]], np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """Return which rows of repeated hours are in summer time, and which cannot be told.

    Where the clock goes back once among a day's repeated rows, those before are in summer time.
    """
    is_summer, is_open = np.zeros(len(wall), bool), repeated.copy()
    rows = np.flatnonzero(repeated)
    days = wall[rows].normalize()
    for day in days.unique():
        of_day = rows[days == day]
        back = np.flatnonzero(np.diff(wall[of_day].asi8) < 0)
        if len(back) == 1:
            is_summer[of_day[: back[0] + 1]] = True
            is_open[of_day] = False
    return is_summer, is_open
