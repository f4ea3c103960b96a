"""Processes that write a ledger and are killed, many of them, from one process that has imported all that they need.

Called as ``python -m durability.sittings KIND FOLDER SEED``; prints what it saw, as JSON. KIND is "random" or "each".
Each writer tells what was acknowledged through a pipe, after the commit has returned.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sdt_dask_core.ledger import Ledger, LedgerReader, PlannedTask

N_KEYS = 1_000
N_KILLS = 30


def tasks(n_keys: int) -> list[PlannedTask]:
    """Return so many tasks that are to do."""
    return [PlannedTask(f'["{number}"]', "todo", "new", "1", "d", {}, {}) for number in range(n_keys)]


def outcome(key: str) -> dict[str, Any]:
    """Return what is recorded for a key, too long for one page."""
    return {"status": "done", "grade": "ok", "columns": {"text": key * 500}}


def write(folder: Path, n_keys: int, say: Callable[[str], None]) -> None:
    """Do what is missing of the run in a folder, as a driver does."""
    with Ledger(folder) as ledger:
        run_id = ledger.runs()[0].run_id if ledger.runs() else ledger.begin_run({}, {}, tasks(n_keys))
        say(f"run {run_id}")
        ledger.reopen_run(run_id)
        for task in ledger.todo(run_id):
            with ledger.transaction():
                number = ledger.start_attempt(run_id, task.key)
            with ledger.transaction():
                ledger.record(run_id, task, number, outcome(task.key))
            say(f"done {task.key}")
        ledger.end_run(run_id, "complete")
        say("complete")


def fork(write_all: Callable[[Callable[[str], None]], None]) -> tuple[int, int]:
    """Let a child write; return its number, and the pipe where it says what was acknowledged."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    os.close(reading)
    try:
        write_all(lambda text: (os.write(writing, f"{text}\n".encode()), None)[1])
    finally:
        os._exit(0)


def at_random(folder: Path, seed: int) -> dict[str, Any]:
    """Kill writers at random instants, let the last one finish, and tell what was acknowledged to the killed ones."""
    chance = random.Random(seed)
    said: list[str] = []
    n_killed = 0
    for _ in range(N_KILLS):
        child, pipe = fork(lambda say: write(folder, N_KEYS, say))
        text = b""
        lines = chance.randrange(12)  # so that there is progress
        while text.count(b"\n") < lines and (more := os.read(pipe, 4_096)):
            text += more
        time.sleep(chance.random() * 0.003)  # so that it comes in the middle of anything
        os.kill(child, signal.SIGKILL)
        while more := os.read(pipe, 4_096):
            text += more
        os.close(pipe)
        n_killed += os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        said += text.decode().splitlines()
        check_acknowledged(folder, said)
    write(folder, N_KEYS, said.append)
    return {"killed": n_killed, "said": said}


def check_acknowledged(folder: Path, said: list[str]) -> None:
    """See that what was acknowledged is there, after each kill, before anybody writes again."""
    done = {text.partition(" ")[2] for text in said if text.startswith("done ")}
    if not said:
        return
    with LedgerReader(folder) as reader:
        there = {row["key"] for row in reader.rows(reader.run().run_id) if row["state"] == "done"}
        (integrity,) = reader._connection.execute("PRAGMA integrity_check").fetchone()  # noqa: SLF001
    assert integrity == "ok", integrity
    assert done <= there, done - there


def at_each_statement(folder: Path, n_keys: int = 3) -> dict[str, Any]:
    """Kill one writer before its first statement, the next one before its second, and so on to the end."""
    problems: list[str] = []
    n_killed = 0
    while True:
        where = folder / str(n_killed)
        child, pipe = fork(lambda say, at=n_killed, where=where: _write_until(where, n_keys, at, say))  # type: ignore[misc]
        with os.fdopen(pipe) as file:
            said = file.read().splitlines()
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != -signal.SIGKILL:
            return {"killed": n_killed, "problems": problems, "said": said}
        n_killed += 1
        check_acknowledged(where, said)
        write(where, n_keys, said.append)
        problems += [f"{problem} after kill {n_killed}" for problem in problems_of(where, n_keys)]


def _write_until(folder: Path, n_keys: int, at: int, say: Callable[[str], None]) -> None:
    seen = 0

    def count(_statement: str) -> None:
        nonlocal seen
        if seen == at:
            os.kill(os.getpid(), signal.SIGKILL)
        seen += 1

    with Ledger(folder) as ledger:
        ledger._connection.set_trace_callback(count)  # noqa: SLF001 - called before each statement
        run_id = ledger.begin_run({}, {}, tasks(n_keys))
        say(f"run {run_id}")
        for task in ledger.todo(run_id):
            with ledger.transaction():
                number = ledger.start_attempt(run_id, task.key)
                ledger.end_attempt(run_id, task.key, number, "out_of_memory", {"peak_mb": 1.5})
                number = ledger.start_attempt(run_id, task.key)
            with ledger.transaction():
                ledger.record(run_id, task, number, outcome(task.key))
            say(f"done {task.key}")
        ledger.end_run(run_id, "complete")


def problems_of(folder: Path, n_keys: int) -> list[str]:
    """Return what is wrong with a ledger that was gone on with after a fault, and is complete now."""
    with LedgerReader(folder) as reader:
        runs, rows = reader.runs(), list(reader.rows(reader.run().run_id))
        (n_outcomes,) = reader._connection.execute("SELECT count(*) FROM outcome").fetchone()  # noqa: SLF001
        open_ones = reader._connection.execute("SELECT * FROM attempt WHERE ended_at IS NULL").fetchall()  # noqa: SLF001
    found = {
        "runs": [run.state for run in runs] == ["complete"],
        "keys": [row["key"] for row in rows] == [task.key for task in tasks(n_keys)],
        "bodies": all(row["body"] == outcome(row["key"]) for row in rows),
        "outcomes": n_outcomes == n_keys,
        "attempts": not open_ones,
    }
    return [name for name, is_right in found.items() if not is_right]


if __name__ == "__main__":
    kind, into, seed = sys.argv[1:]
    seen = at_random(Path(into), int(seed)) if kind == "random" else at_each_statement(Path(into))
    print(json.dumps(seen))  # noqa: T201
