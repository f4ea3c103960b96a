"""The contract held against clients that are good, or wrong in one point."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest

GOOD = '''
import contextlib, os, signal, socket, subprocess, sys, tempfile, threading, time
from pathlib import Path

import pytest

from sdt_dask_core import Client
from sdt_dask_core.clients.starting import started
from sdt_dask_core.errors import ClientError
from sdt_dask_testing.client_contract import ClientContract, PlainClientContract


class Good(Client):
    """Start a cluster of threads.

    Parameters
    ----------
    n_workers : int
        Number of workers.
    """

    def __init__(self, n_workers: int = 1) -> None:
        self.n_workers = n_workers
        self._open = None

    def make_client(self):
        import distributed

        self._open = contextlib.ExitStack()
        cluster = started(self._open, lambda: distributed.LocalCluster(
            n_workers=self.n_workers, threads_per_worker=1, processes=False, protocol="tcp", host="127.0.0.1",
            dashboard_address="127.0.0.1:0", silence_logs=50,
        ))
        return started(self._open, lambda: distributed.Client(cluster))

    def close(self):
        if self._open is not None:
            self._open.close()
            self._open = None
'''

#: What only an installed client passes.
INSTALLED = "distribution or lists_it"


@dataclass(frozen=True)
class Case:
    """A client as text, and which tests of the contract are held against it.

    Attributes
    ----------
    client : str
        Its class, beside `Good`.
    body : str
        What the class of its tests says besides.
    select : str
        What pytest takes with ``-k``.
    contract : str
        The class that it inherits.
    """

    client: str = ""
    body: str = ""
    select: str = ""
    contract: str = "ClientContract"

    def as_tests(self) -> str:
        name = "Wrong" if "class Wrong" in self.client else "Good"
        # Nothing waits for the patience where all is well; who never ends is not waited for long.
        settings = "patience = 60.0\ngrace = 4.0\ntime_to_end = 60.0\n"
        body = textwrap.indent(f"client = {name}\n{settings}{textwrap.dedent(self.body)}", "    ")
        return f"{GOOD}{textwrap.dedent(self.client)}\n\nclass TestIt({self.contract}):\n{body}\n"


@dataclass(frozen=True)
class Outcome:
    """What the contract said of a client."""

    passed: set[str]
    skipped: set[str]
    failed: dict[str, str]


def outcome_of(file: Path) -> Outcome:
    """Read what pytest wrote."""
    passed, skipped, failed = set(), set(), {}
    for case in ElementTree.parse(file).getroot().iter("testcase"):
        found = {child.tag: child for child in case}
        name = str(case.get("name"))
        if "failure" in found or "error" in found:
            failed[name] = str(next(child for tag, child in found.items() if tag in ("failure", "error")).text)
        else:
            (skipped if "skipped" in found else passed).add(name)
    assert passed or skipped or failed, "no test was selected"
    return Outcome(passed, skipped, failed)


def hold(case: Case, folder: Path) -> Outcome:
    """Hold the contract against a client, in a process of its own."""
    (folder / "test_it.py").write_text(case.as_tests(), encoding="utf-8")
    arguments = ("-q", "-p", "no:cacheprovider", "--rootdir=.", "--junitxml=results.xml", "-k", case.select)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments, "test_it.py"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout
    return outcome_of(folder / "results.xml")


@pytest.fixture(scope="module")
def outcome_of_case(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Outcome]]:
    """Hold all CASES of the module, two at a time, as most of their time is spent waiting; a test waits for its own."""
    pool = ThreadPoolExecutor(2)
    runs = {
        name: pool.submit(hold, case, tmp_path_factory.mktemp("held")) for name, case in request.module.CASES.items()
    }
    yield lambda name: runs[name].result()
    pool.shutdown(cancel_futures=True)
