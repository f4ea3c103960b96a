"""A subscription of Azure on this machine: a strict fake of the resource manager, whose machines are processes."""

from __future__ import annotations

import contextlib
import importlib.resources
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from sdt_dask_client_azure import AzureClient

from .resource_manager import ResourceManager
from .serving import served
from .subscription import GROUP, LOCATION, SECRET, SECURITY_GROUP, SUBSCRIPTION, VNET

IMAGE = "registry.example.org/sdt-dask:1"
_PATIENCE = 60.0  # s


@pytest.fixture(scope="session")
def role() -> dict[str, Any]:
    """The role that comes with the client."""
    found: dict[str, Any] = json.loads(
        importlib.resources.files("sdt_dask_client_azure").joinpath("role.json").read_text()
    )
    return found


@pytest.fixture(scope="session")
def subscription(role: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ResourceManager]:
    """The fake, with the environment in which Azure's libraries find it and their credentials."""
    authority = trustme.CA()
    bundle = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    manager = ResourceManager({IMAGE: Path(sys.prefix)}, role["Actions"])
    with served(manager, authority) as url, pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("AZURE_", "IDENTITY_", "MSI_"))]:
            patch.delenv(name)
        patch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
        patch.setenv("IDENTITY_ENDPOINT", f"{url}/identity/token")
        patch.setenv("IDENTITY_HEADER", SECRET)
        patch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
        yield manager
        manager.stop_all()


@pytest.fixture
def azure(subscription: ResourceManager) -> Iterator[ResourceManager]:
    """The fake subscription, empty before the test; what the test leaves in it fails the test."""
    with empty_at_the_end(subscription):
        yield subscription


@contextlib.contextmanager
def empty_at_the_end(subscription: ResourceManager) -> Iterator[None]:
    """Begin with an empty subscription; fail when something is left in it."""
    subscription.reset()
    try:
        yield
        left = _settled(subscription.leftovers)
    finally:
        subscription.stop_all()
    assert not left, f"left in the subscription: {left}"


def _settled(look: Callable[[], list[str]]) -> list[str]:
    end = time.monotonic() + _PATIENCE
    while (found := look()) and time.monotonic() < end:
        time.sleep(0.1)
    return found


@pytest.fixture(scope="session")
def azure_options(subscription: ResourceManager) -> dict[str, Any]:
    """Options with which a cluster comes up."""
    return {
        "location": LOCATION,
        "resource_group": GROUP,
        "vnet": VNET,
        "security_group": SECURITY_GROUP,
        "subscription_id": SUBSCRIPTION,
        "resource_manager": subscription.url,
        "image": IMAGE,
        "threads_per_worker": 1,
        "memory_limit": "1 GiB",
        "timeout": 240.0,
    }


@pytest.fixture
def client_with(azure: ResourceManager, azure_options: dict[str, Any]) -> Iterator[Callable[..., AzureClient]]:
    """Build clients; what they left open is closed."""
    made: list[AzureClient] = []

    def make(**more: Any) -> AzureClient:
        made.append(AzureClient(**{**azure_options, **more}))
        return made[-1]

    try:
        yield make
    finally:
        for client in made:
            client.close()
