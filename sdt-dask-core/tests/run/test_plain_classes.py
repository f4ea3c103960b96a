"""Classes written for Solar Data Tools' own ``sdt_dask``, which know nothing of SDT Dask, run as they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sdt_dask.dataplugs.csv_plug import LocalFiles
from sdt_dask.dataplugs.dataplug import DataPlug

from sdt_dask_core import SDTDask

from .conftest import states
from .plugs import clear_days

MakeTool = Callable[..., SDTDask]

SOURCE = """
import pandas as pd
from sdt_dask.dataplugs.dataplug import DataPlug


class TheirPlug(DataPlug):
    def __init__(self, folder):
        self.folder = folder

    def get_data(self, keys):
        # A timestamp column and a power column, as the docstring of their base class promises.
        self.df = pd.read_csv(f"{self.folder}/{keys[0]}.csv", parse_dates=["timestamp"])
        return self.df
"""


class TheirPlug(DataPlug):  # type: ignore[misc]
    """Reads each file into its own state, as theirs do."""

    def __init__(self, folder: Any) -> None:
        self.folder = folder

    def get_data(self, keys: Any) -> pd.DataFrame:
        self.df = pd.read_csv(f"{self.folder}/{keys[0]}.csv", parse_dates=["timestamp"])
        return self.df


@pytest.fixture
def files(tmp_path: Path) -> Path:
    data = tmp_path / "files"
    data.mkdir()
    for name in ("north", "south"):
        clear_days().rename_axis("timestamp").to_csv(data / f"{name}.csv")
    return data


def test_a_subclass_of_their_data_plug_runs_through_plug(tool: MakeTool, files: Path) -> None:
    run = tool(TheirPlug, {"folder": str(files)}).execute([("north",), ("south",), ("west",)])
    assert states(run) == {'["north"]': "done", '["south"]': "done", '["west"]': "failed"}
    assert list(run.errors["cause"]) == ["key_not_found"]


def test_an_instance_of_it_runs_through_plug(tool: MakeTool, files: Path) -> None:
    assert states(tool(TheirPlug(str(files))).execute([("north",)])) == {'["north"]': "done"}


def test_a_subclass_of_their_data_plug_runs_through_a_folder(tool: MakeTool, files: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "dataplug.py").write_text(SOURCE, encoding="utf-8")
    run = tool(mine, {"folder": str(files)}).execute([("north",), ("south",)])
    assert set(states(run).values()) == {"done"}


def test_their_own_plug_for_files_runs(tool: MakeTool, files: Path) -> None:
    """It keeps the frame in ``self.df``, and its key is the name of a file without ``.csv``."""
    run = tool(LocalFiles, {"path_to_files": f"{files}/"}).execute([("north",), ("south",)])
    assert set(states(run).values()) == {"done"}
