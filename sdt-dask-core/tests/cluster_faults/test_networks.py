"""A worker in another network, whose cable is pulled: real network namespaces, where this machine lets us have them."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from .conftest import N_KEYS, Fleet
from .processes import CommandLine, DaskCluster, Inside, wait_until

pytestmark = pytest.mark.slow

HERE, THERE = "10.99.77.1", "10.99.77.2"
CONFIG = {"SCHEDULER__WORKER_TTL": "5s", "SCHEDULER__ALLOWED_FAILURES": "0", "SCHEDULER__WORKER_SATURATION": "1.0"}


@dataclass(frozen=True)
class Networks:
    """Two networks with a cable between them; each is the beginning of a command that runs inside."""

    here: Inside
    there: Inside

    def pull(self) -> None:
        """Pull the cable out, at the far end: nobody here is told."""
        run(*self.there, "ip", "link", "set", "cable1", "down")

    def plug_in(self) -> None:
        """Plug it in again."""
        run(*self.there, "ip", "link", "set", "cable1", "up")


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture
def networks() -> Iterator[Networks]:
    """Two networks, gone after the test."""
    for program in ("unshare", "nsenter", "ip"):
        if shutil.which(program) is None:
            pytest.skip(f"this machine has no {program}")
    with contextlib.ExitStack() as opened:
        try:
            here = inside(opened, ["unshare", "--user", "--map-root-user", "--net"])
            there = inside(opened, [*here, "unshare", "--net"])
            run(*here, "ip", "link", "add", "cable0", "type", "veth", "peer", "name", "cable1", "netns", there[2])
            for network, name, address in ((here, "cable0", HERE), (there, "cable1", THERE)):
                run(*network, "ip", "address", "add", f"{address}/24", "dev", name)
                run(*network, "ip", "link", "set", name, "up")
                run(*network, "ip", "link", "set", "lo", "up")
        except subprocess.CalledProcessError as error:
            pytest.skip(f"this machine allows no network namespaces: {error.stderr.decode(errors='replace').strip()}")
        yield Networks(here, there)


def inside(opened: contextlib.ExitStack, new: list[str]) -> list[str]:
    """Make a namespace, kept by a process that waits; return the beginning of a command that runs in it."""
    keeper = subprocess.Popen([*new, "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert keeper.stdin is not None
    assert keeper.stdout is not None
    opened.enter_context(keeper)
    opened.callback(keeper.stdin.close)
    with contextlib.suppress(BrokenPipeError):
        keeper.stdin.write(b"here\n")
        keeper.stdin.flush()
    if not keeper.stdout.readline():
        raise subprocess.CalledProcessError(keeper.wait(), new, stderr=keeper.stderr.read() if keeper.stderr else b"")
    return ["nsenter", "--target", str(keeper.pid), "--user", "--net", "--preserve-credentials"]


def test_the_key_of_a_worker_whose_cable_is_pulled_is_done_elsewhere_once(
    networks: Networks,
    fleet: Fleet,
    sdt_dask: Callable[..., CommandLine],
    dask_cluster: Callable[..., DaskCluster],
) -> None:
    cluster = dask_cluster(n_workers=0, host=HERE, inside=networks.here, **CONFIG)
    cluster.add_worker("there", host=THERE, inside=networks.there, WHO="there")
    fleet.hold(4)
    on = ("--client", "address", "-c", f"address={cluster.address}", "-c", "timeout=60")
    line = sdt_dask(*fleet.arguments, *on, inside=networks.here)
    fleet.wait_for_reads(4)
    networks.pull()
    cluster.add_worker("here", host=HERE, inside=networks.here, WHO="here")
    wait_until(lambda: "here" in fleet.reads(4), "the key was read elsewhere")
    fleet.let_go()
    assert line.ended() == 0
    assert len(fleet.done) == len(fleet.run.results) == N_KEYS
    assert fleet.endings(4) == ["worker_died", "done"]
    networks.plug_in()
    wait_until(lambda: not cluster.computing, "the worker that was cut off keeps no child")
