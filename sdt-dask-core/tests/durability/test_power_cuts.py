"""The power goes at any instant: what was acknowledged is there, nothing is corrupt, and nothing is half there.

The writes of the real ledger are traced, and disks are rebuilt as they may be after a power cut; see `power.disk`.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sdt_dask_core.errors import LedgerError
from sdt_dask_core.ledger import LEDGER_NAME, Ledger, LedgerReader

from .contents import digest, digest_of_version_1, make_version_1
from .power import tracing
from .power.disk import images

#: Disks that are rebuilt, from both workloads.
N_IMAGES = 2_000
N_OF_MIGRATION = 500
SEED = 20_260_601

_TESTS = Path(__file__).parents[1]


@dataclass
class Traced:
    """What a workload did to the disk, the files before it, and what the ledger held after each of its commits."""

    events: list[tuple[Any, ...]]
    safe: dict[str, bytes]
    held: list[str]


pytestmark = pytest.mark.usefixtures("can_trace")


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Traced]:
    """Run a workload in a process of its own."""

    def trace(kind: str, synchronous: str = "FULL") -> Traced:
        folder = tmp_path_factory.mktemp("traced")
        safe: dict[str, bytes] = {}
        held: list[str] = []
        if kind == "migration":
            make_version_1(folder)
            held.append(_all_of(folder))
            safe = {file.name: file.read_bytes() for file in folder.iterdir() if not file.name.endswith("-shm")}
        file = tmp_path_factory.mktemp("trace") / "events"
        command = [sys.executable, "-m", "durability.power.workload", kind, folder, synchronous, file]
        subprocess.run(list(map(str, command)), cwd=_TESTS, check=True, timeout=300)
        events = tracing.load(file)
        return Traced(events, safe, held + [event[1] for event in events if event[0] == "mark"])

    return trace


def _all_of(folder: Path) -> str:
    with LedgerReader(folder) as reader:
        return digest(reader._connection)  # noqa: SLF001 - all that is in it


def what_became(traced: Traced, scratch: Path, n_images: int) -> Counter[str]:
    """Rebuild disks after power cuts, and count what became of the ledger on them."""
    found: Counter[str] = Counter()
    n_before = len(traced.held) - sum(event[0] == "mark" for event in traced.events)
    for n_marks, files in images(traced.events, n_images, SEED, traced.safe):
        folder = scratch / "disk"
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        (folder / f"{LEDGER_NAME}-shm").write_bytes(b"\xa5" * 32_768)  # it was in memory, so it may hold anything
        found[_verdict(folder, traced.held, n_before + n_marks)] += 1
        shutil.rmtree(folder)
    return found


def _verdict(folder: Path, held: list[str], n_held: int) -> str:
    """Judge one disk; `n_held` states of the ledger were acknowledged before the cut."""
    try:
        read = _read(folder, must_be_there=n_held > 0)
        # The commit that was under way may have come through, and nobody was told.
        if read not in (held[n_held - 1] if n_held else None, *held[n_held : n_held + 1]):
            return "lost an acknowledged row" if read in (None, *held) else "holds what never was"
        return _written(folder)
    except (sqlite3.DatabaseError, LedgerError) as error:
        return f"cannot be read or written: {error}"


def _read(folder: Path, *, must_be_there: bool) -> str | None:
    """Return what a reader finds, None where no ledger was made yet."""
    try:
        return _all_of(folder)
    except LedgerError:
        if must_be_there:
            raise
        return None


def _written(folder: Path) -> str:
    """Let the next driver open it and start a run; tell whether what was there stayed."""
    file = folder / LEDGER_NAME
    before = _rows(file) if file.exists() else None
    with Ledger(folder) as ledger:
        connection = ledger._connection  # noqa: SLF001 - what no method asks
        (integrity,) = connection.execute("PRAGMA integrity_check").fetchone()
        astray = connection.execute("PRAGMA foreign_key_check").fetchall()
        after = digest_of_version_1(connection)
        ledger.begin_run({}, {}, [])
    if integrity != "ok" or astray:
        return f"corrupt: {integrity}"
    return "right" if before in (None, after) else "changed by the next driver"


def _rows(file: Path) -> str | None:
    """Return the rows that a disk holds as SQLite itself sees them; None where there are no tables yet."""
    with contextlib.closing(sqlite3.connect(file)) as connection:
        (n_tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        return digest_of_version_1(connection) if n_tables else None


@pytest.mark.slow
def test_no_power_cut_loses_or_tears_what_was_acknowledged(traced: Callable[..., Traced], scratch: Path) -> None:
    assert what_became(traced("runs"), scratch, N_IMAGES - N_OF_MIGRATION) == {"right": N_IMAGES - N_OF_MIGRATION}


@pytest.mark.slow
def test_no_power_cut_harms_a_ledger_that_is_migrated(traced: Callable[..., Traced], scratch: Path) -> None:
    assert what_became(traced("migration"), scratch, N_OF_MIGRATION) == {"right": N_OF_MIGRATION}


@pytest.mark.parametrize("synchronous", ["NORMAL", "OFF"])
def test_the_same_power_cuts_find_what_a_careless_ledger_loses(
    traced: Callable[..., Traced], scratch: Path, synchronous: str
) -> None:
    """So the test can fail."""
    found = what_became(traced("runs", synchronous), scratch, 200)
    assert found["lost an acknowledged row"] > 10


def test_the_traced_ledger_wraps_its_log_around(traced: Callable[..., Traced]) -> None:
    """So the cuts come in the middle of checkpoints, too."""
    events = traced("runs").events
    assert sum(event[:2] == ("sync", LEDGER_NAME) for event in events) > 3
    assert sum(event[:3] == ("write", f"{LEDGER_NAME}-wal", 0) for event in events) > 3
