"""The figures show the arrays: what an artist holds is held against what it was made from."""

from __future__ import annotations

from typing import Any

import matplotlib.dates as mdates
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sdt_dask_core import figures
from sdt_dask_core.analyses.losses import LossAnalysis
from sdt_dask_core.analyses.quality import QualityAnalysis
from sdt_dask_core.picture import Picture
from sdt_dask_core.system_result import SystemResult

from .generated import failed, outcome, small_picture

COLUMNS = (*QualityAnalysis.provides, *LossAnalysis.provides)
FIRST = mdates.datestr2num("2019-01-01")


def system(grade: str = "ok", picture: Picture | None = None, **columns: Any) -> SystemResult:
    body = failed() if grade == "failed" else outcome(grade, **columns)
    row = {"key": '["a"]', "state": "done", "reason": "new", "cause": None, "message": None, "grade": None, **body}
    return SystemResult({**row, "body": body}, COLUMNS, picture=picture or small_picture(), fleet_median=-0.75)


def drawn(name: str, of: SystemResult) -> Axes:
    ax = Figure().add_subplot()
    assert getattr(figures, name)(of, ax) is ax
    return ax


def lines(ax: Axes) -> dict[str, Any]:
    return {str(line.get_label()): line for line in ax.lines}


def words(ax: Axes) -> str:
    return " ".join(" ".join(text.get_text().split()) for text in ax.texts)


def test_the_heat_map_shows_the_power_and_ticks_the_days_that_are_not_good() -> None:
    picture = small_picture()
    ax = drawn("heat_map", system(picture=picture))
    np.testing.assert_array_equal(ax.images[0].get_array(), picture.power)
    assert tuple(ax.images[0].get_extent()) == (FIRST, FIRST + 730, 0, 24)
    np.testing.assert_array_equal(lines(ax)["not a good day"].get_xdata(), FIRST + np.arange(0, 730, 10))


def test_daily_energy_shows_each_day_once() -> None:
    picture = small_picture()
    ax = drawn("daily_energy", system(picture=picture))
    marks = [lines(ax)[label].get_xydata() for label in ("good", "clear", "not good")]
    found = np.concatenate(marks)
    found = found[np.argsort(found[:, 0])]
    np.testing.assert_array_equal(found[:, 0], FIRST + np.arange(730))
    np.testing.assert_array_equal(found[:, 1], picture.energy)


def test_daily_energy_shows_the_step_of_the_capacity() -> None:
    steps = [line for line in drawn("daily_energy", system()).lines if line.get_color() == "#0072b2"]
    (before, after) = (line.get_xydata() for line in steps)
    assert [before[0][0], before[1][0]] == [FIRST, FIRST + 400]
    assert after[0][0] == FIRST + 400
    assert after[0][1] < before[0][1]


def test_solar_noon_shows_the_shift_of_the_clock() -> None:
    picture = small_picture()
    ax = drawn("solar_noon", system(picture=picture))
    np.testing.assert_array_equal(lines(ax)["each day"].get_ydata(), picture.noon)
    np.testing.assert_array_equal(lines(ax)["clock"].get_ydata(), picture.clock)
    (segment,) = ax.collections[0].get_segments()
    assert segment[0][0] == FIRST + 300


def test_clipping_shows_every_day_and_where_it_clips() -> None:
    picture = small_picture()
    ax = drawn("clipping", system(picture=picture))
    heights = [patch.get_height() for patch in ax.patches]
    counts, _ = np.histogram(picture.daily_max * 5.0, bins=60, range=(0, 5.0))
    np.testing.assert_array_equal(heights, counts)
    assert lines(ax)["clips here"].get_xdata()[0] == pytest.approx(3.75)
    assert "clips on 30% of the days" in words(ax)


def test_no_point_mass_is_marked_where_nothing_clips() -> None:
    ax = drawn("clipping", system(inverter_clipping=False))
    assert not ax.lines
    assert "no clipping found" in words(ax)


def test_the_losses_go_from_the_baseline_to_the_total() -> None:
    ax = drawn("losses", system())
    widths = [patch.get_width() for patch in ax.patches]
    starts = [patch.get_x() for patch in ax.patches]
    assert widths == [-20.0, -1.0, -3.0, -2.0, 0.5, -25.5]
    assert starts == [0, -20.0, -21.0, -24.0, -26.0, 0.0]
    assert starts[4] + widths[4] == widths[5]
    assert [label.get_text() for label in ax.get_yticklabels()][-1] == "total"


def test_the_degradation_shows_samples_interval_and_the_fleet() -> None:
    picture = small_picture()
    ax = drawn("degradation", system(picture=picture))
    span, *bars = ax.patches
    assert (span.get_x(), span.get_x() + span.get_width()) == (-1.1, pytest.approx(-0.5))
    assert sum(bar.get_height() for bar in bars) == len(picture.samples)
    assert lines(ax)["median −0.80"].get_xdata()[0] == -0.8
    assert lines(ax)["fleet −0.75"].get_xdata()[0] == -0.75


@pytest.mark.parametrize("name", ["losses", "degradation"])
def test_what_is_withheld_is_not_drawn_and_the_reason_stands_in_its_place(name: str) -> None:
    ax = drawn(name, system("withheld"))
    assert not ax.lines
    assert not ax.patches
    assert "withheld: degradation rate -12.00 %/yr is below -10" in words(ax)


@pytest.mark.parametrize("name", ["losses", "degradation"])
def test_of_a_failure_its_message_stands_there(name: str) -> None:
    assert words(drawn(name, system("failed"))).startswith("failed")


@pytest.mark.parametrize("name", list(figures.PANELS))
def test_a_system_without_a_picture_says_so(name: str) -> None:
    of = system("failed")
    of.picture = None
    assert words(drawn(name, of))


def test_a_picture_of_power_alone_draws_what_there_is() -> None:
    none = {name: np.zeros(0) for name in ("noon", "clock", "daily_max", "point_masses", "samples")}
    empty = small_picture(flags=np.zeros(0, "u1"), levels=np.zeros(0, "u1"), **none)
    of = system("failed", picture=empty)
    assert drawn("heat_map", of).images
    assert "day" in lines(drawn("daily_energy", of))
    assert words(drawn("solar_noon", of))
    assert words(drawn("clipping", of))


def test_days_without_any_value_draw_an_empty_figure() -> None:
    nothing = small_picture(
        power=np.full((96, 365), np.nan), energy=np.full(730, np.nan), noon=np.full(730, np.nan), max_kw=0.0
    )
    figures.image(figures.page(system(picture=nothing)))


def test_the_page_has_six_panels_and_the_same_bytes_each_time() -> None:
    of = system()
    figure = figures.page(of)
    assert len(figure.axes) == 6
    assert figures.image(figure) == figures.image(figures.page(of))
    assert len(figures.image(figure)) < 200_000


@pytest.mark.parametrize(("kind", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_a_page_comes_in_three_formats(kind: str, start: bytes) -> None:
    assert figures.image(system().plot(), kind).startswith(start)


@pytest.mark.parametrize("key", ["$\\frac{1}{0}$", "שלום", "日本語", "<b>&"])
def test_a_key_of_any_characters_is_drawn_as_it_is(key: str) -> None:
    of = system()
    of.label = key
    figure = of.plot()
    figures.image(figure)
    assert key in figure.texts[0].get_text()


def test_pyplot_is_left_alone() -> None:
    import sys

    of = system()
    before = set(sys.modules)
    figures.image(of.plot())
    assert "matplotlib.pyplot" not in set(sys.modules) - before
