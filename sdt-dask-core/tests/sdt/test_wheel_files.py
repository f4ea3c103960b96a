"""The two real inverter files of the solar-data-tools wheel, through a real run."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sdt_dask_core import Run
from sdt_dask_core.accelerations import ALL
from sdt_dask_core.analyses.quality import PIPELINE_ARGUMENTS, QualityAnalysis
from sdt_dask_core.picture.picture import CLEAR, GOOD

from .conftest import WHEEL_KEYS

pytestmark = pytest.mark.sdt


@pytest.fixture(scope="module")
def direct_reports(wheel_folder: Path) -> dict[str, dict[str, Any]]:
    """What SDT itself says, as it comes: no plug, no checks, no acceleration."""
    from solardatatools import DataHandler

    reports = {}
    for key in WHEEL_KEYS:
        table = pd.read_csv(wheel_folder / f"{key}.csv", parse_dates=["ts"])
        index = pd.DatetimeIndex(table["ts"]) - pd.Timedelta(hours=8)
        handler = DataHandler(pd.DataFrame({"power": table["meas_val_f"].to_numpy()}, index=index))
        handler.run_pipeline(power_col="power", **PIPELINE_ARGUMENTS)
        reports[key] = handler.report(verbose=False, return_values=True)
    return reports


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # SDT's and pandas' own; a run keeps them in the outcome
@pytest.mark.parametrize("key", WHEEL_KEYS)
def test_quality_equals_a_direct_run_of_sdt(key: str, wheel_run: Run, direct_reports: dict[str, Any]) -> None:
    row = wheel_run.results.set_index("key").loc[key]
    sources = {c.name: c.source for c in QualityAnalysis.provides if c.source in direct_reports[key]}
    assert {name: row[name] for name in sources} == {n: direct_reports[key][s] for n, s in sources.items()}


def test_every_key_is_done(wheel_run: Run) -> None:
    assert wheel_run.counts["done"] == 2


def test_a_short_record_is_withheld_with_its_length(wheel_run: Run) -> None:
    row = wheel_run.results.set_index("key").loc["ZT162185000441C1203"]
    assert row["grade"] == "withheld"
    assert "withheld: only 226 days of data; one year says nothing of a trend" in row["reasons"]


def test_losses_are_not_analysed_where_quality_makes_them_worthless(wheel_run: Run) -> None:
    row = wheel_run.results.set_index("key").loc["TAEFC1044741"]
    assert "losses were not analysed: quality score 0.44 is below 0.5" in row["reasons"]
    assert pd.isna(row["mc_samples"])


def test_what_was_repaired_is_recorded(wheel_run: Run) -> None:
    codes = {finding["code"] for row in wheel_run.rows for finding in row["body"]["findings"]}
    assert "sentinel_masked" in codes


def test_the_accelerations_are_recorded(wheel_run: Run) -> None:
    body = wheel_run.rows[0]["body"]
    assert body["accelerations"] == [acceleration.NAME for acceleration in ALL]
    assert "accelerations_left_out" not in body


def test_a_second_run_does_no_work(wheel_run: Run, wheel_options: dict[str, object]) -> None:
    from sdt_dask_core import SDTDask

    tool = SDTDask("csv", plug_options=wheel_options, output=wheel_run.output)
    assert tool.plan().reasons == {"unchanged": 2}


def test_files_read_as_local_time_say_that_they_look_like_utc(wheel_folder: Path, tmp_path: Path) -> None:
    from sdt_dask_core import SDTDask

    run = SDTDask("csv", plug_options={"path": str(wheel_folder)}, output=tmp_path).execute()
    assert list(run.errors["cause"]) == ["midday_far_from_noon"] * 2
    assert run.errors["message"][0].startswith(
        "midday is near 20:00: these timestamps look like UTC; set timestamps=utc and utc_offset=-8, or tz=auto"
    )


def test_tz_auto_finds_the_offset_and_records_it(wheel_folder: Path, tmp_path: Path, wheel_run: Run) -> None:
    from sdt_dask_core import SDTDask

    options = {"path": str(wheel_folder), "tz": "auto"}
    run = SDTDask("csv", plug_options=options, analyses=[], output=tmp_path).execute()
    assert list(run.results["first_timestamp"]) == list(wheel_run.results["first_timestamp"])
    assert all(any("-8 h" in f["message"] for f in row["body"]["findings"]) for row in run.rows)


def test_watts_called_kilowatts_are_refused_where_metadata_show_it(wheel_folder: Path, tmp_path: Path) -> None:
    from sdt_dask_core import SDTDask

    table = pd.read_csv(wheel_folder / "ZT162185000441C1203.csv")
    table["meas_val_f"] *= 1000
    data = tmp_path / "data"
    data.mkdir()
    table.to_csv(data / "a.csv", index=False)
    (tmp_path / "systems.csv").write_text("key,capacity_kw\na,27.6\n")
    options = {"path": str(data), "tz": "auto", "units": "kW"}
    run = SDTDask(
        "csv", plug_options=options, analyses=[], output=tmp_path / "out", manifest=tmp_path / "systems.csv"
    ).execute()
    assert list(run.errors["cause"]) == ["units_look_wrong"]
    assert "27.6 kW" in run.errors["message"][0]
    assert "set units=W" in run.errors["message"][0]


@pytest.fixture(scope="module")
def forced_run(wheel_options: dict[str, object], tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The garbage case: a quality score of 0.44, and the losses analysed all the same."""
    from sdt_dask_core import SDTDask

    output = tmp_path_factory.mktemp("forced")
    tool = SDTDask("csv", plug_options=wheel_options, output=output, all_losses=True, client_options={"n_workers": 1})
    return tool.execute([("TAEFC1044741",)])


@pytest.mark.slow
class TestGarbage:
    def test_it_is_withheld(self, forced_run: Run) -> None:
        assert list(forced_run.results["grade"]) == ["withheld"]

    def test_the_reasons_name_the_rate(self, forced_run: Run) -> None:
        reasons = forced_run.results["reasons"][0]
        assert "withheld: degradation rate -" in reasons
        assert "did not settle in 500 Monte Carlo rounds" in reasons

    def test_its_rate_is_no_result(self, forced_run: Run) -> None:
        assert math.isnan(forced_run.results["degradation_rate_pct_per_year"][0])

    def test_its_rate_is_kept_for_diagnosis(self, forced_run: Run) -> None:
        assert abs(forced_run.withheld["degradation_rate_pct_per_year"][0]) > 100

    def test_it_is_out_of_the_summary(self, forced_run: Run) -> None:
        assert set(forced_run.summary["n_used"]) == {0}
        assert forced_run.summary.attrs["n_systems"] == 1


@pytest.mark.slow
@pytest.mark.parametrize("key", WHEEL_KEYS)
def test_the_picture_tells_what_the_row_tells(key: str, wheel_run: Run) -> None:
    row, system = wheel_run.results.set_index("key").loc[key], wheel_run.system(key)
    picture = system.picture
    assert picture is not None
    assert picture.n_days == round(row["length_years"] * 365)
    assert ((picture.flags & GOOD) > 0).mean() == pytest.approx(row["quality_score"])
    assert ((picture.flags & CLEAR) > 0).mean() == pytest.approx(row["clearness_score"])
    assert len(set(picture.levels.tolist())) == row["capacity_level_count"]
    assert picture.first_day == str(row["first_timestamp"].date())
    assert len(system.body["sparkline"]) == 40


@pytest.mark.slow
def test_a_run_writes_its_report(wheel_run: Run) -> None:
    page = wheel_run.report_page
    assert page is not None
    assert len(list(page.parent.glob("systems/*.html"))) == 2
    for row in wheel_run.rows:
        assert row["body"]["seconds"]["picture"] < 0.1 * row["body"]["seconds"]["quality"]
