"""What goes wrong in Azure: it is told in words that help, and nothing is left. `azure` looks for that in each test."""

from __future__ import annotations

import logging
import operator
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from typing import Any

import pytest

from sdt_dask_client_azure import AzureClient, watching
from sdt_dask_core.errors import ClientError

from .members import NIC, VM
from .resource_manager import ResourceManager

Make = Callable[..., AzureClient]


def until(is_so: Callable[[], Any]) -> None:
    """Wait until it is so."""
    end = time.monotonic() + 120
    while not is_so():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.05)


@pytest.fixture
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the watch take a worker for lost at once."""
    monkeypatch.setattr(watching, "STEP", 0.1)
    monkeypatch.setattr(watching, "LOST_AFTER", 0.3)
    monkeypatch.setattr(watching, "REFUSED_AGAIN", 0.3)


def refused(client: AzureClient) -> str:
    """Return why no cluster came up."""
    with pytest.raises(ClientError) as caught:
        client.make_client()
    return caught.value.message


def test_machines_that_take_their_time_are_waited_for(azure: ResourceManager, client_with: Make):
    azure.faults.provisioning = 1.0
    azure.faults.deleting = 0.5
    client = client_with()
    with client.make_client() as dask_client:
        assert dask_client.submit(operator.add, 2, 3).result(timeout=120) == 5
    client.close()
    assert azure.leftovers() == []


def test_machines_that_take_their_time_are_looked_at_as_seldom_as_azure_says(azure: ResourceManager, client_with: Make):
    azure.faults.provisioning = 3.0
    azure.faults.look_again = 1000
    with client_with().make_client():
        looks = azure.count("GET", "/operations/")
    assert looks <= 2 * 4, "two machines, of three seconds each"


def test_throttled_requests_are_made_again(azure: ResourceManager, client_with: Make):
    azure.faults.throttled = 2
    with client_with().make_client() as dask_client:
        assert len(dask_client.nthreads()) == 1
    assert azure.faults.throttled == 0


@pytest.mark.parametrize("code", ["SkuNotAvailable", "QuotaExceeded"])
def test_a_scheduler_for_which_there_is_no_room_is_told(azure: ResourceManager, client_with: Make, code: str):
    azure.faults.refused["scheduler"] = (code, "Azure's own words.")
    told = refused(client_with())
    assert code in told
    assert "Azure's own words" in told
    assert "vm_size" in told
    assert azure.leftovers() == []


def test_room_that_is_missing_late_is_told(azure: ResourceManager, client_with: Make):
    azure.faults.not_allocated = "scheduler"
    told = refused(client_with())
    assert "AllocationFailed" in told
    assert "no room for this vm_size" in told


def test_workers_that_were_all_refused_are_told(azure: ResourceManager, client_with: Make):
    azure.faults.refused["worker"] = ("SkuNotAvailable", "The requested VM size is not available.")
    told = refused(client_with(n_workers=2))
    assert "0 of 2 workers came" in told
    assert "SkuNotAvailable" in told


def test_a_run_goes_on_with_the_workers_that_there_was_room_for(
    azure: ResourceManager, client_with: Make, caplog: pytest.LogCaptureFixture
):
    azure.faults.refused["worker-2"] = ("AllocationFailed", "Allocation failed.")
    with caplog.at_level(logging.WARNING), client_with(n_workers=2).make_client() as dask_client:
        assert len(dask_client.nthreads()) == 1
    assert "1 of 2 workers came" in caplog.text


@pytest.mark.usefixtures("_soon")
def test_a_worker_for_which_there_is_room_again_comes_later(azure: ResourceManager, client_with: Make):
    azure.faults.refused["worker-2"] = ("AllocationFailed", "Allocation failed.")
    with client_with(n_workers=2).make_client() as dask_client:
        dask_client.wait_for_workers(2, timeout=120)
        assert len([name for name in azure.names() if "worker" in name]) == 2


def test_an_unknown_container_image_is_told_with_the_boot_log(client_with: Make):
    told = refused(client_with(image="registry.example.org/unknown:1"))
    assert "it is stopped: its container ended" in told
    assert "pull access denied for registry.example.org/unknown:1" in told


def test_an_unknown_image_of_the_operating_system_is_told(client_with: Make):
    told = refused(client_with(vm_image={"offer": "UbuntuServer", "sku": "18.04-LTS"}))
    assert "PlatformImageNotFound" in told
    assert "vm_image" in told


def test_a_container_that_ends_at_once_is_told_with_its_last_words(azure: ResourceManager, client_with: Make):
    azure.faults.command = lambda _: ["python", "-c", "raise SystemExit('no such thing as a scheduler')"]
    assert "no such thing as a scheduler" in refused(client_with())


def test_workers_that_end_at_once_are_told_with_their_last_words(azure: ResourceManager, client_with: Make):
    azure.faults.command = _only_schedulers
    told = refused(client_with())
    assert "0 of 1 workers came" in told
    assert "no worker today" in told


def _only_schedulers(command: list[str]) -> list[str]:
    return command if "distributed.cli.dask_scheduler" in command else ["python", "-c", "exit('no worker today')"]


def test_a_machine_without_docker_is_told(client_with: Make):
    assert "docker: not found" in refused(client_with(bootstrap=False))


def test_a_scheduler_that_cannot_be_reached_is_told(azure: ResourceManager, client_with: Make):
    azure.faults.command = lambda _: ["python", "-c", "import time; time.sleep(600)"]
    told = refused(client_with(timeout=1.0))
    assert "a private address, within 1 s, though its machine" in told
    assert "VPN" in told


def test_an_expired_login_is_told(azure: ResourceManager, client_with: Make):
    azure.faults.expired = True
    client = client_with()
    assert "az login" in refused(client)
    [found] = client.check_access()
    assert "ExpiredAuthenticationToken" in found
    azure.faults.expired = False


def test_no_login_at_all_is_told(client_with: Make, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("IDENTITY_HEADER", "another")
    assert "sign in: `az login`" in refused(client_with())


def test_a_role_that_allows_too_little_is_told(
    azure: ResourceManager, client_with: Make, monkeypatch: pytest.MonkeyPatch
):
    allowed = [action for action in azure.actions if action != "Microsoft.Compute/virtualMachines/write"]
    monkeypatch.setattr(azure, "actions", allowed)
    told = refused(client_with())
    assert "authorization for 'Microsoft.Compute/virtualMachines/write'" in told
    assert "give whoever runs this the role" in told


@pytest.mark.parametrize(
    ("option", "value"), [("resource_group", "nowhere"), ("vnet", "nowhere"), ("security_group", "nowhere")]
)
def test_a_place_that_is_not_there_is_told_before_anything_is_made(
    azure: ResourceManager, client_with: Make, option: str, value: str
):
    client = client_with(**{option: value})
    [found] = client.check_access()
    assert value in found
    assert option in found
    assert refused(client)
    assert azure.count("PUT", "/") == 0


@pytest.mark.usefixtures("_soon")
def test_an_evicted_worker_is_replaced(azure: ResourceManager, client_with: Make):
    with client_with(spot=True).make_client() as dask_client:
        [name] = [name for name in azure.names() if "worker" in name]
        azure.evict(name)
        until(lambda: {worker["name"] for worker in _workers(dask_client)} - {name, None})
        assert dask_client.submit(operator.add, 2, 3).result(timeout=120) == 5
        until(lambda: name not in " ".join(azure.leftovers()))


def _workers(dask_client: Any) -> list[dict[str, Any]]:
    return list(dask_client.scheduler_info()["workers"].values())


@pytest.mark.usefixtures("_soon")
def test_workers_that_never_come_are_not_replaced_for_ever(azure: ResourceManager, client_with: Make):
    with client_with().make_client():
        azure.faults.command = _only_schedulers
        [name] = [name for name in azure.names() if "worker" in name]
        azure.evict(name)
        until(lambda: azure.count("PUT", "-worker-5-nic"))
        until(lambda: not [name for name in azure.names() if "worker" in name])
        time.sleep(1.0)  # ten looks of the watch
        assert azure.count("PUT", "-worker-6-nic") == 0


def test_a_lost_scheduler_does_not_keep_the_rest_from_going(azure: ResourceManager, client_with: Make):
    client = client_with()
    with client.make_client():
        azure.computer("scheduler").stop()
    client.close()
    assert azure.leftovers() == []


def test_a_machine_that_somebody_deleted_does_not_keep_the_rest_from_going(azure: ResourceManager, client_with: Make):
    client = client_with()
    with client.make_client():
        azure.evict(next(name for name in azure.names() if "scheduler" in name))
    client.close()
    assert azure.leftovers() == []


def test_what_cannot_be_removed_is_told_and_all_else_goes(azure: ResourceManager, client_with: Make):
    client = client_with()
    with client.make_client():
        azure.faults.stuck = "worker"
    with pytest.raises(ClientError, match=r"could not be removed and may cost money: virtual machine .*ScopeLocked"):
        client.close()
    assert not [name for name in azure.names() if "scheduler" in name]
    azure.faults.stuck = ""
    [record] = client.list_clusters()
    assert not record.running
    assert len(list(client.remove_cluster(record.name))) >= 1
    assert list(client.list_clusters()) == []


def test_why_it_did_not_start_is_told_beside_what_is_left(azure: ResourceManager, client_with: Make):
    azure.faults.not_allocated = "scheduler"
    azure.faults.stuck = "scheduler"
    client = client_with()
    told = refused(client)
    assert "AllocationFailed" in told
    assert "could not be removed and may cost money" in told
    azure.faults.stuck = ""
    for record in client.list_clusters():
        assert list(client.remove_cluster(record.name))


def test_a_cluster_of_a_process_that_was_killed_is_listed_and_removed(azure: ResourceManager, client_with: Make):
    script = _script(client_with(), "client.make_client(); print('up', flush=True); import time; time.sleep(600)")
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.kill()
    [record] = client_with().list_clusters()
    assert record.running
    removed = list(client_with().remove_cluster(record.name))
    assert any(record.name in piece and piece.startswith("virtual machine") for piece in removed)
    assert azure.leftovers() == []


def test_what_others_made_is_never_touched(azure: ResourceManager, client_with: Make):
    azure.add_interface("sdt-dask-other-nic", {"team": "moon"})
    client = client_with()
    with client.make_client():
        pass
    client.close()
    with pytest.raises(ClientError, match="there is no cluster 'sdt-dask-other'"):
        list(client.remove_cluster("sdt-dask-other"))
    assert azure.names(NIC) == ["sdt-dask-other-nic"]
    azure.drop_interface("sdt-dask-other-nic")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_while_machines_are_made_ends_the_start_soon(
    azure: ResourceManager, client_with: Make, number: signal.Signals
):
    azure.faults.provisioning = 5.0
    script = _script(client_with(n_workers=3), "client.make_client()")
    with subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE) as process:
        until(lambda: azure.of_kind(VM))
        process.send_signal(number)
        _, told = process.communicate(timeout=120)
    assert b"KeyboardInterrupt" in told
    assert azure.names() == []


def test_a_script_that_forgets_to_close_leaves_nothing(azure: ResourceManager, client_with: Make):
    subprocess.run([sys.executable, "-c", _script(client_with(), "client.make_client()")], check=True, timeout=240)
    assert azure.leftovers() == []


def _script(client: AzureClient, work: str) -> str:
    """Return a script that works with such a client, and takes SIGTERM for Ctrl-C as a run does."""
    given = client._sdt_dask_given[1]  # type: ignore[attr-defined]  # noqa: SLF001
    return textwrap.dedent(f"""
        import signal
        from sdt_dask_client_azure import AzureClient

        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        client = AzureClient(**{given!r})
        {work}
    """)
