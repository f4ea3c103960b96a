"""Clients: what they open is closed on every path, and listens on this machine only."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import distributed
import psutil
import pytest
from distributed import LocalCluster

from sdt_dask_core import SDTDask
from sdt_dask_core.clients.address import AddressClient
from sdt_dask_core.clients.local import LocalClient
from sdt_dask_core.errors import ClientError, OptionError

from .conftest import descendants, wait_until
from .plugs import ManyKeysPlug

LOOPBACK = {"127.0.0.1", "::1"}


def listening() -> set[str]:
    """Return the addresses on which this process or one below it listens."""
    processes = [psutil.Process(), *descendants()]
    connections = [connection for process in processes for connection in process.net_connections()]
    return {connection.laddr.ip for connection in connections if connection.status == psutil.CONN_LISTEN}


def run_locally(tmp_path: Path, **more: Any) -> set[psutil.Process]:
    """Run on a cluster of its own, and return the processes that were left."""
    before = set(descendants())
    tool = SDTDask(ManyKeysPlug, analyses=[], output=tmp_path / "out", client_options={"n_workers": 1})
    tool.execute(**more)
    return set(descendants()) - before


def test_the_local_client_leaves_no_process(tmp_path: Path) -> None:
    assert run_locally(tmp_path) == set()


def test_the_local_client_leaves_no_process_after_an_error(tmp_path: Path) -> None:
    def fail(_progress: Any) -> None:
        raise ZeroDivisionError

    before = set(descendants())
    with pytest.raises(ZeroDivisionError):
        run_locally(tmp_path, observe=fail)
    wait_until(lambda: not set(descendants()) - before, "no process was left")


@pytest.mark.parametrize("dashboard", ["127.0.0.1:0", "none"])
def test_nothing_listens_beyond_this_machine(tmp_path: Path, dashboard: str) -> None:
    client = LocalClient(n_workers=1, dashboard_address=dashboard)
    client.make_client()
    try:
        assert listening() <= LOOPBACK
    finally:
        client.close()


def test_the_dashboard_can_be_turned_off_where_its_port_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)):
        client = LocalClient(n_workers=1, dashboard_address="none")
        running = client.make_client()
        try:
            assert "/status" not in _routes(running)
        finally:
            client.close()


def _routes(running: distributed.Client) -> str:
    server = running.cluster.scheduler.http_server
    return str([rule.matcher.regex.pattern for rule in server.request_callback.default_router.rules[0].target.rules])


def test_the_address_client_leaves_the_cluster_running(tool: Callable[..., SDTDask], cluster: LocalCluster) -> None:
    workers = [nanny.pid for nanny in cluster.workers.values()]
    tool(ManyKeysPlug).execute()
    assert cluster.status == distributed.Status.running
    assert [nanny.pid for nanny in cluster.workers.values()] == workers


def test_the_local_client_can_join_a_cluster(tool: Callable[..., SDTDask], cluster: LocalCluster) -> None:
    run = tool(ManyKeysPlug, client="local", client_options={"address": cluster.scheduler_address}).execute()
    assert run.counts["done"] == 3
    assert cluster.status == distributed.Status.running


def test_an_address_where_nothing_answers_is_told(tool: Callable[..., SDTDask]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    options = {"address": f"tcp://127.0.0.1:{port}", "timeout": 0.5}
    with pytest.raises(ClientError) as caught:
        tool(ManyKeysPlug, client_options=options).execute()
    assert f"no Dask scheduler answers at 'tcp://127.0.0.1:{port}' within 0.5 s: " in str(caught.value)
    assert str(caught.value).endswith("check the address and that it runs (dask scheduler)")


@pytest.mark.parametrize(
    ("cores", "gib", "n_workers"),
    [(2, 24, 2), (64, 16, 16), (4, 4, 4), (8, 0.5, 1)],
    ids=["cores", "memory", "both", "1"],
)
def test_there_are_as_many_workers_as_cores_and_memory_allow(
    monkeypatch: pytest.MonkeyPatch, cores: int, gib: float, n_workers: int
) -> None:
    monkeypatch.setattr("dask.system.CPU_COUNT", cores)
    monkeypatch.setattr("distributed.system.MEMORY_LIMIT", int(gib * 2**30))
    arguments = LocalClient()._arguments()  # noqa: SLF001 - what Dask is given
    assert (arguments["n_workers"], arguments["threads_per_worker"]) == (n_workers, 1)
    assert arguments["memory_limit"] == int(gib * 2**30) // n_workers


@pytest.mark.parametrize("name", ["n_workers", "threads_per_worker"])
def test_less_than_one_is_refused(tool: Callable[..., SDTDask], name: str) -> None:
    with pytest.raises(OptionError, match=f"client 'local': the option '{name}' cannot be 0; it is 1 or more"):
        tool(ManyKeysPlug, client="local", client_options={name: 0}).execute()


def test_a_cluster_that_does_not_start_says_what_to_try(tmp_path: Path) -> None:
    tool = SDTDask(ManyKeysPlug, analyses=[], output=tmp_path, client_options={"memory_limit": "lots"})
    with pytest.raises(ClientError, match=r"the local cluster did not start: .*lots.*; try fewer workers"):
        tool.execute()


class NothingClient:
    def init_client(self) -> None:
        return None


class FailingClient:
    def init_client(self) -> None:
        raise ConnectionError("the quota is used up")


def test_a_client_that_returns_nothing_is_refused(tool: Callable[..., SDTDask]) -> None:
    with pytest.raises(ClientError, match=r"client 'NothingClient' returned no distributed\.Client; make_client must"):
        tool(ManyKeysPlug, client=NothingClient, client_options={}).execute()


def test_what_a_client_raises_is_told_with_its_name(tool: Callable[..., SDTDask]) -> None:
    with pytest.raises(ClientError) as caught:
        tool(ManyKeysPlug, client=FailingClient, client_options={}).execute()
    assert "client 'FailingClient' of (yours) " in str(caught.value)
    assert "could not make a cluster: ConnectionError: the quota is used up" in str(caught.value)


def test_a_scheduler_without_workers_is_named() -> None:
    with LocalCluster(n_workers=0, processes=False, dashboard_address="127.0.0.1:0") as cluster:
        client = AddressClient(cluster.scheduler_address, timeout=0.5)
        with pytest.raises(ClientError, match=r"has no worker and got none within 0.5 s; start one"):
            client.make_client()
