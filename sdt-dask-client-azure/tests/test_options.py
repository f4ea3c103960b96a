"""Options are checked before Azure is asked for anything."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from sdt_dask_client_azure import AzureClient
from sdt_dask_client_azure.access import subscription_of
from sdt_dask_core.errors import ClientError, OptionError

REQUIRED = {
    "location": "eastus",
    "resource_group": "fleet",
    "vnet": "fleet-net",
    "security_group": "fleet-nsg",
    "image": "registry.example.org/sdt-dask:1",
}


def client(**more: Any) -> AzureClient:
    return AzureClient(**{**REQUIRED, **more})


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"n_workers": 0}, "'n_workers' cannot be 0: it is 1 or more"),
        ({"threads_per_worker": 0}, "'threads_per_worker' cannot be 0"),
        ({"disk_size": 2000}, "'disk_size' cannot be 2000: it is 30 to 1023 GB"),
        ({"timeout": 0.0}, "'timeout' cannot be 0.0"),
        ({"minimum": 2}, "it goes with maximum"),
        ({"minimum": 3, "maximum": 2}, "it is not below minimum, which is 3"),
        ({"environment": {"A B": "1"}}, "letters, digits and _"),
        ({"tags": {"sdt-dask-cluster": "mine"}}, "does not begin with sdt-dask"),
        ({"tags": {"a/b": "mine"}}, "has none of"),
        ({"tags": {str(n): "" for n in range(47)}}, "'47 tags'"),
    ],
)
def test_a_value_that_an_option_cannot_take_is_refused(options: dict[str, Any], told: str):
    with pytest.raises(OptionError) as caught:
        client(**options)
    assert told in caught.value.message


def test_a_new_cluster_names_the_options_that_it_lacks():
    lacking = AzureClient(resource_group="fleet", location="eastus")
    with pytest.raises(OptionError, match="a cluster needs the options vnet, security_group, image"):
        lacking.make_client()
    [problem] = lacking.check_access()
    assert "-c vnet=… -c security_group=… -c image=…" in problem


@pytest.mark.parametrize(
    "environment",
    [
        {"DB_PASSWORD": "hunter2"},
        {"MY_TOKEN": "t0ken"},
        {"STORAGE": "DefaultEndpointsProtocol=https;AccountKey=abc=="},
        {"DATABASE": "postgresql://me:hunter2@db.example.org/fleet"},
        {"DATABASE": "env:DATABASE_URL"},
    ],
)
def test_a_secret_in_the_environment_is_refused_without_its_value(environment: dict[str, str]):
    with pytest.raises(OptionError, match="looks like a secret") as caught:
        client(environment=environment)
    [(name, value)] = environment.items()
    assert name in caught.value.message
    assert value not in caught.value.message


def test_a_reference_is_resolved_where_the_user_insists(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:hunter2@db/fleet")
    insisting = client(environment={"DATABASE": "env:DATABASE_URL"}, secrets_in_environment=True)
    assert "hunter2" not in repr(insisting.settings)
    assert insisting.settings.revealed_environment() == {"DATABASE": "postgresql://me:hunter2@db/fleet"}


def test_part_of_an_image_is_completed_from_the_default():
    assert client(vm_image={"sku": "minimal"}).settings.vm_image == {
        "publisher": "Canonical",
        "offer": "ubuntu-24_04-lts",
        "sku": "minimal",
        "version": "latest",
    }


def test_the_subscription_is_that_of_the_option_before_that_of_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AZURE_SUBSCRIPTION_ID", "environment")
    assert subscription_of(client(subscription_id="option").settings) == "option"
    assert subscription_of(client().settings) == "environment"


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in for `az`, which is the only program there."""
    monkeypatch.delenv("AZURE_SUBSCRIPTION_ID", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path / "az"


def test_the_subscription_of_az_is_the_last_resort(program: Path):
    program.write_text(f"#!{sys.executable}\nprint('of-az')\n")
    program.chmod(0o755)
    assert subscription_of(client().settings) == "of-az"


@pytest.mark.usefixtures("program")
def test_no_subscription_at_all_is_told():
    with pytest.raises(ClientError, match="az account set --subscription"):
        subscription_of(client().settings)
