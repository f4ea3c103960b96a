"""What stands before the installed distributions here, and is not there in another process."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import importlib_metadata
import pytest

CSV = importlib_metadata.version("sdt-dask-plug-csv")


def write_plug(folder: Path, name: str = "sdt-dask-plug-csv") -> Path:
    """Write version 9.0 of a plug into a folder, as metadata and module."""
    module = name.replace("-", "_")
    info = folder / f"{module}-9.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 9.0\n", encoding="utf-8")
    entry_points = f"[sdt_dask.plugs]\n{name.rpartition('-')[2]} = {module}:Plug\n"
    (info / "entry_points.txt").write_text(entry_points, encoding="utf-8")
    (folder / f"{module}.py").write_text("class Plug:\n    def get_data(self, keys): ...\n", encoding="utf-8")
    return folder


def test_pythonpath_in_front_is_a_warning(healthy: Any, doctor: Any, tmp_path: Path) -> None:
    """The processes that compute on this machine have it, too; those elsewhere have not."""
    front = write_plug(tmp_path / "front")
    found = doctor.finding("path", healthy, PYTHONPATH=str(front))
    assert found["message"] == f"PYTHONPATH holds {front}: sdt-dask-plug-csv is 9.0 here and {CSV} elsewhere"
    assert (found["level"], found["commands"]) == ("warning", ["unset PYTHONPATH"])


def test_a_provider_that_only_pythonpath_brings_is_missing_elsewhere(healthy: Any, doctor: Any, tmp_path: Path) -> None:
    front = write_plug(tmp_path / "front", "zeta")
    found = doctor.finding("path", healthy, PYTHONPATH=str(front))
    assert found["message"].endswith(": zeta is 9.0 here and missing elsewhere")


def test_pythonpath_without_a_distribution_of_ours_is_nothing(healthy: Any, doctor: Any, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("", encoding="utf-8")
    assert doctor(healthy, PYTHONPATH=str(tmp_path))["findings"] == []


def test_a_module_in_the_working_folder_is_an_error(healthy: Any, doctor: Any, tmp_path: Path) -> None:
    """No process that computes has the working folder."""
    (tmp_path / "numpy.py").write_text("", encoding="utf-8")
    page = doctor(healthy, cwd=tmp_path)
    (found,) = page["findings"]
    assert f"this process imports from {tmp_path}, the working folder, and the processes that co" in found["message"]
    assert f"numpy is {tmp_path / 'numpy.py'} here and " in found["message"]
    assert (found["level"], page["exit"]) == ("error", 1)


def test_the_users_own_packages_are_a_warning(make_environment: Any, doctor: Any, tmp_path: Path) -> None:
    environment = make_environment(users_own=True)
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    own = write_plug(tmp_path / "user" / "lib" / python / "site-packages", "zeta")
    found = doctor.finding("path", environment, PYTHONUSERBASE=str(tmp_path / "user"))
    assert found["message"] == (f"your own site-packages, {own}, are used: zeta is 9.0 here and missing elsewhere")
    assert found["commands"] == ["export PYTHONNOUSERSITE=1"]


@pytest.mark.slow
def test_without_pythonpath_it_is_mended(healthy: Any, doctor: Any, type_command: Any, tmp_path: Path) -> None:
    variable = {"PYTHONPATH": str(write_plug(tmp_path / "front"))}
    (command,) = doctor.finding("path", healthy, **variable)["commands"]
    assert "nothing to mend" in type_command(f"{command}; {healthy.python} -m sdt_dask_core.cli doctor", **variable)


@pytest.mark.slow
def test_without_the_working_folder_it_is_mended(healthy: Any, doctor: Any, type_command: Any, tmp_path: Path) -> None:
    front = write_plug(tmp_path / "front")
    (command,) = doctor.finding("path", healthy, cwd=front)["commands"]
    again = f"cd {front}; {command}; {healthy.python} -m sdt_dask_core.cli doctor"
    assert "nothing to mend" in type_command(again)
