"""Files that a plug reads here, and workers that do not see them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from distributed import LocalCluster

from sdt_dask_core import Client, SDTDask
from sdt_dask_core.agreement.files import sights_of
from sdt_dask_core.agreement.question import look_at
from sdt_dask_core.cli.app import app
from sdt_dask_core.clients.address import AddressClient
from sdt_dask_core.clients.local import LocalClient
from sdt_dask_core.errors import BrokenProviderError, EnvironmentMismatchError, LocalityError

from .conftest import Processes, wait_for_workers
from .plugs import FilePlug, NumbersPlug, SilentPathsPlug

Tool = Callable[..., SDTDask]

FOLDER = """
from the_helper import days

class DayPlug:
    units = "kW"

    def list_keys(self):
        return [(1,)]

    def get_data(self, keys):
        return days()
"""

HELPER = """
import numpy as np
import pandas as pd

def days():
    index = pd.date_range("2020-06-01", periods=288, freq="15min")
    hour = index.hour + index.minute / 60
    return pd.DataFrame({"power": 5 * np.maximum(0.0, np.sin((hour - 6) / 12 * np.pi))}, index=index)
"""


class FarClient(Client):
    """A client whose workers have nothing of this machine; it must not be asked for a cluster."""

    shares_files = False

    def make_client(self) -> Any:
        raise AssertionError("a cluster was made")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "roof.csv"
    path.write_text("ts,power\n", encoding="utf-8")
    return path


def far(plug: Any, options: dict[str, Any], tmp_path: Path) -> SDTDask:
    return SDTDask(plug, plug_options=options, client=FarClient, analyses=[], output=tmp_path / "out")


def test_files_that_no_worker_sees_are_refused_before_a_cluster_is_made(file: Path, tmp_path: Path) -> None:
    with pytest.raises(LocalityError) as caught:
        far(FilePlug, {"path": str(file)}, tmp_path).execute()
    assert f"plug 'FilePlug' reads '{file}' of this machine" in caught.value.message
    assert all(way in caught.value.message for way in ("sdt-dask-plug-s3", "--client local", "same paths"))
    assert (caught.value.exit_code, caught.value.paths) == (2, [str(file)])


def test_a_refused_run_leaves_no_ledger(file: Path, tmp_path: Path) -> None:
    with pytest.raises(LocalityError):
        far(FilePlug, {"path": str(file)}, tmp_path).execute()
    assert not (tmp_path / "out").exists()


def test_the_csv_plug_reads_files_of_this_machine(file: Path, tmp_path: Path) -> None:
    with pytest.raises(LocalityError, match=f"plug 'csv' reads '{tmp_path}'"):
        far("csv", {"path": tmp_path}, tmp_path).execute()


def test_a_check_tells_of_files_that_no_worker_sees(file: Path, tmp_path: Path) -> None:
    (problem,) = far(FilePlug, {"path": str(file)}, tmp_path).check()
    assert "of this machine" in problem


def test_a_plug_without_files_of_this_machine_may_go_anywhere(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="a cluster was made"):
        far(NumbersPlug, {}, tmp_path).execute()


def test_a_plug_that_cannot_say_what_it_reads_is_named(tmp_path: Path) -> None:
    with pytest.raises(BrokenProviderError, match=r"'SilentPathsPlug' .* \(local_paths\): OSError: the mount is gone"):
        far(SilentPathsPlug, {}, tmp_path).execute()


def test_the_local_client_shares_files_and_one_at_an_address_is_asked() -> None:
    address = "tcp://127.0.0.1:1"
    clients = (LocalClient(), LocalClient(address=address), AddressClient(address))
    assert [client.shares_files for client in clients] == [True, None, None]


@pytest.fixture
def apart(scheduler: LocalCluster, processes: Processes, tmp_path: Path) -> str:
    """A cluster whose worker has another working folder than this process."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    processes.worker(Path(sys.executable), scheduler.scheduler_address, cwd=folder)
    wait_for_workers(scheduler.scheduler_address, 1)
    return str(scheduler.scheduler_address)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A path that each process sees as something of its own: its working folder."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    if not Path("/proc/self/cwd").exists():
        pytest.skip("this system has no path that is another one for each process")
    return "/proc/self/cwd"


def refusal(tool: SDTDask) -> str:
    with pytest.raises(EnvironmentMismatchError) as caught:
        tool.execute()
    return caught.value.message


def test_a_worker_that_sees_the_files_is_taken(apart: str, file: Path, tool: Tool) -> None:
    assert tool(FilePlug, apart, {"path": str(file)}).execute().counts["done"] == 3


def test_a_worker_that_does_not_see_a_file_is_refused(apart: str, own: str, tool: Tool) -> None:
    Path("roof.csv").write_text("ts,power\n", encoding="utf-8")
    message = refusal(tool(FilePlug, apart, {"path": f"{own}/roof.csv"}))
    assert f"{own}/roof.csv  as here  missing" in message
    assert "sdt-dask-plug-s3" in message


def test_a_folder_of_the_same_path_with_other_files_is_refused(apart: str, own: str, tool: Tool) -> None:
    Path("roof.csv").write_text("ts,power\n", encoding="utf-8")
    message = refusal(tool(FilePlug, apart, {"path": own}))
    assert f"{own}/roof.csv  as here  missing" in message


def test_a_module_beside_the_users_plug_must_be_on_the_worker(apart: str, own: str, tool: Tool) -> None:
    Path("dataplug.py").write_text(FOLDER, encoding="utf-8")
    Path("the_helper.py").write_text(HELPER, encoding="utf-8")
    try:
        message = refusal(tool(Path(own), apart))
    finally:
        sys.path.remove(own)
        sys.modules.pop("the_helper", None)
    assert "the_helper  the module  missing" in message
    assert "put what the plug imports from the_helper into its own file" in message


def test_a_module_that_the_worker_finds_is_taken(apart: str, tool: Tool, tmp_path: Path) -> None:
    folder = tmp_path / "plug"
    folder.mkdir()
    (folder / "dataplug.py").write_text(FOLDER.replace("the_helper", "the_shared_helper"), encoding="utf-8")
    (folder / "the_shared_helper.py").write_text(HELPER, encoding="utf-8")
    try:
        assert tool(folder, apart).execute().counts["done"] == 1
    finally:
        sys.path.remove(str(folder))
        sys.modules.pop("the_shared_helper", None)


def test_the_command_line_exits_with_2_for_files_that_a_worker_does_not_see(apart: str, own: str) -> None:
    Path("roof.csv").write_text("ts,power\n2020-06-01,1\n", encoding="utf-8")
    plug = ["--plug", "csv", "-p", f"path={own}/roof.csv"]
    done = CliRunner().invoke(
        app, ["run", *plug, "--analyses", "none", "--client", "address", "-c", f"address={apart}"]
    )
    assert (done.exit_code, "roof.csv  as here  missing" in done.output) == (2, True), done.output


def test_of_a_file_only_what_it_holds_now_counts(file: Path) -> None:
    ((path, length, seen),) = sights_of([str(file)])
    with file.open("a", encoding="utf-8") as more:
        more.write("2020-06-01,1\n")
    assert look_at(path, length) == seen


def test_a_file_with_other_bytes_is_another_one(file: Path) -> None:
    ((path, length, seen),) = sights_of([str(file)])
    file.write_text("ts,energy\n", encoding="utf-8")
    assert look_at(path, length) != seen


def test_the_files_left_alone_longest_stand_witness_for_a_folder(tmp_path: Path) -> None:
    for age in range(5):
        path = tmp_path / f"{age}.csv"
        path.touch()
        os.utime(path, (1000 - age, 1000 - age))
    paths = [Path(path).name for path, _, _ in sights_of([str(tmp_path)])]
    assert paths == [tmp_path.name, "4.csv", "3.csv", "2.csv"]


def test_a_path_that_is_not_there_is_seen_as_missing(tmp_path: Path) -> None:
    assert sights_of([str(tmp_path / "no")]) == [(str(tmp_path / "no"), 0, "missing")]
