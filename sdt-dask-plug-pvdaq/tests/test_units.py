"""The unit rule: decided by what is said, held against the capacity, never rescaled."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from pvdaq_notes import notes_of
from pvdaq_tree import sunny

from sdt_dask_core.errors import FrameError
from sdt_dask_core.frames import check_frame
from sdt_dask_plug_pvdaq import PvdaqPlug
from sdt_dask_plug_pvdaq.units import decide_unit

YEAR = pd.date_range("2018-01-01", "2018-12-31 23:00", freq="h")


def decided(power: pd.Series, **more: Any) -> tuple[str, dict[str, str]]:
    given: dict[str, Any] = {"option": "auto", "said": {}, "capacity_kw": 10.0, "usual": "W", **more}
    unit, notes = decide_unit(power, **given)
    return unit, {note["code"]: note["message"] for note in notes}


@pytest.mark.parametrize(("peak", "unit"), [(8000.0, "W"), (8.0, "kW"), (0.008, "MW"), (250.0, "W")])
def test_where_nothing_says_the_unit_it_is_the_one_that_fits(peak: float, unit: str):
    assert decided(sunny(YEAR, peak) + 1e-9)[0] == unit


def test_one_of_many_inverters_may_be_a_small_part_of_the_capacity():
    power = sunny(YEAR, 750.0)
    assert decided(power, capacity_kw=38_700.0, usual="W", is_part=True)[0] == "kW"
    assert decided(power * 1000, capacity_kw=38_700.0, usual="kW", is_part=True)[0] == "W"


def test_without_a_capacity_it_is_the_usual_one_and_that_is_said():
    unit, notes = decided(sunny(YEAR, 8.0), capacity_kw=None, usual="kW")
    assert unit == "kW"
    assert notes["pvdaq_unit"] == (
        "the power is in kW (nothing says the unit; it is the usual one in files of this layout)"
    )


def test_a_name_that_lies_is_believed_and_the_doubt_is_told(plug: PvdaqPlug):
    frame = plug.get_data((1283, 2011))
    assert frame.attrs["units"] == "kW"
    assert frame["power"].max() == pytest.approx(179302.0)
    assert notes_of(frame)["pvdaq_unit_implausible"].endswith(
        "of the capacity of 408 kW: in W it would fit; set units=W if so. Nothing was rescaled"
    )


def test_the_core_then_refuses_the_frame_with_the_same_advice(plug: PvdaqPlug):
    with pytest.raises(FrameError, match=r"set units=W"):
        check_frame(plug.get_data((1283, 2011)), metadata=plug.system_metadata((1283, 2011)))


def test_the_option_units_settles_it(url: str, new_plug: Any):
    plug = new_plug(endpoint_url=url, units="W")
    frame = plug.get_data((1283, 2011))
    assert "pvdaq_unit_implausible" not in notes_of(frame)
    checked = check_frame(frame, metadata=plug.system_metadata((1283, 2011)))
    assert checked.power.max() == pytest.approx(179.302)


def test_of_a_dictionary_and_a_name_that_differ_the_one_that_fits_is_taken():
    said = {"the metrics dictionary": "kW", "the name of the column": "W"}
    unit, notes = decided(sunny(YEAR, 8000.0), said=said)
    assert unit == "W"
    assert notes["pvdaq_unit_contradiction"] == (
        "the metrics dictionary says kW and the name of the column says W; W was taken"
    )


def test_a_unit_that_changes_within_the_record_is_told(plug: PvdaqPlug):
    note = notes_of(plug.get_data((1332, 2018)))["pvdaq_unit_changes"]
    assert note.startswith("from 2018-08 on the power is 1.06e+03 times what it was: its unit seems to change there")


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ((1283, 2011), "pvdaq_unit_implausible"),
        ((1332, 2018), "pvdaq_unit_changes"),
        ((34, 2012), "pvdaq_quality_check"),
    ],
)
def test_doubts_are_no_repairs(plug: PvdaqPlug, key: Any, code: str):
    marked = {note["code"]: note.get("repaired", True) for note in plug.get_data(key).attrs["notes"]}
    assert marked[code] is False
    assert marked["pvdaq_unit"] is True


def test_a_doubt_calls_for_caution_in_the_core(plug: PvdaqPlug):
    checked = check_frame(plug.get_data((34, 2012)), metadata=plug.system_metadata((34, 2012)))
    marked = {finding.code: finding.repaired for finding in checked.findings}
    assert (marked["pvdaq_quality_check"], marked["pvdaq_unit"]) == (False, True)


def test_winter_dirt_and_a_month_without_power_are_no_change_of_unit():
    power = sunny(YEAR, 8000.0, night=5.0)
    power[power.index.month <= 2] *= 0.02
    power[power.index.month == 6] = -5.0
    assert "pvdaq_unit_changes" not in decided(power)[1]


def test_a_record_of_nothing_decides_nothing():
    assert decided(pd.Series(float("nan"), index=YEAR)) == (
        "W",
        {"pvdaq_unit": "the power is in W (nothing says the unit; it is the usual one in files of this layout)"},
    )
