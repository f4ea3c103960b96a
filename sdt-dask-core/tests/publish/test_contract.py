"""`CsvPublisher` keeps the contract of every publisher."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sdt_dask_core.publishers.csv_files import CsvPublisher
from sdt_dask_testing import PublisherContract


class TestCsvPublisher(PublisherContract):
    publisher = CsvPublisher

    @pytest.fixture
    def options(self, tmp_path: Path) -> dict[str, Any]:
        return {"path": str(tmp_path)}

    @pytest.fixture
    def read_rows(self) -> Callable[[dict[str, Any]], list[dict[str, Any]]]:
        def read(options: dict[str, Any]) -> list[dict[str, Any]]:
            tables = [pd.read_csv(path, dtype={"key": str}) for path in Path(options["path"]).glob("*/results-*.csv")]
            return pd.concat(tables).to_dict("records") if tables else []

        return read
