"""Clusters that a client made and that still hold something, as its hooks `list_clusters` and `remove_cluster` tell."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from sdt_dask_core.errors import BrokenProviderError, ClientError, SdtDaskError

if TYPE_CHECKING:
    from sdt_dask_core.reference import Reference

__all__ = ["ClusterRecord", "clusters_of", "remove_cluster_of"]


@dataclass(frozen=True, slots=True)
class ClusterRecord:
    """One cluster of a client.

    Attributes
    ----------
    name : str
        What `remove_cluster` takes.
    place : str
        Where it is, for people: a region, a resource group.
    running : bool
        Whether anything in it still computes; else it is left over.
    started : datetime or None
        When it was made, time-zone aware; None where unknown.
    owner : str
        Who made it, as far as the service knows: user and host.
    resources : tuple of str
        What it holds, each piece by kind and name: ``"role dask-a1b2-task"``.
    """

    name: str
    place: str
    running: bool
    started: datetime | None
    owner: str
    resources: tuple[str, ...]

    def age(self, now: datetime | None = None) -> float | None:
        """Return the time since it was made [s]; None where unknown."""
        if self.started is None:
            return None
        started = self.started if self.started.tzinfo else self.started.replace(tzinfo=timezone.utc)
        return max(0.0, ((now or datetime.now(timezone.utc)) - started).total_seconds())


def clusters_of(client: Reference) -> list[ClusterRecord]:
    """Return what a client made and still holds; it makes no cluster for that.

    Raises
    ------
    ClientError
        The service does not answer, or refuses us.
    BrokenProviderError
        It lists something else than clusters.
    """
    from sdt_dask_core.costs import hooks_of_client

    with _blamed(client, "could not list its clusters"), hooks_of_client(client) as hooks:
        records = list(hooks.list_clusters() or ())
    for record in records:
        if not isinstance(record, ClusterRecord):
            raise BrokenProviderError(
                f"client {client.name!r} of {client.distribution} {client.version} lists a {type(record).__name__}; "
                "list_clusters yields ClusterRecord"
            )
    return records


def remove_cluster_of(client: Reference, name: str) -> Iterator[str]:
    """Remove a cluster of a client; yield what was removed, piece by piece.

    Raises
    ------
    ClientError
        There is no such cluster, or a part of it could not be removed.
    """
    from sdt_dask_core.costs import hooks_of_client

    with _blamed(client, f"could not remove all of cluster {name!r}"), hooks_of_client(client) as hooks:
        yield from hooks.remove_cluster(name=name) or ()


@contextmanager
def _blamed(client: Reference, what: str) -> Iterator[None]:
    """Turn what a service's own library raises into an error of ours that names the client."""
    try:
        yield
    except SdtDaskError:
        raise
    except Exception as error:
        raise ClientError(
            f"client {client.name!r} of {client.distribution} {client.version} {what}: {type(error).__name__}: {error}"
        ) from error
