"""What the systems table and the metadata files say."""

from __future__ import annotations

from typing import Any

import pytest

from sdt_dask_plug_pvdaq import PvdaqPlug
from sdt_dask_plug_pvdaq.systems import SystemFacts


def test_the_newest_table_counts(plug: PvdaqPlug):
    """The older one gives a million kW."""
    assert plug.system_metadata((10, 2011))["capacity_kw"] == 1.12


def test_hours_west_are_the_zone_that_counts_westward(plug: PvdaqPlug):
    assert plug.system_metadata((10, 2011))["time_zone"] == "Etc/GMT+7"


def test_zones_keep_their_names(plug: PvdaqPlug):
    zones = [plug.system_metadata((system, 2012))["time_zone"] for system in (1430, 2107)]
    assert zones == ["America/Denver", "PST8PDT"]


def test_what_the_table_leaves_open_is_in_the_metadata_file(plug: PvdaqPlug):
    found = plug.system_metadata((10, 2011))
    assert (found["latitude"], found["longitude"], found["tilt"]) == (39.7404, -105.18, 25.0)


def test_arrays_that_face_two_ways_have_no_azimuth(plug: PvdaqPlug):
    found = plug.system_metadata((34, 2011))
    assert "azimuth" not in found
    assert (found["tilt"], found["capacity_kw"]) == (25.0, 146.64)


def test_the_capacity_is_not_that_of_one_inverter(plug: PvdaqPlug):
    """The core would hold a small part of a large system against all of it."""
    parts = [plug.system_metadata(("2107", 2023, column)) for column in ("inv_01_ac_power", "149583")]
    assert ["capacity_kw" in part for part in parts] == [False, False]
    assert plug.system_metadata((9068, 2023, "meter_ac_power"))["capacity_kw"] == 4700.0


def test_an_unknown_system_has_no_metadata(plug: PvdaqPlug):
    assert plug.system_metadata((99999, 2011)) is None


def test_the_table_is_read_once_for_all_systems(proxy: Any, new_plug: Any):
    server = proxy()
    plug = new_plug(endpoint_url=server.url)
    for system in (34, 1208, 1239, 34):
        plug.system_metadata((system, 2011))
    assert len(server.asked) == 2  # the listing of the tables, and the newest


@pytest.mark.parametrize(
    ("clock", "offset", "zone"),
    [
        ("7", -7.0, "Etc/GMT+7"),
        ("7.0", -7.0, "Etc/GMT+7"),
        ("-10", 10.0, "Etc/GMT-10"),
        ("0", 0.0, "Etc/GMT+0"),
        ("3.5", -3.5, None),
        ("PST8PDT", None, "PST8PDT"),
        ("Mars/Olympus", None, None),
        ("../etc/passwd", None, None),
        ("", None, None),
    ],
)
def test_clocks_as_pvdaq_writes_them(clock: str, offset: float | None, zone: str | None):
    facts = SystemFacts(clock=clock)
    assert facts.utc_offset == offset
    assert facts.as_metadata().get("time_zone") == zone


def test_capacities_that_differ_are_those_of_the_arrays():
    from sdt_dask_plug_pvdaq.systems import _capacity

    assert (_capacity(["5", "3"]), _capacity(["5", "5"]), _capacity([]), _capacity(["0"])) == (8.0, 5.0, None, None)
