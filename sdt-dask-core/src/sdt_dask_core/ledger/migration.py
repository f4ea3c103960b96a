"""Bringing a ledger of an older release to the version of this one.

A new version of the schema needs one more function here, which goes one version up, and its line in `_STEPS`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from sdt_dask_core.ledger.schema import PICTURES, SCHEMA_VERSION

__all__ = ["migrate"]


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Bring a ledger of this version to the newest one: all of it or, on an error or a kill, nothing.

    Call it inside a transaction.
    """
    for before in range(version, SCHEMA_VERSION):
        _STEPS[before](connection)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _what_an_attempt_met(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE attempt ADD COLUMN detail TEXT")


def _pictures(connection: sqlite3.Connection) -> None:
    connection.execute(PICTURES)


_STEPS: dict[int, Callable[[sqlite3.Connection], None]] = {1: _what_an_attempt_met, 2: _pictures}
