"""The picture of a system: what is kept of its arrays, and how small."""

from __future__ import annotations

import json
import zlib
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sdt_dask_core.analyses import System
from sdt_dask_core.picture import Picture, PictureError, pack, sparkline, take_picture, unpack

from .generated import small_picture

_ARRAYS = ("power", "energy", "flags", "levels", "noon", "clock", "daily_max", "point_masses", "samples")


def handler(n_days: int = 400, **changes: Any) -> SimpleNamespace:
    """What a DataHandler has after its pipeline, as far as a picture asks."""
    rng = np.random.default_rng(1)
    matrix = rng.uniform(0, 5, (288, n_days))
    is_good = rng.uniform(size=n_days) > 0.2
    fields = {
        "day_index": pd.date_range("2020-03-01", periods=n_days),
        "raw_data_matrix": matrix,
        "daily_signals": SimpleNamespace(energy=matrix.sum(axis=0) / 12),
        "daily_flags": SimpleNamespace(no_errors=is_good, clear=is_good & (matrix[0] > 2), inverter_clipped=~is_good),
        "capacity_analysis": SimpleNamespace(labels=[0] * 100 + [1] * (n_days - 100)),
        "time_shift_analysis": SimpleNamespace(metric=np.full(n_days, 12.5), s1=np.full(n_days, 12.4)),
        "clipping_analysis": SimpleNamespace(
            clip_stat_1=matrix.max(axis=0) / 5, max_value=5.0, point_mass_locations=np.array([0.9])
        ),
        "loss_analysis": SimpleNamespace(MC_results={"samples": pd.DataFrame({"deg": rng.normal(-1, 0.1, 40)})}),
    }
    return SimpleNamespace(**{**fields, **changes})


def taken(of: SimpleNamespace) -> Picture:
    return take_picture(System(power=pd.Series(dtype=float), objects={"data_handler": of}))


def test_a_picture_comes_back_within_half_a_step() -> None:
    before = small_picture(energy=np.where(np.arange(730) == 5, np.nan, small_picture().energy))
    after = unpack(pack(before))
    for name in _ARRAYS:
        values, found = getattr(before, name), getattr(after, name)
        steps = {"power": 254, "flags": 10**9, "levels": 10**9}.get(name, 65534)
        half = (np.nanmax(values) - np.nanmin(values)) / steps / 2
        np.testing.assert_allclose(found, values, atol=half * 1.0001)
    assert (after.first_day, after.days_per_column, after.max_kw) == ("2019-01-01", 2, 5.0)


def test_the_arrays_are_those_of_solar_data_tools() -> None:
    of = handler()
    picture = taken(of)
    np.testing.assert_array_equal(picture.energy, of.daily_signals.energy)
    np.testing.assert_array_equal(picture.flags & 1 > 0, of.daily_flags.no_errors)
    np.testing.assert_array_equal(picture.flags & 2 > 0, of.daily_flags.clear)
    np.testing.assert_array_equal(picture.levels, of.capacity_analysis.labels)
    np.testing.assert_array_equal(picture.samples, of.loss_analysis.MC_results["samples"]["deg"])
    assert picture.first_day == "2020-03-01"


def test_the_heat_map_is_the_mean_of_what_it_stands_for() -> None:
    of = handler()
    picture = taken(of)
    assert picture.power.shape == (96, 200)
    assert picture.days_per_column == 2
    assert picture.power[10, 7] == pytest.approx(of.raw_data_matrix[30:33, 14:16].mean())


def test_what_is_missing_is_no_part_of_a_mean() -> None:
    matrix = np.full((96, 800), 2.0)
    matrix[:, 0] = np.nan
    matrix[:, 3:6] = np.nan
    picture = taken(handler(800, raw_data_matrix=matrix))
    assert picture.power[0, 0] == 2.0
    assert np.isnan(picture.power[:, 1]).all()


def test_daily_arrays_of_another_length_are_left_out() -> None:
    picture = taken(handler(time_shift_analysis=SimpleNamespace(metric=np.ones(3), s1=None), loss_analysis=None))
    assert len(picture.noon) == len(picture.clock) == len(picture.samples) == 0


@pytest.mark.parametrize("unit", ["ns", "us", "s"])
def test_without_solar_data_tools_the_power_alone_is_shown(unit: str) -> None:
    index = pd.date_range("2020-06-01 06:00", "2020-06-03 18:00", freq="30min", unit=unit)
    power = pd.Series(3.0, index=index)
    power["2020-06-02"] = np.nan
    picture = take_picture(System(power=power))
    assert picture.first_day == "2020-06-01"
    assert picture.energy[0] == pytest.approx(18 * 3.0)
    assert np.isnan(picture.energy[1])
    assert picture.power[25, 0] != picture.power[25, 0]  # between two stamps
    assert picture.power[24, 0] == 3.0
    assert len(picture.flags) == 0


def test_thirty_years_fit_into_150_kilobytes() -> None:
    n_days = 30 * 365
    rng = np.random.default_rng(2)
    noise = rng.uniform(0, 1, n_days)
    picture = taken(
        handler(
            n_days,
            daily_signals=SimpleNamespace(energy=noise),
            time_shift_analysis=SimpleNamespace(metric=rng.permuted(noise), s1=np.full(n_days, 12.0)),
        )
    )
    assert len(pack(picture)) < 150_000


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no picture",
        zlib.compress(b"{}\n"),
        pack(small_picture())[:-20],
        zlib.compress(json.dumps({"version": 1, "arrays": {}}).encode() + b"\n"),
        zlib.compress(b"0" * 20_000_000),
    ],
)
def test_a_damaged_picture_is_refused(data: bytes) -> None:
    with pytest.raises(PictureError, match="sdt-dask run --force makes it anew"):
        unpack(data)


def test_a_picture_that_claims_more_than_it_holds_is_refused() -> None:
    head = json.loads(zlib.decompress(pack(small_picture())).partition(b"\n")[0])
    head["arrays"]["power"][0] = [10**6, 10**6]
    with pytest.raises(PictureError):
        unpack(zlib.compress(json.dumps(head).encode() + b"\n"))


def test_a_sparkline_is_short_and_shows_gaps() -> None:
    energy = np.concatenate([np.full(100, 10.0), np.full(50, np.nan), np.zeros(50)])
    line = sparkline(energy)
    assert line == "z" * 20 + "." * 10 + "0" * 10
    assert sparkline(np.full(10, np.nan)) == ""
