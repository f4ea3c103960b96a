"""The limits of the built-in analyses, one by one: which numbers are trusted, doubted and withheld."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from sdt_dask_core.analyses import System
from sdt_dask_core.analyses.losses import LossAnalysis
from sdt_dask_core.analyses.quality import QualityAnalysis

GOOD_QUALITY = {
    "length_years": 3.0,
    "capacity_kw": 5.0,
    "quality_score": 0.95,
    "quality_scores_normal": True,
    "capacity_level_count": 1,
    "time_zone_correction_hours": 0,
    "longest_gap_days": 2.0,
}
GOOD_LOSSES = {
    "degradation_rate_pct_per_year": -0.8,
    "degradation_rate_lower_pct_per_year": -1.2,
    "degradation_rate_upper_pct_per_year": -0.4,
    "total_loss_pct": -12.0,
    "mc_converged": True,
}


def power(*, gap_days: int = 0) -> pd.Series:
    index = pd.date_range("2020-01-01", periods=3 * 365 * 24, freq="h", name="timestamp")
    series = pd.Series(np.ones(index.size), index=index, name="power_kw")
    series.iloc[-(gap_days + 1) * 24 : -24] = np.nan
    return series


def verdicts(analysis: Any, values: dict[str, Any], *, gap_days: int = 0) -> list[tuple[str, str]]:
    system = System(power=power(gap_days=gap_days), values=values)
    return [(verdict.grade.value, verdict.reason) for verdict in analysis.judge(system)]


def quality(**changes: Any) -> list[tuple[str, str]]:
    return verdicts(QualityAnalysis(), {**GOOD_QUALITY, **changes})


def losses(**changes: Any) -> list[tuple[str, str]]:
    return verdicts(LossAnalysis(), {**GOOD_QUALITY, **GOOD_LOSSES, **changes})


def test_good_quality_has_no_reason() -> None:
    assert quality() == []


def test_good_losses_have_no_reason() -> None:
    assert losses() == []


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"length_years": 1.0}, ("withheld", "only 365 days of data; one year says nothing of a trend")),
        ({"length_years": 1.9}, ("caution", "only 1.9 years of data; two are wanted for a trend")),
        ({"quality_score": 0.69}, ("caution", "quality score 0.69 is below 0.7")),
        ({"quality_score": 0.49}, ("withheld", "quality score 0.49 is below 0.5")),
        (
            {"quality_scores_normal": False},
            ("caution", "the daily quality scores do not cluster as those of good data do"),
        ),
        ({"capacity_level_count": 2}, ("caution", "2 levels of capacity were found")),
        ({"longest_gap_days": 31.0}, ("caution", "longest gap of 31 days is above 30")),
        ({"time_zone_correction_hours": 2}, ("caution", "SDT moved the time stamps by +2 h to midday")),
    ],
)
def test_each_limit_of_quality(changes: dict[str, Any], verdict: tuple[str, str]) -> None:
    assert quality(**changes) == [verdict]


def test_two_years_are_enough() -> None:
    assert quality(length_years=2.0) == []


def test_a_gap_of_months_in_the_last_year_is_withheld() -> None:
    found = verdicts(QualityAnalysis(), GOOD_QUALITY, gap_days=120)
    assert found == [("withheld", "longest gap of the last year, 120 days, is above 90")]


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"degradation_rate_pct_per_year": -3.5}, ("caution", "degradation rate -3.50 %/yr is below -3")),
        ({"degradation_rate_pct_per_year": 1.5}, ("caution", "degradation rate 1.50 %/yr is above 1")),
        ({"degradation_rate_pct_per_year": -1e9}, ("withheld", "degradation rate -1000000000.00 %/yr is below -10")),
        ({"degradation_rate_pct_per_year": 3.1}, ("withheld", "degradation rate 3.10 %/yr is above 3")),
        (
            {"degradation_rate_lower_pct_per_year": -3.4},
            ("caution", "interval of the rate, 3.00 %/yr wide, is above 2"),
        ),
        (
            {"degradation_rate_lower_pct_per_year": -9.4},
            ("withheld", "interval of the rate, 9.00 %/yr wide, is above 5"),
        ),
        ({"total_loss_pct": -70.0}, ("caution", "total loss -70.0 % is below -60")),
        ({"total_loss_pct": 25.0}, ("withheld", "total loss 25.0 % is above 20")),
        (
            {"mc_converged": False},
            ("withheld", "the degradation rate did not settle in 500 Monte Carlo rounds"),
        ),
    ],
)
def test_each_limit_of_losses(changes: dict[str, Any], verdict: tuple[str, str]) -> None:
    assert losses(**changes) == [verdict]


@pytest.mark.parametrize("rate", [None, float("nan"), float("inf")])
def test_a_rate_that_is_no_number_is_withheld(rate: float | None) -> None:
    assert ("withheld", "degradation rate nan %/yr is not a finite number") in losses(
        degradation_rate_pct_per_year=rate
    )


def test_bounds_that_are_no_numbers_are_withheld() -> None:
    found = losses(degradation_rate_lower_pct_per_year=None, degradation_rate_upper_pct_per_year=None)
    assert ("withheld", "interval of the rate, nan %/yr wide, is not a finite number") in found


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"length_years": 1.0}, "losses were not analysed: 365 days of data or less"),
        ({"quality_score": 0.49}, "losses were not analysed: quality score 0.49 is below 0.5"),
        ({}, None),
    ],
)
def test_losses_run_only_where_they_can_be_right(changes: dict[str, Any], reason: str | None) -> None:
    system = System(power=power(), values={**GOOD_QUALITY, **changes})
    assert LossAnalysis().reason_to_skip(system) == reason
    assert LossAnalysis(all_losses=True).reason_to_skip(system) is None
