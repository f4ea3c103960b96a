"""The faults: keys that go wrong in every way among keys that do not; each gets its own row, and only its own."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import random
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from sdt_dask_core import Run
from sdt_dask_core.clients.local import LocalClient
from sdt_dask_core.keys import Key, canonical_text
from sdt_dask_core.ledger import LedgerReader
from sdt_dask_testing.chaos.acks import read_acks
from sdt_dask_testing.chaos.audit import Snapshot, audit, read_snapshot
from sdt_dask_testing.chaos.fleet import true_columns
from sdt_dask_testing.chaos.marked import MARK, Marked, marked_processes, said, wait_until
from sdt_dask_testing.chaos.tally import Tally
from sdt_dask_testing.chaos.truth import wrong_in
from sdt_dask_testing.faulty import BUILD_FAULTS, FAULTS, Expected, FaultyPlug

__all__ = ["Faults", "FaultyKey", "kinds_of_faults"]

_MEMORY_LIMIT_MIB = 512
_HOG_MIB = 1280  # more than two shares; half of it is more than one, and less than two
_KEY_TIMEOUT = 30.0  # s; a good key has to be through in it on a busy machine, imports and all
_PATIENCE = 120.0  # s for a run, beyond what its faults take
_GONE = 60.0  # s
_EACH = 5.0  # s that a fault may take beside its time limit, for new processes
_BUILDS = "builds: "


@dataclass(frozen=True, slots=True)
class FaultyKey:
    """A key of the experiment.

    Attributes
    ----------
    key : tuple
        The key.
    fault : str
        Its fault, as in `kinds_of_faults`; empty for none.
    """

    key: Key
    fault: str

    @property
    def builds(self) -> str:
        """The plug's option `builds` for this key."""
        return self.fault.removeprefix(_BUILDS) if self.fault.startswith(_BUILDS) else ""

    @property
    def expected(self) -> Expected:
        """What is to become of it."""
        return kinds_of_faults().get(self.fault, Expected())


def kinds_of_faults() -> dict[str, Expected]:
    """Return what is to become of each fault that this experiment injects."""
    reads = {fault: expected for fault, expected in FAULTS.items() if fault != "slow"}  # it takes as long as a hang
    return {**reads, **{f"{_BUILDS}{how}": expected for how, expected in BUILD_FAULTS.items()}}


class Faults:
    """Run a fleet in which some keys have a fault, on a cluster of two workers of this machine.

    Parameters
    ----------
    folder : path
        Where the output folders go.
    seed : int
        Draws the faults and the order of the keys; the next run takes the next one.
    runs : int
        How many runs, one after the other on the same cluster.
    n_kinds : int
        How many kinds of faults in each run, one key each.
    seconds : float
        No new run is begun after this time [s].
    say : callable
        Called with a sentence after each run.
    """

    def __init__(
        self,
        folder: Path,
        *,
        seed: int,
        runs: int = 10,
        n_kinds: int = 24,
        seconds: float = 7200.0,
        say: Callable[[str], object] = lambda _: None,
    ) -> None:
        self.folder = folder
        self.seed = seed
        self.runs = runs
        self.n_kinds = min(n_kinds, len(kinds_of_faults()))
        self.tally = Tally("faults", seed)
        self.tally.facts.update(dict.fromkeys(("runs", "keys", "keys with a fault"), 0))
        self._say = say
        self._deadline = time.monotonic() + seconds

    def run(self) -> Tally:
        """Run until all runs are done, or the time is over."""
        with _cluster() as (client, mark):
            standing = set(marked_processes(mark))
            workers = _workers(client)
            for number in range(self.runs):
                if number and time.monotonic() > self._deadline:
                    break
                self._run(self.folder / f"seed-{self.seed + number}", self.seed + number, client)
                self._look_at_processes(mark, standing)
                if _workers(client) != workers:
                    self.tally.harm("left", f"seed {self.seed + number}: a Dask worker was restarted")
                    workers = _workers(client)
                self._say(f"{number + 1} of {self.runs} runs with faults, {self.tally.verdict}")
        return self.tally

    def _run(self, folder: Path, seed: int, client: Any) -> None:
        folder.mkdir(parents=True)
        keys = drawn_keys(seed, self.n_kinds)
        faults = [key.fault for key in keys if key.fault]
        self.tally.faults.update(faults)
        for fact, count in (("runs", 1), ("keys", len(keys)), ("keys with a fault", len(faults))):
            self.tally.add(fact, count)
        start = time.monotonic()
        patience = _PATIENCE + sum(key.expected.attempts * (_KEY_TIMEOUT + _EACH) for key in keys)
        with Marked(_command(folder, keys, client.scheduler.address), folder) as driver:
            if not wait_until(lambda: not driver.is_alive, seconds=patience, step=0.05):
                self.tally.harm("hung", f"seed {seed}: the run did not end in {patience:g} s")
            elif driver.process.wait() not in (0, 1):
                self.tally.harm("refused", f"seed {seed}: exit code {driver.process.wait()}: {driver.printed}")
        self.tally.most("longest run [s]", round(time.monotonic() - start, 1))
        now = read_snapshot(folder / "out", self.tally)
        audit(Snapshot(), now, read_acks(folder / "acks"), self.tally)
        if now.run_id:
            check_keys(folder / "out", keys, self.tally, f"seed {seed}: ")

    def _look_at_processes(self, mark: str, standing: set[psutil.Process]) -> None:
        start = time.monotonic()
        if not wait_until(lambda: not set(marked_processes(mark)) - standing, seconds=_GONE, step=0.1):
            left = [said(process)[:120] for process in set(marked_processes(mark)) - standing]
            self.tally.harm("left", f"{len(left)} processes were left {_GONE:g} s after their run: {left}")
        self.tally.most("longest time until no process was left [s]", round(time.monotonic() - start, 2))


def drawn_keys(seed: int, n_kinds: int) -> list[FaultyKey]:
    """Draw so many kinds of faults, and two good keys for each, in any order."""
    rng = random.Random(seed)  # noqa: S311 - to be repeated
    kinds = rng.sample(sorted(kinds_of_faults()), n_kinds)
    faults = [*kinds, *([""] * 2 * n_kinds)]
    rng.shuffle(faults)
    return [
        FaultyKey(("good" if not fault or fault.startswith(_BUILDS) else fault, number), fault)
        for number, fault in enumerate(faults)
    ]


def check_keys(output: Path, keys: list[FaultyKey], tally: Tally, where: str = "") -> None:
    """See that each key has one row that says what is true, after as many attempts as it was to have."""
    run = Run(output)
    bodies = {row["key"]: row["body"] or {} for row in run.rows}
    times = Counter(row["key"] for row in run.rows)
    plug = FaultyPlug()
    with LedgerReader(output) as ledger:
        for asked in keys:
            text = canonical_text(asked.key)
            if times[text] != 1:
                tally.harm("duplicated" if times[text] else "lost", f"{where}{text} has {times[text]} rows")
                continue
            wrong = wrong_in(bodies[text], asked.expected, partial(true_columns, plug, asked.key))
            number = len(ledger.attempts(run.run_id, text))
            if not wrong and number != asked.expected.attempts:
                wrong = f"it was tried {number} times and not {asked.expected.attempts}"
            if wrong:
                tally.harm("wrong", f"{where}{text} ({asked.fault or 'no fault'}): {wrong}")


def _command(folder: Path, keys: list[FaultyKey], address: str) -> list[str]:
    manifest, file = folder / "keys.csv", folder / "asked.json"
    with manifest.open("w", encoding="utf-8", newline="") as table:
        writer = csv.writer(table)
        writer.writerow(["key", "builds"])
        writer.writerows([canonical_text(key.key), key.builds] for key in keys)
    counts = folder / "counts"
    counts.mkdir()
    asked = {
        "plug": "faulty",
        "plug_options": {"hog_mib": _HOG_MIB, "counts": str(counts)},
        "client": "address",
        "client_options": {"address": address},
        "manifest": str(manifest),
        "key_timeout": _KEY_TIMEOUT,
        "acks": str(folder / "acks"),
        "output": str(folder / "out"),
    }
    file.write_text(json.dumps(asked), encoding="utf-8")
    return [sys.executable, "-m", "sdt_dask_testing.chaos.driver", str(file)]


@contextlib.contextmanager
def _cluster() -> Iterator[tuple[Any, str]]:
    """Start a local cluster whose processes carry a mark; yield its Dask client and the mark."""
    mark, before = uuid.uuid4().hex, os.environ.get(MARK)
    os.environ[MARK] = mark
    client = LocalClient(n_workers=2, memory_limit=f"{_MEMORY_LIMIT_MIB} MiB", dashboard_address="none")
    try:
        yield client.make_client(), mark
    finally:
        client.close()
        os.environ.pop(MARK)
        if before is not None:
            os.environ[MARK] = before


def _workers(client: Any) -> set[int]:
    """Return the process ids of its workers."""
    return {nanny.pid for nanny in client.cluster.workers.values()}
