"""Workers that join in the middle: a key that comes to a wrong one goes elsewhere, and the worker is taken out."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from distributed import LocalCluster

from sdt_dask_core import Progress, Run, SDTDask
from sdt_dask_core.agreement import newcomers
from sdt_dask_core.errors import ClusterLostError

from .conftest import Processes, here, wait_for_workers, wait_until, workers
from .plugs import NumbersPlug

pytestmark = pytest.mark.slow

Tool = Callable[..., SDTDask]

N_KEYS = 12
HERE = Path(sys.executable)


class JoinedInTheMiddle:
    """After the first key, lets something happen, and then the other keys go on."""

    def __init__(self, gate: Path, happen: Callable[[], Any]) -> None:
        self.gate = gate
        self.happen = happen

    def __call__(self, progress: Progress) -> None:
        if progress.finished and not self.gate.exists():
            self.happen()
            self.gate.touch()


@pytest.fixture
def address(scheduler: LocalCluster, processes: Processes) -> str:
    """A cluster with one worker like here."""
    processes.worker(HERE, scheduler.scheduler_address)
    wait_for_workers(scheduler.scheduler_address, 1)
    return str(scheduler.scheduler_address)


@pytest.fixture
def join(address: str, processes: Processes) -> Callable[[Path], None]:
    """Let a worker of another environment join."""

    def start(python: Path) -> None:
        processes.worker(python, address)
        wait_for_workers(address, 2)

    return start


@pytest.fixture
def run_while(address: str, tool: Tool, tmp_path: Path) -> Callable[[Callable[[], None]], Run]:
    """Run keys on the cluster; after the first, something happens, and the others go on."""

    def run(happen: Callable[[], None]) -> Run:
        gate = tmp_path / "gate"
        options = {"n_keys": N_KEYS, "gate": str(gate)}
        return tool(NumbersPlug, address, options).execute(observe=JoinedInTheMiddle(gate, happen))

    return run


def test_a_wrong_worker_that_joins_costs_no_key_and_is_told_once(
    address: str, join: Any, run_while: Any, other_numpy: Any, caplog: pytest.LogCaptureFixture
) -> None:
    before = workers(address)
    with caplog.at_level(logging.WARNING):
        run = run_while(lambda: join(other_numpy.python))
    assert run.counts["done"] == N_KEYS
    (message,) = [record.message for record in caplog.records if "is taken out" in record.message]
    assert f"numpy  {here('numpy')} " in message
    wait_until(lambda: workers(address) == before, "only the right worker was left")


def test_a_worker_whose_dask_cannot_read_the_task_costs_no_key(join: Any, run_while: Any, old_dask: Path) -> None:
    assert run_while(lambda: join(old_dask)).counts["done"] == N_KEYS


def test_a_worker_of_another_python_costs_no_key(join: Any, run_while: Any, other_python: Path) -> None:
    assert run_while(lambda: join(other_python)).counts["done"] == N_KEYS


@pytest.fixture
def lost(
    processes: Processes, join: Any, run_while: Any, other_numpy: Any, monkeypatch: pytest.MonkeyPatch
) -> ClusterLostError:
    """What is raised when a wrong worker took the place of the only right one."""
    monkeypatch.setattr(newcomers, "_WAIT_FOR_A_GOOD_ONE", 2.0)

    def change_guard() -> None:
        join(other_numpy.python)
        processes.end(0)

    with pytest.raises(ClusterLostError) as caught:
        run_while(change_guard)
    return caught.value


def test_a_run_with_only_wrong_workers_left_is_lost_and_can_be_resumed(
    lost: ClusterLostError, address: str, processes: Processes, tool: Tool
) -> None:
    assert "no worker is left that is as this environment" in lost.message
    assert f"numpy  {here('numpy')} " in lost.message
    wait_until(lambda: not workers(address), "the wrong worker was gone")
    processes.worker(HERE, address)
    wait_for_workers(address, 1)
    run = tool(NumbersPlug, address).resume()
    assert (run.counts["done"], run.counts.get("failed")) == (N_KEYS, None)
