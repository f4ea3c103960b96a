"""The fake is as strict as what it stands for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .resource_manager import ResourceManager
from .subscription import GROUP, LOCATION, SUBSCRIPTION

BASE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers"


def asked(azure: ResourceManager, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    headers = {"authorization": "Bearer token"}
    status, _, content = azure.answer(method, BASE + path, headers, b"" if body is None else json.dumps(body).encode())
    return status, content


@pytest.mark.parametrize(
    "body",
    [
        {"location": LOCATION, "public_ip_allocation_method": "Static"},
        {"location": LOCATION, "publicIPAllocationMethod": "Static"},
        {"location": LOCATION, "properties": {"public_ip_allocation_method": "Static"}},
    ],
)
def test_members_that_azure_does_not_know_are_refused(azure: ResourceManager, body: dict[str, Any]):
    """As dask-cloudprovider's own requests are, by way of the newest of Azure's libraries."""
    status, told = asked(azure, "PUT", "/Microsoft.Network/publicIPAddresses/one", body)
    assert (status, told["error"]["code"]) == (400, "InvalidRequestContent")


def test_a_body_as_azure_wants_it_is_taken(azure: ResourceManager):
    body = {"location": LOCATION, "properties": {"publicIPAllocationMethod": "Static"}}
    assert asked(azure, "PUT", "/Microsoft.Network/publicIPAddresses/one", body)[0] == 201
    assert azure.leftovers() == ["Microsoft.Network/publicIPAddresses one"]
    assert asked(azure, "DELETE", "/Microsoft.Network/publicIPAddresses/one")[0] == 200


def test_a_request_without_a_token_is_refused(azure: ResourceManager):
    status, _, told = azure.answer("GET", f"{BASE}/Microsoft.Compute/virtualMachines", {}, b"")
    assert (status, told["error"]["code"]) == (401, "AuthenticationFailed")


def test_what_is_gone_is_not_found(azure: ResourceManager):
    assert asked(azure, "GET", "/Microsoft.Compute/virtualMachines/none")[0] == 404
    assert asked(azure, "DELETE", "/Microsoft.Compute/virtualMachines/none")[0] == 204
