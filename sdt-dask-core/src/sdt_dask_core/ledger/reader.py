"""Reading a ledger, also while a run writes it."""

from __future__ import annotations

import json
import math
import os
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from sdt_dask_core.errors import LedgerError
from sdt_dask_core.ledger.migration import look_like_newest
from sdt_dask_core.ledger.rows import (
    LastOutcome,
    PlannedTask,
    RunRow,
    attempt_row,
    last_outcome,
    planned_task,
    row_dict,
    run_row,
)
from sdt_dask_core.ledger.schema import LEDGER_NAME, check_version, connect

__all__ = ["LedgerReader"]

_Self = TypeVar("_Self", bound="LedgerReader")

_OUTCOMES = "SELECT id, status, fingerprint, digest, grade, seconds, size, peak_mb FROM outcome"
_ROWS = (
    "SELECT t.key, t.state, t.reason, o.status, o.grade, o.stage, o.cause, o.message, o.attempt, o.body "
    "FROM task t LEFT JOIN outcome o ON o.id = t.outcome_id WHERE t.run_id = ?"
)
_ALL_ROWS = f"{_ROWS} ORDER BY t.position"
_FAILED_ROWS = f"{_ROWS} AND t.state = 'failed' ORDER BY t.position"
_FAILED_ROWS_OF_CAUSE = f"{_ROWS} AND t.state = 'failed' AND t.cause = ? ORDER BY t.position"
_PAGE = 200  # tasks; so many are held, however many there are
_NEXT_TASKS = f"SELECT * FROM task WHERE run_id = :run AND position > :position ORDER BY position LIMIT {_PAGE}"
_NEXT_TO_DO = (
    "SELECT * FROM task WHERE run_id = :run AND state = 'todo' AND weight <= :weight AND (weight < :weight OR "
    f"position > :position) ORDER BY weight DESC, position LIMIT {_PAGE}"
)


class LedgerReader:
    """Reads a ledger, also while a run writes it.

    Parameters
    ----------
    folder : path
        The output folder of the runs.

    Raises
    ------
    LedgerError
        There is none, it cannot be opened, or a newer version wrote it.
    """

    def __init__(self, folder: Path | str) -> None:
        self.path = Path(folder) / LEDGER_NAME
        if not self.path.is_file():
            raise LedgerError(
                f"there is no ledger in {os.fspath(folder)!r}: no run has written there; "
                "give the output folder of a run, or start one with sdt-dask run"
            )
        self._connection = connect(self.path, "ro")
        try:
            self._check()
        except BaseException:
            self._connection.close()
            raise

    def _check(self) -> None:
        version = check_version(self._connection, self.path)
        if version == 0:
            raise LedgerError(f"the ledger {self.path} is empty: no run has been written there yet")
        look_like_newest(self._connection, version)

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def runs(self) -> list[RunRow]:
        """Return every run, the newest first."""
        rows = self._connection.execute("SELECT * FROM run ORDER BY started_at DESC, rowid DESC")
        return [run_row(row) for row in rows]

    def run(self, run_id: str | None = None) -> RunRow:
        """Return a run, by default the newest.

        Raises
        ------
        LedgerError
            There is no such run; the message names those there are.
        """
        runs = self.runs()
        if run_id is None and runs:
            return runs[0]
        for row in runs:
            if row.run_id == run_id:
                return row
        known = ", ".join(row.run_id for row in runs[:5]) or "none"
        raise LedgerError(f"the ledger {self.path} has no run {run_id or ''!r}; the newest: {known}")

    def counts(self, run_id: str) -> dict[str, int]:
        """Count the tasks of a run by state, and the outcomes by grade under ``grade:ok`` and so on."""
        # By reason too, which is the order of the index: without it a million rows would be sorted.
        cursor = self._connection.execute(
            "SELECT state, grade, count(*) FROM task WHERE run_id = ? GROUP BY reason, state, grade", (run_id,)
        )
        counts: Counter[str] = Counter()
        for state, grade, number in cursor:
            counts[state] += number
            if grade is not None:
                counts[f"grade:{grade}"] += number
        return dict(counts)

    def reasons(self, run_id: str) -> dict[str, int]:
        """Count the tasks of a run by reason, the most frequent first."""
        cursor = self._connection.execute(
            "SELECT reason, count(*) FROM task WHERE run_id = ? GROUP BY reason ORDER BY count(*) DESC, reason",
            (run_id,),
        )
        return dict(cursor.fetchall())

    def keys_because(self, run_id: str, reason: str) -> list[str]:
        """Return the keys of a run that have this reason, in order."""
        cursor = self._connection.execute(
            # The plus keeps SQLite from walking the whole run in order for the few that it holds.
            "SELECT key FROM task WHERE run_id = ? AND reason = ? ORDER BY +position",
            (run_id, reason),
        )
        return [key for (key,) in cursor]

    def causes(self, run_id: str) -> dict[str, int]:
        """Count the failed tasks of a run by cause, the most frequent first."""
        cursor = self._connection.execute(
            "SELECT cause, count(*) FROM task WHERE run_id = ? AND state = 'failed' "
            "GROUP BY cause ORDER BY count(*) DESC, min(position)",
            (run_id,),
        )
        return dict(cursor.fetchall())

    def keys_failed(self, run_id: str, cause: str) -> list[str]:
        """Return the keys of a run that failed of a cause, in order."""
        cursor = self._connection.execute(
            "SELECT key FROM task WHERE run_id = ? AND state = 'failed' AND cause = ? ORDER BY position",
            (run_id, cause),
        )
        return [key for (key,) in cursor]

    def rows(self, run_id: str) -> Iterator[dict[str, Any]]:
        """Yield one row per key of a run, in its order: the task's fields and its outcome's ``body`` (or None)."""
        return self._rows(_ALL_ROWS, run_id)

    def failed_rows(self, run_id: str) -> Iterator[dict[str, Any]]:
        """Yield those of `rows` that failed."""
        return self._rows(_FAILED_ROWS, run_id)

    def first_failed(self, run_id: str, cause: str) -> dict[str, Any]:
        """Return the first of `rows` that failed of a cause."""
        return next(self._rows(_FAILED_ROWS_OF_CAUSE, run_id, cause))

    def _rows(self, statement: str, *values: str) -> Iterator[dict[str, Any]]:
        cursor = self._connection.execute(statement, values)
        for row in cursor:
            yield {**row_dict(cursor, row), "body": json.loads(row["body"]) if row["body"] else None}

    def origins(self, run_id: str) -> dict[str, dict[str, Any]]:
        """Return, for each key of a run, the fingerprint of its data, the digest of its settings, and its metadata."""
        cursor = self._connection.execute(
            "SELECT key, fingerprint, digest, metadata FROM task WHERE run_id = ?", (run_id,)
        )
        return {
            key: {"fingerprint": fingerprint, "digest": digest, "metadata": json.loads(metadata)}
            for key, fingerprint, digest, metadata in cursor
        }

    def picture(self, run_id: str, key: str) -> bytes | None:
        """Return the picture of a key in a run, None without one; of a skipped key, that of its last success."""
        found = self._connection.execute(
            "SELECT p.data FROM task t JOIN picture p ON p.outcome_id = t.outcome_id WHERE t.run_id = ? AND t.key = ?",
            (run_id, key),
        ).fetchone()
        return None if found is None else bytes(found[0])

    def attempts(self, run_id: str, key: str) -> list[dict[str, Any]]:
        """Return the attempts at a key in a run, the first one first; ``detail`` is a dict or None."""
        cursor = self._connection.execute(
            "SELECT * FROM attempt WHERE run_id = ? AND key = ? ORDER BY number", (run_id, key)
        )
        return [attempt_row(row_dict(cursor, row)) for row in cursor]

    def tasks(self, run_id: str) -> Iterator[PlannedTask]:
        """Yield the tasks of a run, in its order; a page is held at a time."""
        last = -1
        while page := self._page(_NEXT_TASKS, run=run_id, position=last):
            yield from map(planned_task, page)
            last = page[-1]["position"]

    def todo(self, run_id: str) -> Iterator[PlannedTask]:
        """Yield the tasks of a run that are to do, the heaviest first, each once; a page is held at a time."""
        last = {"weight": math.inf, "position": -1}
        while page := self._page(_NEXT_TO_DO, run=run_id, **last):
            yield from map(planned_task, page)
            last = {name: page[-1][name] for name in last}

    def _page(self, statement: str, **values: Any) -> list[sqlite3.Row]:
        # Fetched whole: a cursor left open over a table that is written may see a row twice.
        return self._connection.execute(statement, values).fetchall()

    def last_outcome(self, key: str) -> LastOutcome | None:
        """Return the newest outcome of a key, over all runs; None where it has none."""
        cursor = self._connection.execute(f"{_OUTCOMES} WHERE key = ? ORDER BY id DESC LIMIT 1", (key,))
        row = cursor.fetchone()
        return None if row is None else last_outcome(row)

    def newest_outcomes(self, limit: int) -> Iterator[LastOutcome]:
        """Yield the newest outcomes, whatever their keys, the newest first."""
        cursor = self._connection.execute(f"{_OUTCOMES} ORDER BY id DESC LIMIT ?", (limit,))
        return (last_outcome(row) for row in cursor)
