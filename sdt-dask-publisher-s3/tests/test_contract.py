"""`S3Publisher` keeps the contract of every publisher."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sdt_dask_publisher_s3 import S3Publisher
from sdt_dask_testing import PublisherContract


class TestS3Publisher(PublisherContract):
    publisher = S3Publisher

    @pytest.fixture
    def options(self, bucket: Any) -> dict[str, Any]:
        options: dict[str, Any] = bucket.options()
        return options

    @pytest.fixture
    def read_rows(self, bucket: Any) -> Callable[[dict[str, Any]], list[dict[str, Any]]]:
        return lambda options: bucket.rows()
