"""Limits of a run: it ends early and cleanly, what was finished stays, and the rest is done later."""

from __future__ import annotations

import contextlib
import logging
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import distributed
import pandas as pd
import pytest
from distributed import LocalCluster

from sdt_dask_core import Client, Progress, Run, SDTDask
from sdt_dask_core.clients.starting import joined
from sdt_dask_core.errors import LimitReachedError, OptionError
from sdt_dask_core.ledger import LedgerReader
from sdt_dask_core.limits import Limits, LimitWatch
from sdt_dask_core.settings import RunSettings

from .conftest import reads, states, wait_until
from .plugs import FolderPlug, ManyKeysPlug

NAMES = "abcdefgh"
HANGING = "cd"


class Clock:
    """A time that passes only when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


# --- what limits are


@pytest.mark.parametrize(
    ("given", "seconds"), [(90, 90.0), ("90", 90.0), ("10m", 600.0), ("1.5h", 5400.0), (None, None)]
)
def test_a_time_is_seconds_or_as_dask_writes_it(given: Any, seconds: float | None) -> None:
    assert Limits.given(idle_timeout=given).idle_timeout == seconds


@pytest.mark.parametrize("given", ["soon", "5 parsecs", "", 0, -1, "-10m", True, [], float("nan"), float("inf")])
def test_what_is_no_time_above_0_is_refused(given: Any) -> None:
    with pytest.raises(OptionError, match="idle_timeout cannot be "):
        Limits.given(idle_timeout=given)


@pytest.mark.parametrize("given", [0, -5, "much", True, [], float("nan"), float("inf")])
def test_what_is_no_amount_above_0_is_refused(given: Any) -> None:
    with pytest.raises(OptionError, match=r"max_cost cannot be .*; give a number above 0, or nothing for no limit"):
        Limits.given(max_cost=given)


def test_other_limits_fill_in_where_there_is_none() -> None:
    assert Limits(max_cost=1.0).or_else(Limits(2.0, 3.0)) == Limits(1.0, 3.0)
    assert Limits().or_else(Limits(2.0, 3.0)) == Limits(2.0, 3.0)


def test_limits_are_kept_with_the_settings(tmp_path: Path) -> None:
    settings = SDTDask(ManyKeysPlug, output=tmp_path, idle_timeout="2m").settings
    assert RunSettings.from_dict(settings.as_dict()) == settings
    assert settings.limits == Limits(idle_timeout=120.0)


def test_settings_of_an_older_ledger_have_no_limits(tmp_path: Path) -> None:
    kept = SDTDask(ManyKeysPlug, output=tmp_path).settings.as_dict()
    del kept["limits"]
    assert RunSettings.from_dict(kept).limits == Limits()


# --- the watch


def test_without_limits_nothing_is_asked_and_nothing_ends() -> None:
    clock, asked = Clock(), []
    watch = LimitWatch(Limits(), lambda: asked.append(1) or 5.0, clock)  # type: ignore[func-returns-value]
    clock.now += 1e9
    assert (watch.look(), watch.reason, asked) == (False, "", [])


def test_cost_below_the_limit_goes_on() -> None:
    watch = LimitWatch(Limits(max_cost=5.0), lambda: 4.99, Clock())
    assert (watch.look(), watch.reason) == (False, "")


def test_at_the_cost_limit_keys_in_work_get_a_minute() -> None:
    clock = Clock()
    watch = LimitWatch(Limits(max_cost=5.0), lambda: 5.004, clock)
    assert not watch.look()
    assert watch.reason == "the cluster has cost 5.00 US dollars and max_cost is 5.00"
    clock.now += 59.0
    assert not watch.look()
    clock.now += 1.0
    assert watch.look()


def test_cost_is_asked_every_two_seconds_and_at_each_landing() -> None:
    clock, asked = Clock(), []
    watch = LimitWatch(Limits(max_cost=5.0), lambda: asked.append(clock.now) or 1.0, clock)  # type: ignore[func-returns-value]
    for _ in range(41):
        watch.look()
        clock.now += 0.1
    assert len(asked) == 3
    watch.landed()
    watch.look()
    assert len(asked) == 4


@pytest.mark.parametrize("answer", [None, float("nan"), "12", True])
def test_a_cost_that_becomes_unknown_ends_a_run_with_a_limit(answer: Any) -> None:
    watch = LimitWatch(Limits(max_cost=5.0), lambda: answer, Clock())
    assert watch.look()
    assert watch.reason == "the client can no longer tell what the cluster has cost, so max_cost cannot be kept"


def test_a_client_that_raises_when_asked_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    def ask() -> float:
        raise ConnectionError("no price list")

    assert LimitWatch(Limits(max_cost=5.0), ask, Clock()).look()
    assert "the client could not tell a cost: ConnectionError: no price list" in caplog.text


def test_nothing_finished_for_the_idle_timeout_ends_it_at_once() -> None:
    clock = Clock()
    watch = LimitWatch(Limits(idle_timeout=60.0), lambda: 0.125, clock)
    clock.now += 59.0
    assert not watch.look()
    clock.now += 1.0
    assert watch.look()
    assert watch.reason == (
        "nothing finished for 60 s, which is the idle_timeout; the cluster has cost 0.12 US dollars"
    )


def test_each_landing_begins_the_idle_time_anew() -> None:
    clock = Clock()
    watch = LimitWatch(Limits(idle_timeout=60.0), clock=clock)
    for _ in range(5):
        clock.now += 50.0
        assert not watch.look()
        watch.landed()


def test_idleness_ends_the_grace_of_the_cost_limit() -> None:
    clock = Clock()
    watch = LimitWatch(Limits(max_cost=5.0, idle_timeout=30.0), lambda: 5.0, clock)
    assert not watch.look()
    clock.now += 30.0
    assert watch.look()
    assert "max_cost" in watch.reason


# --- runs


class MeteredClient(Client):
    """Join a cluster that costs a dollar for each key that is done.

    Parameters
    ----------
    address : str
        Address of the scheduler.
    meter : str
        Folder with a file for each read.
    """

    def __init__(self, address: str, meter: str) -> None:
        self.address = address
        self.meter = Path(meter)
        self._open: contextlib.ExitStack | None = None

    def make_client(self) -> distributed.Client:
        self._open = contextlib.ExitStack()
        return joined(self._open, self.address, timeout=30)

    def estimate_cost(self, n_keys: int, seconds_per_key: float) -> float:
        return float(n_keys)

    def cost_so_far(self) -> float:
        return float(sum(reads(self.meter, file.stem) for file in self.meter.glob("*.txt"))) if self._open else 0.0

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None


@dataclass(frozen=True)
class Stopped:
    """A run that a limit ended: its data, its folder, what it raised and what it warned of."""

    folder: Path
    output: Path
    message: str
    warnings: list[str]


def systems(home: Path) -> Path:
    """Make the systems a to h in a folder of their own."""
    folder = home / "data"
    folder.mkdir()
    for name in NAMES:
        (folder / f"{name}.txt").write_text("5", encoding="utf-8")
    return folder


def metered(folder: Path, address: str, plug: Any = FolderPlug, **more: Any) -> SDTDask:
    """Make a run over the systems on a cluster whose cost is the number of reads."""
    return SDTDask(
        plug,
        plug_options={"path": str(folder)},
        client=MeteredClient,
        client_options={"address": address, "meter": str(folder)},
        analyses=[],
        **{"output": folder.parent / "out", **more},
    )


def stop(sdt: SDTDask, folder: Path, **more: Any) -> Stopped:
    """Run to the limit."""
    with warnings_of_core() as warned, pytest.raises(LimitReachedError) as caught:
        sdt.execute(**more)
    return Stopped(folder, sdt.output, str(caught.value), warned)


@contextlib.contextmanager
def warnings_of_core() -> Iterator[list[str]]:
    warned: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: warned.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("sdt_dask_core")
    logger.addHandler(handler)
    try:
        yield warned
    finally:
        logger.removeHandler(handler)


@pytest.fixture(scope="module")
def costly(cluster: LocalCluster, tmp_path_factory: pytest.TempPathFactory) -> Stopped:
    """A run that reached its cost limit."""
    folder = systems(tmp_path_factory.mktemp("costly"))
    return stop(metered(folder, cluster.scheduler_address, max_cost=2), folder)


def resume_a_copy(stopped: Stopped, tmp_path: Path, **limits: Any) -> Run:
    output = shutil.copytree(stopped.output, tmp_path / "copy")
    return SDTDask(FolderPlug, plug_options={"path": str(stopped.folder)}, output=output).resume(**limits)


def test_at_the_cost_limit_no_new_key_is_handed_out(costly: Stopped) -> None:
    counts = Run(costly.output).counts
    assert counts["done"] + counts["todo"] == len(NAMES)
    assert 2 <= counts["done"] <= 2 + 2 * 2  # two done, and two on each of two threads


def test_the_message_says_what_was_spent_and_how_to_go_on(costly: Stopped) -> None:
    todo = Run(costly.output).counts["todo"]
    assert costly.message.startswith(f"stopped with {todo} of 8 keys to do: the cluster has cost ")
    assert costly.message.endswith(
        f" US dollars and max_cost is 2.00; what was finished is recorded: sdt-dask resume {costly.output} does the "
        "rest (on a new cluster, which may cost as much again; --max-cost sets another limit)"
    )


def test_a_run_that_reached_a_limit_can_be_gone_on_with(costly: Stopped) -> None:
    assert Run(costly.output).state == "interrupted"


def test_the_tables_of_a_run_that_reached_a_limit_are_written(costly: Stopped) -> None:
    results = pd.read_csv(costly.output / "results.csv")
    assert set(results["status"]) == {"done", "todo"}


def test_an_estimate_above_the_limit_is_a_warning(costly: Stopped) -> None:
    assert costly.warnings == [
        "the run may cost about 8.00 US dollars and max_cost is 2.00: it may end before its last key"
    ]


def test_a_resumed_run_keeps_the_limit_that_it_had(costly: Stopped, tmp_path: Path) -> None:
    with pytest.raises(LimitReachedError, match=r"stopped with \d of 8 keys to do: .* max_cost is 2\.00"):
        resume_a_copy(costly, tmp_path)  # the meter goes on where it was


def test_what_a_limit_left_is_resumed_with_another_limit_once(costly: Stopped, tmp_path: Path) -> None:
    assert set(states(resume_a_copy(costly, tmp_path, max_cost=100)).values()) == {"done"}
    assert [reads(costly.folder, name) for name in NAMES] == [1] * len(NAMES)


def test_a_limit_that_is_reached_by_the_last_key_ends_nothing_early(cluster: LocalCluster, tmp_path: Path) -> None:
    sdt = metered(systems(tmp_path), cluster.scheduler_address, max_cost=3)
    assert sdt.execute([("a",), ("b",), ("c",)]).state == "complete"


def test_a_cluster_that_cost_too_much_before_the_first_key_gets_none(cluster: LocalCluster, tmp_path: Path) -> None:
    folder = systems(tmp_path)
    (folder / "a.reads").write_text("1\n2\n3\n")
    with pytest.raises(LimitReachedError, match="stopped with 1 of 1 keys to do"):
        metered(folder, cluster.scheduler_address, max_cost=3).execute([("b",)])
    assert reads(folder, "b") == 0


def test_a_limit_that_the_client_cannot_keep_is_refused_before_anything(tmp_path: Path) -> None:
    with pytest.raises(OptionError) as caught:
        SDTDask(ManyKeysPlug, output=tmp_path / "out", max_cost=5)
    assert str(caught.value) == (
        "max_cost cannot be kept: client 'local' cannot tell what its cluster costs; leave max_cost out, or limit the "
        "run by idle_timeout"
    )
    assert not (tmp_path / "out").exists()


class Hanging(FolderPlug):
    """Never comes back with some of its keys."""

    def get_data(self, key: Any) -> Any:
        frame = super().get_data(key)
        while key[0] in HANGING and (self.path / "hang").exists():
            time.sleep(0.05)
        return frame


@pytest.fixture(scope="module")
def idle(cluster: LocalCluster, tmp_path_factory: pytest.TempPathFactory) -> Stopped:
    """A run in which two keys hang on two threads, and an hour goes by once they do."""
    folder = systems(tmp_path_factory.mktemp("idle"))
    (folder / "hang").touch()
    clock = Clock()

    def observe(progress: Progress) -> None:
        if progress.finished == 2:
            wait_until(lambda: all(reads(folder, name) for name in HANGING), "both threads hung")
            clock.now += 3600

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sdt_dask_core.session.LimitWatch", partial(LimitWatch, clock=clock))
        sdt = metered(folder, cluster.scheduler_address, Hanging, idle_timeout="1h")
        return stop(sdt, folder, keys=[("a",), ("b",), *((name,) for name in HANGING)], observe=observe)


def test_a_run_in_which_nothing_finishes_ends_early(idle: Stopped) -> None:
    assert "nothing finished for 3600 s, which is the idle_timeout; the cluster has cost 4.00 US do" in idle.message
    assert states(Run(idle.output)) == {'["a"]': "done", '["b"]': "done", '["c"]': "todo", '["d"]': "todo"}


def test_the_attempts_of_keys_that_hung_are_closed_with_the_reason(idle: Stopped) -> None:
    with LedgerReader(idle.output) as ledger:
        endings = [attempt["ending"] for attempt in ledger.attempts(Run(idle.output).run_id, '["c"]')]
    assert endings == ["limit reached"]


def test_what_hung_is_ended_and_leaves_its_threads_to_the_next_run(idle: Stopped, tmp_path: Path) -> None:
    (idle.folder / "hang").unlink()
    assert set(states(resume_a_copy(idle, tmp_path)).values()) == {"done"}


def test_keys_that_hang_at_the_cost_limit_are_ended_after_the_grace(
    cluster: LocalCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sdt_dask_core.limits._GRACE", 0.5)
    folder = systems(tmp_path)
    (folder / "hang").touch()
    found = stop(metered(folder, cluster.scheduler_address, Hanging, max_cost=1), folder)
    assert "max_cost is 1.00" in found.message
    assert Run(found.output).counts["todo"] >= len(NAMES) - 2
