"""Runs that are stopped, by whatever: what was finished stays, and the rest is done later, once."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import distributed
import psutil
import pytest

from sdt_dask_core import Run, SDTDask
from sdt_dask_core.errors import ClientError, ClusterLostError, LedgerBusyError
from sdt_dask_core.ledger import Ledger, LedgerReader

from .conftest import PATIENCE, Driver, done, reads, states, wait_until
from .plugs import FolderPlug

pytestmark = pytest.mark.slow

N_KEYS = 30

SCRIPT = """
import ctypes, sys, time
from pathlib import Path
from sdt_dask_core import Plug, SDTDask

class SlowPlug(Plug):
    units = "kW"

    def __init__(self, path: str) -> None:
        self.path = Path(path)

    def list_keys(self):
        return range(int((self.path / "n_keys").read_text()))

    def get_data(self, key):
        import numpy as np
        import pandas as pd

        with (self.path / f"{key[0]}.reads").open("a") as file:
            file.write("x\\n")
        if key == (0,) and (self.path / "hang").exists():
            ctypes.PyDLL(None).sleep(600)
        time.sleep(0.2)
        index = pd.date_range("2020-06-01", periods=288, freq="15min")
        return pd.DataFrame({"power": np.maximum(0, np.sin((index.hour - 6) / 12 * np.pi))}, index=index)

SDTDask(
    SlowPlug, plug_options={"path": sys.argv[1]}, analyses=[], client_options={"n_workers": 2}, output=sys.argv[2]
).execute()
print("came to the end")
"""

Drive = Callable[..., Driver]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """What the slow plug reads; its first key hangs in C and holds the interpreter."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "n_keys").write_text(str(N_KEYS))
    (folder / "hang").touch()
    return folder


def stopped(drive: Drive, data: Path, *, stop: Callable[[Driver], None]) -> tuple[Path, Driver, str]:
    """Start a run, stop it while it is at work, and wait until none of its processes is left."""
    output = data.parent / "out"
    driver = drive(SCRIPT, data, output)
    wait_until(lambda: done(output) >= 3 or driver.process.poll() is not None, "three keys were done")
    stop(driver)
    printed = driver.finish()
    assert "came to the end" not in printed
    wait_until(lambda: not driver.descendants(), "no process of the stopped run was left")
    return output, driver, printed


def assert_resumed_without_repeating(output: Path, data: Path) -> None:
    (data / "hang").unlink()
    before = Run(output)
    finished = {row["key"] for row in before.rows if row["state"] == "done"}
    assert {row["state"] for row in before.rows} == {"done", "todo"}
    after = SDTDask(FolderPlug, plug_options={"path": str(data)}, output=output).resume()
    assert after.run_id == before.run_id
    assert after.results["status"].eq("done").all()
    assert len(after.results) == N_KEYS
    with LedgerReader(output) as ledger:
        assert all(len(ledger.attempts(after.run_id, key)) == 1 for key in finished)
    assert all(reads(data, key.strip("[]")) == 1 for key in finished)


def test_nothing_of_a_killed_driver_is_left_or_lost(drive: Drive, data: Path) -> None:
    output, driver, _ = stopped(drive, data, stop=lambda driver: driver.process.kill())
    assert driver.process.returncode == -signal.SIGKILL
    assert_resumed_without_repeating(output, data)


def test_the_attempts_of_a_killed_driver_are_closed_as_interrupted(drive: Drive, data: Path) -> None:
    output, _, _ = stopped(drive, data, stop=lambda driver: driver.process.kill())
    with Ledger(output) as ledger:
        run = ledger.run()
        assert run.state == "interrupted"
        assert [attempt["ending"] for attempt in ledger.attempts(run.run_id, "[0]")] == ["interrupted"]


def test_ctrl_c_says_how_to_resume(drive: Drive, data: Path) -> None:
    # In a terminal it reaches every process of the group.
    output, driver, printed = stopped(drive, data, stop=lambda driver: os.killpg(driver.process.pid, signal.SIGINT))
    assert f" of {N_KEYS} keys to do; what was finished is recorded: sdt-dask resume {output} does the rest" in printed
    assert printed.rstrip().endswith(f"sdt-dask resume {output} does the rest")
    assert driver.process.returncode == 1
    assert Run(output).state == "interrupted"
    assert_resumed_without_repeating(output, data)


def test_sigterm_ends_a_run_as_ctrl_c_does(drive: Drive, data: Path) -> None:
    output, _, printed = stopped(drive, data, stop=lambda driver: driver.process.terminate())
    assert f"what was finished is recorded: sdt-dask resume {output} does the rest" in printed
    assert_resumed_without_repeating(output, data)


def test_two_drivers_never_share_a_folder(tool: Callable[..., SDTDask], folder: Path, tmp_path: Path) -> None:
    with Ledger(tmp_path / "out"), pytest.raises(LedgerBusyError) as caught:
        tool(FolderPlug, {"path": str(folder)}).execute()
    assert f"is in use by process {os.getpid()} on " in str(caught.value)
    assert str(caught.value).endswith("wait for it, stop it, or choose another output")


@pytest.fixture(scope="module")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A scheduler and two workers as a user starts them: its address and its process."""
    here = tmp_path_factory.mktemp("dask")
    file = here / "scheduler.json"
    started: list[subprocess.Popen[bytes]] = []
    for name, options in (
        ("scheduler", ["--host", "127.0.0.1", "--port", "0", "--no-dashboard"]),
        ("worker", ["--nthreads", "1", "--nworkers", "2", "--no-dashboard", "--death-timeout", "5"]),
    ):
        command = [sys.executable, "-m", f"distributed.cli.dask_{name}", "--scheduler-file", str(file), *options]
        with (here / f"{name}.log").open("wb") as log:
            started.append(subprocess.Popen(command, cwd=here, stdout=log, stderr=log))
    wait_until(file.exists, "the scheduler wrote its file")
    with distributed.Client(scheduler_file=str(file), timeout=PATIENCE) as client:
        client.wait_for_workers(2, timeout=PATIENCE)
        address = client.scheduler.address
    yield {"address": address, "scheduler": psutil.Process(started[0].pid)}
    for process in started:
        for below in psutil.Process(process.pid).children(recursive=True) if process.poll() is None else ():
            below.kill()
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def lost(dask: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with the data and the output of a run whose scheduler was killed after its third key; what it said."""
    home = tmp_path_factory.mktemp("lost")
    (home / "data").mkdir()
    for number in range(N_KEYS):
        (home / "data" / f"{number:02d}.txt").write_text("5", encoding="utf-8")

    def kill_the_scheduler(progress: Any) -> None:
        if progress.finished == 3:
            dask["scheduler"].kill()

    client = {"client": "address", "client_options": {"address": dask["address"], "timeout": 1}}
    tool = files_of(home, home / "out", **client)
    with pytest.raises(ClusterLostError) as caught:
        tool.execute(observe=kill_the_scheduler)
    return home, str(caught.value)


def files_of(home: Path, output: Path, **more: Any) -> SDTDask:
    return SDTDask(FolderPlug, plug_options={"path": str(home / "data")}, analyses=[], output=output, **more)


def copied(home: Path, tmp_path: Path) -> Path:
    return shutil.copytree(home / "out", tmp_path / "out")


def test_a_lost_scheduler_is_no_failed_key(lost: tuple[Path, str]) -> None:
    home, message = lost
    run = Run(home / "out")
    assert message == (
        f"the scheduler went away; what was finished is recorded: sdt-dask resume {home / 'out'} does the rest"
    )
    assert run.state == "lost"
    assert set(states(run).values()) == {"done", "todo"}
    assert run.errors.empty


def test_what_a_lost_scheduler_left_is_done_by_another_cluster(
    lost: tuple[Path, str], on_cluster: dict[str, Any], tmp_path: Path
) -> None:
    output = copied(lost[0], tmp_path)
    finished = Run(output).counts["done"]
    again = files_of(lost[0], output, **on_cluster).execute()
    assert (again.counts["skipped"], again.counts["done"]) == (finished, N_KEYS - finished)


def test_resuming_on_a_cluster_that_is_gone_names_its_address(lost: tuple[Path, str], tmp_path: Path) -> None:
    output = copied(lost[0], tmp_path)
    with pytest.raises(ClientError, match=r"no Dask scheduler answers at 'tcp://127\.0\.0\.1:\d+' within 1 s"):
        files_of(lost[0], output).resume()
    assert Run(output).state == "interrupted"
    assert Run(output).errors.empty
