"""Removing what a cluster holds: known by our tag, and gone when we say so.

It needs no thread of its own, so that it works also while Python ends.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sdt_dask_client_azure.names import CLUSTER_TAG, OWNER_TAG, STARTED_TAG, PartNames
from sdt_dask_core.clusters import ClusterRecord
from sdt_dask_core.errors import ClientError

if TYPE_CHECKING:
    from sdt_dask_client_azure.access import Azure

__all__ = ["KINDS", "Part", "parts_of", "records", "remove", "remove_machine"]

logger = logging.getLogger(__name__)

#: In the order in which they can go: a disk or an interface in use cannot.
KINDS = ("virtual machine", "network interface", "public address", "disk")

_PATIENCE = 900.0  # s until all of a kind are gone
_FIRST_STEP, _LONGEST_STEP = 0.1, 5.0  # s between two looks


@dataclass(frozen=True, slots=True)
class Part:
    """Something that a cluster holds.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    name : str
        Its name in the resource group.
    tags : dict
        Its tags.
    """

    kind: str
    name: str
    tags: dict[str, str]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def parts_of(azure: Azure, cluster: str | None = None) -> list[Part]:
    """Return what a cluster holds; what all clusters hold where none is named.

    Raises
    ------
    azure.core.exceptions.AzureError
        Azure refuses us or does not answer.
    """
    found = [Part(kind, str(resource.name), dict(resource.tags)) for kind, resource in azure.tagged(CLUSTER_TAG)]
    return [part for part in found if cluster in (None, part.tags[CLUSTER_TAG])]


def remove(azure: Azure, cluster: str) -> Iterator[Part]:
    """Remove everything that a cluster holds; yield each piece when it is gone.

    Raises
    ------
    ClientError
        Something could not be removed; all that could was.
    """
    from azure.core.exceptions import AzureError

    failed: dict[str, str] = {}
    for kind in KINDS:
        # Looked up again each time: with its machine went what was tied to it.
        waiting = [part for part in parts_of(azure, cluster) if part.kind == kind]
        for part in waiting:
            try:
                _delete(azure, part)
            except AzureError as error:
                failed[str(part)] = _first_line(error)
        asked = [part for part in waiting if str(part) not in failed]
        yield from _gone(asked, lambda kind=kind: _left(azure, cluster, kind), failed)  # type: ignore[misc]
    if failed:
        told = "; ".join(f"{part}: {why}" for part, why in failed.items())
        raise ClientError(
            f"of the cluster {cluster} in the resource group {azure.group}, {len(failed)} resource(s) could not be "
            f"removed and may cost money: {told}; try again with: sdt-dask clusters clean"
        )


def remove_machine(azure: Azure, names: PartNames) -> None:
    """Remove one machine and what belongs to it alone, whatever of it is there.

    Raises
    ------
    azure.core.exceptions.AzureError
        Azure refuses us or does not answer.
    ClientError
        It did not go in time.
    """
    all_names = (names.machine, names.network_interface, names.public_address, names.disk)
    for kind, name in zip(KINDS, all_names, strict=True):
        part = Part(kind, name, {})
        _delete(azure, part)
        failed: dict[str, str] = {}
        for _ in _gone([part], lambda part=part: {part.name} if _is_there(azure, part) else set(), failed):  # type: ignore[misc]
            logger.debug("%s is gone", part)
        if failed:
            raise ClientError(f"{part} could not be removed: {failed[str(part)]}")


def records(azure: Azure, runs: Callable[[str], bool]) -> Iterator[ClusterRecord]:
    """Yield the clusters in the resource group.

    Parameters
    ----------
    azure : Azure
        Where.
    runs : callable
        Tells whether the machine of a name runs.
    """
    by_cluster: dict[str, list[Part]] = {}
    for part in parts_of(azure):
        by_cluster.setdefault(part.tags[CLUSTER_TAG], []).append(part)
    for name, parts in sorted(by_cluster.items()):
        machines = [part.name for part in parts if part.kind == KINDS[0]]
        yield ClusterRecord(
            name=name,
            place=f"resource group {azure.group}",
            running=any(runs(machine) for machine in machines if machine.endswith("-scheduler")),
            started=_started(parts),
            owner=next((part.tags[OWNER_TAG] for part in parts if OWNER_TAG in part.tags), "unknown"),
            resources=tuple(map(str, parts)),
        )


def _started(parts: Iterable[Part]) -> datetime | None:
    told = [part.tags[STARTED_TAG] for part in parts if STARTED_TAG in part.tags]
    try:
        return min((datetime.fromisoformat(text) for text in told), default=None)
    except ValueError:  # somebody changed it
        return None


def _operations(azure: Azure, kind: str) -> Any:
    return {
        KINDS[0]: azure.compute.virtual_machines,
        KINDS[1]: azure.network.network_interfaces,
        KINDS[2]: azure.network.public_ip_addresses,
        KINDS[3]: azure.compute.disks,
    }[kind]


def _delete(azure: Azure, part: Part) -> None:
    from azure.core.exceptions import ResourceNotFoundError

    # A machine is not asked to shut down first: nothing on it is worth the wait.
    more = {"force_deletion": True} if part.kind == KINDS[0] else {}
    try:
        _operations(azure, part.kind).begin_delete(azure.group, part.name, polling=False, **more)
    except ResourceNotFoundError:
        logger.debug("%s was gone already", part)


def _is_there(azure: Azure, part: Part) -> bool:
    from azure.core.exceptions import ResourceNotFoundError

    try:
        _operations(azure, part.kind).get(azure.group, part.name)
    except ResourceNotFoundError:
        return False
    return True


def _left(azure: Azure, cluster: str, kind: str) -> set[str]:
    return {part.name for part in parts_of(azure, cluster) if part.kind == kind}


def _gone(parts: list[Part], left: Callable[[], set[str]], failed: dict[str, str]) -> Iterator[Part]:
    """Yield parts as they go; those that do not go in time are put into `failed`."""
    end, step = time.monotonic() + _PATIENCE, _FIRST_STEP
    while parts:
        names = left()
        yield from (part for part in parts if part.name not in names)
        parts = [part for part in parts if part.name in names]
        if parts and time.monotonic() > end:
            failed |= {str(part): f"it is still there after {_PATIENCE:g} s" for part in parts}
            return
        if parts:
            time.sleep(step)
            step = min(step * 1.5, _LONGEST_STEP)


def _first_line(error: BaseException) -> str:
    from sdt_dask_client_azure.failures import explained

    return explained(error)
