"""A running cluster: whether its scheduler and its workers have the versions of here."""

from __future__ import annotations

import contextlib
import shlex
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from urllib.parse import urlsplit

from sdt_dask_core.clients.starting import joined
from sdt_dask_core.doctor import mending
from sdt_dask_core.doctor.finding import ERROR, HERE, THERE, WARNING, Finding
from sdt_dask_core.doctor.source import source_of
from sdt_dask_core.environment import SCHEDULER, Difference, compare, versions_on_cluster

__all__ = ["Cluster", "cluster_findings", "examine_cluster"]

_NAMED = 3


@dataclass(frozen=True, slots=True)
class Cluster:
    """What a scheduler and its workers have.

    Attributes
    ----------
    address : str
        Of the scheduler.
    problem : str
        Why nothing can be said of it; empty where all answered.
    command : str
        What mends the problem.
    versions : dict
        Of the scheduler and each worker: version by distribution, None where it is missing.
    differences : list of Difference
        What is not as here.
    """

    address: str
    problem: str = ""
    command: str = ""
    versions: dict[str, dict[str, str | None]] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)

    @property
    def n_workers(self) -> int:
        """Number of workers."""
        return len(self.versions.keys() - {SCHEDULER})


def examine_cluster(
    address: str, here: Mapping[str, str | None], modules: dict[str, str], *, timeout: float
) -> Cluster:
    """Ask the scheduler and the workers of a running cluster for their versions.

    Parameters
    ----------
    address : str
        Of the scheduler.
    here : mapping
        Versions here.
    modules : dict
        Distributions to ask for, each with the top-level module that stands for it.
    timeout : float
        How long to wait for the scheduler [s].
    """
    try:
        # Dask warns of what we tell; the filters are those of the process, and its client runs in another thread.
        with contextlib.ExitStack() as opened, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            there = versions_on_cluster(joined(opened, address, timeout=timeout), modules)
    except (OSError, ValueError) as error:
        problem = f"no Dask scheduler answers at {address!r} within {timeout:g} s: {error}"
        return Cluster(address, problem, _start_scheduler(address))
    except Exception as error:  # noqa: BLE001 - two releases of Dask fail in any way
        said = f"{type(error).__name__}: {error}"
        reason = f"it is probably of another release than distributed {here['distributed']} here"
        problem = f"the Dask scheduler at {address!r} cannot be talked to ({said}); {reason}"
        wanted = [f"{name}=={here[name]}" for name in ("dask", "distributed")]
        return Cluster(address, problem, mending.install_there(*wanted))
    return Cluster(address, versions=there, differences=compare(here, there))


def cluster_findings(cluster: Cluster) -> Iterator[Finding]:
    """Yield a finding for each distribution and version that is not as here, whoever has it."""
    if cluster.problem:
        yield Finding(ERROR, "cluster", cluster.problem, (cluster.command,), THERE)
    elif not cluster.n_workers:
        message = f"the Dask scheduler at {cluster.address!r} has no worker"
        yield Finding(ERROR, "cluster", message, (shlex.join(["dask", "worker", cluster.address]),), THERE)
    for _, group in groupby(sorted(cluster.differences, key=_kind), key=_kind):
        yield _finding(cluster, list(group))


def _start_scheduler(address: str) -> str:
    try:
        parts = urlsplit(address)
        where = ["--host", parts.hostname, "--port", str(parts.port)] if parts.hostname and parts.port else []
    except ValueError:
        where = []
    return shlex.join(["dask", "scheduler", *where])


def _kind(difference: Difference) -> tuple[bool, str, str]:
    return not difference.breaks, difference.name, difference.there or ""


def _finding(cluster: Cluster, differences: Sequence[Difference]) -> Finding:
    one = differences[0]
    who = told(cluster, [difference.where for difference in differences])
    found = f"is {one.there}" if one.there else "is missing"
    message = f"{one.name} {found} on {who}, and {one.here} here"
    level = ERROR if one.breaks else WARNING
    command, place = _command(one)
    if place == HERE:
        message += "; give them the wheel that this makes"
    return Finding(level, "cluster", message, (command,), place)


def told(cluster: Cluster, where: Sequence[str]) -> str:
    """Return who they are: the scheduler, all workers, or each by its address as long as these are few."""
    workers = [place for place in where if place != SCHEDULER]
    named = ", ".join(workers[:_NAMED])
    if len(workers) == cluster.n_workers > 1:
        named = f"all {len(workers)} workers"
    elif len(workers) > _NAMED:
        named = f"{named} and {len(workers) - _NAMED} more of {cluster.n_workers} workers"
    return " and ".join([*([f"the {SCHEDULER}"] if SCHEDULER in where else ()), *([named] if named else ())])


def _command(difference: Difference) -> tuple[str, str]:
    if difference.name == "python":
        return f"uv venv --python {sys.version_info.major}.{sys.version_info.minor}", THERE
    source = source_of(difference.name)
    if source is None:
        return mending.install_there(f"{difference.name}=={difference.here}"), THERE
    if source.is_local:
        return mending.build_wheels(source.place), HERE
    return mending.install_there(f"{difference.name} @ {source.place}"), THERE
