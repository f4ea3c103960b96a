"""Losses of a synthetic system whose truth is known, through a real run."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from sdt_dask_core import Run, SDTDask
from sdt_dask_testing import synthetic_system, write_fleet

pytestmark = [pytest.mark.sdt, pytest.mark.slow]


@pytest.fixture(scope="module")
def known_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Three years that lose 1 % a year, from a seed that had no part in making the generator."""
    folder = tmp_path_factory.mktemp("known")
    write_fleet(folder, [synthetic_system(seed=100, system_id="known", degradation_pct_per_year=-1.0)])
    return SDTDask("csv", plug_options={"path": str(folder / "data")}, output=folder / "results").execute()


@pytest.fixture(scope="module")
def row(known_run: Run) -> pd.Series:
    return known_run.results.set_index("key").loc["known"]


def test_the_true_rate_lies_in_the_interval(row: pd.Series) -> None:
    low, high = row["degradation_rate_lower_pct_per_year"], row["degradation_rate_upper_pct_per_year"]
    assert low <= -1.0 <= high
    assert high - low < 1.0


def test_a_good_system_is_ok(row: pd.Series) -> None:
    assert (row["grade"], row["reasons"]) == ("ok", "")


def test_the_shares_of_the_factors_sum_to_the_total(row: pd.Series) -> None:
    factors = ("degradation", "soiling", "capacity_change", "weather", "outage")
    assert sum(row[f"{factor}_loss_pct"] for factor in factors) == pytest.approx(row["total_loss_pct"])


def test_the_estimate_settled(row: pd.Series) -> None:
    assert row["mc_converged"]
    assert 20 <= row["mc_samples"] <= 100


def test_a_trusted_system_counts_in_the_summary(known_run: Run) -> None:
    summary = known_run.summary.loc["degradation_rate_pct_per_year"]
    assert summary["n_used"] == 1
    assert summary["unit"] == "%/yr"


def test_the_same_data_give_the_same_row(known_run: Run, tmp_path: Path) -> None:
    options = known_run.settings.job.plug.options
    again = SDTDask("csv", plug_options=options, output=tmp_path).execute()
    names = [column.name for column in known_run.columns if column.name != "quality_seconds"]
    pd.testing.assert_frame_equal(again.results[names], known_run.results[names], check_exact=True)
