"""Each kind of mismatch, made with real environments, is refused before the first key, with a table."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from distributed import LocalCluster

from sdt_dask_core import SDTDask
from sdt_dask_core.cli.app import app
from sdt_dask_core.errors import EnvironmentMismatchError

from .conftest import Processes, here, wait_for_workers
from .plugs import NumbersPlug

pytestmark = pytest.mark.slow

Tool = Callable[..., SDTDask]


def refusal(tool: SDTDask) -> EnvironmentMismatchError:
    with pytest.raises(EnvironmentMismatchError) as caught:
        tool.execute()
    return caught.value


def rows(error: EnvironmentMismatchError) -> list[list[str]]:
    """Return the rows of the table, each as its words."""
    return [line.split() for line in error.message.splitlines() if line.startswith("  ")][1:]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    (folder / "roof.csv").write_text("ts,power\n2020-06-01,1\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def crowd(module_processes: Processes, other_numpy: Any, without_plug: Any, old_plug: Any, old_dask: Path) -> str:
    """The address of a cluster with one worker like here, and one or two for each kind of mismatch."""
    address = module_processes.scheduler(Path(sys.executable))
    pythons = [Path(sys.executable), other_numpy.python, without_plug.python, *[old_plug.python] * 2, old_dask]
    for python in pythons:
        module_processes.worker(python, address)
    wait_for_workers(address, len(pythons))
    return address


@pytest.fixture(scope="module")
def refused(crowd: str, data: Path, tmp_path_factory: pytest.TempPathFactory) -> EnvironmentMismatchError:
    client = {"client": "address", "client_options": {"address": crowd}}
    output = tmp_path_factory.mktemp("out")
    return refusal(SDTDask("csv", plug_options={"path": data}, analyses=[], output=output, **client))


def found(error: EnvironmentMismatchError, name: str) -> set[tuple[str, str]]:
    """Return what was wanted and found of one thing, over all processes."""
    return {(wanted, there) for problems in error.found.values() for what, wanted, there in problems if what == name}


def test_another_numpy_is_refused(refused: EnvironmentMismatchError, other_numpy: Any) -> None:
    done = other_numpy.run_python("-c", "import numpy; print(numpy.__version__)", cwd=other_numpy.folder)
    assert (here("numpy"), done.stdout.strip()) in found(refused, "numpy")


def test_another_distributed_is_refused(refused: EnvironmentMismatchError) -> None:
    assert found(refused, "distributed") == {(here("distributed"), "2024.5.2")}


def test_a_missing_plug_is_refused(refused: EnvironmentMismatchError) -> None:
    assert (here("sdt-dask-plug-csv"), "missing") in found(refused, "sdt-dask-plug-csv")


def test_an_old_plug_is_refused(refused: EnvironmentMismatchError) -> None:
    assert (here("sdt-dask-plug-csv"), "0.0.1") in found(refused, "sdt-dask-plug-csv")


def test_workers_alike_share_a_block_of_the_table(refused: EnvironmentMismatchError) -> None:
    assert ["2", "workers", "sdt-dask-plug-csv", here("sdt-dask-plug-csv"), "0.0.1"] in rows(refused)


def test_a_worker_like_here_is_not_in_the_table(refused: EnvironmentMismatchError) -> None:
    assert len(refused.found) == 5


def test_the_command_that_mends_it_stands_below(refused: EnvironmentMismatchError) -> None:
    (line,) = [line for line in refused.message.splitlines() if "uv pip install" in line]
    assert f"numpy=={here('numpy')}" in line
    assert f"distributed=={here('distributed')}" in line


def test_the_command_line_says_so_and_exits_with_2(crowd: str, data: Path, tmp_path: Path) -> None:
    arguments = ["run", "--plug", "csv", "-p", f"path={data}", "--client", "address", "-c", f"address={crowd}"]
    done = CliRunner().invoke(app, [*arguments, "--analyses", "none", "-o", str(tmp_path / "out")])
    assert done.exit_code == 2
    assert "  where " in done.output
    assert "Traceback" not in done.output
    assert done.output.rstrip().endswith("or go on as it is: --allow-mismatch")


def test_another_python_is_refused(processes: Processes, other_python: Path, tool: Tool) -> None:
    address = processes.scheduler(other_python)
    processes.worker(other_python, address)
    wait_for_workers(address, 1)
    error = refusal(tool(NumbersPlug, address))
    (wanted, there) = next(iter(found(error, "python")))
    assert wanted.startswith(f"{sys.version_info.major}.{sys.version_info.minor}.")
    assert there.split(".")[:2] != wanted.split(".")[:2]
    assert f"uv venv --python 3.{sys.version_info.minor}" in error.message


def test_a_scheduler_of_another_release_is_named_though_dask_cannot_join_it(
    processes: Processes, old_dask: Path, tool: Tool
) -> None:
    error = refusal(tool(NumbersPlug, processes.scheduler(old_dask)))
    assert (here("distributed"), "2024.5.2") in found(error, "distributed")
    assert rows(error)[0][0] == "scheduler"


def test_a_mismatch_can_be_allowed(
    scheduler: LocalCluster, processes: Processes, other_numpy: Any, tool: Tool, caplog: pytest.LogCaptureFixture
) -> None:
    processes.worker(other_numpy.python, scheduler.scheduler_address)
    wait_for_workers(scheduler.scheduler_address, 1)
    with caplog.at_level(logging.WARNING):
        run = tool(NumbersPlug, scheduler.scheduler_address, allow_mismatch=True).execute()
    assert run.counts["done"] == 3
    assert [record.levelname for record in caplog.records if "not as this environment" in record.message] == ["WARNING"]
