"""Where midday lies, whatever the data hold besides days."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sdt_dask_core.daylight import fitting_offset, hours_from_noon, midday_hour


def solar_days(days=30, minutes=15, shift=0.0):
    index = pd.date_range("2020-03-01", periods=days * 24 * 60 // minutes, freq=f"{minutes}min")
    hour = np.asarray(index.hour + index.minute / 60)
    clouds = np.repeat(np.random.default_rng(7).uniform(0.3, 1.0, days), 24 * 60 // minutes)
    power = np.maximum(0.0, np.sin((hour - 6) / 12 * np.pi)) * clouds
    return pd.Series(power, index=index + pd.Timedelta(hours=shift))


def example_series(name):
    spec = importlib.util.find_spec("sdt_dask")
    if spec is None:
        pytest.skip("this solar-data-tools brings no sdt_dask")
    path = Path(next(iter(spec.submodule_search_locations))) / "examples" / "example_data" / f"{name}.csv"
    if not path.exists():
        pytest.skip(f"this sdt_dask brings no {path.name}")
    return pd.read_csv(path, parse_dates=["ts"]).set_index("ts")["meas_val_f"]


def test_midday_of_a_half_sine_is_noon():
    assert midday_hour(solar_days()) == pytest.approx(12.0, abs=0.05)


@pytest.mark.parametrize("minutes", [5, 15, 30, 60])
def test_midday_does_not_depend_on_the_sampling_interval(minutes):
    assert midday_hour(solar_days(minutes=minutes)) == pytest.approx(12.0, abs=0.05)


@pytest.mark.parametrize("shift", [-11, -8, -3.5, 1, 5.5, 8, 10])
def test_midday_follows_a_shift_around_the_clock(shift):
    assert hours_from_noon(solar_days(shift=shift)) == pytest.approx(shift, abs=0.05)


@pytest.mark.parametrize("shift", [-11, -5, 0, 3, 8, 11])
def test_fitting_offset_undoes_a_whole_hour_shift(shift):
    assert fitting_offset(solar_days(shift=shift)) == -shift


def test_midday_at_midnight_is_twelve_hours_off():
    assert abs(hours_from_noon(solar_days(shift=12))) == pytest.approx(12.0, abs=0.05)


@pytest.mark.parametrize("sentinel", [-1000000.0, 9999999.0, np.inf, -np.inf])
def test_midday_ignores_stand_ins_for_missing(sentinel):
    power = solar_days(shift=8)
    power.iloc[3:400:17] = sentinel
    assert midday_hour(power) == pytest.approx(20.0, abs=0.1)


def test_midday_needs_no_night_rows():
    power = solar_days(shift=8)
    assert midday_hour(power[power > 0]) == pytest.approx(20.0, abs=0.1)


def test_midday_ignores_small_consumption_at_night():
    power = solar_days()
    assert midday_hour(power - 0.02) == pytest.approx(12.0, abs=0.05)


def test_midday_takes_rows_in_any_order():
    power = solar_days().sample(frac=1.0, random_state=3)
    assert midday_hour(power) == pytest.approx(12.0, abs=0.05)


def test_midday_ignores_rows_without_a_timestamp():
    power = solar_days()
    power.index = power.index.where(np.arange(power.size) % 50 != 0)
    assert midday_hour(power) == pytest.approx(12.0, abs=0.1)


def test_midday_is_the_clock_of_an_aware_index():
    assert midday_hour(solar_days().tz_localize("Asia/Tokyo")) == pytest.approx(12.0, abs=0.05)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_midday_is_the_same_at_every_resolution(unit):
    power = solar_days(shift=2)
    power.index = power.index.as_unit(unit)
    assert midday_hour(power) == pytest.approx(14.0, abs=0.05)


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan])
def test_no_power_has_no_midday(value):
    power = solar_days() * 0 + value
    assert midday_hour(power) is None


def test_a_constant_has_no_midday():
    assert midday_hour(solar_days() * 0 + 5.0) is None


def test_noise_has_no_midday():
    power = solar_days()
    power[:] = np.random.default_rng(1).uniform(0, 1, power.size)
    assert midday_hour(power) is None


def test_an_empty_series_has_no_midday():
    assert midday_hour(solar_days().iloc[:0]) is None


def test_where_there_is_no_midday_nothing_is_off():
    power = solar_days() * 0
    assert (hours_from_noon(power), fitting_offset(power)) == (None, 0)


@pytest.mark.parametrize("name", ["TAEFC1044741", "ZT162185000441C1203"])
def test_example_files_of_solar_data_tools_are_eight_hours_off(name):
    assert fitting_offset(example_series(name)) == -8
