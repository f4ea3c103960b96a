"""The schema of the ledger, and how its file is opened."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

from sdt_dask_core.errors import LedgerError

__all__ = [
    "INDICES",
    "LEDGER_NAME",
    "PICTURES",
    "SCHEMA_VERSION",
    "check_version",
    "connect",
    "make_durable",
    "make_tables",
    "refuse_newer",
]

LEDGER_NAME = "ledger.sqlite"
SCHEMA_VERSION = 3

#: Apart from the outcomes, whose bodies are read for every key of a run.
PICTURES = """CREATE TABLE picture (
    outcome_id INTEGER PRIMARY KEY REFERENCES outcome,
    data BLOB NOT NULL
)"""

_SCHEMA = f"""
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
    seconds REAL,
    peak_mb REAL,
    size INTEGER,
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
    grade TEXT,
    cause TEXT,
    size INTEGER,
    weight REAL NOT NULL DEFAULT 0,
    PRIMARY KEY (run_id, key)
);
CREATE TABLE attempt (
    run_id TEXT NOT NULL,
    key TEXT NOT NULL,
    number INTEGER NOT NULL,
    started_at TEXT NOT NULL,
    ended_at TEXT,
    ending TEXT,
    detail TEXT,
    PRIMARY KEY (run_id, key, number)
);
{PICTURES};
"""

#: Statements that make the indices of version 3. Those of keys to do, failed keys and open attempts hold no other row,
#: so they are small, and empty when a run is done.
INDICES = (
    "CREATE INDEX task_by_position ON task (run_id, position)",
    "CREATE INDEX task_counted ON task (run_id, reason, state, grade)",
    "CREATE INDEX task_todo ON task (run_id, weight DESC, position) WHERE state = 'todo'",
    "CREATE INDEX task_failed ON task (run_id, cause, position) WHERE state = 'failed'",
    "CREATE INDEX attempt_open ON attempt (ended_at) WHERE ended_at IS NULL",
)
_ALL_INDICES = "; ".join(INDICES)


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """Open a ledger's file; `mode` is SQLite's, "ro" or "rwc"."""
    if mode == "ro" and _is_archived(path):
        mode += "&immutable=1"  # or SQLite would want to make files beside it
    uri = f"file:{quote(os.fspath(path.absolute()))}?mode={mode}"
    try:
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=30)
    except sqlite3.OperationalError as error:
        raise LedgerError(f"the ledger {path} cannot be opened: {error}") from error
    connection.row_factory = sqlite3.Row
    return connection


def _is_archived(path: Path) -> bool:
    """Tell whether a ledger is complete in its one file, in a folder where nobody of us can write."""
    logs = (path.with_name(f"{path.name}-{kind}") for kind in ("wal", "journal"))
    return not os.access(path.parent, os.W_OK) and not any(log.exists() and log.stat().st_size for log in logs)


def make_durable(connection: sqlite3.Connection) -> None:
    """Make each commit reach the disk, and see that it does."""
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


def refuse_newer(path: Path) -> None:
    """Refuse a ledger of a newer release before it is opened for writing, which may already write.

    Raises
    ------
    LedgerError
        A newer release wrote it; not a byte of it was changed.
    """
    if not path.is_file():
        return
    connection = connect(path, "ro")
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.DatabaseError:  # what a crash left needs a writer to mend it
        return
    finally:
        connection.close()
    _refuse_newer_than_this(version, path)


def check_version(connection: sqlite3.Connection, path: Path) -> int:
    """Return the version of a ledger, 0 for an empty file; refuse one of a newer release, and what is no ledger."""
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (n_tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        raise LedgerError(
            f"the ledger {path} cannot be read: {error}; the next run that writes there mends what a crash left"
        ) from error
    except sqlite3.DatabaseError as error:
        raise LedgerError(f"{path} is not a ledger: {error}; choose another output folder") from error
    _refuse_newer_than_this(version, path)
    if version < 0 or (version == 0 and n_tables):
        raise LedgerError(f"{path} is a database, but not a ledger; choose another output folder")
    return int(version)


def _refuse_newer_than_this(version: int, path: Path) -> None:
    if version > SCHEMA_VERSION:
        raise LedgerError(
            f"the ledger {path} has version {version}, this release reads versions 1 to {SCHEMA_VERSION}; "
            "upgrade sdt-dask-core or choose another output folder"
        )


def make_tables(connection: sqlite3.Connection) -> None:
    """Make the tables of an empty file, in one transaction."""
    connection.executescript(
        f"BEGIN IMMEDIATE; {_SCHEMA} {_ALL_INDICES}; PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
    )
