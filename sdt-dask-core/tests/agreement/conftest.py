"""A scheduler of this environment, and workers of real other ones that join it."""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uv
from distributed import Client, LocalCluster

from sdt_dask_core import SDTDask
from sdt_dask_core.resolution.settings import uv_settings

#: How long to wait for what must happen [s].
PATIENCE = 120.0

MINORS = (10, 11, 12, 13)


def here(name: str) -> str:
    """Return the version of a distribution in this environment."""
    return importlib.metadata.version(name)


def wait_until(is_so: Callable[[], Any], what: str) -> Any:
    """Wait until something is true, and return it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := is_so():
            return found
        time.sleep(0.05)
    pytest.fail(f"in {PATIENCE:g} s it never happened that {what}")


class Processes:
    """Schedulers and workers in environments of the test's choice."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, python: Path, *arguments: str, cwd: Path | None = None) -> subprocess.Popen[bytes]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("SDT_DASK_", "PYTHON", "VIRTUAL_ENV"))}
        with (self.folder / f"{len(self._running)}.log").open("wb") as log:
            command = [python, "-m", *arguments, "--no-dashboard"]
            process = subprocess.Popen(command, cwd=cwd or self.folder, stdout=log, stderr=log, env=clean)
        self._running.append(process)
        return process

    def worker(self, python: Path, address: str, **more: Any) -> subprocess.Popen[bytes]:
        """Start a worker of one thread."""
        return self.start(python, "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-nanny", **more)

    def scheduler(self, python: Path) -> str:
        """Start a scheduler; return its address."""
        file = self.folder / f"scheduler-{len(self._running)}.json"
        self.start(
            python,
            "distributed.cli.dask_scheduler",
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            "--scheduler-file",
            str(file),
        )
        wait_until(lambda: file.exists() and file.read_text(encoding="utf-8"), "the scheduler started")
        address: str = json.loads(file.read_text(encoding="utf-8"))["address"]
        return address

    def end(self, number: int) -> None:
        """End one of them, by the order in which they were started."""
        self._running[number].terminate()

    def stop(self) -> None:
        for process in self._running:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def module_processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    """Processes that end with the tests of a module."""
    processes = Processes(tmp_path_factory.mktemp("dask"))
    yield processes
    processes.stop()


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    """Processes that end with the test."""
    folder = tmp_path / "dask"
    folder.mkdir()
    running = Processes(folder)
    yield running
    running.stop()


@pytest.fixture
def scheduler() -> Iterator[LocalCluster]:
    """A scheduler of this environment, without workers."""
    with LocalCluster(
        n_workers=0, host="127.0.0.1", dashboard_address="127.0.0.1:0", processes=True, silence_logs=30
    ) as cluster:
        yield cluster


@pytest.fixture
def tool(tmp_path: Path) -> Callable[..., SDTDask]:
    """Make an `SDTDask` on a running cluster that reads and checks frames only."""

    def make(plug: Any, address: str, options: dict[str, Any] | None = None, **more: Any) -> SDTDask:
        arguments = {"analyses": [], "output": tmp_path / "out", **more}
        return SDTDask(
            plug,
            plug_options=options,
            client="address",
            client_options={"address": address, "timeout": PATIENCE},
            **arguments,
        )

    return make


def workers(address: str) -> set[str]:
    """Return the addresses of the workers that a scheduler has."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the mismatch that is meant
        with Client(address, timeout=PATIENCE) as client:
            return set(client.nthreads())


def wait_for_workers(address: str, number: int) -> None:
    """Wait until so many workers have joined, of whatever release."""
    wait_until(lambda: len(workers(address)) >= number, f"{number} workers joined {address}")


def _install(python: Path, *requirements: str, no_deps: bool = False) -> None:
    flags = ("--quiet", "--no-config", "--only-binary", ":all:", *(("--no-deps",) if no_deps else ()))
    done = subprocess.run(
        [uv.find_uv_bin(), "pip", "install", *flags, "--python", python, *requirements],
        env={**os.environ, **uv_settings(os.environ)[0]},
        capture_output=True,
        text=True,
        check=False,
    )
    if "dns error" in done.stderr or "Could not connect" in done.stderr:
        pytest.skip(f"no index answers here: {done.stderr}")
    assert done.returncode == 0, done.stderr


def _venv(folder: Path, python: str | Path) -> Path:
    subprocess.run([uv.find_uv_bin(), "venv", "--quiet", "--no-config", "--python", python, folder], check=True)
    return folder / "bin" / "python"


@pytest.fixture(scope="session")
def other_numpy(make_environment: Callable[..., Any]) -> Any:
    """All that is here, with another minor release of NumPy in front."""
    environment = make_environment()
    major, minor, *_ = here("numpy").split(".")
    _install(environment.python, f"numpy<{major}.{minor}", no_deps=True)
    return environment


@pytest.fixture(scope="session")
def old_dask(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with a Dask of 2024, whose tasks are of another kind."""
    python = _venv(tmp_path_factory.mktemp("old-dask") / "venv", sys.executable)
    _install(python, "distributed==2024.5.2", "dask==2024.5.2")
    return python


@pytest.fixture(scope="session")
def other_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another minor version of Python, with the Dask of here."""
    found = next(filter(None, (_find_python(minor) for minor in MINORS if minor != sys.version_info.minor)), None)
    if found is None:
        pytest.skip("this machine has one version of Python only, and a mismatch needs two")
    python = _venv(tmp_path_factory.mktemp("other-python") / "venv", found)
    _install(python, f"distributed=={here('distributed')}", f"cloudpickle=={here('cloudpickle')}")
    return python


def _find_python(minor: int) -> Path | None:
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    on_path = [shutil.which(f"python3.{minor}", path=folder) for folder in os.get_exec_path()]
    # A shim of pyenv fails for a Python that is not enabled in this folder.
    found = [Path(one) for one in on_path if one and not Path(one).is_relative_to(pyenv / "shims")]
    return next(iter([*found, *sorted(pyenv.glob(f"versions/3.{minor}.*/bin/python3.{minor}"))]), None)


@pytest.fixture(scope="session")
def without_plug(make_environment: Callable[..., Any]) -> Any:
    """All that is here but the CSV plug."""
    environment = make_environment()
    environment.hide("sdt_dask_plug_csv")
    return environment


@pytest.fixture(scope="session")
def old_plug(make_environment: Callable[..., Any]) -> Any:
    """All that is here, with an older CSV plug."""
    environment = make_environment()
    environment.pretend("sdt-dask-plug-csv", "0.0.1")
    return environment
