"""Systems per hour of a run of SDT Dask, and of Solar Data Tools' own Dask runner over the same files.

    python benchmarks/upstream.py                               # 12 systems, 2 of them bad; 3 rounds: hours
    python benchmarks/upstream.py --fleet real --rounds 1
    python benchmarks/upstream.py --systems 4 --rounds 1 --only ours --only upstream

Each layout is a process of its own; in each round all take their turn. Compared are

- ours: `sdt-dask`, 2 Dask workers with 1 thread each;
- upstream: `sdt_dask.dask_tool.runner.Runner` of the solar-data-tools wheel as it comes, 2 workers with 2 threads each;
- mended: the same with 1 thread each;
- map: `client.map` over the same two functions, 2 workers with 1 thread each;
- pool: `multiprocessing.Pool(2)` over the same;
- alone: the analyses of ours, from the same random numbers, one key after another in one process; no layout can beat
  its time on the processor, divided by the cores.

Upstream needs 6 GB for each thread. All but ours and alone have the cluster of its own local client, with the settings
and the memory that it gives, but for its refusal of more threads than cores.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import importlib.util
import json
import multiprocessing
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

_DAYS_FOR_LOSSES = 365
_N_WORKERS = 2
_DISTRIBUTIONS = ("solar-data-tools", "cvxpy", "clarabel", "numpy", "pandas", "distributed")


def main() -> int:
    """Measure the chosen layouts in turns; print medians and what lies around them."""
    arguments = _arguments()
    if arguments.measure:
        print(json.dumps(_measure(arguments.measure, Path(arguments.folder))))
        return 0
    layouts = arguments.only or list(LAYOUTS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        n_systems = (
            _write_real(folder) if arguments.fleet == "real" else _write_mixed(folder, arguments.systems, arguments.bad)
        )
        versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _DISTRIBUTIONS)
        print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}, {versions}")
        fleet = f"mixed, the bad ones {arguments.bad}" if arguments.fleet == "mixed" else "real"
        print(f"{n_systems} systems ({fleet}), {arguments.rounds} rounds", flush=True)
        measured = [{layout: _run(layout, folder) for layout in layouts} for _ in range(arguments.rounds)]
    _report(measured, n_systems)
    if arguments.picture:
        _draw(measured, n_systems, arguments.picture)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fleet", choices=("mixed", "real"), default="mixed")
    parser.add_argument("--systems", type=int, default=12, help="of the mixed fleet; each sixth is bad")
    parser.add_argument(
        "--bad", choices=("poor", "restless"), default="poor", help="below the quality at which ours stops, or above it"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", action="append", choices=LAYOUTS, help="a layout; may be given again")
    parser.add_argument("--picture", help="a PNG of the systems per hour")
    parser.add_argument("--measure", choices=LAYOUTS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    return parser.parse_args()


def _report(measured: list[dict[str, dict[str, float]]], n_systems: int) -> None:
    print(
        "| layout | systems per hour | seconds, median (least to most) | of the processor | times as fast as upstream |"
    )
    print("|---|---|---|---|---|")
    for layout in measured[0]:
        walls = [turn[layout]["wall"] for turn in measured]
        wall, processor = statistics.median(walls), statistics.median(turn[layout]["processor"] for turn in measured)
        ratios = [turn["upstream"]["wall"] / turn[layout]["wall"] for turn in measured if "upstream" in turn]
        ratio = f"{statistics.median(ratios):.1f}" if ratios else ""
        spread = f"{wall:.1f} ({min(walls):.1f} to {max(walls):.1f})"
        print(f"| {layout} | {3600 * n_systems / wall:.0f} | {spread} | {processor:.1f} | {ratio} |")
    if "alone" in measured[0]:
        ideal = statistics.median(turn["alone"]["processor"] for turn in measured) / (os.cpu_count() or 1)
        print(f"ideal of our analyses: {ideal:.1f} s, {3600 * n_systems / ideal:.0f} systems per hour")
        efficiencies = [
            turn["alone"]["processor"] / (os.cpu_count() or 1) / turn["ours"]["wall"]
            for turn in measured
            if "ours" in turn
        ]
        if efficiencies:
            print(f"efficiency of ours: {statistics.median(efficiencies):.2f}, start and end of the cluster included")


def _draw(measured: list[dict[str, dict[str, float]]], n_systems: int, file: str) -> None:
    from matplotlib.figure import Figure

    layouts = [layout for layout in measured[0] if layout != "alone"]
    figure = Figure(figsize=(7.0, 0.5 * len(layouts) + 1.2), layout="constrained")
    ax = figure.add_subplot()
    for layout in layouts:
        rates = [3600 * n_systems / turn[layout]["wall"] for turn in measured]
        colour = "#0072b2" if layout == "ours" else "#9a9a9a"
        bars = ax.barh(_WORDS[layout], statistics.median(rates), color=colour, height=0.65)
        ax.bar_label(bars, fmt=" {:.0f}", fontsize=9)
        ax.plot([min(rates), max(rates)], [_WORDS[layout]] * 2, color="#333333")
    if "alone" in measured[0]:
        processor = statistics.median(turn["alone"]["processor"] for turn in measured)
        ideal = 3600 * n_systems * (os.cpu_count() or 1) / processor
        ax.axvline(ideal, color="#d55e00", linestyle="--", linewidth=1)
        ax.text(ideal, -0.62, "what the cores can do ", color="#d55e00", fontsize=8, ha="right", va="center")
    ax.invert_yaxis()
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_xlabel("systems per hour, quality and losses")
    figure.savefig(file, dpi=110)


def _run(layout: str, folder: Path) -> dict[str, float]:
    command = [sys.executable, __file__, "--measure", layout, "--folder", str(folder)]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    ran = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    result: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    return result


def _measure(layout: str, folder: Path) -> dict[str, float]:
    warnings.simplefilter("ignore")
    start = time.perf_counter()
    with contextlib.redirect_stdout(sys.stderr):
        LAYOUTS[layout](folder)
    wall = time.perf_counter() - start
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {"wall": wall, "processor": sum(one.ru_utime + one.ru_stime for one in used)}


def _write_real(folder: Path) -> int:
    spec = importlib.util.find_spec("sdt_dask")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    files = sorted((Path(spec.submodule_search_locations[0]) / "examples" / "example_data").glob("*.csv"))
    for file in files:
        table = pd.read_csv(file, parse_dates=["ts"])
        index = pd.DatetimeIndex(table["ts"], name="timestamp") - pd.Timedelta(hours=8)
        pd.DataFrame({"power": table["meas_val_f"].to_numpy()}, index=index).to_csv(folder / file.name)
    return len(files)


def _write_mixed(folder: Path, n_systems: int, bad: str) -> int:
    from sdt_dask_testing import synthetic_fleet

    rng = np.random.default_rng(1)
    for number, system in enumerate(synthetic_fleet(n_systems, 7, years=(2.0, 3.0))):
        frame = system.frame()
        if number % 6 == 5:  # noqa: PLR2004 - each sixth
            _spoil(frame, rng, with_a_gap=bad == "poor")
        frame.to_csv(folder / f"{system.spec.system_id}.csv", index_label="timestamp")
    return n_systems


def _spoil(frame: pd.DataFrame, rng: np.random.Generator, *, with_a_gap: bool) -> None:
    """Let days come and go, for SDT's longest search; with a gap the quality is as poor as the wheel's TAEFC1044741."""
    days = np.repeat(rng.lognormal(0, 2, -(-len(frame) // 96)), 96)[: len(frame)]
    frame["power"] *= np.where(rng.random(len(frame)) < 0.4, 0, np.minimum(days, 1))  # noqa: PLR2004
    if with_a_gap:
        frame.iloc[len(frame) // 5 : 4 * len(frame) // 5] = np.nan


def _ours(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as output:
        print(_fleet(folder, output=output).execute(report=False).counts)


def _fleet(folder: Path, **more: Any) -> Any:
    from sdt_dask_core import SDTDask

    options = {"path": str(folder), "units": "kW"}
    return SDTDask("csv", plug_options=options, client_options={"n_workers": _N_WORKERS}, **more)


def _upstream(folder: Path, threads: int = 2) -> None:
    from sdt_dask.dask_tool.runner import Runner
    from sdt_dask.dataplugs.csv_plug import LocalFiles

    with tempfile.TemporaryDirectory() as output, _client(threads) as client:
        runner = Runner(client, output_path=output)
        runner.set_up([(key,) for key in _keys(folder)], LocalFiles(f"{folder}/"))
        runner.get_result()


def _mended(folder: Path) -> None:
    _upstream(folder, threads=1)


def _map(folder: Path) -> None:
    with _client(1) as client:
        client.gather(client.map(_analyse, [str(folder / f"{key}.csv") for key in _keys(folder)], pure=False))


def _pool(folder: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(_N_WORKERS) as pool:
        pool.map(_analyse, [str(folder / f"{key}.csv") for key in _keys(folder)], chunksize=1)
        pool.close()
        pool.join()


def _alone(folder: Path) -> None:
    from sdt_dask_core.accelerations import apply_all
    from sdt_dask_core.workplace import Workplace

    apply_all()
    place = Workplace(_fleet(folder).settings.job)
    for key in _keys(folder):
        place.analyse_key((key,), {})


def _client(threads: int) -> Any:
    from sdt_dask.clients.local_client import LocalClient

    class OnTwoCores(LocalClient):  # type: ignore[misc]
        def _check(self) -> None:
            """Refuse nothing."""

    return OnTwoCores(workers=_N_WORKERS, threads=threads, dashboard_address=None).init_client()


def _keys(folder: Path) -> list[str]:
    return sorted(file.stem for file in folder.glob("*.csv"))


def _analyse(file: str) -> dict[str, Any]:
    """Do for one file what upstream's runner does."""
    from solardatatools import DataHandler

    handler = DataHandler(pd.read_csv(file, index_col=0, parse_dates=[0]))
    handler.run_pipeline(fix_shifts=True, verbose=False)
    report = dict(handler.report(return_values=True, verbose=False))
    if handler.num_days > _DAYS_FOR_LOSSES:
        handler.run_loss_factor_analysis(verbose=False)
        report |= handler.loss_analysis.report()
    return report


_WORDS = {
    "ours": "SDT Dask",
    "upstream": "SDT's runner, 2 × 2 threads",
    "mended": "SDT's runner, 2 × 1 thread",
    "map": "client.map",
    "pool": "multiprocessing.Pool",
}
LAYOUTS = {"ours": _ours, "upstream": _upstream, "mended": _mended, "map": _map, "pool": _pool, "alone": _alone}

if __name__ == "__main__":
    sys.exit(main())
