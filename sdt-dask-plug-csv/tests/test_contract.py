"""`CsvPlug` keeps the contract of every plug, for CSV and for Parquet."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from sdt_dask_plug_csv import CsvPlug
from sdt_dask_testing import PlugContract, SyntheticSystem, write_fleet
from sdt_dask_testing.files import FileFormat


class CsvPlugContract(PlugContract):
    """The contract, for one format of the files."""

    plug = CsvPlug
    known_key = ("system_00001",)
    missing_key = ("system_99999",)
    file_format: FileFormat = "csv"

    @pytest.fixture(scope="class")
    @classmethod
    def options(cls, tmp_path_factory: pytest.TempPathFactory, sdt_fleet: list[SyntheticSystem]) -> dict[str, Any]:
        folder = tmp_path_factory.mktemp("fleet")
        write_fleet(folder, sdt_fleet, file_format=cls.file_format, units="W")
        return {"path": folder / "data", "units": "W"}

    def change_source(self, options: dict[str, Any]) -> None:
        path = Path(options["path"]) / f"{self.known_key[0]}.{self.file_format}"
        os.utime(path, ns=(1, 1))


class TestCsvPlugWithCsv(CsvPlugContract):
    """CSV files."""


class TestCsvPlugWithParquet(CsvPlugContract):
    """Parquet files."""

    file_format: FileFormat = "parquet"


class TestCsvPlugWithSensors(PlugContract):
    """One wide file, whose systems are named in the keys."""

    plug = CsvPlug
    known_key = ("fleet", "system_00002")
    missing_key = ("fleet", "system_99999")

    @pytest.fixture
    def options(self, tmp_path: Path, sdt_fleet: list[SyntheticSystem]) -> dict[str, Any]:
        write_fleet(tmp_path, sdt_fleet, layout="wide")
        return {"path": str(tmp_path / "data"), "power_columns": ["system_00000", "system_00002"]}
