"""The ledger: the durable record of runs and outcomes, one SQLite file in the output folder.

One read-write connection, held by the driver under a file lock; everybody else reads. An outcome is durable the moment
it is recorded: WAL with ``synchronous=FULL`` syncs at each commit. The schema is described in
``docs/reference/ledger.md``.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import os
import platform
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sdt_dask_core.errors import LedgerBusyError, LedgerError

__all__ = ["LEDGER_NAME", "SCHEMA_VERSION", "LastOutcome", "Ledger", "LedgerReader", "PlannedTask", "RunRow"]

LEDGER_NAME = "ledger.sqlite"
SCHEMA_VERSION = 1

_SCHEMA = """
CREATE TABLE run (
    run_id TEXT PRIMARY KEY,
    started_at TEXT NOT NULL,
    ended_at TEXT,
    state TEXT NOT NULL CHECK (state IN ('running', 'complete', 'interrupted', 'lost')),
    settings TEXT NOT NULL,
    versions TEXT NOT NULL
);
CREATE TABLE outcome (
    id INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL REFERENCES run,
    key TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    recorded_at TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('done', 'failed')),
    grade TEXT,
    stage TEXT,
    cause TEXT,
    message TEXT,
    fingerprint TEXT,
    digest TEXT NOT NULL,
    body TEXT NOT NULL,
    body_sha256 TEXT NOT NULL,
    UNIQUE (run_id, key, attempt)
);
CREATE INDEX outcome_by_key ON outcome (key, id);
CREATE TABLE task (
    run_id TEXT NOT NULL REFERENCES run,
    key TEXT NOT NULL,
    position INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('todo', 'done', 'failed', 'skipped')),
    reason TEXT NOT NULL,
    fingerprint TEXT,
    digest TEXT NOT NULL,
    options TEXT NOT NULL,
    metadata TEXT NOT NULL,
    outcome_id INTEGER REFERENCES outcome,
    PRIMARY KEY (run_id, key)
);
CREATE TABLE attempt (
    run_id TEXT NOT NULL,
    key TEXT NOT NULL,
    number INTEGER NOT NULL,
    started_at TEXT NOT NULL,
    ended_at TEXT,
    ending TEXT,
    PRIMARY KEY (run_id, key, number)
);
"""


_Self = TypeVar("_Self", bound="LedgerReader")


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
        Why it runs or not: "new", "changed", "failed before", "unchanged", "forced", "no fingerprint", or a veto.
    fingerprint : str or None
        Of the source's data.
    digest : str
        Of everything else that decides its row.
    options, metadata : dict
        Of this system alone.
    outcome_id : int or None
        For a skipped one, the outcome that still holds.
    """

    key: str
    state: str
    reason: str
    fingerprint: str | None
    digest: str
    options: dict[str, Any]
    metadata: dict[str, Any]
    outcome_id: int | None = None


@dataclass(frozen=True, slots=True)
class LastOutcome:
    """The newest outcome of a key, over all runs."""

    outcome_id: int
    status: str
    fingerprint: str | None
    digest: str


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run as the ledger knows it."""

    run_id: str
    started_at: str
    ended_at: str | None
    state: str
    settings: dict[str, Any]
    versions: dict[str, Any]


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
        self._connection = _connect(f"file:{_quoted(self.path)}?mode=ro")
        try:
            _check_version(self._connection, self.path)
        except BaseException:
            self._connection.close()
            raise

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
        return [_run_row(row) for row in rows]

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

    def rows(self, run_id: str) -> Iterator[dict[str, Any]]:
        """Yield one row per key of a run, in its order: the task's fields and its outcome's ``body`` (or None)."""
        cursor = self._connection.execute(
            "SELECT t.key, t.state, t.reason, o.status, o.grade, o.stage, o.cause, o.message, o.attempt, o.body "
            "FROM task t LEFT JOIN outcome o ON o.id = t.outcome_id WHERE t.run_id = ? ORDER BY t.position",
            (run_id,),
        )
        for row in cursor:
            yield {**row_dict(cursor, row), "body": json.loads(row["body"]) if row["body"] else None}

    def attempts(self, run_id: str, key: str) -> list[dict[str, Any]]:
        """Return the attempts at a key in a run, the first one first."""
        cursor = self._connection.execute(
            "SELECT * FROM attempt WHERE run_id = ? AND key = ? ORDER BY number", (run_id, key)
        )
        return [row_dict(cursor, row) for row in cursor]

    def tasks(self, run_id: str, *states: str) -> list[PlannedTask]:
        """Return the tasks of a run in these states, in order."""
        cursor = self._connection.execute("SELECT * FROM task WHERE run_id = ? ORDER BY position", (run_id,))
        return [_task(row) for row in cursor if row["state"] in states]

    def last_outcomes(self) -> dict[str, LastOutcome]:
        """Return the newest outcome of every key, over all runs."""
        cursor = self._connection.execute(
            "SELECT key, id, status, fingerprint, digest FROM outcome "
            "WHERE id IN (SELECT max(id) FROM outcome GROUP BY key)"
        )
        return {row["key"]: LastOutcome(row["id"], row["status"], row["fingerprint"], row["digest"]) for row in cursor}


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
        self._lock = _lock(self.folder)
        try:
            self._open()
        except BaseException:
            self._lock.release()
            raise

    def _open(self) -> None:
        self.path = self.folder / LEDGER_NAME
        self._connection = _connect(f"file:{_quoted(self.path)}?mode=rwc")
        try:
            _make_durable(self._connection)
            _check_version(self._connection, self.path, create=True)
            self._close_what_was_cut_off()
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise LedgerError(f"the ledger {self.path} cannot be opened: {error}; choose another output") from error
        except BaseException:
            self._connection.close()
            raise

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
        except sqlite3.OperationalError as error:
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
            self._connection.execute("ROLLBACK")

    def _close_what_was_cut_off(self) -> None:
        # Whoever wrote these is gone, or we would not hold the lock.
        with self.transaction():
            now = _now()
            self._connection.execute("UPDATE run SET state = 'interrupted' WHERE state = 'running'")
            self._connection.execute(
                "UPDATE attempt SET ended_at = ?, ending = 'interrupted' WHERE ended_at IS NULL", (now,)
            )

    def begin_run(self, settings: Mapping[str, Any], versions: Mapping[str, Any], tasks: Iterable[PlannedTask]) -> str:
        """Write a run and a row for each of its keys, in one transaction; return its id."""
        run_id = f"{dt.datetime.now(dt.timezone.utc):%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"
        with self.transaction():
            self._connection.execute(
                "INSERT INTO run VALUES (?, ?, NULL, 'running', ?, ?)",
                (run_id, _now(), json.dumps(settings), json.dumps(versions)),
            )
            self._connection.executemany(
                "INSERT INTO task VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (_task_values(run_id, position, task) for position, task in enumerate(tasks)),
            )
        return run_id

    def reopen_run(self, run_id: str, *, retry_failed: bool = False) -> None:
        """Set a run to running again; with `retry_failed` its failed keys are to do again, their attempts kept."""
        with self.transaction():
            self._connection.execute("UPDATE run SET state = 'running', ended_at = NULL WHERE run_id = ?", (run_id,))
            if retry_failed:
                self._connection.execute(
                    "UPDATE task SET state = 'todo', reason = 'failed before' WHERE run_id = ? AND state = 'failed'",
                    (run_id,),
                )

    def end_run(self, run_id: str, state: str) -> None:
        """Write how a run ended: "complete", "interrupted" or "lost"."""
        with self.transaction():
            self._connection.execute("UPDATE run SET state = ?, ended_at = ? WHERE run_id = ?", (state, _now(), run_id))

    def start_attempt(self, run_id: str, key: str) -> int:
        """Write that a key is handed out; return the number of the attempt. Call it inside `transaction`."""
        (last,) = self._connection.execute(
            "SELECT coalesce(max(number), 0) FROM attempt WHERE run_id = ? AND key = ?", (run_id, key)
        ).fetchone()
        self._connection.execute("INSERT INTO attempt VALUES (?, ?, ?, ?, NULL, NULL)", (run_id, key, last + 1, _now()))
        return int(last) + 1

    def end_attempt(self, run_id: str, key: str, number: int, ending: str) -> None:
        """Write how an attempt ended that gave no outcome. Call it inside `transaction`."""
        self._connection.execute(
            "UPDATE attempt SET ended_at = ?, ending = ? WHERE run_id = ? AND key = ? AND number = ?",
            (_now(), ending, run_id, key, number),
        )

    def record(self, run_id: str, task: PlannedTask, number: int, outcome: Mapping[str, Any]) -> None:
        """Write the outcome of a key: attempt, outcome and task together. Call it inside `transaction`."""
        body = json.dumps(outcome, ensure_ascii=False, allow_nan=False)
        cursor = self._connection.execute(
            "INSERT INTO outcome (run_id, key, attempt, recorded_at, status, grade, stage, cause, message, "
            "fingerprint, digest, body, body_sha256) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(run_id, task.key, number, _now()),
                *(outcome.get(name) for name in ("status", "grade", "stage", "cause", "message")),
                *(task.fingerprint, task.digest, body, hashlib.sha256(body.encode()).hexdigest()),
            ),
        )
        self._connection.execute(
            "UPDATE task SET state = ?, outcome_id = ? WHERE run_id = ? AND key = ?",
            (outcome["status"], cursor.lastrowid, run_id, task.key),
        )
        self.end_attempt(run_id, task.key, number, str(outcome["status"]))


def row_dict(cursor: sqlite3.Cursor, row: sqlite3.Row) -> dict[str, Any]:
    """Return a row by column name."""
    return {column[0]: row[column[0]] for column in cursor.description}


def _connect(uri: str) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=30)
    except sqlite3.OperationalError as error:
        raise LedgerError(f"the ledger {uri.partition('?')[0][5:]} cannot be opened: {error}") from error
    connection.row_factory = sqlite3.Row
    return connection


def _quoted(path: Path) -> str:
    from urllib.parse import quote

    return quote(os.fspath(path.absolute()))


def _make_durable(connection: sqlite3.Connection) -> None:
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA fullfsync = 1")  # macOS; elsewhere without effect
    connection.execute("PRAGMA foreign_keys = ON")
    (level,) = connection.execute("PRAGMA synchronous").fetchone()
    if mode != "wal" or level != 2:  # noqa: PLR2004 - 2 is FULL
        raise LedgerError(
            f"the ledger cannot be made durable here (journal {mode}, synchronous {level}); "
            "choose an output folder on a local disk"
        )


def _check_version(connection: sqlite3.Connection, path: Path, *, create: bool = False) -> None:
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.DatabaseError as error:
        raise LedgerError(f"{path} is not a ledger: {error}; choose another output folder") from error
    if version == 0 and create:
        connection.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")
    elif version != SCHEMA_VERSION:
        raise LedgerError(
            f"the ledger {path} has version {version}, this release reads version {SCHEMA_VERSION}; "
            "upgrade sdt-dask-core or choose another output folder"
        )


def _lock(folder: Path) -> Any:
    import filelock

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerError(f"the output folder {folder} cannot be made: {error.strerror}; choose another") from error
    holder = folder / "ledger.holder"
    lock = filelock.FileLock(folder / "ledger.lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        who = holder.read_text(encoding="utf-8") if holder.is_file() else "another process"
        raise LedgerBusyError(
            f"the output folder {folder} is in use by {who}; wait for it, stop it, or choose another output"
        ) from None
    except OSError as error:
        raise LedgerError(f"the output folder {folder} cannot be written: {error}; choose another") from error
    holder.write_text(f"process {os.getpid()} on {platform.node()}, since {_now()}", encoding="utf-8")
    return lock


def _now() -> str:
    return dt.datetime.now(dt.timezone.utc).isoformat(timespec="milliseconds")


def _run_row(row: sqlite3.Row) -> RunRow:
    return RunRow(
        run_id=row["run_id"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        state=row["state"],
        settings=json.loads(row["settings"]),
        versions=json.loads(row["versions"]),
    )


def _task(row: sqlite3.Row) -> PlannedTask:
    return PlannedTask(
        key=row["key"],
        state=row["state"],
        reason=row["reason"],
        fingerprint=row["fingerprint"],
        digest=row["digest"],
        options=json.loads(row["options"]),
        metadata=json.loads(row["metadata"]),
        outcome_id=row["outcome_id"],
    )


def _task_values(run_id: str, position: int, task: PlannedTask) -> tuple[Any, ...]:
    texts = (json.dumps(task.options), json.dumps(task.metadata))
    return (run_id, task.key, position, task.state, task.reason, task.fingerprint, task.digest, *texts, task.outcome_id)
