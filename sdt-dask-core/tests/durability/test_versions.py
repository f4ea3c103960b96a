"""Ledgers of other releases: an older one is migrated, or read as it is; a newer one is refused and not touched."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sdt_dask_core.errors import LedgerError
from sdt_dask_core.ledger import LEDGER_NAME, SCHEMA_VERSION, Ledger, LedgerReader, migration

from .contents import RUN_1, digest, make_version_1


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The output folder of a run of the first release."""
    make_version_1(tmp_path)
    return tmp_path


def contents(folder: Path) -> str:
    with contextlib.closing(sqlite3.connect(folder / LEDGER_NAME)) as connection:
        return digest(connection)


def version(folder: Path) -> int:
    with contextlib.closing(sqlite3.connect(folder / LEDGER_NAME)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def everything(ledger: LedgerReader) -> dict[str, Any]:
    return {
        "run": ledger.run(),
        "rows": list(ledger.rows(RUN_1)),
        "todo": list(ledger.todo(RUN_1)),
        "last": ledger.last_outcome('["a"]'),
        "counts": ledger.counts(RUN_1),
        "attempts": [ledger.attempts(RUN_1, key) for key in ('["a"]', '["b"]')],
    }


def schema(folder: Path) -> list[tuple[Any, ...]]:
    """Return the columns of each table, and the indices."""
    with contextlib.closing(sqlite3.connect(folder / LEDGER_NAME)) as connection:
        indices = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' ORDER BY name"
        ).fetchall()
        columns = [
            (table, *column[1:])
            for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
            for column in connection.execute(f"PRAGMA table_info({table})")
        ]
    return columns + indices


def test_an_older_ledger_is_migrated_by_a_writer(old: Path) -> None:
    Ledger(old).close()
    assert version(old) == SCHEMA_VERSION


def test_a_migrated_ledger_has_the_tables_of_a_new_one(old: Path, tmp_path: Path) -> None:
    Ledger(old).close()
    Ledger(tmp_path / "new").close()
    assert schema(old) == schema(tmp_path / "new")


def test_a_migration_keeps_every_row(old: Path) -> None:
    with LedgerReader(old) as reader:
        before = everything(reader)
    with Ledger(old) as ledger:
        assert everything(ledger) == before


def test_a_run_of_an_older_release_is_gone_on_with(old: Path) -> None:
    with Ledger(old) as ledger:
        ledger.reopen_run(RUN_1)
        (task,) = ledger.todo(RUN_1)
        with ledger.transaction():
            number = ledger.start_attempt(RUN_1, task.key)
            ledger.end_attempt(RUN_1, task.key, number, "out_of_memory", {"peak_mb": 812.5})
        attempts = ledger.attempts(RUN_1, task.key)
    assert [attempt["number"] for attempt in attempts] == [1, 2]
    assert [attempt["detail"] for attempt in attempts] == [None, {"peak_mb": 812.5}]


def test_a_reader_reads_an_older_ledger_and_leaves_it_as_it_is(old: Path) -> None:
    before = (old / LEDGER_NAME).read_bytes()
    with LedgerReader(old) as reader:
        found = everything(reader)
    assert [row["state"] for row in found["rows"]] == ["done", "todo"]
    assert found["attempts"][0][0]["detail"] is None
    assert (old / LEDGER_NAME).read_bytes() == before
    assert version(old) == 1


def test_a_reader_goes_on_while_a_writer_migrates(old: Path) -> None:
    with LedgerReader(old) as reader:
        before = everything(reader)
        Ledger(old).close()
        assert everything(reader) == before


def test_a_migration_that_fails_leaves_the_older_ledger(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail_afterwards(connection: sqlite3.Connection) -> None:
        connection.execute("ALTER TABLE attempt ADD COLUMN detail TEXT")
        connection.execute("INSERT INTO no_such_table VALUES (1)")

    before = contents(old)
    with monkeypatch.context() as patch:
        patch.setitem(migration._STEPS, 1, fail_afterwards)  # noqa: SLF001 - a mistake in it
        with pytest.raises(LedgerError, match="no such table"):
            Ledger(old)
    assert contents(old) == before
    Ledger(old).close()  # and the folder is free for the next one
    assert version(old) == SCHEMA_VERSION


def test_what_an_older_ledger_knows_is_counted_and_timed_as_in_a_new_one(old: Path) -> None:
    with Ledger(old) as ledger:
        last = ledger.last_outcome('["a"]')
        counts = ledger.counts(RUN_1)
    assert last is not None
    assert (last.grade, last.seconds, last.peak_mb, last.size) == ("ok", 0.75, 300.5, None)
    assert counts == {"done": 1, "grade:ok": 1, "todo": 1}


@pytest.mark.parametrize("step", [1, 2])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_kill_in_the_middle_of_a_migration_leaves_the_older_ledger(old: Path, when: str, step: int) -> None:
    code = f"""
import os, signal, sys
from sdt_dask_core.ledger import Ledger, migration
step = migration._STEPS[{step}]
def killed(connection):
    {"step(connection)" if when == "after" else "pass"}
    os.kill(os.getpid(), signal.SIGKILL)
migration._STEPS[{step}] = killed
Ledger({os.fspath(old)!r})
"""
    before = contents(old)
    done = subprocess.run([sys.executable, "-c", code], check=False, timeout=120)
    assert done.returncode == -signal.SIGKILL
    assert contents(old) == before
    with Ledger(old) as ledger:
        assert [task.key for task in ledger.todo(RUN_1)] == ['["b"]']


@pytest.mark.parametrize("opened", [Ledger, LedgerReader])
def test_a_newer_ledger_is_refused_and_not_a_byte_of_it_is_changed(tmp_path: Path, opened: type[LedgerReader]) -> None:
    with Ledger(tmp_path) as ledger:
        ledger._connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")  # noqa: SLF001 - a newer release
    file = tmp_path / LEDGER_NAME
    before = (file.read_bytes(), file.stat().st_mtime_ns)
    for _ in range(2):
        with pytest.raises(LedgerError, match=rf"has version {SCHEMA_VERSION + 1}, this release reads versions 1 to"):
            opened(tmp_path)
    assert (file.read_bytes(), file.stat().st_mtime_ns) == before


def test_a_newer_ledger_keeps_the_log_that_its_killed_writer_left(tmp_path: Path) -> None:
    code = f"""
import os, signal
from sdt_dask_core.ledger import Ledger
ledger = Ledger({os.fspath(tmp_path)!r})
ledger._connection.execute("PRAGMA user_version = {SCHEMA_VERSION + 1}")
os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", code], check=False, timeout=120)
    files = [tmp_path / LEDGER_NAME, tmp_path / f"{LEDGER_NAME}-wal"]
    before = [file.read_bytes() for file in files]
    with pytest.raises(LedgerError, match="upgrade sdt-dask-core or choose another output folder"):
        Ledger(tmp_path)
    assert [file.read_bytes() for file in files] == before


@pytest.mark.parametrize("opened", [Ledger, LedgerReader])
def test_another_programs_database_is_refused(tmp_path: Path, opened: type[LedgerReader]) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / LEDGER_NAME)) as connection:
        connection.execute("CREATE TABLE books (title TEXT)")
        connection.commit()
    with pytest.raises(LedgerError, match="is a database, but not a ledger; choose another output folder"):
        opened(tmp_path)


def test_every_older_version_has_its_step() -> None:
    assert sorted(migration._STEPS) == list(range(1, SCHEMA_VERSION))  # noqa: SLF001
