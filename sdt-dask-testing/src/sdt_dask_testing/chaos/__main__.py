"""The command ``python -m sdt_dask_testing.chaos``."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from sdt_dask_testing.chaos import Faults, Kills, Tally

__all__ = ["main"]

_EXPERIMENTS = ("kills", "faults")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the experiments that are asked for; return 0 where nothing was harmed, and 1 otherwise."""
    asked = _parser().parse_args(arguments)
    seed = int.from_bytes(os.urandom(4), "big") if asked.seed is None else asked.seed
    _say(f"chaos: seed {seed} (the same faults again: --seed {seed})")
    folder = Path(tempfile.mkdtemp(prefix="sdt-dask-chaos-"))
    tallies = [_run(name, folder / name, seed, asked) for name in asked.experiments or _EXPERIMENTS]
    if asked.json:
        text = json.dumps([tally.as_dict() for tally in tallies], indent=2)
        Path(asked.json).write_text(f"{text}\n", encoding="utf-8")
    if all(tally.is_clean for tally in tallies):
        shutil.rmtree(folder)
        return 0
    _say(f"what the runs left behind: {folder}")
    return 1


def _run(name: str, folder: Path, seed: int, asked: argparse.Namespace) -> Tally:
    start = time.monotonic()
    n_experiments = len(asked.experiments or _EXPERIMENTS)
    seconds = 60.0 * asked.minutes / n_experiments
    if name == "kills":
        tally = Kills(folder, seed=seed, kills=asked.kills, n_keys=asked.keys, seconds=seconds, say=_say).run()
    else:
        tally = Faults(folder, seed=seed, runs=asked.runs, n_kinds=asked.kinds, seconds=seconds, say=_say).run()
    tally.facts["seconds"] = round(time.monotonic() - start, 1)
    _say(f"\n{tally.as_text()}")
    return tally


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sdt_dask_testing.chaos",
        description="Kill drivers, workers and keys in many ways, and see that every row is there once, whole, right.",
    )
    parser.add_argument(
        "experiments", nargs="*", metavar="EXPERIMENT", type=_experiment, help="kills or faults; by default both"
    )
    parser.add_argument("--seed", type=int, help="what the random choices start from; by default another one each time")
    parser.add_argument("--minutes", type=float, default=2.0, help="nothing new is begun after this time (%(default)g)")
    parser.add_argument("--kills", type=int, default=200, help="drivers to kill at most (%(default)d)")
    parser.add_argument("--keys", type=int, default=40, help="systems of the fleet of the kills (%(default)d)")
    parser.add_argument("--runs", type=int, default=10, help="runs with faults at most, a seed each (%(default)d)")
    parser.add_argument("--kinds", type=int, default=24, help="kinds of faults in each of them (%(default)d)")
    parser.add_argument("--json", metavar="FILE", help="write what was counted there, too")
    return parser


def _experiment(name: str) -> str:
    # choices= would refuse that there is none, before Python 3.12
    if name not in _EXPERIMENTS:
        raise argparse.ArgumentTypeError(f"unknown experiment {name!r}; there are {' and '.join(_EXPERIMENTS)}")
    return name


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what was started is ended on this way, too
    sys.exit(main())
