"""Real measurements of PVDAQ, which ship with pvanalytics, in the layout of the bucket."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pvdaq_notes import notes_of
from pvdaq_tree import Tree

from sdt_dask_testing.s3_server import serve_folder

_SPEC = importlib.util.find_spec("pvanalytics")

pytestmark = pytest.mark.skipif(_SPEC is None, reason="pvanalytics is not installed: pip install pvanalytics")


@pytest.fixture(scope="module")
def data() -> Path:
    assert _SPEC is not None
    assert _SPEC.origin is not None
    return Path(_SPEC.origin).parent / "data"


@pytest.fixture(scope="module")
def real(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """SERF West as system 51, SERF East as system 50."""
    tree = Tree(tmp_path_factory.mktemp("real"))
    west = pd.read_csv(data / "serf_west_15min.csv", index_col=0, parse_dates=True)
    tree.daily_csv(51, west)
    tree.system(51, 7, 6.0)
    east = pd.read_csv(data / "serf_east_1min_ac_power.csv", index_col="measured_on", parse_dates=True)
    tree.daily_csv(50, east.tz_localize(None))
    tree.system(50, 7, 6.0)
    tree.tables()
    with serve_folder(tree.root.parent) as url:
        yield url


def test_the_power_of_a_real_header_is_found(real: str, new_plug: Any, data: Path):
    frame = new_plug(endpoint_url=real).get_data((51, 2022))
    west = pd.read_csv(data / "serf_west_15min.csv", index_col=0, parse_dates=True)
    assert frame["power"].tolist() == west["ac_power__773"].tolist()
    assert (frame.index == west.index).all()
    assert "'ac_power__773'" in notes_of(frame)["pvdaq_column"]
    assert frame.attrs["units"] == "W"


def test_the_core_accepts_a_real_week(real: str, new_plug: Any):
    from sdt_dask_core.frames import check_frame

    plug = new_plug(endpoint_url=real)
    checked = check_frame(plug.get_data((51, 2022)), metadata=plug.system_metadata((51, 2022)))
    assert 0.5 < checked.power.max() < 6.0


def test_real_minutes_are_read_as_they_were_written(real: str, new_plug: Any, data: Path):
    frame = new_plug(endpoint_url=real).get_data((50, 2022))
    east = pd.read_csv(data / "serf_east_1min_ac_power.csv")
    assert frame["power"].tolist() == east["ac_power__752"].tolist()
