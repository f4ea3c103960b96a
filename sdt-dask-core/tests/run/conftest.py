"""One Dask cluster for the session, runs on it, and what to look at of processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from distributed import LocalCluster

from sdt_dask_core import Run, SDTDask
from sdt_dask_core.errors import LedgerError
from sdt_dask_core.ledger import LedgerReader

#: How long to wait for what must happen [s]; no test is faster or slower for it when all is well.
PATIENCE = 90.0


@pytest.fixture(scope="session")
def cluster() -> Iterator[LocalCluster]:
    """A cluster of two workers that goes on after each run, as a user's own does."""
    with LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        memory_limit="1 GiB",
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        silence_logs=30,
    ) as running:
        yield running


@pytest.fixture(scope="session")
def on_cluster(cluster: LocalCluster) -> dict[str, Any]:
    """The arguments that let a run use the shared cluster."""
    return {"client": "address", "client_options": {"address": cluster.scheduler_address}}


@pytest.fixture
def tool(on_cluster: dict[str, Any], tmp_path: Path) -> Callable[..., SDTDask]:
    """Make an `SDTDask` on the shared cluster that reads and checks frames only."""

    def make(plug: Any, options: dict[str, Any] | None = None, **more: Any) -> SDTDask:
        arguments = {"analyses": [], "output": tmp_path / "out", **on_cluster, **more}
        return SDTDask(plug, plug_options=options, **arguments)

    return make


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three systems, a, b and c, for `FolderPlug`."""
    data = tmp_path / "data"
    data.mkdir()
    for name in "abc":
        (data / f"{name}.txt").write_text("5", encoding="utf-8")
    return data


def reads(folder: Path, name: str) -> int:
    """Return how often `FolderPlug` read a system."""
    file = folder / f"{name}.reads"
    return len(file.read_text(encoding="utf-8").splitlines()) if file.exists() else 0


def states(run: Run) -> dict[str, str]:
    """Return what became of each key."""
    return {row["key"]: row["state"] for row in run.rows}


def reasons(run: Run) -> dict[str, str]:
    """Return why each key ran or not."""
    return {row["key"]: row["reason"] for row in run.rows}


def wait_until(is_so: Callable[[], Any], what: str) -> Any:
    """Wait until something is true, and return it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := is_so():
            return found
        time.sleep(0.05)
    pytest.fail(f"in {PATIENCE:g} s it never happened that {what}")


def done(output: Path) -> int:
    """Return how many keys of the newest run are done, read while it runs."""
    try:
        with LedgerReader(output) as ledger:
            return ledger.counts(ledger.run().run_id).get("done", 0)
    except LedgerError:
        return 0


def computing(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Return those that are children of ours which compute."""
    return [process for process in processes if "sdt_dask_core.child" in _command(process)]


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def descendants() -> list[psutil.Process]:
    """Return every process below this one, but for the one that Python's multiprocessing keeps for itself."""
    below = psutil.Process().children(recursive=True)
    return [process for process in below if "multiprocessing.resource_tracker" not in " ".join(_command(process))]


class Driver:
    """A script that runs in a process of its own; all that it starts carries its mark."""

    def __init__(self, script: Path, *, arguments: Iterable[str] = (), environment: dict[str, str]) -> None:
        self.mark = uuid.uuid4().hex
        self.process = subprocess.Popen(
            [sys.executable, str(script), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=script.parent,
            start_new_session=True,
            env={**os.environ, **environment, "SDT_DASK_TEST_MARK": self.mark},
        )

    def descendants(self) -> list[psutil.Process]:
        """Return every live process that carries the mark, also those whose parent is gone."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            is_ours = process.environ().get("SDT_DASK_TEST_MARK") == self.mark
            return is_ours and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return False

    def finish(self) -> str:
        """Wait for its end and return what it printed."""
        printed, _ = self.process.communicate(timeout=PATIENCE)
        return printed

    def stop(self) -> None:
        """Leave nothing of it behind."""
        for process in self.descendants():
            process.send_signal(signal.SIGKILL)
        self.process.communicate()


@pytest.fixture
def drive(tmp_path: Path) -> Iterator[Callable[..., Driver]]:
    """Start a script in a process of its own; nothing of it is left after the test."""
    drivers: list[Driver] = []

    def start(text: str, *arguments: Any, **environment: str) -> Driver:
        script = tmp_path / f"script_{len(drivers)}.py"
        script.write_text(text, encoding="utf-8")
        drivers.append(Driver(script, arguments=map(str, arguments), environment=environment))
        return drivers[-1]

    yield start
    for driver in drivers:
        driver.stop()
