"""Reading a ledger, also while a run writes it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from sdt_dask_core.errors import LedgerError
from sdt_dask_core.ledger.rows import LastOutcome, PlannedTask, RunRow, attempt_row, planned_task, row_dict, run_row
from sdt_dask_core.ledger.schema import LEDGER_NAME, SCHEMA_VERSION, check_version, connect

__all__ = ["LedgerReader"]

_FIRST_WITH_PICTURES = 3

_Self = TypeVar("_Self", bound="LedgerReader")


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

    _version = SCHEMA_VERSION  # of a writer, which has migrated

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
        self._version = check_version(self._connection, self.path)
        if self._version == 0:
            raise LedgerError(f"the ledger {self.path} is empty: no run has been written there yet")

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
        states = self._connection.execute("SELECT state, count(*) FROM task WHERE run_id = ? GROUP BY state", (run_id,))
        grades = self._connection.execute(
            "SELECT 'grade:' || o.grade, count(*) FROM task t JOIN outcome o ON o.id = t.outcome_id "
            "WHERE t.run_id = ? AND o.status = 'done' GROUP BY o.grade",
            (run_id,),
        )
        return {name: count for rows in (states, grades) for name, count in rows}

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
            "SELECT key FROM task WHERE run_id = ? AND reason = ? ORDER BY position", (run_id, reason)
        )
        return [key for (key,) in cursor]

    def rows(self, run_id: str) -> Iterator[dict[str, Any]]:
        """Yield one row per key of a run, in its order: the task's fields and its outcome's ``body`` (or None)."""
        cursor = self._connection.execute(
            "SELECT t.key, t.state, t.reason, o.status, o.grade, o.stage, o.cause, o.message, o.attempt, o.body "
            "FROM task t LEFT JOIN outcome o ON o.id = t.outcome_id WHERE t.run_id = ? ORDER BY t.position",
            (run_id,),
        )
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
        if self._version < _FIRST_WITH_PICTURES:
            return None
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

    def tasks(self, run_id: str, *states: str) -> list[PlannedTask]:
        """Return the tasks of a run in these states, in order."""
        cursor = self._connection.execute("SELECT * FROM task WHERE run_id = ? ORDER BY position", (run_id,))
        return [planned_task(row) for row in cursor if row["state"] in states]

    def last_outcomes(self) -> dict[str, LastOutcome]:
        """Return the newest outcome of every key, over all runs."""
        cursor = self._connection.execute(
            "SELECT key, id, status, fingerprint, digest FROM outcome "
            "WHERE id IN (SELECT max(id) FROM outcome GROUP BY key)"
        )
        return {row["key"]: LastOutcome(row["id"], row["status"], row["fingerprint"], row["digest"]) for row in cursor}
