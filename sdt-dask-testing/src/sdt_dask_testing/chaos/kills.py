"""The kills: drivers, and what works for them, are struck at random instants; nothing that was recorded may suffer."""

from __future__ import annotations

import contextlib
import json
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from sdt_dask_core.keys import as_key, canonical_text
from sdt_dask_testing.chaos.acks import read_acks
from sdt_dask_testing.chaos.audit import Snapshot, audit, read_snapshot
from sdt_dask_testing.chaos.clusters import StandingCluster
from sdt_dask_testing.chaos.endings import ENDS, end_driver
from sdt_dask_testing.chaos.fleet import FleetPlug
from sdt_dask_testing.chaos.instants import Watched, draw_instant, phase_between
from sdt_dask_testing.chaos.marked import Marked, said, wait_until
from sdt_dask_testing.chaos.sides import strike_aside
from sdt_dask_testing.chaos.tally import Tally
from sdt_dask_testing.chaos.truth import check_rows, compare_tables, read_table

__all__ = ["Kills"]

_PATIENCE = 240.0  # s for a driver that nobody strikes, beyond the time that its keys take
_GONE = 60.0  # s for the processes of a driver that ended; how long they take is told
_SOON = 90.0  # s in which a driver that was asked to end is to end; its keys take far less
_STANDING = 0.25  # share of the rounds on a cluster that outlives its runs
_ASIDE = 0.4  # share of the stints in which something else than the driver is struck
_RUN_AGAIN = 0.15  # share of the stints that start another run instead of resuming
_LEGAL = {0, 1, 3, 130, 128 + signal.SIGTERM, -signal.SIGTERM, -signal.SIGINT, -signal.SIGKILL}


class Kills:
    """Run one fleet again and again under fire, and see that every row is there once, whole and right.

    Parameters
    ----------
    folder : path
        Where the output folders go.
    seed : int
        What all random choices start from. The instants at which the machine is at work are not its to repeat.
    kills : int
        How many drivers to kill.
    n_keys : int
        Size of the fleet.
    seconds : float
        No new round is begun after this time [s].
    say : callable
        Called with a sentence after each round.
    """

    def __init__(
        self,
        folder: Path,
        *,
        seed: int,
        kills: int = 200,
        n_keys: int = 40,
        seconds: float = 7200.0,
        say: Callable[[str], object] = lambda _: None,
    ) -> None:
        self.folder = folder
        self.kills = kills
        self.plug = FleetPlug(n_keys=n_keys)
        self.tally = Tally("kills", seed)
        self.tally.facts.update(dict.fromkeys(("keys", "rounds", "drivers started", "drivers killed", "rows"), 0))
        self._rng = random.Random(seed)  # noqa: S311 - to be repeated
        self._deadline = time.monotonic() + seconds
        self._say = say
        self._retries = 0
        self._keys = [as_key(key) for key in self.plug.list_keys()]
        self._undisturbed: list[dict[str, str]] = []

    def run(self) -> Tally:
        """Run until enough drivers were killed, or the time is over; the last round is finished undisturbed."""
        self.tally.facts["keys"] = self.plug.n_keys
        if self._run_undisturbed(self.folder / "undisturbed"):
            while self._goes_on():
                self._round(self.folder / f"round-{self.tally.facts['rounds']}")
                self.tally.add("rounds", 1)
                self._say(f"{self.tally.facts['drivers killed']} of {self.kills} drivers killed, {self.tally.verdict}")
        return self.tally

    def _run_undisturbed(self, folder: Path) -> bool:
        """Run what all others are compared with."""
        folder.mkdir(parents=True)
        with self._start(folder, Snapshot(), None) as driver:
            self._wait_for(driver, "that nobody struck", _PATIENCE)
            self._after(driver, folder, Snapshot())
            is_stuck = self._is_stuck(driver)
        if is_stuck or not (folder / "out" / "results.csv").exists():
            return False
        check_rows(folder / "out", self.plug, self._keys, self.tally)
        self._undisturbed = read_table(folder / "out")
        return True

    def _goes_on(self) -> bool:
        return self.tally.facts["drivers killed"] < self.kills and time.monotonic() < self._deadline

    def _round(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._retries = 0
        standing = StandingCluster(folder) if self._rng.random() < _STANDING else None
        try:
            before = Snapshot()
            while not before.run_id or before.state != "complete":
                if standing is not None and not standing.start():
                    self.tally.harm("hung", "a standing cluster did not start")
                    return
                now = self._stint(folder, before, standing)
                if now is None:
                    return
                before = now
                if standing is not None:
                    self.tally.most("most computing processes on a standing cluster", standing.n_computing())
            self._finish(folder, before)
        finally:
            if standing is not None:
                standing.end()

    def _stint(self, folder: Path, before: Snapshot, standing: StandingCluster | None) -> Snapshot | None:
        """Start a driver, strike, look at what is left; None where it makes no sense to go on."""
        is_killed = False
        with self._start(folder, before, standing) as driver:
            if self._goes_on():
                is_killed = self._strike(driver, folder, before, standing)
            else:
                self._wait_for(driver, "that nobody struck", _PATIENCE)
            now = self._after(driver, folder, before)
            if self._is_stuck(driver):
                return None
        if is_killed:
            self.tally.add("drivers killed", 1)
            self.tally.faults[f"driver killed {phase_between(before, now)}"] += 1
        return now

    def _wait_for(self, driver: Marked, which: str, seconds: float) -> None:
        """Wait for the end of a driver; kill one that is hung."""
        if not wait_until(lambda: not driver.is_alive, seconds=seconds, step=0.02):
            self.tally.harm("hung", f"a driver {which} did not end in {seconds:g} s: {driver.printed}")
            driver.process.kill()
            driver.process.wait()

    def _start(self, folder: Path, before: Snapshot, standing: StandingCluster | None) -> Marked:
        self.tally.add("drivers started", 1)
        if before.run_id and self._rng.random() >= _RUN_AGAIN:
            return Marked(_sdt_dask("resume", str(folder / "out"), "--quiet"), folder)
        file = folder / "asked.json"
        of_local = {"n_workers": self._rng.choice((1, 2)), "dashboard_address": "none"}
        local: dict[str, Any] = {"client": "local", "client_options": of_local}
        joined = {"client": "address", "client_options": {"address": standing.address}} if standing else local
        asked = {
            "plug": "fleet",
            "plug_options": {"n_keys": self.plug.n_keys, "seconds": self.plug.seconds},
            "manifest": None,
            "key_timeout": 300.0,
            "acks": str(folder / "acks"),
            "output": str(folder / "out"),
            **joined,
        }
        file.write_text(json.dumps(asked), encoding="utf-8")
        return Marked([sys.executable, "-m", "sdt_dask_testing.chaos.driver", str(file)], folder)

    def _strike(self, driver: Marked, folder: Path, before: Snapshot, standing: StandingCluster | None) -> bool:
        """Strike the driver, and perhaps something aside; tell whether it was killed."""
        watched = _watched(driver, folder, before, n_keys=self.plug.n_keys, is_joined=standing is not None)
        n_before = self.tally.faults.total()
        aside = self._start_aside(driver, watched, standing)
        instant = draw_instant(self._rng, watched.n_todo)
        end = self._rng.choices(list(ENDS), list(ENDS.values()))[0]
        pause = self._rng.uniform(0.1, 1.5)
        has_come = instant.wait(watched, _PATIENCE)
        if not has_come and driver.is_alive:
            self._wait_for(driver, f"that never came to {instant.phase!r}", 0.0)
        elif has_come:
            end_driver(driver, end, pause)
            start = time.monotonic()
            self._wait_for(driver, f"that got {end}", _SOON)
            if not end.endswith("-9"):
                self.tally.most("longest time to end when asked to [s]", round(time.monotonic() - start, 2))
        if aside is not None:
            aside.join()
        is_killed = has_come and end.endswith("-9") and driver.process.poll() == -signal.SIGKILL
        if has_come and not end.endswith("-9"):
            self.tally.faults[f"driver {end}"] += 1
        elif not is_killed and self.tally.faults.total() == n_before:
            self.tally.add("drivers that ended before anything was struck", 1)
        return is_killed

    def _start_aside(
        self, driver: Marked, watched: Watched, standing: StandingCluster | None
    ) -> threading.Thread | None:
        rng = random.Random(self._rng.random())  # noqa: S311 - of the thread alone
        if self._rng.random() >= _ASIDE:
            return None
        thread = threading.Thread(target=strike_aside, args=(rng, driver, watched, standing, self.tally))
        thread.start()
        return thread

    def _after(self, driver: Marked, folder: Path, before: Snapshot) -> Snapshot:
        """See that no process is left, and that everything that was recorded still is."""
        start = time.monotonic()
        if not wait_until(lambda: not driver.all(), seconds=_GONE, step=0.05):
            names = [said(process)[:120] for process in driver.all()]
            self.tally.harm("left", f"{len(names)} processes were left {_GONE:g} s after their driver: {names}")
        self.tally.most("longest time until no process was left [s]", round(time.monotonic() - start, 2))
        now = read_snapshot(folder / "out", self.tally)
        audit(before, now, read_acks(folder / "acks"), self.tally, retries=self._retries)
        return now

    def _is_stuck(self, driver: Marked) -> bool:
        """Tell whether a driver refused to go on with what was there."""
        code = driver.process.poll()
        if code not in _LEGAL:
            self.tally.harm("refused", f"a driver ended with exit code {code}: {driver.printed}")
        return code not in _LEGAL

    def _finish(self, folder: Path, before: Snapshot) -> None:
        """Try again what was failed by blows from outside, then compare with the truth."""
        failed = {key for key, task in before.tasks.items() if task["state"] == "failed"}
        if failed - {canonical_text(key) for key in self._keys if key[0] != "slow"}:
            self._retries += 1
            with Marked(_sdt_dask("retry", str(folder / "out"), "--quiet"), folder) as driver:
                self._wait_for(driver, "that tried again", _PATIENCE)
                self._after(driver, folder, before)
        self.tally.add("rows", check_rows(folder / "out", self.plug, self._keys, self.tally))
        compare_tables(self._undisturbed, read_table(folder / "out"), self.tally)


def _sdt_dask(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "sdt_dask_core.cli", *arguments]


def _watched(driver: Marked, folder: Path, before: Snapshot, *, n_keys: int, is_joined: bool) -> Watched:
    output, acks = folder / "out", folder / "acks"
    n_before, has_ledger = len(read_acks(acks)), (output / "ledger.sqlite").exists
    return Watched(
        is_alive=lambda: driver.is_alive,
        has_ledger=has_ledger,
        has_workers=has_ledger if is_joined else _slowly(lambda: bool(_children(driver.pid))),
        writes_tables=lambda: any(output.glob(".*.csv.*")),
        n_outcomes=lambda: (acks.read_bytes().count(b"\n") if acks.exists() else 0) - n_before,
        n_todo=before.n_todo if before.run_id else n_keys,
    )


def _slowly(look: Callable[[], bool]) -> Callable[[], bool]:
    def is_so() -> bool:
        time.sleep(0.02)  # reading processes takes a while, and the driver needs the core
        return look()

    return is_so


def _children(pid: int) -> list[psutil.Process]:
    with contextlib.suppress(psutil.Error):
        return psutil.Process(pid).children()
    return []
