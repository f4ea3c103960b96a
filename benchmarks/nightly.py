"""A night in which nothing changed: a run over 10,000 files that finds nothing to do.

    python benchmarks/nightly.py [SYSTEMS] [ROUNDS]

`SDTDask.execute` takes turns with a loop that does nothing but list the same files and ask the plug for their
fingerprints. The first run, which makes the ledger, computes nothing: its outcomes are written by this script. Seconds
of the processor are judged, as one core does it all. The bound: 10 s more than the listing alone. Exit code 1 when the
median is above it.
"""

from __future__ import annotations

import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sdt_dask_core import SDTDask, api
from sdt_dask_core.ledger import Ledger
from sdt_dask_plug_csv import CsvPlug

BOUND = 10.0  # s
Times = tuple[float, float]
DONE = {
    "status": "done",
    "grade": "ok",
    "reasons": [],
    "columns": {f"column_{number}": 1.2345678 * number for number in range(45)},
    "seconds": {"read": 1.0, "quality": 3.1},
}


def main() -> int:
    """Measure, print and judge."""
    n_systems = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5  # noqa: PLR2004
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        data.mkdir()
        for number in range(n_systems):
            (data / f"system-{number:06d}.csv").touch()
        tool = SDTDask(plug="csv", plug_options={"path": data}, output=Path(folder) / "out")
        first_night(tool)
        turns = [(timed(lambda: look(data)), timed(lambda: night(tool, n_systems))) for _ in range(rounds)]
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {n_systems:,} files, {rounds} rounds: ", end="")
    print("median (least to most)")
    bare = told("listing and fingerprints alone", [turn[0] for turn in turns])
    ours = told("a night without changes, tables written", [turn[1] for turn in turns])
    is_kept = ours - bare <= BOUND
    print(f"{ours / bare:.1f} times; bound {BOUND:g} s more: {'kept' if is_kept else 'BROKEN'}")
    return int(not is_kept)


def first_night(tool: SDTDask) -> None:
    """Record an outcome for every system."""

    def work_off(ledger: Ledger, run_id: str, *_: Any) -> None:
        with ledger.transaction():
            for task in ledger.todo(run_id):
                ledger.record(run_id, task, ledger.start_attempt(run_id, task.key), DONE)
        ledger.end_run(run_id, "complete")

    real, api.work_off = api.work_off, work_off  # type: ignore[assignment, attr-defined]
    try:
        tool.execute()
    finally:
        api.work_off = real  # type: ignore[attr-defined]


def look(data: Path) -> None:
    """List the files, and ask for their fingerprints."""
    plug = CsvPlug(data)
    for key in plug.list_keys():
        plug.fingerprint(key)


def night(tool: SDTDask, n_systems: int) -> None:
    """Run over files that did not change."""
    run = tool.execute()
    if run.reasons != {"unchanged": n_systems}:
        raise SystemExit(f"it was no night without changes: {run.reasons}")


def timed(work: Callable[[], object]) -> Times:
    """Return how long some work takes, by the clock and of the processor [s]."""
    start, used = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - start, time.process_time() - used


def told(name: str, times: list[Times]) -> float:
    """Print the medians, and return that of the processor."""
    wall, used = zip(*times, strict=True)
    print(
        f"{name}: {statistics.median(wall):.2f} s ({min(wall):.2f} to {max(wall):.2f}), "
        f"{statistics.median(used):.2f} s of the processor ({min(used):.2f} to {max(used):.2f})"
    )
    return float(statistics.median(used))


if __name__ == "__main__":
    sys.exit(main())
