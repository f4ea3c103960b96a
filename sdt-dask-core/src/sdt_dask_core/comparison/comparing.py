"""Comparing two runs, system by system."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sdt_dask_core.analyses import Column, Grade
from sdt_dask_core.comparison.change import Change, Kind
from sdt_dask_core.comparison.comparison import Comparison
from sdt_dask_core.comparison.numbers import comparable, moved_numbers
from sdt_dask_core.comparison.unlike import unlike
from sdt_dask_core.due import VANISHED
from sdt_dask_core.errors import OptionError
from sdt_dask_core.ledger import LedgerReader
from sdt_dask_core.outcome import DONE, FAILED

if TYPE_CHECKING:
    from sdt_dask_core.run import Run

__all__ = ["compare_runs"]

_GRADES = [grade.value for grade in Grade]


@dataclass(frozen=True, slots=True)
class _Row:
    """What is known of a system in a run, as far as it is compared."""

    status: str | None  # of the outcome: "done", "failed", or None where there is none yet
    grade: str
    cause: str
    why: str
    columns: Mapping[str, Any]
    reason: str

    @property
    def is_there(self) -> bool:
        return self.reason != VANISHED

    @property
    def words(self) -> str:
        return {DONE: self.grade, FAILED: f"failed: {self.cause}"}.get(self.status or "", "to do")


def compare_runs(before: Run, after: Run, *, tolerance: float = 0.05) -> Comparison:
    """Hold a run against an earlier one.

    Parameters
    ----------
    before, after : Run
        Of one output folder, or of two.
    tolerance : float
        How far a number without an interval may move: a share of the larger of the two, and of a share itself (unit 1
        or %) a difference [1].

    Returns
    -------
    Comparison
        A number with an interval moved when it lies outside the interval that it had before. Numbers of a withheld
        system are not compared.

    Raises
    ------
    OptionError
        The tolerance is no number from 0 on.
    """
    if isinstance(tolerance, bool) or not isinstance(tolerance, (int, float)) or not 0 <= tolerance < math.inf:
        raise OptionError(
            f"tolerance cannot be {tolerance!r}; give a share from 0 on, such as 0.05", option="tolerance"
        )
    known = {column.name for column in before.columns}
    columns = [column for column in comparable(after.columns) if column.name in known]
    old, new = _rows(before, columns), _rows(after, columns)
    there = {key: (old.get(key), row) for key, row in new.items()}
    pairs = {**there, **{key: (row, None) for key, row in old.items() if key not in new}}
    changes = [change for key, pair in pairs.items() for change in _changes(key, *pair, columns, tolerance)]
    both = [(a, b) for a, b in pairs.values() if a and b and a.is_there and b.is_there]
    return Comparison(
        before=before.run_id,
        after=after.run_id,
        unlike=tuple(unlike(before, after)),
        changes=tuple(sorted(changes, key=lambda change: list(Kind).index(change.kind))),
        n_both=len(both),
        n_failed_in_both=sum(a.status == b.status == FAILED for a, b in both),
        n_open=sum(a.status is None or b.status is None for a, b in both),
        tolerance=tolerance,
    )


def _rows(run: Run, columns: list[Column]) -> dict[str, _Row]:
    names = {name for column in columns for name in (column.name, *(column.interval or ()))}
    withheld = {column.name for column in run.columns if column.is_withheld}
    with LedgerReader(run.output) as ledger:
        # One at a time: the whole outcomes of a large fleet are much, and little of each is compared.
        return {row["key"]: _row(row, names, withheld) for row in ledger.rows(run.run_id)}


def _row(row: Mapping[str, Any], names: set[str], withheld: set[str]) -> _Row:
    values = (row["body"] or {}).get("columns", {}) if row["status"] == DONE else {}
    hidden = withheld if row["grade"] == Grade.WITHHELD.value else set()
    why = row["message"] if row["status"] == FAILED else _reasons(row)
    kept = {name: value for name, value in values.items() if name in names and name not in hidden}
    return _Row(row["status"], row["grade"] or "", row["cause"] or "", why or "", kept, row["reason"])


def _reasons(row: Mapping[str, Any]) -> str:
    reasons, start = (row["body"] or {}).get("reasons", []), f"{row['grade']}: "
    return "; ".join(reason.removeprefix(start) for reason in reasons if reason.startswith(start))


def _changes(key: str, old: _Row | None, new: _Row | None, columns: list[Column], tolerance: float) -> Iterator[Change]:
    was, now = old if old and old.is_there else None, new if new and new.is_there else None
    if was is None or now is None:
        if now is not None:
            yield Change(key, Kind.NEW, after=now.words, note=now.why)
        elif was is not None:
            note = "vanished from the source" if new else "not in the later run"
            yield Change(key, Kind.GONE, before=was.words, note=note, is_worse=True)
    elif (was.status, now.status) == (DONE, DONE):
        yield from _changes_of_done(key, was, now, columns, tolerance)
    elif (was.status, now.status) == (DONE, FAILED):
        yield Change(key, Kind.BROKEN, before=was.words, after=now.words, note=now.why, is_worse=True)
    elif (was.status, now.status) == (FAILED, DONE):
        yield Change(key, Kind.FIXED, before=was.words, after=now.words, note=now.why)


def _changes_of_done(key: str, was: _Row, now: _Row, columns: list[Column], tolerance: float) -> Iterator[Change]:
    if was.grade != now.grade:
        is_worse = _GRADES.index(now.grade) > _GRADES.index(was.grade)
        yield Change(key, Kind.GRADE, before=was.grade, after=now.grade, note=now.why, is_worse=is_worse)
    if was.columns != now.columns:
        yield from moved_numbers(key, was.columns, now.columns, columns, tolerance)
