"""`AzureClient` keeps the contract of every client, with nothing left out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from sdt_dask_client_azure import AzureClient
from sdt_dask_testing import ClientContract

from .resource_manager import ResourceManager

pytestmark = pytest.mark.slow


class TestAzureClient(ClientContract):
    """Against the fake subscription, with machines that are processes."""

    client = AzureClient
    patience = 240.0
    grace = 30.0
    subscription: ResourceManager

    @pytest.fixture(autouse=True)
    def _subscription(self, subscription: ResourceManager) -> None:
        type(self).subscription = subscription

    @pytest.fixture
    def options(self, azure_options: dict[str, Any]) -> dict[str, Any]:
        return azure_options

    @pytest.fixture
    def broken_options(self, azure_options: dict[str, Any]) -> dict[str, Any]:
        return {**azure_options, "image": "registry.example.org/unknown:1"}

    def leftovers(self) -> Iterable[str]:
        return self.subscription.leftovers()
