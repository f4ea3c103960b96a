"""The audit of a ledger: what is in it, and whether anything that was there is gone, doubled or half there."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sdt_dask_core.errors import LedgerError
from sdt_dask_core.ledger import LEDGER_NAME, LedgerReader
from sdt_dask_testing.chaos.acks import Ack, digest_of
from sdt_dask_testing.chaos.tally import Tally

__all__ = ["Snapshot", "audit", "read_snapshot"]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What stands in a ledger.

    Attributes
    ----------
    outcomes : dict
        Rows of the table ``outcome`` by id.
    tasks : dict
        Rows of the table ``task`` of the newest run, by key.
    attempts : list
        Rows of the table ``attempt``.
    run_id, state : str
        Of the newest run; empty where there is none.
    """

    outcomes: dict[int, dict[str, Any]] = field(default_factory=dict)
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    attempts: list[dict[str, Any]] = field(default_factory=list)
    run_id: str = ""
    state: str = ""

    @property
    def n_todo(self) -> int:
        """Keys of the newest run without an outcome."""
        return sum(task["state"] == "todo" for task in self.tasks.values())


def read_snapshot(output: Path, tally: Tally) -> Snapshot:
    """Read the ledger of an output folder; one that was never begun is empty, one that does not open is a harm."""
    path = output / LEDGER_NAME
    if not path.exists() or not _has_tables(path):
        return Snapshot()
    try:
        with LedgerReader(output) as reader:
            reader.runs()
        return _snapshot(path, tally)
    except (LedgerError, sqlite3.Error) as error:
        tally.harm("refused", f"{path} does not open: {error}")
        return Snapshot()


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True, timeout=30)
    connection.row_factory = sqlite3.Row
    return connection


def _has_tables(path: Path) -> bool:
    try:
        with closing(_connected(path)) as connection:
            return bool(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    except sqlite3.Error:
        return True  # and let its reader say why


def _snapshot(path: Path, tally: Tally) -> Snapshot:
    with closing(_connected(path)) as connection:
        (verdict,) = connection.execute("PRAGMA integrity_check").fetchone()
        if verdict != "ok":
            tally.harm("wrong", f"integrity_check of {path}: {verdict}")
        run = connection.execute("SELECT run_id, state FROM run ORDER BY started_at DESC, rowid DESC").fetchone()
        if run is None:
            return Snapshot()
        outcomes = connection.execute("SELECT * FROM outcome")
        tasks = connection.execute("SELECT * FROM task WHERE run_id = ?", (run["run_id"],))
        attempts = connection.execute("SELECT rowid, * FROM attempt ORDER BY rowid")
        return Snapshot(
            outcomes={row["id"]: dict(row) for row in outcomes},
            tasks={row["key"]: dict(row) for row in tasks},
            attempts=[dict(row) for row in attempts],
            run_id=run["run_id"],
            state=run["state"],
        )


def audit(before: Snapshot, now: Snapshot, acks: Iterable[Ack], tally: Tally, *, retries: int = 0) -> None:
    """Compare a ledger with what a reader saw in it before and with what its drivers acknowledged.

    Parameters
    ----------
    before, now : Snapshot
        Of the same ledger.
    acks : iterable of Ack
        All so far.
    tally : Tally
        Where harm is counted.
    retries : int
        How often the failed keys were asked for again.
    """
    _audit_what_was_seen(before, now, tally)
    _audit_acks(now, acks, tally)
    _audit_wholeness(now, tally)
    _audit_once(now, tally, retries)


def _audit_what_was_seen(before: Snapshot, now: Snapshot, tally: Tally) -> None:
    for number, row in before.outcomes.items():
        if number not in now.outcomes:
            tally.harm("lost", f"the outcome of {row['key']} was readable and is gone")
        elif now.outcomes[number] != row:
            tally.harm("lost", f"the outcome of {row['key']} was readable and is another one now")


def _audit_acks(now: Snapshot, acks: Iterable[Ack], tally: Tally) -> None:
    there = {(row["run_id"], row["key"], _digest(row)) for row in now.outcomes.values()}
    for ack in acks:
        if (ack.run_id, ack.key, ack.digest) not in there:
            tally.harm("lost", f"the outcome of {ack.key} was acknowledged in run {ack.run_id} and is not there")


def _digest(row: dict[str, Any]) -> str:
    try:
        return digest_of(json.loads(row["body"]))
    except ValueError:
        return ""


def _audit_wholeness(now: Snapshot, tally: Tally) -> None:
    for row in now.outcomes.values():
        if hashlib.sha256(row["body"].encode()).hexdigest() != row["body_sha256"]:
            tally.harm("wrong", f"the body of the outcome of {row['key']} is not the one that was recorded")
    ended = {(row["run_id"], row["key"], row["number"]): row["ending"] for row in now.attempts}
    for row in now.outcomes.values():
        if ended.get((row["run_id"], row["key"], row["attempt"])) != row["status"]:
            tally.harm("wrong", f"the attempt of the outcome of {row['key']} did not end with it")
    for key, task in now.tasks.items():
        _audit_task(key, task, now, tally)


def _audit_task(key: str, task: dict[str, Any], now: Snapshot, tally: Tally) -> None:
    outcome = now.outcomes.get(task["outcome_id"])
    if task["state"] in ("done", "failed") and (outcome is None or outcome["status"] != task["state"]):
        tally.harm("wrong", f"the task of {key} is {task['state']} and its outcome is not")
    if task["state"] == "skipped" and (outcome is None or outcome["status"] != "done"):
        tally.harm("wrong", f"the task of {key} is skipped and was never done")
    if outcome is not None and outcome["key"] != key:
        tally.harm("wrong", f"the task of {key} has the outcome of {outcome['key']}")
    own = [row for row in now.outcomes.values() if row["run_id"] == now.run_id and row["key"] == key]
    if task["state"] == "todo" and any(row["status"] == "done" for row in own):
        tally.harm("lost", f"the task of {key} is to do and has an outcome")


def _audit_once(now: Snapshot, tally: Tally, retries: int) -> None:
    outcomes = Counter((row["run_id"], row["key"]) for row in now.outcomes.values())
    done = Counter((row["run_id"], row["key"]) for row in now.outcomes.values() if row["status"] == "done")
    for (_, key), number in outcomes.items():
        if number > 1 + retries:
            tally.harm("duplicated", f"the key {key} has {number} outcomes in one run")
    for (_, key), number in done.items():
        if number > 1:
            tally.harm("duplicated", f"the key {key} was done {number} times in one run")
    finished: set[tuple[str, str]] = set()
    for row in now.attempts:
        if (row["run_id"], row["key"]) in finished:
            tally.harm("duplicated", f"the key {row['key']} was handed out again after it was done")
        if row["ending"] == "done":
            finished.add((row["run_id"], row["key"]))
