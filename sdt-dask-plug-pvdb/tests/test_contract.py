"""`PvdbPlug` keeps the contract of every plug."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pvdb_server import Server
from pvdb_source import Source, new_source

from sdt_dask_plug_pvdb import PvdbPlug
from sdt_dask_testing import PlugContract, SyntheticSystem


@pytest.fixture(scope="module")
def changing(
    server: Server, sdt_fleet: list[SyntheticSystem], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Source]:
    """A database of its own that holds the synthetic fleet."""
    with new_source(server, tmp_path_factory.mktemp("contract")) as made:
        for system in sdt_fleet:
            made.copy(system.spec.system_id, "inverter", system.power)
        yield made


class TestPvdbPlug(PlugContract):
    """The contract, with the keys that the plug lists."""

    plug = PvdbPlug
    known_key = ("system_00001", "inverter")
    missing_key = ("system_99999", "inverter")

    @pytest.fixture
    def options(self, changing: Source) -> dict[str, Any]:
        return changing.options

    @pytest.fixture
    def change_source(self, changing: Source) -> Callable[[dict[str, Any]], None]:
        def change(options: dict[str, Any]) -> None:
            changing.ask("DELETE FROM measurements WHERE ts = (SELECT MAX(ts) FROM measurements)")

        return change


class TestPvdbPlugWithIndices(TestPvdbPlug):
    """The contract, with sensors named by their index."""

    known_key = ("system_00002", 0)
    missing_key = ("system_00002", 1)
