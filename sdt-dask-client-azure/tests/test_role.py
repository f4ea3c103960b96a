"""The role that comes with the client allows what a cluster needs, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sdt_dask_client_azure import AzureClient
from sdt_dask_core.errors import ClientError

from .resource_manager import ResourceManager
from .subscription import IDENTITY, SUBNET


def test_every_action_of_the_role_is_used(
    azure: ResourceManager, client_with: Callable[..., AzureClient], role: dict[str, Any]
):
    """The fake refuses what the role does not allow, so that less would not do either."""
    client = client_with(public_ingress=True, identity=IDENTITY, subnet=SUBNET)
    with client.make_client():
        assert len(list(client.list_clusters())) == 1
    client.close()
    with pytest.raises(ClientError):  # whose boot log is read
        client_with(image="registry.example.org/unknown:1").make_client()
    assert sorted(azure.used) == role["Actions"]


def test_the_role_has_no_wildcard(role: dict[str, Any]):
    assert not any("*" in action for action in role["Actions"])
