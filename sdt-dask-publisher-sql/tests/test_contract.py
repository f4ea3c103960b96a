"""`SqlPublisher` keeps the contract of every publisher, in SQLite and in PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sdt_dask_publisher_sql import SqlPublisher
from sdt_dask_testing import PublisherContract


class TestSqlPublisherOnSqlite(PublisherContract):
    publisher = SqlPublisher

    @pytest.fixture
    def options(self, sqlite: Any) -> dict[str, Any]:
        options: dict[str, Any] = sqlite.options
        return options

    @pytest.fixture
    def read_rows(self, sqlite: Any) -> Callable[[dict[str, Any]], list[dict[str, Any]]]:
        return lambda options: sqlite.rows()


class TestSqlPublisherOnPostgres(PublisherContract):
    publisher = SqlPublisher

    @pytest.fixture
    def options(self, postgres: Any) -> dict[str, Any]:
        options: dict[str, Any] = postgres.options
        return options

    @pytest.fixture
    def read_rows(self, postgres: Any) -> Callable[[dict[str, Any]], list[dict[str, Any]]]:
        return lambda options: postgres.rows()
