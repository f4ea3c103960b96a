"""Each layout that PVDAQ publishes power in, read to the power that was written."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from pvdaq_notes import notes_of
from pvdaq_tree import Tree, sunny

from sdt_dask_core.errors import DataFormatError, KeyNotFoundError
from sdt_dask_core.frames import check_frame
from sdt_dask_plug_pvdaq import PvdaqPlug


def written(first: str, last: str, freq: str, peak: float, **more: float) -> pd.Series:
    return sunny(pd.date_range(first, f"{last} 23:59:59", freq=freq, name="timestamp"), peak, **more)


def same(frame: pd.DataFrame, power: pd.Series) -> None:
    assert frame.columns.tolist() == ["power"]
    pd.testing.assert_series_equal(frame["power"], power, check_freq=False, check_index_type=False, rtol=1e-12)
    assert (frame.index == power.index).all()


def test_daily_csv_is_read_as_one_series(plug: PvdaqPlug):
    frame = plug.get_data((10, 2011))
    same(frame, written("2011-01-01", "2011-12-31", "15min", 1000.0, night=1.5))
    assert frame.attrs["units"] == "W"
    assert notes_of(frame)["pvdaq_column"] == "the power is the column 'ac_power__423' of daily CSV files"


def test_small_negative_power_of_the_night_is_kept(plug: PvdaqPlug):
    assert plug.get_data((10, 2011))["power"].min() == -1.5


def test_parquet_is_taken_where_both_sides_have_the_same_days(plug: PvdaqPlug):
    frame = plug.get_data((4, 2012))
    same(frame, written("2012-03-05", "2012-03-10", "1min", 900.0, night=2.0))
    assert "daily Parquet files" in notes_of(frame)["pvdaq_column"]
    assert notes_of(frame)["pvdaq_unit"] == "the power is in W (the metrics dictionary says so)"


def test_the_side_with_more_days_is_taken(plug: PvdaqPlug):
    frame = plug.get_data((4, 2013))
    same(frame, written("2013-03-05", "2013-03-06", "1min", 900.0, night=2.0))


def test_the_option_layout_chooses_the_side(url: str, new_plug: Any):
    both = [new_plug(endpoint_url=url, layout=layout).get_data((4, 2012)) for layout in ("csv", "parquet")]
    assert ["daily CSV" in notes_of(frame)["pvdaq_column"] for frame in both] == [True, False]
    same(both[0], both[1]["power"])


def test_parquet_without_a_dictionary_asks_for_csv(url: str, new_plug: Any, tree: Tree):
    index = pd.date_range("2019-03-05", periods=96, freq="15min")
    tree.daily_parquet(77, {1: sunny(index, 9.0)}, lambda stamps: stamps)
    with pytest.raises(DataFormatError, match="without a dictionary of their channels; set layout=csv"):
        new_plug(endpoint_url=url).get_data((77, 2019))


def test_several_years_are_one_series_in_order(plug: PvdaqPlug):
    frame = plug.get_data((34, [2012, 2011]))
    assert frame.index.is_monotonic_increasing
    assert sorted(set(frame.index.year)) == [2011, 2012]


def test_yearly_csv_of_several_files_is_one_series(plug: PvdaqPlug):
    frame = plug.get_data((10500, 2016))
    same(frame, written("2016-01-01", "2016-12-31", "5min", 4.8))
    assert frame.attrs["units"] == "kW"


def test_daily_aggregates_are_refused(plug: PvdaqPlug):
    with pytest.raises(DataFormatError) as caught:
        plug.get_data((10109, 2016))
    assert str(caught.value) == (
        "system 10109 in 2016 holds daily aggregates only (ac_power_inv_1109_daily_max, ac_power_inv_1109_daily_mean, "
        "ac_energy_inv_1109_daily_sum); Solar Data Tools needs power at the pace of the measurements, hourly or "
        "faster; leave this system out"
    )


def test_a_prize_meter_is_followed_from_file_to_file(plug: PvdaqPlug):
    frame = plug.get_data((9068, [2023, 2024]))
    same(frame, written("2023-10-01", "2024-02-29", "15min", 4000.0))
    assert (frame.attrs["units"], notes_of(frame)["pvdaq_unit"]) == (
        "kW",
        "the power is in kW (the name of the column says so)",
    )


def test_only_the_years_asked_for_are_taken_from_prize_files(plug: PvdaqPlug):
    frame = plug.get_data((9068, 2024))
    same(frame, written("2024-01-01", "2024-02-29", "15min", 4000.0))


def test_of_prize_files_that_overlap_the_later_counts(url: str, new_plug: Any):
    frame = new_plug(endpoint_url=url, time_rule="offset").get_data((2107, [2023, 2024], "inv_01_ac_power"))
    power = written("2023-10-01", "2024-02-29", "15min", 27.0) * 1.01
    power["2023-12-20":] *= 1.01
    np.testing.assert_allclose(frame["power"], power, rtol=1e-9)
    assert notes_of(frame)["pvdaq_overlap"].startswith("1152 rows of older files were left out")


def test_a_damaged_file_is_named(plug: PvdaqPlug):
    with pytest.raises(DataFormatError, match=r"1276__date_2011_05_01\.csv cannot be read as CSV: .* tell PVDAQ"):
        plug.get_data((1276, 2011))


def test_sentinels_are_missing_and_counted(plug: PvdaqPlug):
    frame = plug.get_data((34, 2011))
    assert frame.loc["2011-02-03", "power"].isna().all()
    assert notes_of(frame)["pvdaq_sentinels"] == (
        "50 values that mean 'no value' were taken as missing: 1 of -99999, 1 of -7999, 48 of -999"
    )
    assert frame["power"].min() == -30.0


def test_what_pvdaq_itself_has_against_a_system_is_told(plug: PvdaqPlug):
    frame = plug.get_data((34, 2012))
    assert notes_of(frame)["pvdaq_quality_check"] == "PVDAQ's own quality check failed this system: time shift"


def test_copied_rows_are_left_to_the_core_which_drops_them(plug: PvdaqPlug):
    frame = plug.get_data((34, 2011))
    assert frame.index.duplicated().sum() == 1
    codes = {finding.code for finding in check_frame(frame, metadata=plug.system_metadata((34, 2011))).findings}
    assert "duplicates_dropped" in codes


def test_a_side_that_a_system_is_not_on_is_named(url: str, new_plug: Any):
    with pytest.raises(KeyNotFoundError, match="has no system 34: nothing below pvdaq/parquet/pvdata/ nor in"):
        new_plug(endpoint_url=url, layout="parquet").get_data((34, 2011))
