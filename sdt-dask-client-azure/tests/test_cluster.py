"""A cluster that is up: who can reach it, what its machines are, what became of this process."""

from __future__ import annotations

import operator
import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import dask
import distributed
import psutil
import pytest

from sdt_dask_client_azure import AzureClient
from sdt_dask_client_azure.boot import SCHEDULER_PORT
from sdt_dask_client_azure.names import CLUSTER_TAG
from sdt_dask_core.errors import ClientError

from .conftest import empty_at_the_end
from .members import DISK, IP, NIC, OURS, VM
from .resource_manager import ResourceManager
from .subscription import IDENTITY

AWKWARD = {
    "SPACES": "  two  words ",
    "QUOTES": """it's "quoted" \\ `too`""",
    "COMMAND": "$(touch /tmp/never) ; exit 1 & $HOME",
    "LINES": "one\ntwo",
    "LETTERS": "Zürich ☀ 𝟘",
    "COLON": "a: b # c",
}


def settings() -> str:
    """Return Dask's configuration, but for the cluster that a client makes the usual one."""
    return dask.config.serialize({name: value for name, value in dask.config.config.items() if name != "scheduler"})


@dataclass
class Live:
    """A cluster, its client, and the configuration of Dask before it."""

    client: AzureClient
    dask_client: distributed.Client
    before: str

    @property
    def scheduler(self) -> str:
        return str(self.dask_client.scheduler.address)


@pytest.fixture(scope="module")
def live(subscription: ResourceManager, azure_options: dict[str, Any]) -> Iterator[Live]:
    """A cluster of two workers that the tests of this module share."""
    with empty_at_the_end(subscription):
        import dask_cloudprovider.azure  # noqa: F401 - it fills in Dask's configuration

        client = AzureClient(
            **azure_options, n_workers=2, environment=AWKWARD, tags={"team": "sun"}, identity=IDENTITY, spot=True
        )
        before = settings()
        try:
            with dask.config.set({"acme.password": "opensesame"}):
                dask_client = client.make_client()
            yield Live(client, dask_client, before)
        finally:
            client.close()


def test_it_computes_on_all_its_workers(live: Live):
    assert live.dask_client.submit(operator.add, 2, 3).result(timeout=120) == 5
    assert len(live.dask_client.nthreads()) == 2


def test_a_worker_is_called_as_its_machine_is(live: Live, subscription: ResourceManager):
    workers = live.dask_client.scheduler_info()["workers"].values()
    assert {worker["name"] for worker in workers} == {name for name in subscription.names() if "worker" in name}


def test_a_client_without_a_certificate_is_refused(live: Live):
    plain = live.scheduler.replace("tls://", "tcp://")
    with pytest.raises(OSError, match=r"Timed out|closed"):
        distributed.Client(plain, timeout=2)


def test_a_client_of_another_authority_is_refused(live: Live):
    with pytest.raises(OSError, match=r"Timed out|closed|certificate"):
        distributed.Client(live.scheduler, security=distributed.Security.temporary(), timeout=2)


def test_the_client_of_the_cluster_is_let_in(live: Live):
    """So that the two tests before fail for their certificates alone."""
    with distributed.Client(live.scheduler, security=live.dask_client.security, timeout=60) as another:
        assert another.submit(operator.add, 1, 1).result(timeout=60) == 2


def test_machines_listen_on_their_private_address_alone(live: Live, subscription: ResourceManager):
    for computer in subscription.computers.values():
        assert computer.machine is not None
        first = psutil.Process(computer.machine.pid)
        listening = [
            connection.laddr.ip
            for process in (first, *first.children(recursive=True))
            for connection in process.net_connections()
            if connection.status == psutil.CONN_LISTEN
        ]
        assert computer.machine.address in listening
        assert set(listening) <= {computer.machine.address, "127.0.0.1"}


def test_no_machine_has_a_public_address(live: Live, subscription: ResourceManager):
    assert subscription.names(IP) == []
    assert not any("publicIPAddress" in str(one) for one in subscription.of_kind(NIC))


def test_the_environment_reaches_the_workers_as_it_was_given(live: Live):
    for found in live.dask_client.run(lambda: dict(os.environ)).values():
        assert {name: found.get(name) for name in AWKWARD} == AWKWARD


def test_nothing_else_of_this_process_configuration_reaches_the_machines(subscription: ResourceManager, live: Live):
    for computer in subscription.computers.values():
        given = dask.config.deserialize(computer.environment["DASK_INTERNAL_INHERIT_CONFIG"])
        assert set(given) == {"distributed"}
        assert "opensesame" not in str(given)


def test_dasks_configuration_is_as_it_was(live: Live):
    assert settings() == live.before


def test_a_local_cluster_beside_it_is_not_encrypted(live: Live):
    with distributed.LocalCluster(n_workers=0, processes=False, dashboard_address="127.0.0.1:0") as local:
        assert local.scheduler_address.startswith(("tcp://", "inproc://"))


def test_everything_carries_our_tags_and_the_users(live: Live, subscription: ResourceManager):
    for kind in OURS:
        for resource in subscription.of_kind(kind):
            assert resource["tags"][CLUSTER_TAG] in resource["name"]
            assert resource["tags"]["team"] == "sun"


def test_machines_run_a_current_ubuntu(live: Live, subscription: ResourceManager):
    offers = {one["properties"]["storageProfile"]["imageReference"]["offer"] for one in subscription.of_kind(VM)}
    assert offers == {"ubuntu-24_04-lts"}


def test_nobody_can_log_in_to_a_machine(live: Live, subscription: ResourceManager):
    for machine in subscription.of_kind(VM):
        system = machine["properties"]["osProfile"]
        assert "adminPassword" not in system
        assert system["linuxConfiguration"]["disablePasswordAuthentication"] is True


def test_workers_are_spot_machines_where_asked_and_the_scheduler_never(live: Live, subscription: ResourceManager):
    spot = {one["name"].split("-")[3]: one["properties"].get("priority") for one in subscription.of_kind(VM)}
    assert spot == {"scheduler": None, "worker": "Spot"}


def test_machines_have_the_identity_that_was_given(live: Live, subscription: ResourceManager):
    assert all(list(one["identity"]["userAssignedIdentities"]) == [IDENTITY] for one in subscription.of_kind(VM))


def test_what_it_costs_is_counted(live: Live):
    first = live.client.cost_so_far()
    second = live.client.cost_so_far()
    assert first is not None
    assert second is not None
    assert 0 < first < second < 0.1


def test_it_is_listed_with_all_that_it_holds(live: Live, subscription: ResourceManager):
    [record] = live.client.list_clusters()
    assert record.running
    assert record.started is not None
    assert "@" in record.owner
    assert len(record.resources) == sum(len(subscription.names(kind)) for kind in OURS) == 9


def test_it_listens_where_the_security_group_must_let_through(live: Live):
    address = live.scheduler.rpartition("//")[2].rpartition(":")
    assert address[2] == str(SCHEDULER_PORT)
    socket.create_connection((address[0], SCHEDULER_PORT), timeout=10).close()


def test_the_scheduler_has_a_public_address_where_asked(
    azure: ResourceManager, client_with: Callable[..., AzureClient]
):
    client = client_with(public_ingress=True)
    with client.make_client() as dask_client:
        [address] = azure.of_kind(IP)
        assert address["properties"]["ipAddress"] in dask_client.scheduler.address
        assert [one["name"] for one in azure.of_kind(NIC) if "publicIPAddress" in str(one)] == [
            f"{address['name'].removesuffix('-ip')}-nic"
        ]
    client.close()
    assert azure.leftovers() == []


def test_a_security_group_that_is_open_to_everybody_is_refused(
    azure: ResourceManager, client_with: Callable[..., AzureClient]
):
    azure.rules.append(
        {
            "name": "dask",
            "properties": {
                "direction": "Inbound",
                "access": "Allow",
                "priority": 100,
                "protocol": "Tcp",
                "sourceAddressPrefix": "*",
                "destinationPortRange": "8786-8787",
            },
        }
    )
    with pytest.raises(ClientError, match="whole internet reach the scheduler, by its rule 'dask'"):
        client_with(public_ingress=True).make_client()
    assert azure.names() == []


def test_a_start_that_failed_leaves_dasks_configuration_as_it_was(
    azure: ResourceManager, client_with: Callable[..., AzureClient]
):
    azure.faults.refused["scheduler"] = ("SkuNotAvailable", "The requested VM size is not available.")
    before = settings()
    with pytest.raises(ClientError):
        client_with().make_client()
    assert settings() == before
    with distributed.LocalCluster(
        n_workers=0, processes=False, protocol="tcp://", dashboard_address="127.0.0.1:0"
    ) as local:
        assert local.scheduler_address.startswith("tcp://")


def test_adaptive_scaling_adds_machines_for_work_and_takes_them_away_again(
    azure: ResourceManager, client_with: Callable[..., AzureClient], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("sdt_dask_client_azure.client.ADAPT_EVERY", "200ms")
    client = client_with(minimum=1, maximum=2)
    with client.make_client() as dask_client:
        gate = distributed.Event("gate")
        futures = dask_client.map(lambda _: distributed.Event("gate").wait(120), range(20), pure=False)
        dask_client.wait_for_workers(2, timeout=120)
        gate.set()
        dask_client.gather(futures)
        del futures
        until(lambda: len([name for name in azure.names() if "worker" in name]) == 1)
        assert len(azure.names(DISK)) == 2


def until(is_so: Callable[[], bool]) -> None:
    """Wait until it is so."""
    import time

    end = time.monotonic() + 120
    while not is_so():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.1)
