"""Accelerated results against the original's, field by field; exit code 1 on any difference.

    python benchmarks/equality.py                       # everything: about an hour, 6 GB
    python benchmarks/equality.py --reference sparse    # 20 minutes: the original with the sparse is_diagonal
    python benchmarks/equality.py --only clipped --only stepped

Original and accelerated run in processes of their own, from the same seed. Compared is everything that Solar Data
Tools' ``DataHandler`` holds afterwards: matrices, flags, masks, scores, the decompositions, the losses. All of it has
to be identical, but for what `TOLERANCES` lists.
"""

from __future__ import annotations

import argparse
import importlib.util
import pickle
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

#: Absolute and relative tolerance of what is not identical, by the end of its path; all else is exact.
TOLERANCES = {
    ".degradation_rate_lb": (1e-3, 0.0),  # %/yr
    ".degradation_rate_ub": (1e-3, 0.0),
    # Single rounds, of which no result is made, and what was between them: as far as SDT's own solve may end from the
    # solution. One in some hundred is more than 1e-3 away. Of rates of millions so many digits are the same.
    "['samples'].deg": (5e-3, 5e-3),
    "['running stats'].p50": (5e-3, 5e-3),
    "['running stats'].p025": (5e-3, 5e-3),
    "['running stats'].p975": (5e-3, 5e-3),
}
_NOT_RESULTS = {"total_time", "_cvx_obj", "objective_value", "_qss_obj"}  # seconds, and the tool of gfosd
_OURS = ("solardatatools", "gfosd", "osd", "qss", "spcqe")
_SEED = 20240501

Build = Callable[[], pd.DataFrame]


def _synthetic(**spec: Any) -> Build:
    def build() -> pd.DataFrame:
        from sdt_dask_testing import synthetic_system

        return synthetic_system(**spec).frame()

    return build


def _real(key: str) -> Build:
    def build() -> pd.DataFrame:
        spec = importlib.util.find_spec("sdt_dask")
        assert spec is not None
        assert spec.submodule_search_locations is not None
        file = Path(spec.submodule_search_locations[0]) / "examples" / "example_data" / f"{key}.csv"
        table = pd.read_csv(file, parse_dates=["ts"])
        index = pd.DatetimeIndex(table["ts"]) - pd.Timedelta(hours=8)
        frame: pd.DataFrame = pd.DataFrame({"power": table["meas_val_f"].to_numpy()}, index=index)
        return frame

    return build


def _noisy() -> pd.DataFrame:
    """Return power that is no sun's: what solvers find hard."""
    index = pd.date_range("2020-01-01", periods=24 * 500, freq="h")
    rng = np.random.default_rng(3)
    power = np.clip(np.sin((index.hour.to_numpy() - 6) / 12 * np.pi), 0, None) * rng.lognormal(0, 2, len(index))
    power[rng.random(len(index)) < 0.3] = np.nan  # noqa: PLR2004 - a third is missing
    frame: pd.DataFrame = pd.DataFrame({"power": power}, index=index)
    return frame


def _missing_days() -> pd.DataFrame:
    frame = _synthetic(seed=12, years=1.6, interval_minutes=60)()
    frame.iloc[24 * 100 : 24 * 160] = np.nan
    return frame


CASES: dict[str, Build] = {
    "real_tae": _real("TAEFC1044741"),
    "real_zt": _real("ZT162185000441C1203"),
    "plain": _synthetic(seed=1, years=2.5),
    "clipped": _synthetic(seed=2, years=2.1, clip_fraction=0.6),
    "all_clipped": _synthetic(seed=3, years=1.5, clip_fraction=0.2, interval_minutes=30),
    "soiled": _synthetic(seed=4, years=2.2, soiling_rate_per_day=0.003),
    "stepped": _synthetic(seed=5, years=2.2, capacity_step=(0.8, 400), outage_days=20),
    "gappy": _synthetic(seed=6, years=2.0, missing_fraction=0.15, outage_days=40),
    "shifted": _synthetic(seed=7, years=1.8, time_shift=(1.0, 300)),
    "shifted_back": _synthetic(seed=8, years=1.5, time_shift=(-2.0, 250), interval_minutes=30),
    "one_year": _synthetic(seed=9, years=0.99, interval_minutes=60),
    "five_years": _synthetic(seed=10, years=5.0, interval_minutes=60),
    "one_minute": _synthetic(seed=11, years=1.1, interval_minutes=1),
    "five_minutes": _synthetic(seed=13, years=1.5, interval_minutes=5, degradation_pct_per_year=-3.0),
    "missing_days": _missing_days,
    "noisy": _noisy,
    "short": _synthetic(seed=15, years=1.1, interval_minutes=60, outage_days=5),
    "short_shifted": _synthetic(seed=16, years=1.1, interval_minutes=60, time_shift=(1.0, 150), clip_fraction=0.7),
    "hourly": _synthetic(seed=14, years=1.2, interval_minutes=60, capacity_step=(0.7, 200), clip_fraction=0.7),
}


def main() -> int:
    """Compare the chosen cases; print a table."""
    arguments = _arguments()
    if arguments.dump:
        name, how, file = arguments.dump
        warnings.simplefilter("ignore")
        Path(file).write_bytes(pickle.dumps(results(CASES[name](), how, losses=not arguments.no_losses)))
        return 0
    print("| system | days | rounds | fields | original CPU s | accelerated CPU s | ratio | differences |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    losses = not arguments.no_losses
    n_different = sum(_compare(name, arguments.reference, losses) for name in arguments.only or CASES)
    print(f"{n_different} differences")
    return 1 if n_different else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=CASES, help="a system; may be given again")
    parser.add_argument("--reference", choices=("original", "sparse"), default="original")
    parser.add_argument("--no-losses", action="store_true", help="the pipeline alone")
    parser.add_argument("--dump", nargs=3, metavar=("SYSTEM", "HOW", "FILE"), help=argparse.SUPPRESS)
    return parser.parse_args()


def _compare(name: str, reference: str, losses: bool) -> int:
    theirs, ours = (run(name, how, losses=losses) for how in (reference, "accelerated"))
    found = list(differences(theirs["fields"], ours["fields"]))
    ratio = theirs["seconds"] / ours["seconds"]
    facts = f"{theirs['days']} | {theirs['rounds']} | {len(theirs['fields'])}"
    seconds = f"{theirs['seconds']:.1f} | {ours['seconds']:.1f} | {ratio:.1f}"
    print(f"| {name} | {facts} | {seconds} | {len(found) or 'none'} |", flush=True)
    for line in found[:20]:
        print(f"    {line}")
    return len(found)


def run(name: str, how: str, *, losses: bool = True) -> dict[str, Any]:
    """Return the `results` of a case, from a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "fields.pickle"
        options = [] if losses else ["--no-losses"]
        command = [sys.executable, __file__, "--dump", name, how, str(file), *options]
        subprocess.run(command, check=True, stdout=sys.stderr)
        result: dict[str, Any] = pickle.loads(file.read_bytes())
        return result


def results(frame: pd.DataFrame, how: str, *, losses: bool = True) -> dict[str, Any]:
    """Return everything that SDT finds in a frame, the seconds of the processor and the memory that it took.

    Parameters
    ----------
    frame : pandas.DataFrame
        Power in the column "power" [kW].
    how : {"original", "sparse", "accelerated"}
        As SDT comes, with the sparse is_diagonal, or with all accelerations; for this process.
    losses : bool
        Whether the losses are analysed too.
    """
    from sdt_dask_core.accelerations import WITHOUT_SDT, apply_all
    from sdt_dask_core.analyses.quality import PIPELINE_ARGUMENTS
    from sdt_dask_testing.peak import peak_memory

    if how != "original":
        applied = apply_all(WITHOUT_SDT) if how == "sparse" else apply_all()
        assert not applied.left_out, applied.left_out
    from solardatatools import DataHandler

    np.random.seed(_SEED)  # noqa: NPY002 - SDT draws from the global generator
    handler, error = DataHandler(frame), ""
    start = time.process_time()
    try:
        handler.run_pipeline(power_col="power", **PIPELINE_ARGUMENTS)
        if losses:
            handler.run_loss_factor_analysis(verbose=False)
    except Exception as raised:  # noqa: BLE001 - compared too
        error = f"{type(raised).__name__}: {raised}"
    seconds = time.process_time() - start
    fields = dict(_fields(handler, "handler", set()))
    fields["error"] = error
    fields["random numbers after"] = np.random.random(3)  # noqa: NPY002
    analysis = getattr(handler, "loss_analysis", None)
    rounds = len(analysis.MC_results["samples"]) if analysis is not None and analysis.MC_results else 0
    facts = {"seconds": seconds, "rounds": rounds, "days": handler.num_days, "peak_bytes": peak_memory()}
    return {"fields": fields, **facts}


def _fields(value: Any, path: str, seen: set[int]) -> Iterator[tuple[str, Any]]:  # noqa: PLR0912 - one branch a kind
    """Yield every leaf of a result by its path."""
    if isinstance(value, pd.DataFrame):
        for column in value.columns:
            yield f"{path}.{column}", value[column].to_numpy()
        yield f"{path}.index", value.index.to_numpy()
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from _fields(part, f"{path}[{name!r}]", seen)
    elif type(value).__module__.partition(".")[0] in _OURS:
        if id(value) not in seen:
            seen.add(id(value))
            for name, part in vars(value).items():
                if name not in _NOT_RESULTS:
                    yield from _fields(part, f"{path}.{name}", seen)
    elif isinstance(value, list) and any(type(part).__module__.partition(".")[0] in _OURS for part in value):
        for number, part in enumerate(value):
            yield from _fields(part, f"{path}[{number}]", seen)
    elif hasattr(value, "toarray"):
        yield path, value.tocsr().toarray() if value.shape[0] * value.shape[1] < 10**7 else value.sum()
    elif value is None or isinstance(value, (str, bool, int, float, np.generic, np.ndarray, list, tuple)):
        yield path, value
    elif isinstance(value, (pd.Series, pd.Index)):
        yield path, value.to_numpy()


def differences(theirs: dict[str, Any], ours: dict[str, Any]) -> Iterator[str]:
    """Yield a line for each field that is in one only, or differs by more than it may."""
    for path in sorted(set(theirs) ^ set(ours)):
        yield f"{path}: only in {'the original' if path in theirs else 'the accelerated'}"
    for path in sorted(set(theirs) & set(ours)):
        tolerance = next((value for end, value in TOLERANCES.items() if path.endswith(end)), None)
        if not _is_same(theirs[path], ours[path], tolerance):
            yield f"{path}: {_short(theirs[path])} and {_short(ours[path])}"


def _is_same(one: Any, other: Any, tolerance: tuple[float, float] | None) -> bool:
    if one is None or other is None:
        return one is other
    first, second = np.asarray(one), np.asarray(other)
    if first.shape != second.shape or first.dtype != second.dtype:
        return False
    if tolerance:
        absolute, relative = tolerance
        numbers = first.astype(float), second.astype(float)
        return bool(np.allclose(*numbers, rtol=relative, atol=absolute, equal_nan=True))
    if first.dtype.kind in "fc":
        return np.array_equal(first, second, equal_nan=True)
    return bool(np.array_equal(first, second))


def _short(value: Any) -> str:
    return " ".join(str(value).split())[:80]


if __name__ == "__main__":
    sys.exit(main())
