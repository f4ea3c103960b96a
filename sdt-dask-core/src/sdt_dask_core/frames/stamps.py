"""Timestamps: whole microseconds of local standard time, sorted, unique, in years that can be right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.types import is_object_dtype, is_string_dtype

from sdt_dask_core.frames.column import shown
from sdt_dask_core.frames.findings import FindingLog

__all__ = ["DAY", "HOUR", "SECOND", "Record", "check_stray", "datetimes", "iso", "local_record", "put_in_order"]

# Everything is counted in microseconds: exact, the same at every resolution of pandas, and wide enough for any year.
SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR

_FIVE_YEARS = 5 * 365.25 * DAY
#: No PV record is older; earlier stamps are numbers read in the wrong unit (seconds as nanoseconds gives 1970).
_FIRST_YEAR = pd.Timestamp("1980-01-01")
#: What Python's calendar holds, with room for any zone; rules of zones fail beyond.
_FIRST_DAY, _LAST_DAY = np.array(["0001-01-03", "9999-12-29"], dtype="M8[us]").astype(np.int64)


@dataclass(frozen=True, slots=True)
class Record:
    """Timestamps [µs since 1970, local standard time] and values, both of shape (n_timestamps,)."""

    stamps: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]

    def at(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> Record:
        """Return the record of these rows."""
        return Record(self.stamps[rows], self.values[rows])


def iso(stamp: int | np.int64) -> str:
    """Return the ISO text of a timestamp [µs], without a fraction where it has none."""
    return str(pd.Timestamp(int(stamp), unit="us").isoformat())


def local_record(times: pd.DatetimeIndex, values: npt.NDArray[np.float64], log: FindingLog) -> Record:
    """Return the rows that have a timestamp, in local standard time."""
    known = ~np.asarray(times.isna())
    if not known.all():
        times, values = _drop_missing(times, values, known, log)
    try:
        # Before any arithmetic: nanoseconds end in 2262, which databases like to write for "no end".
        times = _typed(times.as_unit("us"))
    except pd.errors.OutOfBoundsDatetime:
        _fail_beyond(times.asi8, str(times.unit), log)
    stamps = np.asarray(times.asi8, dtype=np.int64)
    if stamps.min() < _FIRST_DAY or stamps.max() > _LAST_DAY:
        _fail_beyond(stamps, "us", log)
    return Record(stamps if times.tz is None else stamps + _log_offset(times, log), values)


def _fail_beyond(stamps: npt.NDArray[np.int64], unit: str, log: FindingLog) -> NoReturn:
    # Not pandas' own text: it takes the calendar of Python, which ends with the year 9999.
    first, last = (str(stamp) for stamp in np.array([stamps.min(), stamps.max()]).view(f"M8[{unit}]"))
    log.fail(
        "stray_timestamps",
        f"timestamps run from {first} to {last}, which cannot be right: no calendar goes that far. "
        "Check the unit that the timestamps are read in.",
        n_rows=int(stamps.size),
        timestamps=[first, last],
    )


def datetimes(index: pd.Index, log: FindingLog) -> pd.DatetimeIndex:
    """Return the index as a DatetimeIndex; fail where it holds no timestamps."""
    if isinstance(index, pd.DatetimeIndex):
        return index
    if isinstance(index.dtype, pd.ArrowDtype) and str(index.dtype).startswith("timestamp"):
        return _typed(pd.DatetimeIndex(index))
    kind = type(index).__name__
    is_text = not isinstance(index, pd.MultiIndex) and (is_object_dtype(index.dtype) or is_string_dtype(index.dtype))
    source = "frame.index" if is_text else "frame[...]"
    log.fail(
        "no_datetime_index",
        f"the frame's index is a {kind} of {index.dtype}, not a DatetimeIndex (its first entry is "
        f"{shown(index[0])!r}), so no value has a time. Set the timestamps as the index: "
        f"frame.set_index(pandas.to_datetime({source})).",
        index_type=kind,
        dtype=str(index.dtype),
    )


def _typed(times: Any) -> pd.DatetimeIndex:
    # pandas has no types of its own for what its operators return.
    index: pd.DatetimeIndex = times
    return index


def _drop_missing(
    times: pd.DatetimeIndex, values: npt.NDArray[np.float64], known: npt.NDArray[np.bool_], log: FindingLog
) -> tuple[pd.DatetimeIndex, npt.NDArray[np.float64]]:
    n_missing = int(np.count_nonzero(~known))
    if n_missing == len(times):
        log.fail(
            "empty",
            f"none of the {n_missing} rows has a timestamp (all are NaT). Check the format of the timestamps.",
            n_rows=n_missing,
        )
    log.repaired(
        "missing_timestamps_dropped",
        f"{n_missing} of {len(times)} rows have no timestamp (NaT) and were dropped.",
        n_rows=n_missing,
    )
    return _typed(times[known]), values[known]


def _log_offset(times: pd.DatetimeIndex, log: FindingLog) -> int:
    """Record that the times become local standard time; return the offset to add to them [µs]."""
    zone = str(times.tz)
    offset = _standard_offset(times)
    hours = float(offset / pd.Timedelta(hours=1))
    log.repaired(
        "time_zone_converted",
        f"timestamps are time zone aware ({zone}) and were converted to local standard time, UTC{hours:+g} h "
        "all year; Solar Data Tools takes them without a zone and without daylight saving.",
        zone=zone,
        utc_offset_hours=hours,
    )
    return round(hours * HOUR)


def _standard_offset(times: pd.DatetimeIndex) -> pd.Timedelta:
    """Return the zone's offset from UTC without daylight saving, in the year of the middle row.

    It is the smallest of the year's offsets: daylight saving puts clocks forward. (Dublin and Casablanca call their
    summer clock "standard"; for the sun the smaller offset is at most an hour off, and it is the same all year.)
    """
    # Stamps that cannot be right are named later; the zone's rules need a year that is.
    year = int(np.clip(times.tz_localize(None)[len(times) // 2].year, _FIRST_YEAR.year, 2100))
    months = pd.DatetimeIndex([pd.Timestamp(year, month, 1) for month in range(1, 13)]).tz_localize("UTC")
    offset: pd.Timedelta = (months.tz_convert(times.tz).tz_localize(None) - months.tz_localize(None)).min()
    return offset


def put_in_order(record: Record, log: FindingLog) -> Record:
    """Return the record sorted by time, with one row a timestamp."""
    # Comparing neighbours makes flags; differences would be as large as the stamps.
    n_back = int(np.count_nonzero(record.stamps[1:] < record.stamps[:-1]))
    if n_back:
        log.repaired(
            "sorted",
            f"{n_back} rows come before their predecessor in time; the rows were sorted.",
            n_rows=n_back,
        )
        # Stable, so that the first of two equal timestamps stays the first.
        record = record.at(np.argsort(record.stamps, kind="stable"))
    return record if (record.stamps[1:] > record.stamps[:-1]).all() else _drop_repeated(record, log)


def _drop_repeated(record: Record, log: FindingLog) -> Record:
    is_first = np.r_[True, record.stamps[1:] != record.stamps[:-1]]
    kept = record.at(is_first)
    first_values = kept.values[np.cumsum(is_first) - 1]
    same = (record.values == first_values) | (np.isnan(record.values) & np.isnan(first_values))
    n_same = int(np.count_nonzero(~is_first & same))
    conflicts = record.stamps[~is_first & ~same]
    if n_same:
        log.repaired(
            "duplicates_dropped",
            f"{n_same} rows repeat the timestamp and the value of another row and were dropped.",
            n_rows=n_same,
        )
    if conflicts.size:
        log.noted(
            "conflicting_duplicates",
            f"{conflicts.size} rows repeat a timestamp with another value (first at {iso(conflicts[0])}); the first "
            "value was kept, as Solar Data Tools does. Two sensors may be mixed, or the clock follows daylight "
            "saving, which repeats an hour each autumn.",
            n_rows=int(conflicts.size),
            first=iso(conflicts[0]),
        )
    return kept


def check_stray(stamps: npt.NDArray[np.int64], now: pd.Timestamp | None, log: FindingLog) -> None:
    """Fail on timestamps that cannot be right; `stamps` are sorted.

    One row of 1970 makes Solar Data Tools lay out half a century: over a minute and gigabytes for a frame that takes
    a second. A stray row is parted from the bulk by more than 5 years and in a group of fewer than 1 % of the rows.
    """
    if now is None:
        now = pd.Timestamp.now(tz="UTC")
    if now.tz is not None:
        now = now.tz_convert("UTC").tz_localize(None)
    future = stamps[np.searchsorted(stamps, _in_us(now) + DAY, side="right") :]
    if future.size:
        _fail_stray(future, stamps.size, f"in the future (now is {now.date()})", log)
    lonely = _far_from_bulk(stamps)
    if lonely.size:
        _fail_stray(lonely, stamps.size, "more than 5 years away from all the others", log)
    if stamps[-1] < _in_us(_FIRST_YEAR):
        _fail_stray(stamps, stamps.size, "before 1980, when no PV system was recorded", log)


def _in_us(time: pd.Timestamp) -> int:
    return int(time.as_unit("us").asm8.astype(np.int64))


def _far_from_bulk(stamps: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    parts = np.split(stamps, np.flatnonzero(np.diff(stamps) > _FIVE_YEARS) + 1)
    bulk = max(range(len(parts)), key=lambda place: parts[place].size)
    # Three rows are few in any record; 1 % of a short one would be less than one row.
    few = max(0.01 * stamps.size, 4)
    lonely = [part for place, part in enumerate(parts) if place != bulk and part.size < few]
    return np.concatenate(lonely) if lonely else stamps[:0]


def _fail_stray(stray: npt.NDArray[np.int64], n_rows: int, why: str, log: FindingLog) -> None:
    shown = [iso(stamp) for stamp in stray[:5]]
    more = f" and {stray.size - len(shown)} more" if stray.size > len(shown) else ""
    log.fail(
        "stray_timestamps",
        f"{stray.size} of {n_rows} rows have timestamps {why}: {', '.join(shown)}{more}. They would stretch the "
        "record over years without data, and which time they belong to is not guessed. Drop or correct these rows "
        "at the source, or give the period to analyse (since, until).",
        n_rows=int(stray.size),
        timestamps=shown,
    )
