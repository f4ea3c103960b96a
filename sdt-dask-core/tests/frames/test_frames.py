"""What a plug may return, through `check_frame`: repaired, noted or refused with a cause."""

from __future__ import annotations

import decimal
import enum
import importlib.util
import json
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sdt_dask_core.errors import FrameError
from sdt_dask_core.frames import FINDINGS, MEANINGS, CheckedFrame, Finding, check_frame

NOW = pd.Timestamp("2024-01-01")


def good_frame(days=40, minutes=15, start="2020-03-01", name="power"):
    per_day = 24 * 60 // minutes
    index = pd.date_range(start, periods=days * per_day, freq=f"{minutes}min")
    hour = np.asarray(index.hour + index.minute / 60)
    clouds = np.repeat(np.random.default_rng(7).uniform(0.3, 1.0, days), per_day)
    return pd.DataFrame({name: 5 * np.maximum(0.0, np.sin((hour - 6) / 12 * np.pi)) * clouds}, index=index)


def checked(frame, **options):
    return check_frame(frame, **{"units": "kW", "now": NOW, **options})


def refused(frame, **options):
    with pytest.raises(FrameError) as caught:
        checked(frame, **options)
    return caught.value


def codes(result):
    return [finding.code for finding in result.findings]


def found(result, code):
    return next(finding for finding in result.findings if finding.code == code)


def with_values(values, **options):
    frame = good_frame(**options)
    frame["power"] = values
    return frame


# --- a good frame


def test_good_frame_has_no_findings():
    assert checked(good_frame()).findings == ()


def test_good_frame_keeps_its_values():
    frame = good_frame()
    np.testing.assert_array_equal(checked(frame).power.to_numpy(), frame["power"].to_numpy())


def test_power_is_a_float_series_named_power_kw():
    power = checked(good_frame()).power
    assert (power.name, str(power.dtype)) == ("power_kw", "float64")


def test_index_is_naive_nanoseconds_named_timestamp():
    index = checked(good_frame()).power.index
    assert (index.name, str(index.dtype)) == ("timestamp", "datetime64[ns]")


def test_statistics_of_a_good_frame():
    assert checked(good_frame()).statistics == {
        "n_timestamps": 3840,
        "first_timestamp": "2020-03-01T00:00:00",
        "last_timestamp": "2020-04-09T23:45:00",
        "sampling_interval_minutes": 15.0,
        "missing_fraction": 0.0,
        "longest_gap_days": 0.0104,
        "length_days": 40.0,
    }


def test_missing_fraction_counts_missing_values():
    frame = good_frame()
    frame.iloc[::4] = np.nan
    assert checked(frame).statistics["missing_fraction"] == 0.25


def test_longest_gap_spans_rows_without_values():
    frame = good_frame()
    frame.iloc[960:1920] = np.nan
    assert checked(frame).statistics["longest_gap_days"] == pytest.approx(10.0, abs=0.02)


def test_longest_gap_at_the_end_counts():
    frame = good_frame()
    frame.iloc[1920:] = np.nan
    assert checked(frame).statistics["longest_gap_days"] == pytest.approx(20.0, abs=0.02)


def test_a_series_is_one_column():
    assert checked(good_frame()["power"]).findings == ()


def test_a_series_keeps_its_attrs():
    series = good_frame()["power"] * 1000
    series.attrs["units"] = "W"
    assert checked(series).power.max() < 5.1


def test_column_name_may_be_a_number():
    assert checked(good_frame(name=0)).findings == ()


def test_hourly_data_are_fine():
    assert checked(good_frame(minutes=60)).findings == ()


def test_three_days_are_enough():
    assert checked(good_frame(days=3)).findings == ()


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_every_resolution_gives_the_same_power(unit):
    frame = good_frame()
    frame.index = frame.index.as_unit(unit)
    pd.testing.assert_series_equal(checked(frame).power, checked(good_frame()).power)


@pytest.mark.parametrize("dtype", ["float32", "Float64", "double[pyarrow]"])
def test_every_float_type_is_numeric(dtype):
    assert checked(good_frame().astype(dtype)).power.dtype == np.float64


def test_missing_values_of_nullable_types_become_nan():
    frame = good_frame().astype("Float64")
    frame.iloc[5] = pd.NA
    assert np.isnan(checked(frame).power.iloc[5])


def test_integers_are_numeric():
    frame = (good_frame() * 1000).astype("int64")
    assert checked(frame, units="W").power.max() == pytest.approx(frame["power"].max() / 1000)


# --- the frame and its column


@pytest.mark.parametrize("thing", [None, [1, 2], np.zeros(5), {"a": 1}, "text"])
def test_what_is_no_frame_is_named(thing):
    error = refused(thing)
    assert error.finding == "not_a_frame"
    assert type(thing).__name__ in str(error)


@pytest.mark.parametrize("frame", [pd.DataFrame(), good_frame().iloc[:0], pd.Series(dtype=float)])
def test_no_rows_is_empty(frame):
    assert refused(frame).finding == "empty"


def test_no_columns_is_refused():
    assert refused(good_frame()[[]]).finding == "no_columns"


def test_two_numeric_columns_are_never_guessed():
    frame = good_frame().assign(irradiance=1.0)
    error = refused(frame)
    assert (error.finding, error.evidence) == ("ambiguous_column", {"columns": ["power", "irradiance"]})
    assert "(power, irradiance) and none was chosen" in str(error)


def test_two_columns_of_one_name_are_ambiguous():
    frame = pd.concat([good_frame(), good_frame()], axis=1)
    assert refused(frame).finding == "ambiguous_column"


def test_text_beside_power_is_dropped_and_recorded():
    result = checked(good_frame().assign(site="A", flag=True))
    assert found(result, "extra_columns_dropped").evidence == {"kept": "power", "dropped": ["site", "flag"]}


@pytest.mark.parametrize("value", ["1.5", True, 1 + 2j, pd.Timestamp("2020-01-01")])
def test_what_is_no_number_is_refused(value):
    assert refused(with_values(value)).finding == "not_numeric"


def test_text_is_shown_with_its_first_value():
    assert "the first value of 'power' is '1,5'" in str(refused(with_values("1,5")))


def test_objects_of_text_are_refused():
    assert refused(good_frame().astype(str).astype(object)).finding == "not_numeric"


def test_objects_of_booleans_are_refused():
    assert refused(with_values(np.array([True, False] * 1920, dtype=object))).finding == "not_numeric"


def test_objects_of_numbers_are_converted_and_recorded():
    frame = good_frame().astype(object)
    frame.iloc[3] = None
    result = checked(frame)
    assert codes(result) == ["converted_to_numbers"]
    assert np.isnan(result.power.iloc[3])


def test_decimals_are_converted():
    values = [decimal.Decimal(f"{value:.4f}") for value in good_frame()["power"]]
    assert codes(checked(with_values(values))) == ["converted_to_numbers"]


def test_objects_of_none_are_all_missing():
    assert refused(with_values(np.array([None] * 3840, dtype=object))).finding == "all_missing"


# --- notes of the plug


def test_sentences_of_the_plug_become_findings():
    frame = good_frame()
    frame.attrs["notes"] = ["took the mean of two rows a stamp", {"code": "utc_shifted", "message": "moved by -8 h"}]
    assert checked(frame).findings == (
        Finding("plug_note", "took the mean of two rows a stamp", {}, repaired=True),
        Finding("utc_shifted", "moved by -8 h", {}, repaired=True),
    )


def test_what_the_plug_doubts_is_no_repair():
    frame = good_frame()
    frame.attrs["notes"] = [{"code": "clock_unsure", "message": "the clock may be an hour off", "repaired": False}]
    assert checked(frame).findings == (Finding("clock_unsure", "the clock may be an hour off", {}, repaired=False),)


def test_one_sentence_needs_no_list():
    frame = good_frame()
    frame.attrs["notes"] = "dropped 3 rows"
    assert codes(checked(frame)) == ["plug_note"]


def test_an_error_carries_what_was_found_before():
    frame = with_values(0.0)
    frame.attrs["notes"] = ["dropped 3 rows"]
    assert [finding.code for finding in refused(frame).findings] == ["plug_note"]


# --- timestamps


def test_the_one_column_of_timestamps_becomes_the_index():
    """As Solar Data Tools' own DataPlug returns it; what it says of itself stays with it."""
    frame = good_frame().rename_axis("ts").reset_index()
    frame.attrs["units"] = "W"
    result = checked(frame, units=None)
    assert found(result, "timestamp_column").evidence == {"column": "ts"}
    assert found(result, "timestamp_column").repaired
    assert result.power.max() < 0.006
    assert list(result.power.index) == list(good_frame().index)


def test_which_of_two_columns_of_timestamps_is_meant_is_not_guessed():
    frame = good_frame().rename_axis("ts").reset_index()
    assert refused(frame.assign(written=frame["ts"])).finding == "no_datetime_index"


def test_timestamps_beside_numbers_of_rows_that_mean_something_are_not_taken():
    frame = good_frame().rename_axis("ts").reset_index()
    assert refused(frame.set_axis(frame.index * 2.0)).finding == "no_datetime_index"


@pytest.mark.parametrize("index", [range(3840), [str(n) for n in range(3840)]])
def test_an_index_without_time_is_refused(index):
    frame = good_frame()
    frame.index = pd.Index(index)
    assert refused(frame).finding == "no_datetime_index"


def test_a_multiindex_is_refused():
    frame = good_frame().set_index(pd.Series("A", index=good_frame().index), append=True)
    error = refused(frame)
    assert error.finding == "no_datetime_index"
    assert "MultiIndex" in str(error)


def test_periods_are_no_timestamps():
    assert refused(good_frame().to_period("15min")).finding == "no_datetime_index"


def test_arrow_timestamps_are_timestamps():
    frame = good_frame()
    frame.index = frame.index.astype("timestamp[us][pyarrow]")
    assert checked(frame).findings == ()


def test_rows_without_a_timestamp_are_dropped_and_recorded():
    frame = good_frame()
    frame.index = frame.index.where(np.arange(len(frame)) != 7)
    result = checked(frame)
    assert found(result, "missing_timestamps_dropped").evidence == {"n_rows": 1}
    assert result.statistics["n_timestamps"] == 3839


def test_no_timestamp_at_all_is_empty():
    frame = good_frame()
    frame.index = pd.DatetimeIndex([pd.NaT] * len(frame))
    assert refused(frame).finding == "empty"


def test_unsorted_rows_are_sorted_and_recorded():
    result = checked(good_frame().iloc[::-1])
    assert codes(result) == ["sorted"]
    pd.testing.assert_series_equal(result.power, checked(good_frame()).power)


def test_repeated_rows_are_dropped_and_recorded():
    result = checked(pd.concat([good_frame(), good_frame().iloc[100:110]]))
    assert found(result, "duplicates_dropped").evidence == {"n_rows": 10}
    pd.testing.assert_series_equal(result.power, checked(good_frame()).power)


def test_conflicting_rows_keep_the_first_and_are_noted():
    result = checked(pd.concat([good_frame(), good_frame().iloc[40:50] + 1]))
    finding = found(result, "conflicting_duplicates")
    assert (finding.repaired, finding.evidence["n_rows"], finding.evidence["first"]) == (
        False,
        10,
        "2020-03-01T10:00:00",
    )
    pd.testing.assert_series_equal(result.power, checked(good_frame()).power)


def test_one_row_of_1970_is_named():
    epoch = pd.DataFrame({"power": [1.0]}, index=[pd.Timestamp("1970-01-01")])
    error = refused(pd.concat([good_frame(), epoch]))
    assert error.finding == "stray_timestamps"
    assert "1 of 3841 rows have timestamps more than 5 years away from all the others: 1970-01-01" in str(error)


def test_the_year_1700_is_named():
    stray = pd.DataFrame({"power": [1.0]}, index=pd.DatetimeIndex(["1700-01-01"]))
    assert refused(pd.concat([good_frame(), stray])).evidence["timestamps"] == ["1700-01-01T00:00:00"]


def test_years_beyond_the_calendar_are_refused():
    frame = good_frame()
    frame.index = pd.DatetimeIndex(np.arange(len(frame)) * 900 + 10**13, dtype="datetime64[s]")
    assert refused(frame).finding == "stray_timestamps"


def test_a_future_row_is_refused():
    error = refused(good_frame(), now=pd.Timestamp("2020-03-20"))
    assert error.finding == "stray_timestamps"
    assert "in the future (now is 2020-03-20)" in str(error)


@pytest.mark.parametrize("end", ["2262-04-11T23:00", "9999-12-31"])
def test_the_last_day_of_a_calendar_is_refused_in_every_zone(end):
    stray = pd.DataFrame({"power": [1.0]}, index=pd.DatetimeIndex(np.array([end], dtype="datetime64[s]")))
    frame = pd.concat([good_frame().set_axis(good_frame().index.as_unit("s")), stray])
    assert refused(frame.tz_localize("UTC").tz_convert("Asia/Tokyo")).finding == "stray_timestamps"


def test_the_clock_says_what_is_future():
    assert check_frame(good_frame(), units="kW").findings == ()
    with pytest.raises(FrameError, match="in the future"):
        check_frame(good_frame(start="2200-01-01"), units="kW")


def test_a_record_of_1970_alone_is_refused():
    assert "before 1980" in str(refused(good_frame(start="1970-01-01")))


def test_a_stray_row_is_named_in_a_large_frame():
    index = pd.DatetimeIndex(np.r_[0, 1_500_000_000 + 60 * np.arange(2_000_000)], dtype="datetime64[s]")
    frame = pd.DataFrame({"power": np.ones(index.size)}, index=index)
    assert refused(frame).finding == "stray_timestamps"


def test_a_gap_of_twenty_years_is_too_sparse():
    frame = pd.concat([good_frame(start="2000-03-01"), good_frame(start="2020-03-01")])
    error = refused(frame)
    assert error.finding == "too_sparse"
    assert "only 80 of the 7345 days" in str(error)


def test_a_few_days_a_year_are_too_sparse():
    frame = pd.concat([good_frame(days=5, start=f"{year}-06-01") for year in range(2015, 2021)])
    assert refused(frame).finding == "too_sparse"


def test_two_days_are_too_short():
    error = refused(good_frame(days=2))
    assert error.finding == "too_short"
    assert "only 2 days hold values" in str(error)


def test_days_without_values_do_not_count():
    frame = good_frame()
    frame.iloc[192:] = np.nan
    assert refused(frame).finding == "too_short"


def test_one_timestamp_repeated_is_refused():
    frame = good_frame()
    frame.index = pd.DatetimeIndex([frame.index[50]] * len(frame))
    assert refused(frame).finding == "too_few_values"


# --- time zones


@pytest.mark.parametrize("start", ["2020-01-10", "2020-07-01"])
def test_a_zone_is_converted_to_its_standard_time(start):
    local = good_frame(start=start)
    aware = local.tz_localize("Etc/GMT+8").tz_convert("America/Los_Angeles")
    result = checked(aware)
    assert found(result, "time_zone_converted").evidence == {"zone": "America/Los_Angeles", "utc_offset_hours": -8.0}
    pd.testing.assert_series_equal(result.power, checked(local).power)


@pytest.mark.parametrize(("zone", "hours"), [("Australia/Sydney", 10.0), ("Europe/Dublin", 0.0), ("Asia/Kolkata", 5.5)])
def test_standard_time_is_found_everywhere(zone, hours):
    offset = pd.Timedelta(hours=hours)
    utc = good_frame().shift(freq=-offset).tz_localize("UTC")
    assert found(checked(utc.tz_convert(zone)), "time_zone_converted").evidence["utc_offset_hours"] == hours


def test_utc_is_taken_as_a_zone_and_midday_shows_it():
    error = refused(good_frame().shift(freq="8h").tz_localize("UTC"))
    assert [finding.code for finding in error.findings] == ["time_zone_converted"]
    assert error.finding == "midday_far_from_noon"


# --- sampling


def test_daily_data_are_too_coarse():
    frame = pd.DataFrame({"power": np.arange(60.0) % 7}, index=pd.date_range("2020-01-01", periods=60))
    error = refused(frame)
    assert error.finding == "sampling_too_coarse"
    assert "24 h apart" in str(error)


def test_two_hours_are_too_coarse():
    assert refused(good_frame(minutes=120)).finding == "sampling_too_coarse"


def test_ninety_minutes_are_noted():
    assert codes(checked(good_frame(minutes=90))) == ["sampling_coarse"]


def test_one_second_is_too_fine():
    frame = good_frame(days=1)
    frame = frame.reindex(pd.date_range(frame.index[0], periods=86400, freq="s")).interpolate()
    error = refused(frame)
    assert error.finding == "sampling_too_fine"
    assert "1 s apart" in str(error)


def test_seven_minutes_do_not_fit_a_day():
    fine = good_frame(minutes=1)
    assert refused(fine.iloc[::7]).finding == "interval_does_not_fit_day"


def test_a_change_of_interval_is_named_with_its_day():
    frame = pd.concat([good_frame(days=20, minutes=5), good_frame(days=20, start="2020-03-21")])
    error = refused(frame)
    assert error.finding == "mixed_sampling"
    assert "first on 2020-03-21 from 5 min to 15 min" in str(error)
    assert error.evidence["n_changes"] == 1


def test_a_change_of_interval_is_named_with_shares():
    frame = pd.concat([good_frame(days=20, minutes=5), good_frame(days=20, start="2020-03-21")])
    assert [item["interval_minutes"] for item in refused(frame).evidence["intervals"]] == [5.0, 15.0]


def test_timestamps_without_an_interval_are_mixed():
    fine = good_frame(minutes=1)
    chosen = np.sort(np.random.default_rng(5).choice(len(fine), 4000, replace=False))
    assert refused(fine.iloc[chosen]).finding == "mixed_sampling"


def test_timestamps_scattered_by_more_than_the_interval_are_mixed():
    frame = good_frame(days=10, minutes=1)
    seconds = np.random.default_rng(5).integers(-120, 120, len(frame))
    frame.index = frame.index + pd.to_timedelta(seconds, unit="s")
    assert refused(frame.sort_index()).finding == "mixed_sampling"


def test_rows_missing_at_random_are_noted():
    frame = good_frame()
    kept = np.random.default_rng(5).random(len(frame)) < 0.6
    assert found(checked(frame[kept]), "missing_rows").evidence["missing_share"] == pytest.approx(0.4, abs=0.03)


def test_daytime_rows_alone_are_fine():
    frame = good_frame()
    assert checked(frame[frame["power"] > 0]).findings == ()


def test_jitter_is_rounded_to_the_grid_and_recorded():
    frame = good_frame()
    seconds = np.random.default_rng(5).integers(-100, 100, len(frame))
    frame.index = frame.index + pd.to_timedelta(seconds, unit="s")
    result = checked(frame.iloc[1:])
    assert found(result, "jitter_rounded").evidence["interval_minutes"] == 15.0
    pd.testing.assert_index_equal(result.power.index, checked(good_frame().iloc[1:]).power.index)


def test_jitter_around_another_phase_keeps_the_phase():
    frame = good_frame()
    seconds = 420 + np.random.default_rng(5).integers(-60, 60, len(frame))
    frame.index = frame.index + pd.to_timedelta(seconds, unit="s")
    assert set(checked(frame).power.index.minute) == {7, 22, 37, 52}


def test_a_grid_off_midnight_is_regular():
    frame = good_frame()
    frame.index = frame.index + pd.Timedelta(minutes=2)
    assert checked(frame).findings == ()


# --- values


@pytest.mark.parametrize(
    ("values", "code"),
    [(np.nan, "all_missing"), (np.inf, "all_missing"), (0.0, "no_power"), (1e-300, "no_power"), (3.5, "constant")],
)
def test_one_value_throughout_is_refused(values, code):
    assert refused(with_values(values)).finding == code


def test_a_constant_is_told_with_its_value():
    assert "all 3840 values are 3.5 kW" in str(refused(with_values(3.5)))


def test_infinite_values_become_missing():
    frame = good_frame()
    frame.iloc[[5, 6]] = [[np.inf], [-np.inf]]
    result = checked(frame)
    assert found(result, "infinite_masked").evidence == {"n_values": 2}
    assert result.power.iloc[5:7].isna().all()


@pytest.mark.parametrize("value", [-1000000.0, -9999.0, -99999.0, 9999999.0, -3.4028234663852886e38])
@pytest.mark.parametrize("units", ["W", "kW"])
def test_stand_ins_for_missing_are_masked(value, units):
    frame = good_frame() * (1000 if units == "W" else 1)
    frame.iloc[::100] = value
    finding = found(checked(frame, units=units), "sentinel_masked")
    assert finding.evidence == {"values": [{"value": value, "count": 39}], "units": units}


def test_a_well_known_number_among_its_neighbours_is_power():
    frame = (good_frame(minutes=5) * 4000).round()
    frame.iloc[140] = 9999.0
    assert checked(frame, units="W").findings == ()


def test_single_values_beyond_every_plant_are_masked():
    frame = good_frame()
    frame.iloc[[50, 51]] = [[1e12], [1e300]]
    assert found(checked(frame), "impossible_masked").evidence["n_values"] == 2


def test_nothing_but_values_beyond_every_plant_is_no_power():
    frame = with_values(0.0)
    frame.iloc[:20] = 1e-9
    frame.iloc[20:25] = 1e12
    assert refused(frame).finding == "no_power"


def test_power_beyond_every_plant_is_refused():
    assert refused(good_frame() * 1e9).finding == "units_look_wrong"


def test_few_values_are_refused():
    frame = good_frame()
    frame.iloc[:-10] = np.nan
    error = refused(frame)
    assert error.finding == "too_few_values"
    assert "only 10 of 3840 values are zero or more" in str(error)


def test_reversed_power_is_refused():
    error = refused(-good_frame())
    assert error.finding == "mostly_negative"
    assert "sign convention is reversed" in str(error)


def test_consumption_at_night_is_fine():
    assert checked(good_frame() - 0.02).findings == ()


def test_a_counter_of_a_life_is_refused():
    error = refused(good_frame().cumsum())
    assert error.finding == "looks_cumulative"
    assert "energy counter" in str(error)


@pytest.mark.parametrize("minutes", [15, 60])
def test_a_counter_of_each_day_is_refused(minutes):
    frame = good_frame(minutes=minutes)
    frame["power"] = frame["power"].groupby(frame.index.date).cumsum()
    assert refused(frame).finding == "looks_cumulative"


# --- units


@pytest.mark.parametrize(("units", "factor"), [("W", 1e-3), ("kW", 1.0), ("MW", 1e3), ("kw", 1.0)])
def test_power_is_kw_whatever_the_unit(units, factor):
    result = checked(good_frame(), units=units)
    assert result.power.max() == pytest.approx(good_frame()["power"].max() * factor)


def test_units_may_be_an_enum():
    assert checked(good_frame() * 1000, units=enum.Enum("Units", {"W": "W"}).W).power.max() < 5.1


def test_units_of_the_frame_come_first():
    frame = good_frame() * 1000
    frame.attrs["units"] = "W"
    assert checked(frame, units="kW").power.max() < 5.1


def test_units_that_nobody_states_are_noted():
    result = checked(good_frame(), units=None)
    assert (codes(result), result.findings[0].repaired) == (["units_not_stated"], False)


@pytest.mark.parametrize("units", ["kWh", "hp", "", "mW", 7])
def test_unknown_units_are_refused(units):
    error = refused(good_frame(), units=units)
    assert error.finding == "unknown_units"
    assert repr(str(units)) in str(error)


@pytest.mark.parametrize("name", ["ac_power_w", "AC Power [W]", "P_ac (W) 1", "W", "watts", "power_MW", "acPowerMW"])
@pytest.mark.parametrize("units", ["kW", None])
def test_a_name_of_another_unit_is_refused(name, units):
    error = refused(good_frame(name=name), units=units)
    assert error.finding == "units_look_wrong"
    assert repr(name) in str(error)


@pytest.mark.parametrize("name", ["power_kw", "AC Power [kW]", "roof_w", "west", "POA [W/m2] free", "meas_val_f"])
def test_a_name_of_the_same_or_no_unit_is_fine(name):
    name = name.replace("[W/m2] ", "")
    assert checked(good_frame(name=name)).findings == ()


@pytest.mark.parametrize("name", ["energy_kwh", "Yield [kWh]", "Wh", "MWh total"])
def test_a_name_of_energy_is_refused(name):
    assert refused(good_frame(name=name)).finding == "looks_like_energy"


def test_power_far_above_the_capacity_names_the_unit():
    error = refused(good_frame() * 1000, metadata={"capacity_kw": 7})
    assert error.finding == "units_look_wrong"
    assert "kW but metadata gives a capacity of 7 kW: these values look like W, not kW; set units=W" in str(error)


def test_power_far_below_the_capacity_names_the_unit():
    error = refused(good_frame(), units="W", metadata={"capacity_kw": 7})
    assert "these values look like kW, not W; set units=kW" in str(error)


def test_a_capacity_that_no_unit_fits_is_told():
    assert "no unit of power makes them fit" in str(refused(good_frame(), metadata={"capacity_kw": 0.1}))


@pytest.mark.parametrize("capacity", [None, "", "unknown", 0, -1, float("nan"), 6, "6"])
def test_a_capacity_that_fits_or_says_nothing_is_fine(capacity):
    assert checked(good_frame(), metadata={"capacity_kw": capacity}).findings == ()


@pytest.mark.parametrize("factor", [1e-4, 1e6])
def test_implausible_size_is_noted_without_a_capacity(factor):
    result = checked(good_frame() * factor)
    assert (codes(result), result.findings[0].repaired) == (["implausible_size"], False)


# --- the clock


@pytest.mark.parametrize(("shift", "hour"), [(8, "20:00"), (-10, "02:00"), (5, "17:00"), (12, "00:00")])
def test_midday_far_from_noon_is_told_with_the_offset(shift, hour):
    error = refused(good_frame().shift(freq=f"{shift}h"))
    assert error.finding == "midday_far_from_noon"
    assert f"midday is near {hour}: these timestamps look like UTC; set timestamps=utc and utc_offset=" in str(error)


def test_midday_far_from_noon_says_what_to_set():
    message = str(refused(good_frame().shift(freq="8h")))
    assert message.startswith(
        "midday is near 20:00: these timestamps look like UTC; set timestamps=utc and utc_offset=-8, or tz=auto"
    )


@pytest.mark.parametrize("hours", [-3, 2, 3])
def test_midday_off_noon_is_noted(hours):
    result = checked(good_frame().shift(freq=f"{hours}h"))
    assert found(result, "midday_off_noon").evidence["hours_from_noon"] == pytest.approx(hours, abs=0.1)


@pytest.mark.parametrize("hours", [-1, 1])
def test_daylight_saving_is_not_midday_off_noon(hours):
    assert checked(good_frame().shift(freq=f"{hours}h")).findings == ()


# --- properties


def struck(frame, value):
    frame = frame.copy()
    frame.loc[frame.index.day == 7, "power"] = value
    return frame


MUTATIONS = {
    "good": lambda frame: frame,
    "unsorted": lambda frame: frame.sample(frac=1.0, random_state=1),
    "repeated": lambda frame: pd.concat([frame, frame.iloc[:50]]),
    "conflicting": lambda frame: pd.concat([frame, frame.iloc[40:60] + 1]),
    "infinite": lambda frame: struck(frame, np.inf),
    "sentinel": lambda frame: struck(frame, -1000000.0),
    "impossible": lambda frame: struck(frame, 1e12),
    "missing": lambda frame: struck(frame, np.nan),
    "aware": lambda frame: frame.tz_localize("Etc/GMT+5").tz_convert("America/New_York"),
    "jittered": lambda frame: frame.set_axis(
        frame.index + pd.to_timedelta(np.random.default_rng(2).integers(0, 200, len(frame)), unit="s")
    ),
    "objects": lambda frame: frame.astype(object),
    "with text": lambda frame: frame.assign(site="A"),
    "thinned": lambda frame: frame.sample(frac=0.6, random_state=2),
    "daytime": lambda frame: frame[frame["power"] > 0],
    "late": lambda frame: frame.shift(freq="2h"),
    "everything": lambda frame: (
        pd.concat([struck(frame, -9999.0), frame.iloc[40:60] + 1, frame.iloc[:5]])
        .sample(frac=0.9, random_state=4)
        .assign(site="A")
        .tz_localize("Asia/Tokyo")
    ),
}


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_the_given_frame_is_unchanged(mutation):
    frame = MUTATIONS[mutation](good_frame())
    before = frame.copy(deep=True)
    checked(frame)
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_checked_frame_checks_to_itself(mutation):
    power = checked(MUTATIONS[mutation](good_frame())).power
    pd.testing.assert_series_equal(checked(power.to_frame(), units="kW").power, power)


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_index_is_sorted_and_unique(mutation):
    index = checked(MUTATIONS[mutation](good_frame())).power.index
    assert index.is_monotonic_increasing
    assert index.is_unique


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_findings_and_statistics_are_strict_json(mutation):
    result = checked(MUTATIONS[mutation](good_frame()))
    json.dumps([finding.evidence for finding in result.findings], allow_nan=False)
    json.dumps(result.statistics, allow_nan=False)


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_codes_are_in_the_table(mutation):
    assert set(codes(checked(MUTATIONS[mutation](good_frame())))) <= FINDINGS.keys()


def test_every_code_has_a_meaning_and_a_fix():
    assert MEANINGS.keys() == FINDINGS.keys()
    assert all(text.endswith(".") for text in [*MEANINGS.values(), *FINDINGS.values()])


def test_every_code_that_is_raised_or_recorded_is_in_the_table():
    package = Path(importlib.util.find_spec("sdt_dask_core.frames").origin).parent
    used = set()
    for module in package.glob("*.py"):
        lines = module.read_text(encoding="utf-8").splitlines()
        calls = [
            place for place, line in enumerate(lines) if line.strip() in {"log.fail(", "log.noted(", "log.repaired("}
        ]
        used |= {lines[place + 1].strip(' ",') for place in calls}
    assert used | {"plug_note"} == FINDINGS.keys()


def test_the_error_pickles_with_its_findings():
    error = pickle.loads(pickle.dumps(refused(with_values(np.inf))))
    assert (error.finding, error.findings[0].code) == ("all_missing", "infinite_masked")


def test_the_result_is_a_checked_frame():
    assert isinstance(checked(good_frame()), CheckedFrame)


def test_years_of_minutes_pass():
    frame = good_frame(days=1096, minutes=1, start="2018-01-01")
    assert checked(frame).findings == ()


def test_an_interval_that_sdt_would_round_is_refused():
    index = pd.date_range("2020-05-01", periods=10 * 24 * 240, freq="15s")
    hours = index.hour + index.minute / 60
    error = refused(pd.DataFrame({"power": np.clip(1 - ((hours - 12) / 6) ** 2, 0, None)}, index=index))
    assert error.finding == "interval_does_not_fit_day"
    assert "15 s" in str(error)
    assert "a grid of 20 s" in str(error)


# --- real data


@pytest.fixture(params=["TAEFC1044741", "ZT162185000441C1203"])
def example(request):
    spec = importlib.util.find_spec("sdt_dask")
    if spec is None:
        pytest.skip("this solar-data-tools brings no sdt_dask")
    path = Path(next(iter(spec.submodule_search_locations))) / "examples" / "example_data" / f"{request.param}.csv"
    if not path.exists():
        pytest.skip(f"this sdt_dask brings no {path.name}")
    return pd.read_csv(path, parse_dates=["ts"]).set_index("ts")[["meas_val_f"]]


def test_example_data_are_seen_to_be_utc(example):
    assert str(refused(example)).startswith(
        "midday is near 20:00: these timestamps look like UTC; set timestamps=utc and utc_offset=-8, or tz=auto"
    )


def test_example_data_in_local_time_pass(example):
    assert set(codes(checked(example.shift(freq="-8h")))) <= {"sentinel_masked"}


def test_example_data_as_watts_contradict_their_capacity(example):
    error = refused(example.shift(freq="-8h") * 1000, metadata={"capacity_kw": 7})
    assert "set units=W" in str(error)


def test_sentinels_of_example_data_are_gone(example):
    assert checked(example.shift(freq="-8h")).power.min() >= 0
