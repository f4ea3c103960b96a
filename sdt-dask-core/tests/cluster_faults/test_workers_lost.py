"""Workers that die, hang, are cut off or slow: their keys are done elsewhere, once, and the run comes to its end."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from .conftest import N_KEYS, Fleet
from .processes import CommandLine, DaskCluster, computing, wait_until
from .proxy import Proxy

pytestmark = pytest.mark.slow

Start = Callable[..., CommandLine]
StartDask = Callable[..., DaskCluster]

# Ten minutes without a worker are ten minutes for each of these tests.
IMPATIENT = "from sdt_dask_core import pulse; pulse._NO_WORKER_FOR = 3"
# What we set on clusters of our own, and tests cannot wait for.
SHORT_TTL = {"SCHEDULER__WORKER_TTL": "5s", "SCHEDULER__ALLOWED_FAILURES": "0", "SCHEDULER__WORKER_SATURATION": "1.0"}


def on(cluster: DaskCluster) -> tuple[Any, ...]:
    return ("--client", "address", "-c", f"address={cluster.address}", "-c", "timeout=60")


def who_reads(fleet: Fleet, number: int) -> str:
    """Return the name of the worker that reads a key, when it does."""
    fleet.wait_for_reads(number)
    return fleet.reads(number)[-1]


@pytest.fixture
def named(dask_cluster: StartDask) -> Callable[..., tuple[DaskCluster, dict[str, psutil.Process]]]:
    """Start a cluster of two workers that tell who they are."""

    def start(**how: Any) -> tuple[DaskCluster, dict[str, psutil.Process]]:
        cluster = dask_cluster(n_workers=0, **{**SHORT_TTL, **how})
        return cluster, {name: cluster.add_worker(name, WHO=name) for name in ("a", "b")}

    return start


def assert_each_key_once(fleet: Fleet) -> None:
    assert len(fleet.done) == N_KEYS
    assert fleet.run.errors.empty
    assert len(fleet.run.results) == N_KEYS


def test_without_any_worker_the_run_ends_as_lost(fleet: Fleet, sdt_dask: Start, dask_cluster: StartDask) -> None:
    cluster = dask_cluster()
    fleet.hold(4, 5)
    line = sdt_dask(*fleet.arguments, *on(cluster), before=IMPATIENT)
    fleet.wait_for_reads(4)
    for worker in cluster.workers:
        worker.kill()
    assert line.ended() == 3
    assert "warning: the cluster has no worker; the run waits for one, and ends as lost when none comes" in line.said
    assert "error: the cluster had no worker for 3 s; what was finished is recorded" in line.said
    assert fleet.states <= {"done", "todo"}
    assert not cluster.computing


def test_a_worker_that_comes_in_time_goes_on_with_the_run(
    fleet: Fleet, sdt_dask: Start, dask_cluster: StartDask
) -> None:
    cluster = dask_cluster()
    fleet.hold(4, 5)
    line = sdt_dask(*fleet.arguments, *on(cluster))
    fleet.wait_for_reads(4)
    for worker in cluster.workers:
        worker.kill()
    wait_until(lambda: "the cluster has no worker" in line.said, "it noticed that there is no worker")
    fleet.let_go()
    cluster.add_worker("late")
    assert line.ended() == 0
    assert_each_key_once(fleet)


def test_the_keys_of_a_killed_nanny_are_done_elsewhere(fleet: Fleet, sdt_dask: Start, named: Any) -> None:
    cluster, workers = named(nanny=True)
    fleet.hold(4)
    line = sdt_dask(*fleet.arguments, *on(cluster))
    nanny = workers[who_reads(fleet, 4)]
    orphans = nanny.children(recursive=True)
    assert computing(orphans)
    nanny.kill()
    wait_until(lambda: not any(process.is_running() for process in orphans), "what was below the nanny ended")
    fleet.let_go()
    assert line.ended() == 0
    assert_each_key_once(fleet)


def test_the_key_of_a_worker_that_stopped_is_done_elsewhere_and_its_late_answer_ignored(
    fleet: Fleet, sdt_dask: Start, named: Any
) -> None:
    cluster, workers = named()
    fleet.hold(4)
    line = sdt_dask(*fleet.arguments, *on(cluster))
    name = who_reads(fleet, 4)
    workers[name].suspend()
    wait_until(lambda: len(fleet.reads(4)) > 1, "the key was read elsewhere")
    assert fleet.reads(4)[-1] != name
    workers[name].resume()
    fleet.let_go()
    assert line.ended() == 0
    assert_each_key_once(fleet)
    assert fleet.endings(4) == ["worker_died", "done"]
    wait_until(lambda: not cluster.computing, "the worker that was late keeps no child")


def test_the_key_of_a_worker_that_is_cut_off_is_done_elsewhere_and_its_late_answer_ignored(
    fleet: Fleet, sdt_dask: Start, dask_cluster: StartDask
) -> None:
    cluster = dask_cluster(n_workers=0, **SHORT_TTL)
    proxy = Proxy(cluster.address)
    fleet.hold(4)
    cluster.add_worker("cut", proxy.address, WHO="cut")
    line = sdt_dask(*fleet.arguments, *on(cluster))
    fleet.wait_for_reads(4)
    proxy.cut()
    cluster.add_worker("other", WHO="other")
    wait_until(lambda: "other" in fleet.reads(4), "the key was read elsewhere")
    fleet.let_go()
    assert line.ended() == 0
    assert_each_key_once(fleet)
    assert fleet.endings(4) == ["worker_died", "done"]
    proxy.mend()
    wait_until(lambda: not cluster.computing, "the worker that was cut off keeps no child")
    proxy.close()


def test_a_slow_worker_holds_up_its_own_keys_only(fleet: Fleet, sdt_dask: Start, dask_cluster: StartDask) -> None:
    cluster = dask_cluster(n_workers=0, **SHORT_TTL)
    cluster.add_worker("slow", WHO="slow", SLOW="3")
    cluster.add_worker("fast", WHO="fast")
    line = sdt_dask(*fleet.arguments, *on(cluster))
    assert line.ended() == 0
    assert_each_key_once(fleet)
    readers = [name for number in range(N_KEYS) for name in fleet.reads(number)]
    assert readers.count("slow") < readers.count("fast")
    assert len(readers) == N_KEYS


def test_a_worker_of_the_local_client_that_stopped_is_replaced(fleet: Fleet, sdt_dask: Start) -> None:
    fleet.hold(4)
    line = sdt_dask(*fleet.arguments, "-c", "n_workers=1", before=LOCAL_TTL)
    fleet.wait_for_reads(4)
    (child,) = computing(line.below)
    worker = child.parent()
    assert worker is not None
    worker.send_signal(signal.SIGSTOP)
    fleet.let_go()
    assert line.ended() == 0
    assert_each_key_once(fleet)


LOCAL_TTL = "from sdt_dask_core.clients import local; local._DASK_CONFIG['distributed.scheduler.worker-ttl'] = '5s'"
