"""``kill -9`` of the process that writes the ledger: nothing acknowledged is lost, nothing is there twice or half."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sdt_dask_core.ledger import LEDGER_NAME, LedgerReader

from .sittings import N_KEYS, N_KILLS, outcome, tasks

SEED = 20_260_602

_TESTS = Path(__file__).parents[1]


def sittings(kind: str, folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "durability.sittings", kind, str(folder), str(SEED)]
    done = subprocess.run(command, cwd=_TESTS, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


@pytest.fixture(scope="module")
def killed(scratch: Path) -> tuple[Path, dict[str, Any]]:
    """A ledger whose writers were killed again and again, and what was acknowledged."""
    folder = scratch / "killed"
    return folder, sittings("random", folder)


def rows(folder: Path) -> list[dict[str, Any]]:
    with LedgerReader(folder) as reader:
        return list(reader.rows(reader.run().run_id))


def test_writers_were_killed_at_random_instants(killed: tuple[Path, dict[str, Any]]) -> None:
    _, seen = killed
    assert seen["killed"] == N_KILLS
    assert sum(text.startswith("done") for text in seen["said"]) > N_KILLS


def test_what_was_acknowledged_before_a_kill_is_acknowledged_once(killed: tuple[Path, dict[str, Any]]) -> None:
    """Had one been lost, it would have been done and acknowledged again."""
    done = [text for text in killed[1]["said"] if text.startswith("done")]
    assert len(done) == len(set(done))


def test_after_kills_each_key_has_one_whole_outcome(killed: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = killed
    assert [(row["key"], row["state"]) for row in rows(folder)] == [(task.key, "done") for task in tasks(N_KEYS)]
    assert all(row["body"] == outcome(row["key"]) for row in rows(folder))


def test_after_kills_no_outcome_is_there_twice_and_each_is_as_it_was_written(
    killed: tuple[Path, dict[str, Any]],
) -> None:
    with contextlib.closing(sqlite3.connect(killed[0] / LEDGER_NAME)) as connection:
        found = connection.execute("SELECT key, body, body_sha256 FROM outcome").fetchall()
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert len(found) == N_KEYS
    assert all(hashlib.sha256(body.encode()).hexdigest() == written for _, body, written in found)


def test_kills_leave_one_run_that_is_complete(killed: tuple[Path, dict[str, Any]]) -> None:
    with LedgerReader(killed[0]) as reader:
        assert [run.state for run in reader.runs()] == ["complete"]


def test_a_kill_before_each_statement_of_a_run_leaves_a_ledger_to_go_on_with(scratch: Path) -> None:
    seen = sittings("each", scratch / "each")
    assert seen["problems"] == []
    assert seen["killed"] > 30
