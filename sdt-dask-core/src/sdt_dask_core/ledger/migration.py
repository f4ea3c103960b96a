"""Bringing a ledger of an older release to the version of this one.

A new version of the schema needs one more function here, which goes one version up, and its line in `_STEPS`; and, as
who only reads changes nothing, what `look_like_newest` shows in the place of the columns that are not there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from sdt_dask_core.ledger.schema import INDICES, PICTURES, SCHEMA_VERSION

__all__ = ["look_like_newest", "migrate"]

# What version 3 keeps in columns of their own stood in the body alone before, or in the outcome of the task.
_SECONDS = "(SELECT sum(value) FROM json_each(body, '$.seconds'))"
_PEAK_MB = "json_extract(body, '$.peak_rss_mb')"
_GRADE = "CASE o.status WHEN 'done' THEN o.grade END"
_CAUSE = "CASE WHEN t.state = 'failed' THEN o.cause END"
_OF_TASK = "FROM task t JOIN outcome o ON o.id = t.outcome_id WHERE t.rowid = task.rowid"
_COLUMNS_OF_3 = (
    "ALTER TABLE outcome ADD COLUMN seconds REAL",
    "ALTER TABLE outcome ADD COLUMN peak_mb REAL",
    "ALTER TABLE outcome ADD COLUMN size INTEGER",
    "ALTER TABLE task ADD COLUMN grade TEXT",
    "ALTER TABLE task ADD COLUMN cause TEXT",
    "ALTER TABLE task ADD COLUMN size INTEGER",
    "ALTER TABLE task ADD COLUMN weight REAL NOT NULL DEFAULT 0",
)
# Their columns by name: a writer may add some while the reader goes on.
_VIEWS_OF_2 = (
    "CREATE TEMP VIEW outcome AS SELECT id, run_id, key, attempt, recorded_at, status, grade, stage, cause, message, "
    f"fingerprint, digest, body, body_sha256, {_SECONDS} AS seconds, {_PEAK_MB} AS peak_mb, NULL AS size "
    "FROM main.outcome",
    "CREATE TEMP VIEW task AS SELECT t.run_id, t.key, t.position, t.state, t.reason, t.fingerprint, t.digest, "
    f"t.options, t.metadata, t.outcome_id, {_GRADE} AS grade, {_CAUSE} AS cause, NULL AS size, 0.0 AS weight "
    "FROM main.task t LEFT JOIN main.outcome o ON o.id = t.outcome_id",
    "CREATE TEMP VIEW picture AS SELECT NULL AS outcome_id, NULL AS data WHERE 0",
)


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Bring a ledger of this version to the newest one: all of it or, on an error or a kill, nothing.

    Call it inside a transaction.
    """
    for before in range(version, SCHEMA_VERSION):
        _STEPS[before](connection)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def look_like_newest(connection: sqlite3.Connection, version: int) -> None:
    """Let a connection that only reads see a ledger of an older version as one of the newest; nothing is written."""
    if version < 3:  # noqa: PLR2004 - where the columns came
        for statement in _VIEWS_OF_2:
            connection.execute(statement)


def _what_an_attempt_met(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE attempt ADD COLUMN detail TEXT")


def _what_is_counted_and_shown(connection: sqlite3.Connection) -> None:
    for statement in _COLUMNS_OF_3:
        connection.execute(statement)
    connection.execute(f"UPDATE outcome SET seconds = {_SECONDS}, peak_mb = {_PEAK_MB}")
    connection.execute(f"UPDATE task SET grade = (SELECT {_GRADE} {_OF_TASK}), cause = (SELECT {_CAUSE} {_OF_TASK})")
    for statement in (*INDICES, PICTURES):
        connection.execute(statement)


_STEPS: dict[int, Callable[[sqlite3.Connection], None]] = {1: _what_an_attempt_met, 2: _what_is_counted_and_shown}
