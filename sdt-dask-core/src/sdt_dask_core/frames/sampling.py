"""The sampling interval: one that Solar Data Tools can work with, on a regular grid.

Solar Data Tools rounds steps to 10 s, takes the most common one for the whole record, and lays the data on that grid
from midnight (`standardize_time_axis`); a grid that does not fit a day ends there as "cannot reshape array".
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from sdt_dask_core.frames.findings import FindingLog
from sdt_dask_core.frames.stamps import DAY, HOUR, SECOND, Record, iso

__all__ = ["check_interval_range", "regular_record"]

_TEN_SECONDS = 10 * SECOND
#: Longer steps are nights and gaps, not sampling.
_LONGEST_STEP = 2 * HOUR
_DOMINANT_SHARE = 0.8
#: With fewer of the dominant step, as where 85 % of the rows are missing, no interval can be told.
_THINNEST_SHARE = 0.15
#: Share of steps that are whole multiples of the dominant one where rows are merely missing.
_ON_GRID_SHARE = 0.95
#: Days with fewer steps than this say nothing of the interval.
_STEPS_PER_DAY = 4
#: What loggers are set to [s]: the grids that jittered timestamps may be rounded to.
_ORDINARY = np.array([10, 15, 20, 30, 60, 120, 180, 240, 300, 360, 600, 720, 900, 1200, 1800, 3600], dtype=np.int64)


def check_interval_range(stamps: npt.NDArray[np.int64], log: FindingLog) -> None:
    """Fail where the median step between sorted stamps, of which there are two or more, is 2 h or more, or < 10 s."""
    median = float(np.median(np.diff(stamps), overwrite_input=True))
    if median >= _LONGEST_STEP:
        log.fail(
            "sampling_too_coarse",
            f"timestamps are {_span(median)} apart, and Solar Data Tools works on the shape of each day. "
            "Use data of 1 h or finer.",
            sampling_interval_minutes=_minutes(median),
        )
    if median < _TEN_SECONDS:
        log.fail(
            "sampling_too_fine",
            f"timestamps are {_span(median)} apart; Solar Data Tools rounds steps to 10 s and cannot work below. "
            "Average the data to 1 min or coarser.",
            sampling_interval_minutes=_minutes(median),
        )
    if median > HOUR:
        log.noted(
            "sampling_coarse",
            f"timestamps are {_span(median)} apart; Solar Data Tools is made for 1 h or finer, so results are "
            "uncertain. Use finer data where there are any.",
            sampling_interval_minutes=_minutes(median),
        )


def regular_record(record: Record, log: FindingLog) -> tuple[Record, int]:
    """Return the record on a regular grid and its interval [µs]; fail where its sampling is mixed."""
    record = _round_jitter(record, log)
    starts, steps = _within_days(record.stamps)
    dominant = _check_mixing(starts, steps, log)
    _check_whole_tens(steps, dominant, log)
    if dominant == 0 or DAY % (dominant * _TEN_SECONDS):
        log.fail(
            "interval_does_not_fit_day",
            f"the sampling interval is {_span(dominant * _TEN_SECONDS)}, and a day is not a whole number of such "
            "intervals, so days cannot be laid side by side. Average the data to an interval that divides a day, "
            "such as 5, 10 or 15 min.",
            sampling_interval_minutes=_minutes(dominant * _TEN_SECONDS),
        )
    return record, dominant * _TEN_SECONDS


def _within_days(stamps: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the steps that are no night and no gap, and where each starts."""
    steps = np.diff(stamps)
    is_short = steps < _LONGEST_STEP
    return (stamps[:-1], steps) if is_short.all() else (stamps[:-1][is_short], steps[is_short])


def _check_whole_tens(steps: npt.NDArray[np.int64], dominant: int, log: FindingLog) -> None:
    """Fail on an interval, such as 15 s, that Solar Data Tools would take for another one."""
    taken = dominant * _TEN_SECONDS
    near = (steps >= taken - _TEN_SECONDS // 2) & (steps <= taken + _TEN_SECONDS // 2)
    interval = float(np.median(steps[near], overwrite_input=True))
    if abs(interval - taken) > SECOND:
        log.fail(
            "interval_does_not_fit_day",
            f"the sampling interval is {_span(interval)}, and Solar Data Tools rounds intervals to 10 s: it would lay "
            f"the data on a grid of {_span(taken)}. Average the data to 1 min or another interval that divides a day.",
            sampling_interval_minutes=_minutes(interval),
        )


# --- jitter


def _round_jitter(record: Record, log: FindingLog) -> Record:
    interval = _grid_interval(record.stamps)
    if interval is None:
        return record
    phase = _grid_phase(record.stamps, interval)
    if phase is None:
        return record
    rounded = _rounded(record.stamps, interval, phase)
    moved = rounded - record.stamps
    np.abs(moved, out=moved)
    is_first = np.r_[True, np.diff(rounded) != 0]
    n_merged = int(np.count_nonzero(~is_first))
    merged = f"; {n_merged} rows that fell on the same stamp as the row before were dropped" if n_merged else ""
    log.repaired(
        "jitter_rounded",
        f"{int(np.count_nonzero(moved))} timestamps lie off the {_span(interval)} grid by at most "
        f"{_span(int(moved.max()))} and were rounded to it{merged}.",
        n_rows=int(np.count_nonzero(moved)),
        n_merged=n_merged,
        interval_minutes=_minutes(interval),
        largest_shift_seconds=float(moved.max() / SECOND),
    )
    return Record(rounded[is_first], record.values[is_first])


def _rounded(stamps: npt.NDArray[np.int64], interval: int, phase: int) -> npt.NDArray[np.int64]:
    """Return the stamps on the grid; in place step by step, as each is as large as the record."""
    rounded = stamps + (interval // 2 - phase)
    rounded //= interval
    rounded *= interval
    rounded += phase
    return rounded


def _grid_interval(stamps: npt.NDArray[np.int64]) -> int | None:
    """Return the ordinary interval [µs] nearest to the median step, if within 10 % of it."""
    steps = np.diff(stamps)
    within = steps[steps < _LONGEST_STEP]
    if within.size == 0:
        return None
    median = float(np.median(within, overwrite_input=True))
    nearest = int(_ORDINARY[np.abs(_ORDINARY * SECOND - median).argmin()]) * SECOND
    return nearest if abs(nearest - median) <= 0.1 * nearest else None


def _grid_phase(stamps: npt.NDArray[np.int64], interval: int) -> int | None:
    """Return the phase [µs] of the grid to round to; None where nothing is to be rounded, or cannot be.

    Stamps that all share one phase (12:02, 12:07 …) are regular already. The grid of midnight is preferred, then
    one that starts at a whole minute.
    """
    phases = stamps % interval
    if (phases == phases[0]).all():
        return None
    if _is_near(phases, 0, interval):
        return 0
    turns = phases * (2 * np.pi / interval)
    angle = np.arctan2(np.sin(turns).sum(), np.cos(turns).sum())
    for unit in (60 * SECOND, SECOND):
        centre = round(float(angle / (2 * np.pi) * interval) / unit) * unit % interval
        if _is_near(phases, centre, interval):
            return centre
    return None


def _is_near(phases: npt.NDArray[np.int64], centre: int, interval: int) -> bool:
    """Whether all phases lie within a quarter of the interval from the centre, around the circle."""
    offset = (phases - centre + interval // 2) % interval - interval // 2
    return bool((np.abs(offset) <= interval // 4).all())


# --- mixed intervals


def _check_mixing(starts: npt.NDArray[np.int64], steps: npt.NDArray[np.int64], log: FindingLog) -> int:
    """Return the dominant step [10 s]; fail where it covers < 80 % of steps within days, or rules < 80 % of days.

    Rows missing at random also make steps longer; there each step is a multiple of one interval that rules most days.
    """
    tens = steps + _TEN_SECONDS // 2
    tens //= _TEN_SECONDS
    counts = np.bincount(tens)
    dominant = int(counts.argmax())
    share = float(counts[dominant] / tens.size)
    if share > 0.99:  # noqa: PLR2004 - spares a sort of millions of rows, and leaves no room for a second interval
        return dominant
    days, rules, shares = _ruling_intervals(starts, tens)
    is_other = rules != dominant
    others = float(np.mean(is_other)) if rules.size else 0.0
    if others > 1 - _DOMINANT_SHARE and share >= _THINNEST_SHARE:
        # Where most rows are missing at random a longer step may lead on a day, but it does not rule it.
        others = float(np.mean(is_other & (shares >= _DOMINANT_SHARE)))
    is_grid = share >= _DOMINANT_SHARE or _is_on_grid(steps, dominant * _TEN_SECONDS)
    if others > 1 - _DOMINANT_SHARE or not is_grid:
        _fail_mixed(days, rules, counts, log)
    if share < _DOMINANT_SHARE:
        _note_missing_rows(tens, dominant, log)
    return dominant


def _is_on_grid(steps: npt.NDArray[np.int64], interval: int) -> bool:
    """Whether nearly all steps are whole multiples of the interval, to a tenth of it."""
    if interval == 0:
        return False
    off = (steps + interval // 2) % interval - interval // 2
    return float(np.mean(np.abs(off) <= interval // 10)) >= _ON_GRID_SHARE


def _ruling_intervals(
    starts: npt.NDArray[np.int64], tens: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return the days [since 1970] with enough steps, the most common step [10 s] of each, and its share."""
    width = _LONGEST_STEP // _TEN_SECONDS + 1
    pairs, counts = np.unique(starts // DAY * width + tens, return_counts=True)
    days, steps = pairs // width, pairs % width
    order = np.lexsort((steps, -counts, days))
    is_first = np.r_[True, np.diff(days[order]) != 0]
    totals = np.bincount(np.cumsum(is_first) - 1, weights=counts[order])
    enough = totals >= _STEPS_PER_DAY
    shares = counts[order][is_first] / totals
    return days[order][is_first][enough], steps[order][is_first][enough], shares[enough]


def _note_missing_rows(tens: npt.NDArray[np.int64], dominant: int, log: FindingLog) -> None:
    expected = int(np.maximum(tens // dominant, 1).sum())
    missing = 1 - tens.size / expected
    log.noted(
        "missing_rows",
        f"about {missing:.0%} of the {_span(dominant * _TEN_SECONDS)} timestamps within days have no row; they count "
        "as missing, so results are less certain.",
        missing_share=round(float(missing), 4),
        interval_minutes=_minutes(dominant * _TEN_SECONDS),
    )


def _fail_mixed(
    days: npt.NDArray[np.int64], rules: npt.NDArray[np.int64], counts: npt.NDArray[np.int64], log: FindingLog
) -> None:
    shares = _largest_shares(counts)
    changes = _changes(days, rules)
    where = f" It changes {len(changes)} times" if len(changes) > 1 else " It changes once"
    first = f"{where}, first on {changes[0]['on']} from {changes[0]['from']} to {changes[0]['to']}." if changes else ""
    named = ", ".join(f"{item['interval']} ({item['share']:.0%})" for item in shares)
    log.fail(
        "mixed_sampling",
        f"the sampling interval is not one: steps within days are {named}.{first} Solar Data Tools lays all data on "
        "the most common interval, so values would be lost or gaps made. Average the data to the coarsest interval, "
        "or analyse each period as a key of its own.",
        intervals=shares,
        n_changes=len(changes),
        changes=changes[:5],
    )


def _largest_shares(counts: npt.NDArray[np.int64]) -> list[dict[str, Any]]:
    order = np.argsort(-counts, kind="stable")[:4]
    return [
        {
            "interval": _span(int(step) * _TEN_SECONDS),
            "interval_minutes": _minutes(int(step) * _TEN_SECONDS),
            "share": round(float(counts[step] / counts.sum()), 4),
        }
        for step in order
        if counts[step]
    ]


def _changes(days: npt.NDArray[np.int64], rules: npt.NDArray[np.int64]) -> list[dict[str, str]]:
    """Return the days on which another interval begins to rule."""
    is_change = np.flatnonzero(np.diff(rules)) + 1
    return [
        {
            "on": iso(days[place] * DAY)[:10],
            "from": _span(int(rules[place - 1]) * _TEN_SECONDS),
            "to": _span(int(rules[place]) * _TEN_SECONDS),
        }
        for place in is_change
    ]


# --- words


def _minutes(span: float) -> float:
    return round(span / (60 * SECOND), 4)


def _span(span: float) -> str:
    """Return a time span [µs] in the unit that people would use."""
    if span < 60 * SECOND:
        return f"{span / SECOND:g} s"
    if span <= 2 * HOUR:
        return f"{span / (60 * SECOND):.4g} min"
    return f"{span / HOUR:.4g} h" if span < 2 * DAY else f"{span / DAY:.4g} days"
