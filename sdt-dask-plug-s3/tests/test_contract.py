"""`S3Plug` keeps the contract of every plug, signed and unsigned, for CSV and for Parquet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sdt_dask_plug_s3 import S3Plug
from sdt_dask_testing import PlugContract, SyntheticSystem, write_fleet


@pytest.fixture(scope="module", autouse=True)
def _objects(store: Any, sdt_fleet: list[SyntheticSystem]) -> None:
    write_fleet(store.root / "contract-csv", sdt_fleet, file_format="csv", units="W")
    write_fleet(store.root / "contract-parquet", sdt_fleet, file_format="parquet")


class TestS3PlugWithCsv(PlugContract):
    """CSV objects in a store that takes signed requests only."""

    plug = S3Plug
    known_key = ("system_00001.csv",)
    missing_key = ("system_99999.csv",)

    @pytest.fixture
    def options(self, store: Any) -> dict[str, Any]:
        options: dict[str, Any] = store.options("contract-csv", prefix="data", units="W")
        return options

    @pytest.fixture
    def change_source(self, store: Any) -> Callable[[dict[str, Any]], None]:
        path = store.root / "contract-csv" / "data" / self.known_key[0]

        def change(_: dict[str, Any]) -> None:
            path.write_text(f"{path.read_text()}\n")

        return change


class TestS3PlugWithParquet(PlugContract):
    """Parquet objects in a store that is open to everybody."""

    plug = S3Plug
    known_key = ("system_00001.parquet",)
    missing_key = ("system_99999.parquet",)

    @pytest.fixture
    def options(self, open_store: Any) -> dict[str, Any]:
        options: dict[str, Any] = open_store.options("contract-parquet", prefix="data", unsigned=True)
        return options

    @pytest.fixture
    def change_source(self, open_store: Any) -> Callable[[dict[str, Any]], None]:
        folder = open_store.root / "contract-parquet" / "data"

        def change(_: dict[str, Any]) -> None:
            (folder / self.known_key[0]).write_bytes((folder / "system_00002.parquet").read_bytes())

        return change
