"""The time rule, and what is noted of it."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from pvdaq_notes import notes_of
from pvdaq_tree import sunny

from sdt_dask_core.errors import DataFormatError
from sdt_dask_plug_pvdaq import PvdaqPlug
from sdt_dask_plug_pvdaq.clock import to_local_standard_time
from sdt_dask_plug_pvdaq.rows import STAMP, UTC, VALUE
from sdt_dask_plug_pvdaq.systems import SystemFacts


def rows(stamps: list[str], utc: list[str | None] | None = None) -> pd.DataFrame:
    table = pd.DataFrame({STAMP: pd.to_datetime(stamps), VALUE: range(len(stamps))})
    return table if utc is None else table.assign(**{UTC: pd.to_datetime(pd.Series(utc))})


def test_complete_utc_is_shifted_by_the_hours_west(plug: PvdaqPlug):
    frame = plug.get_data((1332, 2021))
    assert frame.index[0] == pd.Timestamp("2021-01-11 00:00:00")
    assert notes_of(frame)["pvdaq_time_rule_utc"] == (
        "time rule utc: utc_measured_on, which is complete, was brought to standard time (PVDAQ says '7', hours west "
        "of UTC)"
    )


def test_a_year_without_utc_falls_back_to_the_local_times(plug: PvdaqPlug):
    frame = plug.get_data((1332, 2018))
    assert frame.index[0] == pd.Timestamp("2018-01-11 00:00:00")
    assert "which is UTC-7 h all year" in notes_of(frame)["pvdaq_time_rule_offset"]


def test_one_missing_utc_time_is_not_complete(plug: PvdaqPlug):
    table = rows(["2020-01-01 12:00", "2020-01-01 13:00"], ["2020-01-01 19:00", None])
    series, notes = to_local_standard_time(table, SystemFacts(clock="7"), "auto", name="x")
    assert notes[0]["code"] == "pvdaq_time_rule_offset"
    assert series.index[0] == pd.Timestamp("2020-01-01 12:00")


def test_a_number_keeps_the_local_times_as_they_are(plug: PvdaqPlug):
    frame = plug.get_data((10, 2011))
    assert frame.index[0] == pd.Timestamp("2011-01-01 00:00:00")
    assert "'7'" in notes_of(frame)["pvdaq_time_rule_offset"]


def test_a_zone_takes_summer_time_out_to_the_last_row(plug: PvdaqPlug):
    """The hour that the clock repeats is told apart by its order, and nothing is lost."""
    frame = plug.get_data((1430, 2012)).sort_index()
    spring = pd.date_range("2012-03-08 00:00", "2012-03-14 23:45", freq="15min")
    autumn = pd.date_range("2012-11-01 23:00", "2012-11-07 23:45", freq="15min")
    expected = pd.concat([sunny(spring, 5000.0), sunny(autumn, 5000.0)])
    assert frame["power"].to_dict() == expected.to_dict()
    assert "America/Denver" in notes_of(frame)["pvdaq_time_rule_zone"]


def test_rows_in_the_hour_that_is_skipped_say_that_the_clock_keeps_standard_time():
    table = rows(["2020-03-08 01:30", "2020-03-08 02:00", "2020-03-08 02:30", "2020-03-08 03:00"])
    series, notes = to_local_standard_time(table, SystemFacts(clock="America/Denver"), "auto", name="x")
    assert len(series) == 2
    assert notes[1]["message"] == (
        "2 rows in the hour that the change to summer time skips were left out; rows in the hour that is skipped mean "
        "that the clock keeps to standard time: then set time_rule=offset"
    )


def test_utc_of_a_zone_becomes_its_standard_time():
    table = rows(["2020-07-01 13:00"], ["2020-07-01 19:00"])
    series, _ = to_local_standard_time(table, SystemFacts(clock="America/Denver"), "auto", name="x")
    assert series.index[0] == pd.Timestamp("2020-07-01 12:00")


def test_utc_without_any_zone_takes_the_smallest_difference():
    table = rows(["2020-01-01 12:00", "2020-07-01 13:00"], ["2020-01-01 19:00", "2020-07-01 19:00"])
    series, notes = to_local_standard_time(table, SystemFacts(), "auto", name="x")
    assert series.index.tolist() == [pd.Timestamp("2020-01-01 12:00"), pd.Timestamp("2020-07-01 12:00")]
    assert "PVDAQ names no time zone" in notes[0]["message"]


@pytest.mark.parametrize(
    ("clock", "said"), [("", "PVDAQ names no time zone"), ("Mars", "'Mars', which is no time zone")]
)
def test_without_a_zone_the_local_times_are_kept_and_that_is_said(clock: str, said: str):
    series, notes = to_local_standard_time(rows(["2020-07-01 13:00"]), SystemFacts(clock=clock), "auto", name="x")
    assert series.index[0] == pd.Timestamp("2020-07-01 13:00")
    assert said in notes[0]["message"]


def test_the_option_offset_overrides_a_zone(url: str, new_plug: Any):
    frame = new_plug(endpoint_url=url, time_rule="offset").get_data((2107, 2023, 149583))
    assert frame.index[0] == pd.Timestamp("2023-10-01 00:00")
    assert "time_rule=offset was asked for" in notes_of(frame)["pvdaq_time_rule_offset"]


def test_the_option_utc_needs_complete_utc(url: str, new_plug: Any):
    with pytest.raises(DataFormatError, match=r"needs utc_measured_on, which 0 of 138240 rows have; set time_rule to"):
        new_plug(endpoint_url=url, time_rule="utc").get_data((1332, 2018))


def test_the_option_zone_needs_the_name_of_a_zone(url: str, new_plug: Any):
    with pytest.raises(DataFormatError, match="needs the name of a zone, and PVDAQ says '7'; set time_rule=offset"):
        new_plug(endpoint_url=url, time_rule="zone").get_data((1208, 2011))
