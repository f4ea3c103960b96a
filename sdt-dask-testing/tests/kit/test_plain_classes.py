"""Classes written for Solar Data Tools' own ``sdt_dask``, which know nothing of SDT Dask, keep the plain contract."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sdt_dask.dataplugs.csv_plug import LocalFiles
from sdt_dask.dataplugs.dataplug import DataPlug

from sdt_dask_core.folder import read_user_folder
from sdt_dask_testing import PlainPlugContract


class TheirPlug(DataPlug):  # type: ignore[misc]
    """Subclass of their data plug, decorated with nothing, with a timestamp column beside the power."""

    def __init__(self, folder: Any) -> None:
        self.folder = folder

    def get_data(self, keys: Any) -> pd.DataFrame:
        return pd.read_csv(Path(self.folder) / f"{keys[0]}.csv", parse_dates=["timestamp"])


class TheirContract(PlainPlugContract):
    """The keys of all."""

    known_key = ("system_00001",)
    missing_key = ("no such",)

    @pytest.fixture
    def options(self, sdt_fleet_folder: Path) -> dict[str, Any]:
        return {"folder": str(sdt_fleet_folder / "data")}


class TestSubclassOfTheirDataPlug(TheirContract):
    plug = TheirPlug


class TestClassInAUsersFolder(TheirContract):
    plug = read_user_folder(Path(__file__).parent / "their_folder").plug


class TestTheirOwnPlugForFiles(TheirContract):
    plug = LocalFiles

    @pytest.fixture
    def options(self, sdt_fleet_folder: Path) -> dict[str, Any]:
        return {"path_to_files": f"{sdt_fleet_folder / 'data'}/"}
