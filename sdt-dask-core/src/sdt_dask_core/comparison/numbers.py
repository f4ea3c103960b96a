"""Whether a number moved further than it may."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sdt_dask_core.analyses import Column
from sdt_dask_core.comparison.change import Change, Kind

__all__ = ["comparable", "moved_numbers"]

# Not numbers, or of the machine rather than the system.
_LEFT_OUT = ("bool", "time", "text", "s")
# A difference of shares is relative already: what 5 % are of each, in its unit.
_SHARES = {"1": 1.0, "%": 100.0}


def comparable(columns: Iterable[Column]) -> list[Column]:
    """Return the columns whose numbers are compared: not the ends of intervals, which belong to another one."""
    columns = list(columns)
    ends = {end for column in columns for end in column.interval or ()}
    return [column for column in columns if column.unit not in _LEFT_OUT and column.name not in ends]


def moved_numbers(
    key: str, before: Mapping[str, Any], after: Mapping[str, Any], columns: Iterable[Column], tolerance: float
) -> Iterator[Change]:
    """Yield a change for each number that moved; where one of the two is missing there is nothing to compare.

    Parameters
    ----------
    key : str
        Canonical text.
    before, after : mapping
        Result columns by name, without those that are withheld.
    columns : iterable of Column
        What to compare, see `comparable`.
    tolerance : float
        How far a number without an interval may move: a share of the larger of the two, and of a share itself (unit 1
        or %) a difference [1].
    """
    for column in columns:
        old, new = before.get(column.name), after.get(column.name)
        if old is None or new is None or old == new:
            continue
        ends = [before.get(name) for name in column.interval or ()]
        lower, upper = ends if ends and None not in ends else (None, None)
        why = _outside(new, lower, upper) if lower is not None else _too_far(old, new, column.unit, tolerance)
        if why:
            yield Change(key, Kind.MOVED, column.name, old, new, lower, upper, why, is_worse=True)


def _outside(new: float, lower: Any, upper: Any) -> str:
    return "" if lower <= new <= upper else "outside the interval that it had"


def _too_far(old: float, new: float, unit: str, tolerance: float) -> str:
    if unit in _SHARES:
        allowed = tolerance * _SHARES[unit]
        points = f"{allowed:g} percentage points" if unit == "%" else f"{allowed:g}"
        return f"by more than {points}" if abs(new - old) > allowed else ""
    return "" if math.isclose(old, new, rel_tol=tolerance) else f"by more than {100 * tolerance:g} %"
