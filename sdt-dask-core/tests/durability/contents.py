"""What a ledger holds, as a value to compare, and the version-1 ledger of the first release."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path

from sdt_dask_core.ledger import LEDGER_NAME

TABLES = ("run", "task", "attempt", "outcome")
_KNOWN_TO_1 = (
    ("task", "run_id, key, position, state, reason, fingerprint, digest, options, metadata, outcome_id"),
    (
        "outcome",
        "id, run_id, key, attempt, recorded_at, status, grade, stage, cause, message, fingerprint, digest, body, "
        "body_sha256",
    ),
)

# As the first release wrote it, to the letter.
SCHEMA_1 = """
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
_ROWS_1 = """
INSERT INTO run VALUES ('20250101T000000-abcd', '2025-01-01T00:00:00.000+00:00', NULL, 'interrupted', '{"x": 1}', '{}');
INSERT INTO outcome VALUES (1, '20250101T000000-abcd', '["a"]', 1, '2025-01-01T00:00:02.000+00:00', 'done', 'ok', NULL,
    NULL, NULL, '1', 'd',
    '{"status": "done", "grade": "ok", "columns": {}, "seconds": {"read": 0.5, "check": 0.25}, "peak_rss_mb": 300.5}',
    '57ac6b9ae2e8d05aa9bcb7b1b8d6f2c5c0d5bb6f6a0fd8c6d7c2a0c1b5ef2b4e');
INSERT INTO task VALUES ('20250101T000000-abcd', '["a"]', 0, 'done', 'new', '1', 'd', '{}', '{}', 1);
INSERT INTO task VALUES ('20250101T000000-abcd', '["b"]', 1, 'todo', 'new', '1', 'd', '{}', '{}', NULL);
INSERT INTO attempt VALUES ('20250101T000000-abcd', '["a"]', 1, '2025-01-01T00:00:01.000+00:00',
    '2025-01-01T00:00:02.000+00:00', 'done');
INSERT INTO attempt VALUES ('20250101T000000-abcd', '["b"]', 1, '2025-01-01T00:00:01.000+00:00',
    '2025-01-01T00:00:03.000+00:00', 'interrupted');
"""
RUN_1 = "20250101T000000-abcd"


def make_version_1(folder: Path) -> Path:
    """Write a ledger as the first release did, with a run of which one key is done and one is to do."""
    path = folder / LEDGER_NAME
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(f"BEGIN; {SCHEMA_1} {_ROWS_1} PRAGMA user_version = 1; COMMIT;")
    finally:
        connection.close()
    return path


def digest(connection: sqlite3.Connection) -> str:
    """Return what stands for all that a ledger holds, the version of its schema included."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return f"{version}:{digest_of(connection, *TABLES)}"


def digest_of(connection: sqlite3.Connection, *tables: str) -> str:
    """Return what stands for every row of these tables."""
    # Of the file: a reader shows an older ledger as one of the newest.
    return _digest_of([f"SELECT * FROM main.{table} ORDER BY rowid" for table in tables], connection)


def digest_of_version_1(connection: sqlite3.Connection) -> str:
    """Return what stands for every task and outcome, as far as the first release knew of them."""
    return _digest_of(
        [f"SELECT {columns} FROM main.{table} ORDER BY rowid" for table, columns in _KNOWN_TO_1], connection
    )


def _digest_of(queries: list[str], connection: sqlite3.Connection) -> str:
    rows = [[tuple(row) for row in connection.execute(query)] for query in queries]
    return hashlib.sha256(repr(rows).encode()).hexdigest()
