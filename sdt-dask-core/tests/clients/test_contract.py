"""The core's own clients keep the contract, with nothing switched off."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from distributed import LocalCluster

from sdt_dask_core.clients.address import AddressClient
from sdt_dask_core.clients.local import LocalClient
from sdt_dask_testing import ClientContract

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def address() -> Any:
    """The address of a cluster that runs already."""
    with LocalCluster(
        n_workers=1,
        threads_per_worker=1,
        memory_limit="1 GiB",
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        silence_logs=50,
    ) as running:
        yield running.scheduler_address


class TestLocalClient(ClientContract):
    client = LocalClient
    options: ClassVar = {"n_workers": 1}
    broken_options: ClassVar = {"memory_limit": "lots"}


class TestAddressClient(ClientContract):
    client = AddressClient
    joins = True
    broken_options: ClassVar = {"address": "tcp://127.0.0.1:9", "timeout": 0.5}

    @pytest.fixture
    def options(self, address: str) -> dict[str, Any]:
        return {"address": address}


class TestLocalClientThatJoins(ClientContract):
    client = LocalClient
    joins = True
    broken_options: ClassVar = {"address": "no address"}

    @pytest.fixture
    def options(self, address: str) -> dict[str, Any]:
        return {"address": address}
