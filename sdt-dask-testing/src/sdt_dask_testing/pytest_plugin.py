"""Fixtures for authors of plugs and clients, in every test run of an environment that has this distribution.

Nothing heavy is imported here: each fixture imports what it needs when it is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from sdt_dask_testing.faulty import FaultyPlug
    from sdt_dask_testing.isolated import IsolatedRegistry
    from sdt_dask_testing.synthetic import SyntheticSystem

_N_SYSTEMS = 3
_SEED = 20190101
_YEARS = 0.25


@pytest.fixture(scope="session")
def sdt_fleet() -> list[SyntheticSystem]:
    """Give three synthetic systems of three months with known truth, ``system_00000`` to ``system_00002``."""
    from sdt_dask_testing.synthetic import synthetic_fleet

    return list(synthetic_fleet(_N_SYSTEMS, seed=_SEED, years=_YEARS))


@pytest.fixture(scope="session")
def sdt_fleet_folder(sdt_fleet: list[SyntheticSystem], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with the fleet, to be read only: ``data/system_00000.csv`` and so on [kW], and ``truth.csv``."""
    from sdt_dask_testing.files import write_fleet

    folder = tmp_path_factory.mktemp("sdt_fleet")
    write_fleet(folder, sdt_fleet)
    return folder


@pytest.fixture
def sdt_registry() -> Iterator[IsolatedRegistry]:
    """Give a registry in which only the providers are found that the test adds."""
    from sdt_dask_testing.isolated import IsolatedRegistry

    with IsolatedRegistry() as registry:
        yield registry


@pytest.fixture
def sdt_faulty_plug() -> type[FaultyPlug]:
    """Give a plug whose keys name the fault that happens when they are read."""
    from sdt_dask_testing.faulty import FaultyPlug

    return FaultyPlug
