"""A run over any of our sources ends with the rows of a run over the same series in CSV files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sdt_dask_core import SDTDask

pytestmark = [pytest.mark.slow, pytest.mark.sdt]

# Which key it was, when and where it was worked off, and what the source said of the system beside the series.
NOT_OF_THE_SERIES = re.compile(
    "key.*|run_id|host|.*seconds|.*started.*|.*finished.*|peak_rss_mb|attempt.*|plug.*|fingerprint|findings.*"
)


def results(source: Any, output: Path) -> pd.DataFrame:
    tool = SDTDask(
        source.plug, plug_options=source.options, client="local", client_options={"n_workers": 2}, output=output
    )
    run = tool.execute(source.keys)
    assert run.errors.empty, run.errors["message"].tolist()
    return run.results


@pytest.fixture(scope="module")
def rows_of_csv(csv: Any, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return results(csv, tmp_path_factory.mktemp("results"))


@pytest.mark.parametrize("plug", ["s3", "pvdaq", "pvdb"])
def test_the_rows_are_those_of_the_csv_plug(
    plug: str, rows_of_csv: pd.DataFrame, request: pytest.FixtureRequest, tmp_path: Path
):
    rows = results(request.getfixturevalue(plug), tmp_path)
    same = [name for name in rows_of_csv if not NOT_OF_THE_SERIES.fullmatch(name)]
    assert len(same) > 30
    pd.testing.assert_frame_equal(rows[same], rows_of_csv[same])
