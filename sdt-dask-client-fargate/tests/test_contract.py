"""The client keeps what every client must keep, against the fake account."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from sdt_dask_client_fargate import FargateClient
from sdt_dask_testing import ClientContract

from .fake_aws import FakeAws


@pytest.mark.slow
class TestFargateClient(ClientContract):
    client = FargateClient
    patience = 240.0
    grace = 60.0

    @pytest.fixture(autouse=True)
    def account(self, aws: FakeAws) -> None:
        """Let `leftovers` ask the account."""
        self.aws = aws

    @pytest.fixture
    def options(self, aws: FakeAws) -> dict[str, Any]:
        return dict(aws.options())

    @pytest.fixture
    def broken_options(self, aws: FakeAws) -> dict[str, Any]:
        return dict(aws.options(image="no-such-image"))

    def leftovers(self) -> Iterable[str]:
        return list(self.aws.held())
