"""The figures of a fleet against numbers that are known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sdt_dask_core.job import Job
from sdt_dask_core.reference import Reference, refer_to
from sdt_dask_core.report.figures_of_fleet import distribution, median_interval
from sdt_dask_core.report.fleet_map import fleet_map, land
from sdt_dask_core.report.fleet_table import as_script
from sdt_dask_core.report.words import command_for, file_name, number, pattern
from sdt_dask_core.settings import RunSettings
from sdt_dask_core.window import Window


def made(values: list[float]):  # type: ignore[no-untyped-def]
    return distribution(values, name="x", title="X", unit="%", n_systems=len(values))


def test_every_value_is_in_one_bin() -> None:
    values = [*np.random.default_rng(1).normal(-1, 1, 500), -1e6, 1e6]
    found = made(values)
    assert sum(count for _, _, count in found.bins) == found.n_used == 502
    assert -20 < found.low < found.high < 20


def test_values_that_are_not_finite_are_not_used() -> None:
    assert made([1.0, float("nan"), float("inf")]).n_used == 1
    assert made([float("nan")]) is None


def test_equal_values_have_an_axis() -> None:
    found = made([0.0, 0.0])
    assert found.low < 0 < found.high


def test_the_interval_of_the_median_covers_it_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    draws = np.sort(rng.exponential(size=(4000, 40)), axis=1)
    intervals = [median_interval(draw) for draw in draws]
    covered = np.mean([low <= np.log(2) <= high for low, high in filter(None, intervals)])
    assert 0.94 <= covered <= 0.99
    assert median_interval([1.0] * 5) is None


def test_a_map_holds_every_place_and_shows_the_worst_grade_of_each() -> None:
    here = {"latitude": 48.0, "longitude": 11.0}
    found = fleet_map([(here, "ok"), (here, "failed"), ({"latitude": -33, "longitude": 151}, "ok"), ({}, "ok")])
    assert found is not None
    assert found.n_placed == 3
    assert [(spot.grade, spot.count) for spot in found.spots] == [("ok", 1), ("failed", 2)]
    for spot in found.spots:
        assert found.x <= spot.x <= found.x + found.width
        assert found.y <= spot.y <= found.y + found.height


@pytest.mark.parametrize("place", [{}, {"latitude": "x", "longitude": 1}, {"latitude": float("nan"), "longitude": 0}])
def test_without_coordinates_there_is_no_map(place: dict[str, object]) -> None:
    assert fleet_map([(place, "ok")]) is None


def test_the_land_is_a_path_and_nothing_else() -> None:
    assert set(land()) <= set("Mlz0123456789.- ")
    assert len(land()) < 60_000


def test_a_script_holds_no_end_of_itself() -> None:
    text = as_script(["</script>", "<!--", "&", "\u2028"])
    assert not set(text) & set("<>&\u2028")


def test_a_name_of_a_file_is_one_and_differs_by_key() -> None:
    keys = ('["../../x"]', '["..","x"]', '["x"]', '["é"]', '["è"]', f'["{"y" * 500}"]')
    names = [file_name(key) for key in keys]
    assert len(set(names)) == 6
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") for name in names)
    assert max(map(len, names)) <= 60


def test_numbers_are_short_and_reasons_are_the_same_without_them() -> None:
    assert [number(x) for x in (None, float("nan"), True, 1234567, -0.80512, 12345.6)] == [
        "–", "–", "yes", "1,234,567", "−0.805", "12,346",
    ]  # fmt: skip
    assert pattern("caution: only 1.6 years of data") == pattern("caution: only 1.25 years of data")


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, "sdt-dask run --plug csv -p 'path=my data' -p token=env:TOKEN -o out"),
        ({"accelerate": False}, "sdt-dask run --plug csv -p 'path=my data' -p token=env:TOKEN -o out --no-accelerate"),
        ({"window": Window("2020-01-01")}, "--since 2020-01-01"),
        ({"analyses": ()}, "--analyses none"),
    ],
)
def test_the_command_says_what_was_run(changes: dict[str, Any], wanted: str) -> None:
    plug = Reference("plug", "csv", "sdt-dask-plug-csv", "0.1", "m:C", {"path": "my data", "token": "env:TOKEN"})
    analyses = tuple(refer_to("analysis", name, {}) for name in ("quality", "losses"))
    job = replace(Job(plug, analyses), **changes)
    assert wanted in command_for(RunSettings(job, refer_to("client", "local", {})), "out")
