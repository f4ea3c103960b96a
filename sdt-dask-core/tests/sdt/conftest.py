"""Solar Data Tools run for real, once per session, and shared."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from sdt_dask_core import Run, SDTDask

WHEEL_KEYS = ("TAEFC1044741", "ZT162185000441C1203")


@pytest.fixture(scope="session")
def wheel_folder() -> Path:
    """The two real inverter files that the solar-data-tools wheel ships."""
    spec = importlib.util.find_spec("sdt_dask")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0]) / "examples" / "example_data"


@pytest.fixture(scope="session")
def wheel_options(wheel_folder: Path) -> dict[str, object]:
    return {"path": str(wheel_folder), "units": "kW", "timestamps": "utc", "utc_offset": -8}


@pytest.fixture(scope="session")
def wheel_run(wheel_options: dict[str, object], tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Both files, losses forced for the one with the worthless quality and left out for the other."""
    output = tmp_path_factory.mktemp("wheel")
    tool = SDTDask("csv", plug_options=wheel_options, output=output, client_options={"n_workers": 2})
    return tool.execute([(key,) for key in WHEEL_KEYS])
