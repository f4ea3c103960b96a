"""A run on Azure's machines, over a bucket, ends with the rows of a run on this one."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sdt_dask_core import SDTDask
from sdt_dask_core.run import Run
from sdt_dask_testing import SyntheticSystem, write_fleet
from sdt_dask_testing.s3_server import serve_folder

from .resource_manager import ResourceManager

# When and where a key was worked off, and what the run was called.
NOT_OF_THE_DATA = re.compile("run_id|host|.*seconds|.*started.*|.*finished.*|peak_rss_mb|attempt.*")


@pytest.mark.slow
@pytest.mark.sdt
def test_a_run_on_azure_ends_with_the_rows_of_a_local_one(
    azure: ResourceManager, azure_options: dict[str, Any], sdt_fleet: list[SyntheticSystem], tmp_path: Path
):
    fleet = sdt_fleet[:2]
    write_fleet(tmp_path / "store" / "fleet", fleet, units="W")
    with serve_folder(tmp_path / "store") as url:
        plug = {"bucket": "fleet", "prefix": "data", "endpoint_url": url, "unsigned": True, "units": "W"}
        here = (
            SDTDask(
                "s3",
                plug_options=plug,
                client="local",
                client_options={"n_workers": 2},
                analyses=["quality"],
                output=tmp_path / "here",
            )
            .execute()
            .results
        )
        settings = {
            "plug": {"name": "s3", **plug},
            "client": {"name": "azure", "n_workers": 2, **azure_options},
        }
        there = _run_with(settings, tmp_path)
    assert there["status"].tolist() == ["done"] * len(fleet)
    same = [name for name in here.columns if not NOT_OF_THE_DATA.fullmatch(name)]
    assert len(same) > 20
    pd.testing.assert_frame_equal(there[same], here[same])
    assert azure.leftovers() == []


def _run_with(settings: dict[str, dict[str, Any]], folder: Path) -> pd.DataFrame:
    """Run `sdt-dask run`; return its rows."""
    words = [f"--{kind}={options.pop('name')}" for kind, options in settings.items()]
    for letter, options in (("-p", settings["plug"]), ("-c", settings["client"])):
        words += [word for name, value in options.items() for word in (letter, f"{name}={value}")]
    command = [
        sys.executable,
        "-m",
        "sdt_dask_core.cli",
        "run",
        *words,
        "--analyses=quality",
        f"--output={folder}/there",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return Run(folder / "there").results
