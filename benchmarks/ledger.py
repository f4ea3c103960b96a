"""`status` and `errors` over a ledger of a million systems, against a Python that does nothing.

    python benchmarks/ledger.py [SYSTEMS] [ROUNDS]

The ledger is written first, with one system in a hundred failed; then the commands take turns, so that whatever else
the machine does meets all of them. The bound: 2 s each. Exit code 1 when a median is above it.
"""

from __future__ import annotations

import itertools
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sdt_dask_core import SDTDask
from sdt_dask_core.ledger import LEDGER_NAME, Ledger, PlannedTask

BOUND = 2.0  # s
BARE = [sys.executable, "-c", "pass"]
CLI = [sys.executable, "-m", "sdt_dask_core.cli"]
AT_ONCE = 5000  # outcomes in one transaction, to be done sooner
DONE: dict[str, Any] = {
    "status": "done",
    "reasons": [],
    "columns": {f"column_{number}": 1.2345678 * number for number in range(45)},
    "seconds": {"read": 1.0, "quality": 3.1},
    "peak_rss_mb": 612.5,
}
FAILED = {"status": "failed", "stage": "read", "message": "the source said no", "traceback": "x" * 800}
GRADES = ("ok", "caution", "withheld")
CAUSES = ("source_unavailable", "not_numeric", "timed_out")


def main() -> int:
    """Write the ledger, measure, print and judge."""
    n_systems = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5  # noqa: PLR2004
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), n_systems)
        size = (Path(folder) / LEDGER_NAME).stat().st_size / 2**20
        commands = {"bare Python": BARE, **{name: [*CLI, name, folder] for name in ("status", "errors")}}
        turns = [{name: seconds(command) for name, command in commands.items()} for _ in range(rounds)]
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, {n_systems:,} systems, {size:,.0f} MiB, ", end=""
    )
    print(f"{rounds} rounds: median (least to most)")
    medians = {name: statistics.median(turn[name] for turn in turns) for name in commands}
    for name in commands:
        times = [turn[name] for turn in turns]
        ratio = medians[name] / medians["bare Python"]
        print(
            f"{name}: {medians[name]:.3f} s ({min(times):.3f} to {max(times):.3f}), {ratio:.1f} times the bare Python"
        )
    is_kept = max(medians.values()) <= BOUND
    print(f"bound {BOUND:g} s: {'kept' if is_kept else 'BROKEN'}")
    return int(not is_kept)


def write(folder: Path, n_systems: int) -> None:
    """Write a run over so many systems, through the ledger's own door."""
    settings = SDTDask(plug="csv", plug_options={"path": folder}, output=folder).settings.as_dict()
    with Ledger(folder) as ledger:
        for pragma in ("synchronous = OFF", "cache_size = -1000000"):  # it need not last, only be there soon
            ledger._connection.execute(f"PRAGMA {pragma}")  # noqa: SLF001
        start = time.perf_counter()
        run_id = ledger.begin_run(settings, {}, map(task, range(n_systems)))
        outcomes, todo = outcome(), ledger.todo(run_id)
        while page := list(itertools.islice(todo, AT_ONCE)):
            with ledger.transaction():
                for each in page:
                    ledger.record(run_id, each, ledger.start_attempt(run_id, each.key), next(outcomes))
        ledger.end_run(run_id, "complete")
        print(f"written in {time.perf_counter() - start:.0f} s")


def task(number: int) -> PlannedTask:
    """Return the task of one system."""
    digest = "plug:81bf62d5a1c0 options:0c2d62d5a1c0 analyses:aac062d5a1c0 versions:bbc062d5a1c0 metadata:ccc062d5a1c0"
    return PlannedTask(f'["system-{number:07d}"]', "todo", "new", f"{number}-1000", digest, {}, {"latitude": 48.1})


def outcome() -> Iterator[dict[str, Any]]:
    """Yield outcomes, one in a hundred failed."""
    for number in itertools.count():
        if number % 100:
            yield {**DONE, "grade": GRADES[number % 3]}
        else:
            yield {**FAILED, "cause": CAUSES[number // 100 % 3]}


def seconds(command: list[str]) -> float:
    """Return how long a command takes [s]."""
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
