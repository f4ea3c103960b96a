"""A running cluster held against this environment: versions of its scheduler and of each worker."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

#: How long to wait for what must happen [s].
PATIENCE = 90.0

WAIT = """
import sys, warnings
warnings.simplefilter("ignore")
import distributed
with distributed.Client(sys.argv[1]) as client:
    client.wait_for_workers(int(sys.argv[2]), timeout=90)
"""

#: A bugfix release of the pandas of here.
BUGFIX = f"{'.'.join(importlib.metadata.version('pandas').split('.')[:2])}.99"

StartCluster = Callable[..., str]


@pytest.fixture(scope="module")
def start_cluster(healthy: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartCluster]:
    """Start a scheduler in one environment and a worker in each of others; return the address."""
    running: list[subprocess.Popen[bytes]] = []

    def dask(environment: Any, folder: Path, *arguments: str) -> None:
        log = (folder / f"{len(running)}.log").open("wb")
        command = [environment.python, "-m", *arguments, "--no-dashboard"]
        running.append(subprocess.Popen(command, cwd=folder, stdout=log, stderr=log))
        log.close()

    def start(*workers: Any, scheduler: Any = healthy) -> str:
        folder = tmp_path_factory.mktemp("cluster")
        file = folder / "scheduler.json"
        where = ("--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file))
        dask(scheduler, folder, "distributed.cli.dask_scheduler", *where)
        deadline = time.monotonic() + PATIENCE
        while not file.exists():
            assert time.monotonic() < deadline, [log.read_text() for log in folder.glob("*.log")]
            time.sleep(0.05)
        address: str = json.loads(file.read_text(encoding="utf-8"))["address"]
        for worker in workers:
            dask(worker, folder, "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-nanny")
        done = healthy.run_python("-c", WAIT, address, len(workers), cwd=folder) if workers else None
        assert done is None or done.returncode == 0, done.stderr
        return address

    yield start
    for process in running:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def other(make_environment: Callable[..., Any]) -> Any:
    """An environment with another pandas and another distributed, and without the CSV plug."""
    environment = make_environment()
    environment.pretend("pandas", BUGFIX)
    environment.pretend("distributed", "2024.5.2")
    environment.hide("sdt_dask_plug_csv")
    return environment


@pytest.fixture(scope="module")
def mixed(start_cluster: StartCluster, healthy: Any, other: Any) -> str:
    """A cluster with one worker like here and two of the other environment."""
    return start_cluster(healthy, other, other)


@pytest.fixture(scope="module")
def mixed_page(mixed: str, healthy: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    done = healthy.sdt_dask("doctor", "--json", "--address", mixed, cwd=tmp_path_factory.mktemp("page"))
    return {**json.loads(done.stdout), "exit": done.returncode}


def about(page: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [one for one in page["findings"] if one["message"].startswith(f"{name} ")]
    return dict(found)


def test_a_cluster_as_here_has_no_finding(start_cluster: StartCluster, healthy: Any, tmp_path: Path) -> None:
    address = start_cluster(healthy)
    done = healthy.sdt_dask("doctor", "--address", address, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("cluster ")]
    same = "python, sdt-dask-core, solar-data-tools, dask, distributed, cloudpickle, numpy, pandas, sdt-dask-plug-csv"
    assert line.startswith(f"cluster {address}, 1 worker; as here: {same}")
    assert done.stdout.splitlines()[-1].startswith("nothing to mend ")


def test_the_versions_of_each_process_are_in_the_json(mixed_page: Any) -> None:
    versions = mixed_page["cluster"]["versions"]
    assert len(versions) == 4
    assert versions["scheduler"]["pandas"] == mixed_page["versions"]["pandas"]
    assert sum(found["pandas"] == BUGFIX for found in versions.values()) == 2


def test_what_breaks_a_run_is_an_error(mixed_page: Any) -> None:
    found = about(mixed_page, "distributed")
    here = mixed_page["versions"]["distributed"]
    assert (found["level"], found["place"]) == ("error", "there")
    assert found["commands"] == [f"python -m pip install distributed=={here}"]
    assert found["message"].endswith(f", and {here} here")
    assert mixed_page["exit"] == 1


def test_a_bugfix_release_is_a_warning(mixed_page: Any) -> None:
    found = about(mixed_page, "pandas")
    assert found["level"] == "warning"
    assert found["message"].startswith(f"pandas is {BUGFIX} on tcp://")


def test_a_plug_that_a_worker_lacks_is_an_error(mixed_page: Any) -> None:
    found = about(mixed_page, "sdt-dask-plug-csv")
    assert found["level"] == "error"
    assert found["message"].startswith("sdt-dask-plug-csv is missing on tcp://")


def test_workers_alike_share_a_finding(mixed_page: Any) -> None:
    assert about(mixed_page, "pandas")["message"].count("tcp://") == 2


def test_the_table_says_what_is_where(mixed: str, healthy: Any, tmp_path: Path) -> None:
    lines = healthy.sdt_dask("doctor", "--address", mixed, cwd=tmp_path).stdout.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("where "))
    rows = [line.split()[-3:] for line in lines[start + 1 : start + 4]]
    assert [(row[0], row[2]) for row in rows] == [
        ("distributed", "2024.5.2"),
        ("pandas", BUGFIX),
        ("sdt-dask-plug-csv", "missing"),
    ]


def test_a_scheduler_without_core_is_an_error(
    start_cluster: StartCluster, make_environment: Any, healthy: Any, doctor: Any
) -> None:
    """It unpacks the tasks, so it needs the module that they name; what it does not run it need not have."""
    bare = make_environment()
    bare.hide("sdt_dask_core")
    bare.hide("solardatatools")
    address = start_cluster(healthy, scheduler=bare)
    found = doctor.finding("cluster", healthy, "--address", address)
    assert found["message"].startswith("sdt-dask-core is missing on the scheduler, and ")
    assert found["level"] == "error"


def test_a_cluster_without_workers_says_how_to_start_one(
    start_cluster: StartCluster, healthy: Any, doctor: Any
) -> None:
    address = start_cluster()
    found = doctor.finding("cluster", healthy, "--address", address)
    assert found["message"] == f"the Dask scheduler at '{address}' has no worker"
    assert found["commands"] == [f"dask worker {address}"]


def test_where_nobody_answers_the_page_is_still_there(healthy: Any, doctor: Any) -> None:
    page = doctor(healthy, "--address", "tcp://127.0.0.1:1", "--timeout", "1")
    (found,) = page["findings"]
    assert found["message"].startswith("no Dask scheduler answers at 'tcp://127.0.0.1:1' within 1 s: ")
    assert found["commands"] == ["dask scheduler --host 127.0.0.1 --port 1"]
    assert (page["exit"], len(page["providers"]) > 0) == (1, True)
