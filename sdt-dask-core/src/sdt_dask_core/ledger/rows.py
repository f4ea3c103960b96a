"""Rows of the ledger as values."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from dataclasses import dataclass
from typing import Any

__all__ = [
    "LastOutcome",
    "PlannedTask",
    "RunRow",
    "attempt_row",
    "last_outcome",
    "now",
    "planned_task",
    "row_dict",
    "run_row",
    "task_values",
]


@dataclass(frozen=True, slots=True)
class PlannedTask:
    """One key of a run, as planned.

    Attributes
    ----------
    key : str
        Canonical text.
    state : str
        "todo" or "skipped".
    reason : str
        Why it runs or not: a word of `sdt_dask_core.due.DUE`, and what there is to say of it ("changed: data").
    fingerprint : str or None
        Of the source's data.
    digest : str
        Of everything else that decides its row.
    options, metadata : dict
        Of this system alone.
    outcome_id : int or None
        For a skipped one, the outcome that still holds.
    grade : str or None
        That of this outcome.
    size : int or None
        What the source says of how large its data are [bytes].
    weight : float
        What decides who goes first: the expected time [s]; where no time is known of any key, the size.
    """

    key: str
    state: str
    reason: str
    fingerprint: str | None
    digest: str
    options: dict[str, Any]
    metadata: dict[str, Any]
    outcome_id: int | None = None
    grade: str | None = None
    size: int | None = None
    weight: float = 0.0


@dataclass(frozen=True, slots=True)
class LastOutcome:
    """The newest outcome of a key, over all runs; of one that is done, with its computing time [s] where known."""

    outcome_id: int
    status: str
    fingerprint: str | None
    digest: str
    grade: str | None = None
    seconds: float | None = None
    size: int | None = None
    peak_mb: float | None = None


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run as the ledger knows it."""

    run_id: str
    started_at: str
    ended_at: str | None
    state: str
    settings: dict[str, Any]
    versions: dict[str, Any]


def row_dict(cursor: sqlite3.Cursor, row: sqlite3.Row) -> dict[str, Any]:
    """Return a row by column name."""
    return {column[0]: row[column[0]] for column in cursor.description}


def attempt_row(row: dict[str, Any]) -> dict[str, Any]:
    """Return an attempt with its detail as a value; a ledger of version 1 has none."""
    detail = row.get("detail")
    return {**row, "detail": None if detail is None else json.loads(detail)}


def run_row(row: sqlite3.Row) -> RunRow:
    """Return the run that a row holds."""
    return RunRow(
        run_id=row["run_id"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        state=row["state"],
        settings=json.loads(row["settings"]),
        versions=json.loads(row["versions"]),
    )


def planned_task(row: sqlite3.Row) -> PlannedTask:
    """Return the task that a row holds."""
    return PlannedTask(
        key=row["key"],
        state=row["state"],
        reason=row["reason"],
        fingerprint=row["fingerprint"],
        digest=row["digest"],
        options=json.loads(row["options"]),
        metadata=json.loads(row["metadata"]),
        outcome_id=row["outcome_id"],
        grade=row["grade"],
        size=row["size"],
        weight=row["weight"],
    )


def last_outcome(row: sqlite3.Row) -> LastOutcome:
    """Return the outcome that a row holds, as planning needs it."""
    is_done = row["status"] == "done"
    kept = {name: row[name] if is_done else None for name in ("grade", "seconds", "size", "peak_mb")}
    return LastOutcome(row["id"], row["status"], row["fingerprint"], row["digest"], **kept)


def task_values(run_id: str, position: int, task: PlannedTask) -> tuple[Any, ...]:
    """Return the values of a task's row."""
    texts = (json.dumps(task.options), json.dumps(task.metadata))
    expected = (task.outcome_id, task.grade, None, task.size, task.weight)
    return (run_id, task.key, position, task.state, task.reason, task.fingerprint, task.digest, *texts, *expected)


def now() -> str:
    """Return the time as the ledger writes it: UTC, to the millisecond."""
    return dt.datetime.now(dt.timezone.utc).isoformat(timespec="milliseconds")
