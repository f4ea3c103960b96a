"""How long `sdt-dask plugs` takes with ten more providers installed, against a Python that does next to nothing.

    python benchmarks/listing.py [ROUNDS]

Both commands take turns, so that whatever else the machine does meets both. The bound: 1.5 times the bare Python plus
150 ms. Exit code 1 when the median is above it.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

N_PROVIDERS = 10
RATIO, ALLOWANCE = 1.5, 0.150  # s
BARE = [sys.executable, "-c", "import importlib.metadata, json"]
LISTING = [sys.executable, "-m", "sdt_dask_core.cli", "plugs"]


def main() -> int:
    """Measure, print and judge."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PYTHONPATH": install_providers(Path(folder))}
        listed = subprocess.run(LISTING, env=environment, capture_output=True, text=True, check=True).stdout
        if listed.count("bench-plug-") != N_PROVIDERS:
            raise SystemExit(f"the ten providers are not listed:\n{listed}")
        subprocess.run(BARE, env=environment, check=True)
        turns = [(seconds(BARE, environment), seconds(LISTING, environment)) for _ in range(rounds)]
    bare, listing = (statistics.median(times) for times in zip(*turns, strict=True))
    bound = RATIO * bare + ALLOWANCE
    n_listed = len(listed.splitlines()) - 2  # without the head
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {n_listed} providers, {rounds} rounds")
    print(f"bare Python {bare * 1000:.0f} ms, sdt-dask plugs {listing * 1000:.0f} ms (medians)")
    print(f"bound {bound * 1000:.0f} ms: {'kept' if listing <= bound else 'BROKEN'}")
    return int(listing > bound)


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


def seconds(command: list[str], environment: dict[str, str]) -> float:
    """Return how long a command takes [s]."""
    start = time.perf_counter()
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
