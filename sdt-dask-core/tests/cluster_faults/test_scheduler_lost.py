"""A scheduler that is killed, hangs, or cannot be reached any more: the run ends as lost, and no key is blamed."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from .conftest import Fleet
from .processes import CommandLine, DaskCluster, wait_until
from .proxy import Proxy

pytestmark = pytest.mark.slow

Start = Callable[..., CommandLine]
StartDask = Callable[..., DaskCluster]

# A minute for an answer is a minute for each of these tests.
IMPATIENT = "from sdt_dask_core import pulse; pulse._ANSWER_WITHIN = 1.5; pulse._SILENT_AFTER = 0.5"


@pytest.fixture
def proxied(dask_cluster: StartDask) -> Iterator[tuple[DaskCluster, Proxy]]:
    """A cluster, and a network to it that can break."""
    cluster = dask_cluster(before="from sdt_dask_core import stints; stints.IDLE_FOR = 2")
    proxy = Proxy(cluster.address)
    yield cluster, proxy
    proxy.close()


def on(address: str) -> tuple[Any, ...]:
    return ("--client", "address", "-c", f"address={address}", "-c", "timeout=60")


def run_held(fleet: Fleet, start: Start, address: str) -> CommandLine:
    """Start a run in which some keys are done, and two are held."""
    fleet.hold(4, 5)
    line = start(*fleet.arguments, *on(address), before=IMPATIENT)
    fleet.wait_for_reads(4, 5)
    fleet.wait_for_done(4)
    return line


def assert_lost(line: CommandLine, fleet: Fleet, why: str) -> None:
    """It ended as lost, what was finished is recorded, and no key is blamed."""
    assert line.ended() == 3
    resume = f"what was finished is recorded: sdt-dask resume {fleet.output} does the rest"
    assert f"error: {why}; {resume}" in line.said
    assert fleet.run.state == "lost"
    assert fleet.states == {"done", "todo"}
    assert not {4, 5} & fleet.done
    assert len(fleet.done) >= 4
    assert fleet.endings(4) == ["lost"]


def test_a_killed_scheduler_is_a_lost_cluster(fleet: Fleet, sdt_dask: Start, dask_cluster: StartDask) -> None:
    cluster = dask_cluster()
    line = run_held(fleet, sdt_dask, cluster.address)
    cluster.scheduler.process.kill()
    assert_lost(line, fleet, "the scheduler went away")
    wait_until(lambda: not cluster.computing, "nothing computed any more")


def test_a_scheduler_that_hangs_is_a_lost_cluster(fleet: Fleet, sdt_dask: Start, dask_cluster: StartDask) -> None:
    cluster = dask_cluster()
    line = run_held(fleet, sdt_dask, cluster.address)
    cluster.scheduler.process.send_signal(signal.SIGSTOP)
    assert_lost(line, fleet, "the scheduler did not answer for 3 s")
    cluster.scheduler.process.send_signal(signal.SIGCONT)
    wait_until(lambda: not cluster.computing, "the workers ended what nobody waits for, when they heard of it")


def test_a_scheduler_that_hangs_does_not_keep_ctrl_c_from_ending_the_run(
    fleet: Fleet, sdt_dask: Start, dask_cluster: StartDask
) -> None:
    cluster = dask_cluster()
    fleet.hold(4, 5)
    line = sdt_dask(*fleet.arguments, *on(cluster.address), terminal=True)
    fleet.wait_for_reads(4, 5)
    fleet.wait_for_done(4)
    cluster.scheduler.process.send_signal(signal.SIGSTOP)
    line.ctrl_c()
    wait_until(lambda: "warning: stopping: no more" in line.said, "the first signal was heard")
    line.ctrl_c()
    wait_until(lambda: "warning: stopping at once" in line.said, "the second signal was heard")
    assert line.ended() == 130
    assert fleet.states == {"done", "todo"}


def test_a_connection_that_breaks_is_a_lost_cluster(
    fleet: Fleet, sdt_dask: Start, proxied: tuple[DaskCluster, Proxy]
) -> None:
    cluster, proxy = proxied
    line = run_held(fleet, sdt_dask, proxy.address)
    proxy.close()
    assert_lost(line, fleet, "the scheduler went away")
    wait_until(lambda: not cluster.computing, "the workers ended what nobody waits for")


def test_a_network_that_goes_quiet_is_a_lost_cluster(
    fleet: Fleet, sdt_dask: Start, proxied: tuple[DaskCluster, Proxy]
) -> None:
    cluster, proxy = proxied
    line = run_held(fleet, sdt_dask, proxy.address)
    proxy.cut()
    fleet.let_go()  # what comes to its end behind the cut does not come to us
    assert_lost(line, fleet, "the scheduler did not answer for 3 s")
    proxy.close()
    wait_until(lambda: not cluster.computing, "children that are asked nothing were closed")


def test_what_a_lost_cluster_left_is_done_by_another(fleet: Fleet, sdt_dask: Start, dask_cluster: StartDask) -> None:
    cluster = dask_cluster()
    line = run_held(fleet, sdt_dask, cluster.address)
    cluster.scheduler.process.kill()
    assert line.ended() == 3
    fleet.let_go()
    before = {number: len(fleet.reads(number)) for number in fleet.done}
    other = dask_cluster()
    again = sdt_dask(*fleet.arguments, *on(other.address))
    assert again.ended() == 0
    assert len(fleet.done) == 12
    assert {4, 5} <= set(range(12)) - set(before)
