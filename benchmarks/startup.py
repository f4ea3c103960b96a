"""How long `sdt-dask --help` and `sdt-dask plugs` take, with ten more providers installed, against bare Pythons.

    python benchmarks/startup.py [ROUNDS]

All commands take turns, so that whatever else the machine does meets each; seconds of the processor are judged, which
other work on the machine hardly moves. A prototype with click and pluggy took 50 ms for its help and 80 ms for its list
over a Python that does nothing. The bound: 1.5 times that. And by the clock the list may take 1.5 times as long as a
Python that imports ``importlib.metadata`` and ``json``, plus 150 ms. Exit code 1 when a median is above its bound.
"""

from __future__ import annotations

import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

N_PROVIDERS = 10
BARE, IMPORTS = "bare Python", "importlib.metadata, json"
COMMANDS = {
    BARE: [sys.executable, "-c", "pass"],
    IMPORTS: [sys.executable, "-c", f"import {IMPORTS}"],
    "--help": [sys.executable, "-m", "sdt_dask_core.cli", "--help"],
    "plugs": [sys.executable, "-m", "sdt_dask_core.cli", "plugs"],
}
PROTOTYPE = {"--help": 0.050, "plugs": 0.080}  # s over the bare Python
RATIO = 1.5
ALLOWANCE = 0.150  # s


def main() -> int:
    """Measure, print and judge."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PYTHONPATH": install_providers(Path(folder))}
        listed = subprocess.run(COMMANDS["plugs"], env=environment, capture_output=True, text=True, check=True).stdout
        if listed.count("bench-plug-") != N_PROVIDERS:
            raise SystemExit(f"the ten providers are not listed:\n{listed}")
        turns = [{name: seconds(command, environment) for name, command in COMMANDS.items()} for _ in range(rounds)]
    n_listed = len(listed.splitlines()) - 2  # without the head
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, {n_listed} providers, {rounds} rounds: ", end=""
    )
    print("median (least to most)")
    for name in COMMANDS:
        wall, used = ([1000 * turn[name][which] for turn in turns] for which in (0, 1))
        print(
            f"{name}: {statistics.median(wall):.0f} ms ({min(wall):.0f} to {max(wall):.0f}), "
            f"{statistics.median(used):.0f} ms of the processor ({min(used):.0f} to {max(used):.0f})"
        )
    return int(not all([*(is_kept(name, turns) for name in PROTOTYPE), is_listed_fast(turns)]))


def is_kept(name: str, turns: list[dict[str, tuple[float, float]]]) -> bool:
    """Print how a command stands to its bound; tell whether it keeps it."""
    over = statistics.median(turn[name][1] - turn[BARE][1] for turn in turns)
    kept = over <= RATIO * PROTOTYPE[name]
    print(
        f"{name}: {1000 * over:.0f} ms over the bare Python, {over / PROTOTYPE[name]:.2f} times the prototype, "
        f"bound {RATIO:g}: {'kept' if kept else 'BROKEN'}"
    )
    return kept


def is_listed_fast(turns: list[dict[str, tuple[float, float]]]) -> bool:
    """Print how the list stands to a Python that only imports, by the clock; tell whether it keeps its bound."""
    imports, listing = (statistics.median(turn[name][0] for turn in turns) for name in (IMPORTS, "plugs"))
    bound = RATIO * imports + ALLOWANCE
    kept = listing <= bound
    print(
        f"plugs: {1000 * listing:.0f} ms, a Python that imports {IMPORTS} {1000 * imports:.0f} ms, "
        f"bound {1000 * bound:.0f} ms: {'kept' if kept else 'BROKEN'}"
    )
    return kept


def install_providers(site: Path) -> str:
    """Make ten distributions, each with a plug and requirements of its own; return the folder that holds them."""
    for number in range(N_PROVIDERS):
        name, module = f"bench-plug-{number}", f"bench_plug_{number}"
        info = site / f"{module}-1.0.dist-info"
        info.mkdir()
        requires = "".join(f"Requires-Dist: {need}\n" for need in ("sdt-dask-core>=0.1,<1", "pandas>=2", "pyarrow"))
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{requires}")
        (info / "entry_points.txt").write_text(f"[sdt_dask.plugs]\nbench{number} = {module}:Plug\n")
        (site / f"{module}.py").write_text("raise ImportError('a listing imports no provider')\n")
    return str(site)


def seconds(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Return how long a command takes, by the clock and of the processor [s]."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, used


if __name__ == "__main__":
    sys.exit(main())
