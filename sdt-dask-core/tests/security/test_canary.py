"""Secrets in nothing that a run leaves, shows or sends: values are searched in every byte of it."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import distributed
import pandas as pd
import pytest
from byte_recorder import recorder
from evidence import (
    HERE,
    RUN_FILE,
    Evidence,
    Processes,
    Watch,
    count_ended,
    crawl,
    dump_database,
    free_port,
    is_open,
    wait_until,
)

pytestmark = pytest.mark.slow

FAILED = ("chains", "crashes", "exits", "long", "names", "raises", "unprintable")
DONE = ("good", "logs", "prints", "waits", "warns")


@pytest.fixture(scope="session")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """All that one run of the plug left and sent."""
    found, folder = Evidence(), tmp_path_factory.mktemp("canary")
    (folder / "mine").mkdir()
    shutil.copy(HERE / "leaky.py", folder / "mine" / "dataplug.py")
    (folder / "certificate").write_text(found.certificate, encoding="utf-8")
    (folder / "sdt-dask.toml").write_text(RUN_FILE.format(marker=found.marker), encoding="utf-8")
    secret = {"SDT_TEST_PASSWORD": found.password}
    ports = {name: free_port() for name in ("scheduler", "dashboard", "worker", "worker_dashboard")}
    processes = Processes(folder)
    watch = Watch(processes)
    try:
        processes.start(
            "scheduler", "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", ports["scheduler"],
            "--dashboard-address", f"127.0.0.1:{ports['dashboard']}",
        )  # fmt: skip
        wait_until(lambda: is_open(ports["scheduler"]), "the scheduler listened")
        with recorder(ports["scheduler"]) as up, recorder(ports["worker"]) as down:
            address = f"tcp://127.0.0.1:{up.port}"
            processes.start(
                "worker", "-m", "distributed.cli.dask_worker", address, "--nworkers", 1, "--nthreads", 2,
                "--listen-address", f"tcp://127.0.0.1:{ports['worker']}", "--contact-address",
                f"tcp://127.0.0.1:{down.port}", "--dashboard-address", f"127.0.0.1:{ports['worker_dashboard']}",
                "--local-directory", folder / "worker-files", **secret,
            )  # fmt: skip
            with distributed.Client(f"tcp://127.0.0.1:{ports['scheduler']}", timeout=60) as client:
                client.wait_for_workers(1, timeout=300)
                with distributed.performance_report(filename=str(folder / "report.html")):
                    run = processes.start(
                        "run", "-m", "sdt_dask_core.cli", "run", "--debug", "-c", f"address={address}", **secret
                    )
                    wait_until(lambda: count_ended(folder / "out") == len(FAILED + DONE) - 1, "all keys but one ended")
                    _look_at_the_cluster(found, client, folder, ports)
                    found.add_folder(folder / "out", "while it runs, file")
                    (folder / "go").touch()
                    assert run.wait(timeout=300) == 1, (folder / "run.log").read_text()
            _ask_the_command_line(processes, folder, secret)
    finally:
        watch.stop()
        processes.stop()
    found.add("what was sent between driver, scheduler and worker", up.passed)
    found.add("what was sent to the worker", down.passed)
    found.environments = watch.environments
    found.add("the command lines", "\n".join(sorted(watch.command_lines)))
    found.add("the rows of the ledger", dump_database(folder / "out" / "ledger.sqlite"))
    found.add("the exported Parquet table", pd.read_parquet(folder / "exported.parquet").to_csv())
    _render(found, folder / "out")
    (folder / "certificate").unlink()
    found.add_folder(folder, "file")
    return found


def _look_at_the_cluster(found: Evidence, client: distributed.Client, folder: Path, ports: dict[str, int]) -> None:
    client.dump_cluster_state(str(folder / "state"), format="yaml")
    found.add("the logs of workers", repr((client.get_worker_logs(), client.get_worker_logs(nanny=True))))
    found.add("the logs of the scheduler", repr(client.get_scheduler_logs()))
    found.add("the events", repr(client.get_events()))
    crawl(found, ports["dashboard"], "scheduler's")
    crawl(found, ports["worker_dashboard"], "worker's")


def _ask_the_command_line(processes: Processes, folder: Path, secret: dict[str, str]) -> None:
    asked = {
        "errors": ["errors", "out"],
        "errors as JSON": ["errors", "out", "--json"],
        "status as JSON": ["status", "out", "--json"],
        "CSV": ["export", "out", "exported.csv"],
        "Parquet": ["export", "out", "exported.parquet"],
        "check": ["check", "-k", "raises"],
        "plan": ["plan", "--json"],
        "keys": ["keys"],
        "an option as its value": ["run", "-p", "password=x", "--debug"],
    }
    started = [
        processes.start(name, "-m", "sdt_dask_core.cli", *arguments, **secret) for name, arguments in asked.items()
    ]
    for process in started:
        process.wait(timeout=300)


def _render(found: Evidence, output: Path) -> None:
    from sdt_dask_core.ledger import LedgerReader
    from sdt_dask_core.run import Run

    with LedgerReader(output) as ledger:
        run = Run(output, ledger.run().run_id)
    found.add("the results as HTML", str(run.results._repr_html_()))
    found.add("the errors as HTML", str(run.errors._repr_html_()))
    found.add("the errors as text", run.errors.to_string())
    found.add("the repr of a run", repr(run))


def test_no_secret_is_in_anything_that_a_run_leaves_shows_or_sends(evidence: Evidence) -> None:
    assert evidence.shown() == []


@pytest.mark.parametrize(
    "name",
    [
        "what was sent between driver, scheduler and worker",
        "the rows of the ledger",
        "the errors as HTML",
        "while it runs, file ledger.sqlite-wal",
        "file out/errors.csv",
        "file run.log",
        "file errors as JSON.log",
    ],
)
def test_what_may_be_seen_is_found_by_the_same_search(evidence: Evidence, name: str) -> None:
    assert evidence.marker.encode() in evidence.found[name]


@pytest.mark.parametrize(
    "name",
    [
        *("scheduler's page /info/main/logs.html", "scheduler's page /status", "worker's page /status"),
        *("file report.html", "file state.yaml", "what was sent to the worker", "the command lines"),
        *("scheduler's page /individual-task-stream", "scheduler's page /info/main/workers.html"),
        *("file scheduler.log", "file worker.log", "the logs of workers"),
    ],
)
def test_what_holds_no_text_of_the_plug_was_looked_at_all_the_same(evidence: Evidence, name: str) -> None:
    assert len(evidence.found[name]) > 300


def test_every_key_did_what_it_should(evidence: Evidence) -> None:
    rows = pd.read_csv(io.BytesIO(evidence.found["file out/results.csv"]))
    found = dict(zip(rows["key"], rows["status"], strict=True))
    assert found == {**dict.fromkeys(FAILED, "failed"), **dict.fromkeys(DONE, "done")}


def test_a_secret_stands_only_in_environments_where_the_user_put_it(evidence: Evidence) -> None:
    holders = {line for line, text in evidence.environments.items() if evidence.core in text}
    schedulers = {line for line in evidence.environments if "dask_scheduler" in line}
    assert schedulers
    assert not holders & schedulers
