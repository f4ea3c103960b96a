"""Drivers that are killed: what they left on a cluster that goes on ends by itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .conftest import Fleet
from .processes import CommandLine, DaskCluster, wait_until

pytestmark = pytest.mark.slow

Start = Callable[..., CommandLine]


@pytest.fixture
def cluster(dask_cluster: Callable[..., DaskCluster]) -> DaskCluster:
    """A cluster that goes on, and waits seconds instead of minutes for the next key of a child."""
    return dask_cluster(before="from sdt_dask_core import stints; stints.IDLE_FOR = 3")


def killed_at_work(fleet: Fleet, start: Start, cluster: DaskCluster) -> None:
    """Kill a driver whose key 4 is being read."""
    line = start(*fleet.arguments, "--client", "address", "-c", f"address={cluster.address}", "-c", "timeout=60")
    fleet.wait_for_reads(4)
    wait_until(lambda: len(cluster.computing) == 2, "both workers had a child")
    line.process.kill()
    line.process.wait()


def test_a_child_that_hangs_ends_when_its_driver_is_killed(fleet: Fleet, sdt_dask: Start, cluster: DaskCluster) -> None:
    fleet.hang(4)
    killed_at_work(fleet, sdt_dask, cluster)
    wait_until(lambda: not cluster.computing, "no child was left, neither the hanging nor the idle one")
    assert len(cluster.below) == 3


def test_a_driver_after_a_killed_one_does_the_rest_on_the_same_cluster(
    fleet: Fleet, sdt_dask: Start, cluster: DaskCluster
) -> None:
    fleet.hang(4)
    killed_at_work(fleet, sdt_dask, cluster)
    before = {number: len(fleet.reads(number)) for number in fleet.done}
    fleet.let_go()
    assert sdt_dask("resume", fleet.output).ended() == 0
    assert len(fleet.done) == 12
    assert {number: len(fleet.reads(number)) for number in before} == before
