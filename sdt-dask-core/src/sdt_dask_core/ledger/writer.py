"""Writing a ledger: the one read-write connection."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import hashlib
import json
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from sdt_dask_core.errors import LedgerError
from sdt_dask_core.ledger.lock import FolderLock
from sdt_dask_core.ledger.migration import migrate
from sdt_dask_core.ledger.reader import LedgerReader
from sdt_dask_core.ledger.rows import PlannedTask, now, task_values
from sdt_dask_core.ledger.schema import (
    LEDGER_NAME,
    SCHEMA_VERSION,
    check_version,
    connect,
    make_durable,
    make_tables,
    refuse_newer,
)
from sdt_dask_core.outcome import DONE, PICTURE, dump, without_picture

__all__ = ["Ledger"]


class Ledger(LedgerReader):
    """The one read-write connection, held by the driver of a run.

    Parameters
    ----------
    folder : path
        The output folder; made when it is not there.

    Raises
    ------
    LedgerBusyError
        Another run holds it; the message names it.
    LedgerError
        It cannot be made or opened, or a newer version wrote it.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self._lock = FolderLock(self.folder)
        try:
            self._open()
        except BaseException:
            self._lock.release()
            raise

    def _open(self) -> None:
        self.path = self.folder / LEDGER_NAME
        refuse_newer(self.path)
        self._connection = connect(self.path, "rwc")
        try:
            make_durable(self._connection)
            self._make_or_migrate(check_version(self._connection, self.path))
            self._close_what_was_cut_off()
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise LedgerError(
                f"the ledger {self.path} cannot be opened: {error}; make room or choose another output"
            ) from error
        except BaseException:
            self._connection.close()
            raise

    def _make_or_migrate(self, version: int) -> None:
        if version == 0:
            make_tables(self._connection)
        elif version < SCHEMA_VERSION:
            with self.transaction():
                migrate(self._connection, version)

    def close(self) -> None:
        """Close the connection and release the lock."""
        super().close()
        self._lock.release()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Make what is written inside durable together; on an error none of it is.

        Raises
        ------
        LedgerError
            The disk is full or cannot be written.
        """
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            yield
            self._connection.execute("COMMIT")
        except sqlite3.IntegrityError:
            self._roll_back()
            raise
        except sqlite3.DatabaseError as error:
            self._roll_back()
            raise LedgerError(
                f"the ledger {self.path} cannot be written: {error}; what was recorded before is safe: "
                "make room and run sdt-dask resume"
            ) from error
        except BaseException:
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):  # the error that led here is the one to tell
                self._connection.execute("ROLLBACK")

    def _close_what_was_cut_off(self) -> None:
        # Whoever wrote these is gone, or we would not hold the lock.
        with self.transaction():
            self._connection.execute("UPDATE run SET state = 'interrupted' WHERE state = 'running'")
            self._connection.execute(
                "UPDATE attempt SET ended_at = ?, ending = 'interrupted' WHERE ended_at IS NULL", (now(),)
            )

    def begin_run(self, settings: Mapping[str, Any], versions: Mapping[str, Any], tasks: Iterable[PlannedTask]) -> str:
        """Write a run and a row for each of its keys, in one transaction; return its id.

        A key that comes twice counts once, the first time. The tasks are taken one by one, so they may be made as they
        are written; what they raise leaves nothing of the run.
        """
        run_id = f"{dt.datetime.now(dt.timezone.utc):%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"
        raised: list[sqlite3.Error] = []
        try:
            self._write_run(run_id, settings, versions, _heard(tasks, raised))
        except LedgerError:
            if raised:  # by a caller whose keys come from a database, too; the ledger has no part in it
                raise raised[0] from None
            raise
        return run_id

    def _write_run(
        self, run_id: str, settings: Mapping[str, Any], versions: Mapping[str, Any], tasks: Iterable[PlannedTask]
    ) -> None:
        with self.transaction():
            self._connection.execute(
                "INSERT INTO run VALUES (?, ?, NULL, 'running', ?, ?)",
                (run_id, now(), json.dumps(settings), json.dumps(versions)),
            )
            self._connection.executemany(
                "INSERT INTO task VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (run_id, key) DO NOTHING",
                (task_values(run_id, position, task) for position, task in enumerate(tasks)),
            )

    def reopen_run(self, run_id: str, *, retry_failed: bool = False) -> None:
        """Set a run to running again; with `retry_failed` its failed keys are to do again, their attempts kept."""
        with self.transaction():
            self._connection.execute("UPDATE run SET state = 'running', ended_at = NULL WHERE run_id = ?", (run_id,))
            if retry_failed:
                self._connection.execute(
                    "UPDATE task SET state = 'todo', reason = 'failed before', cause = NULL "
                    "WHERE run_id = ? AND state = 'failed'",
                    (run_id,),
                )

    def end_run(self, run_id: str, state: str) -> None:
        """Write how a run ended: "complete", "interrupted" or "lost"."""
        with self.transaction():
            self._connection.execute("UPDATE run SET state = ?, ended_at = ? WHERE run_id = ?", (state, now(), run_id))

    def start_attempt(self, run_id: str, key: str) -> int:
        """Write that a key is handed out; return the number of the attempt. Call it inside `transaction`."""
        (last,) = self._connection.execute(
            "SELECT coalesce(max(number), 0) FROM attempt WHERE run_id = ? AND key = ?", (run_id, key)
        ).fetchone()
        self._connection.execute(
            "INSERT INTO attempt (run_id, key, number, started_at) VALUES (?, ?, ?, ?)", (run_id, key, last + 1, now())
        )
        return int(last) + 1

    def end_attempt(
        self, run_id: str, key: str, number: int, ending: str, detail: Mapping[str, Any] | None = None
    ) -> None:
        """Write how an attempt ended, and what is known of it. Call it inside `transaction`."""
        known = None if detail is None else dump(detail)
        self._connection.execute(
            "UPDATE attempt SET ended_at = ?, ending = ?, detail = ? WHERE run_id = ? AND key = ? AND number = ?",
            (now(), ending, known, run_id, key, number),
        )

    def record(self, run_id: str, task: PlannedTask, number: int, outcome: Mapping[str, Any]) -> None:
        """Write the outcome of a key: attempt, outcome and task together. Call it inside `transaction`.

        Raises
        ------
        LedgerError
            The key has its outcome in this run already.
        """
        body = json.dumps(without_picture(outcome), ensure_ascii=False, allow_nan=False)
        cursor = self._connection.execute(
            "INSERT INTO outcome (run_id, key, attempt, recorded_at, status, grade, stage, cause, message, "
            "fingerprint, digest, body, body_sha256, seconds, peak_mb, size) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(run_id, task.key, number, now()),
                *(outcome.get(name) for name in ("status", "grade", "stage", "cause", "message")),
                *(task.fingerprint, task.digest, body, hashlib.sha256(body.encode()).hexdigest()),
                *(sum(outcome.get("seconds", {}).values()) or None, outcome.get("peak_rss_mb"), task.size),
            ),
        )
        is_done = outcome["status"] == DONE
        grade, cause = outcome.get("grade") if is_done else None, None if is_done else outcome.get("cause")
        updated = self._connection.execute(
            "UPDATE task SET state = ?, outcome_id = ?, grade = ?, cause = ? "
            "WHERE run_id = ? AND key = ? AND state = 'todo'",
            (outcome["status"], cursor.lastrowid, grade, cause, run_id, task.key),
        )
        if updated.rowcount != 1:
            raise LedgerError(f"key {task.key} is not to do in run {run_id}, so its outcome is not recorded again")
        if PICTURE in outcome:
            picture = base64.b64decode(outcome[PICTURE])
            self._connection.execute("INSERT INTO picture VALUES (?, ?)", (cursor.lastrowid, picture))
        self.end_attempt(run_id, task.key, number, str(outcome["status"]))


def _heard(tasks: Iterable[PlannedTask], raised: list[sqlite3.Error]) -> Iterator[PlannedTask]:
    try:
        yield from tasks
    except sqlite3.Error as error:
        raised.append(error)
        raise
