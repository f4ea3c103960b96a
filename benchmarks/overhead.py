"""What a key costs besides its own work: runs over keys that do next to nothing, on two workers.

    python benchmarks/overhead.py [SYSTEMS ...]

Three ways take turns, each in a process of its own: `SDTDask.execute`, with a child process for each worker and every
outcome durable; three ``dask.delayed`` for each key and one concat at the end, as Solar Data Tools' own runner has it;
and ``client.map``. The last two call a function that returns at once. All are measured from the first key handed out to
the last outcome, by the clock, in seconds of the processor of the driver, which has the scheduler in it, and in its
peak memory. With the first number (1,000) there are three rounds of each; with each other one (10,000) one of
`SDTDask.execute` and ``client.map``. Bounds: 10 ms by the clock at 10,000 keys, 4 ms of the processor, and 20 MiB more
than with the first number. Exit code 1 when one is broken.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

ROUNDS = 3
MOST_MS, MOST_MS_OF_PROCESSOR, MOST_MIB = 10.0, 4.0, 20.0

METER = """
import json, resource, sys, time
from sdt_dask_testing.peak import peak_memory

n_keys, folder = int(sys.argv[1]), sys.argv[2]
marks = []

def mark():
    used = resource.getrusage(resource.RUSAGE_SELF)
    marks.append((time.perf_counter(), used.ru_utime + used.ru_stime))

def told():
    (start, used_before), (end, used_after) = marks[0], marks[-1]
    print(json.dumps({"seconds": end - start, "cpu": used_after - used_before, "bytes": peak_memory()}))

def cluster():
    from distributed import Client, LocalCluster
    return Client(LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50))

def nothing(key):
    return {"key": key}
"""
WAYS = {
    "SDTDask.execute": """
import numpy as np
import pandas as pd
from sdt_dask_core import Plug, SDTDask

class Nothing(Plug):
    units = "kW"

    def __init__(self, n_keys: int) -> None:
        self.n_keys = n_keys
        self.frame = None

    def list_keys(self):
        return ((f"system-{number:06d}",) for number in range(self.n_keys))

    def get_data(self, key):
        if self.frame is None:
            index = pd.date_range("2020-06-01", periods=288, freq="15min")
            self.frame = pd.DataFrame({"power": 5 * np.maximum(0.0, np.sin((index.hour - 6) / 12 * np.pi))}, index)
        return self.frame.copy()

def observe(progress):
    if progress.finished == 0 or progress.todo == 0:
        mark()

if __name__ == "__main__":
    options = {"n_workers": 2, "dashboard_address": "none"}
    tool = SDTDask(Nothing, plug_options={"n_keys": n_keys}, analyses=[], output=folder, client_options=options)
    assert tool.execute(observe=observe, report=False).counts["done"] == n_keys  # the report holds every row
    told()
""",
    "delayed and concat": """
if __name__ == "__main__":
    import dask, pandas as pd
    with cluster() as client:
        mark()
        once, again = dask.delayed(nothing), dask.delayed(lambda row: row)
        rows = [dask.delayed(pd.DataFrame)([again(once(key))]) for key in range(n_keys)]
        assert len(dask.delayed(pd.concat)(rows).compute()) == n_keys
        mark()
    told()
""",
    "client.map": """
if __name__ == "__main__":
    with cluster() as client:
        mark()
        assert len(client.gather(client.map(nothing, range(n_keys), pure=False))) == n_keys
        mark()
    told()
""",
}
ALL = list(WAYS)
OURS, _, MAP = ALL


def main() -> int:
    """Measure, print and judge."""
    first, *more = [int(number) for number in sys.argv[1:]] or [1_000, 10_000]
    versions = ", ".join(f"{name} {version(name)}" for name in ("dask", "distributed"))
    print(f"Python {platform.python_version()}, {versions}, {os.cpu_count()} cores; median (least to most)")
    base = measured(first, ALL, ROUNDS)
    is_kept = base[OURS]["cpu"] <= MOST_MS_OF_PROCESSOR
    for n_keys in more:
        found = measured(n_keys, [OURS, MAP], 1)[OURS]
        growth = found["MiB"] - base[OURS]["MiB"]
        print(f"  {growth:+.0f} MiB from {first:,} to {n_keys:,} keys")
        is_kept &= growth <= MOST_MIB and found["wall"] <= MOST_MS and found["cpu"] <= MOST_MS_OF_PROCESSOR
    print(f"bounds {MOST_MS:g} ms, {MOST_MS_OF_PROCESSOR:g} ms of the processor, {MOST_MIB:g} MiB: ", end="")
    print("kept" if is_kept else "BROKEN")
    return int(not is_kept)


def measured(n_keys: int, ways: list[str], rounds: int) -> dict[str, dict[str, float]]:
    """Measure some ways in turns, print each, and return their medians: ms a key and MiB."""
    turns = [{way: once(way, n_keys) for way in ways} for _ in range(rounds)]
    print(f"{n_keys:,} keys, {rounds} rounds:")
    medians: dict[str, dict[str, float]] = {}
    for way in ways:
        wall, cpu = ([1000 * turn[way][name] / n_keys for turn in turns] for name in ("seconds", "cpu"))
        memory = [turn[way]["bytes"] / 2**20 for turn in turns]
        medians[way] = {
            "wall": statistics.median(wall),
            "cpu": statistics.median(cpu),
            "MiB": statistics.median(memory),
        }
        print(
            f"  {way}: {medians[way]['wall']:.2f} ms a key ({min(wall):.2f} to {max(wall):.2f}), "
            f"{medians[way]['cpu']:.2f} ms of the processor ({min(cpu):.2f} to {max(cpu):.2f}), "
            f"peak {medians[way]['MiB']:.0f} MiB"
        )
    return medians


def once(way: str, n_keys: int) -> dict[str, float]:
    """Run one way in a process of its own; return what it measured."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "way.py"
        script.write_text(METER + WAYS[way], encoding="utf-8")
        command = [sys.executable, str(script), str(n_keys), str(Path(folder) / "out")]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found: dict[str, float] = json.loads(printed.splitlines()[-1])
    return found


if __name__ == "__main__":
    sys.exit(main())
