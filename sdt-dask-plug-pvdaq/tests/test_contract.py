"""`PvdaqPlug` keeps the contract of every plug: daily files of two years, and yearly files with a cache."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pvdaq_tree import Tree, sunny

from sdt_dask_plug_pvdaq import PvdaqPlug
from sdt_dask_testing import PlugContract
from sdt_dask_testing.s3_server import serve_folder


@pytest.fixture(scope="module")
def changing(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """A tree that may be changed, of systems that can all be read."""
    tree = Tree(tmp_path_factory.mktemp("changing"))
    for year in (2011, 2012):
        index = pd.date_range(f"{year}-05-01", f"{year}-05-20 23:59", freq="5min")
        tree.daily_csv(10, pd.DataFrame({"ac_power__423": sunny(index, 1000.0), "ambient_temp__428": 12.5}))
    tree.system(10, 7, 1.12)
    index = pd.date_range("2016-01-01", "2016-02-29 23:59", freq="5min")
    table = pd.DataFrame({"ac_power_inv_1": sunny(index, 4.0), "ac_power_inv_2": sunny(index, 3.0)})
    tree.put("pvdaq/csv/pvdata/system_id=10500/year=2016/10500_ac_20160101_20160229_corrected.csv", table.to_csv())
    tree.system(10500, "America/Denver", 5.5)
    tree.tables()
    return tree


@pytest.fixture(scope="module")
def changing_url(changing: Tree) -> Iterator[str]:
    with serve_folder(changing.root.parent) as address:
        yield address


class TestPvdaqPlug(PlugContract):
    """Daily files of two years, as one series."""

    plug = PvdaqPlug
    known_key = (10, [2011, 2012])
    missing_key = (99999, 2011)

    @pytest.fixture
    def options(self, changing_url: str) -> dict[str, Any]:
        return {"endpoint_url": changing_url, "max_attempts": 2, "systems": [10]}

    @pytest.fixture
    def change_source(self, changing: Tree) -> Any:
        def change(options: dict[str, Any]) -> None:
            path = changing.root / changing.day_key(10, pd.Timestamp("2011-05-03"))
            path.write_text(path.read_text().replace(",12.5,", ",13.5,"))

        return change


class TestPvdaqPlugWithCache(PlugContract):
    """Yearly files, a cache, and a column in the key."""

    plug = PvdaqPlug
    known_key = (10500, 2016, "ac_power_inv_2")
    missing_key = (10500, 2016, "ac_power_inv_3")

    @pytest.fixture
    def options(self, changing_url: str, tmp_path: Path) -> dict[str, Any]:
        return {"endpoint_url": changing_url, "max_attempts": 2, "systems": [10], "cache": str(tmp_path / "cache")}

    @pytest.fixture
    def change_source(self, changing: Tree) -> Any:
        def change(options: dict[str, Any]) -> None:
            (path,) = changing.root.glob("pvdaq/csv/pvdata/system_id=10500/*/*.csv")
            path.write_text(path.read_text().replace(",0.0,", ",0.5,"))

        return change
