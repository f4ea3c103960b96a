"""The way from options to a client, each step registered for closing before it is made."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from sdt_dask_client_fargate.account import Account
from sdt_dask_client_fargate.cluster import Cluster, start_cluster
from sdt_dask_client_fargate.fleet import Fleet
from sdt_dask_client_fargate.foundation import lay_foundation
from sdt_dask_client_fargate.halting import Halt
from sdt_dask_client_fargate.identity import Identity
from sdt_dask_client_fargate.loop import LoopThread
from sdt_dask_client_fargate.naming import Naming
from sdt_dask_client_fargate.removal import removed
from sdt_dask_client_fargate.wanted import Wanted
from sdt_dask_core.clients.starting import joined

if TYPE_CHECKING:
    import distributed

__all__ = ["start"]

logger = logging.getLogger(__name__)

_NEW_IMAGE = "sdt-dask image PLUG --output image"
_CLOSING = 30.0  # s for the connections to the scheduler


def start(
    opened: contextlib.ExitStack, account: Account, wanted: Wanted, tags: Mapping[str, str], halt: Halt
) -> tuple[distributed.Client, Fleet]:
    """Start a cluster and join it.

    Parameters
    ----------
    opened : contextlib.ExitStack
        Closes all of it, as far as it came.
    account : Account
        Where.
    wanted : Wanted
        What the user wants.
    tags : mapping
        The user's own.
    halt : Halt
        Asked between the steps.

    Raises
    ------
    ClientError
        AWS refuses, or a task stopped.
    """
    opened.callback(account.close)
    account.require_region()
    naming = Naming(more_tags=tags)
    started = time.monotonic()
    logger.info("cluster %s: making what its tasks need in %s", naming.name, account.region)
    opened.callback(_remove_all, account, naming.name, wanted.cluster_arn or "")
    foundation = lay_foundation(account, naming, wanted, halt)
    identity = Identity.make(naming.name)
    fleet = Fleet(account, naming, wanted, foundation, identity)
    loop = LoopThread()
    opened.callback(_end_stints, fleet)
    opened.callback(loop.close)
    logger.info("cluster %s: starting its scheduler and %d workers", naming.name, wanted.minimum)
    cluster = halt.wait(loop.submit(start_cluster(fleet)))
    opened.callback(_close_cluster, loop, cluster)
    halt.wait(loop.submit(cluster.bring_up()))
    halt.check()
    client = joined(
        opened, cluster.scheduler_address, image=_NEW_IMAGE, security=identity.security(), timeout=wanted.timeout
    )
    client.wait_for_workers(1, timeout=wanted.timeout)
    logger.info("cluster %s: ready after %.0f s", naming.name, time.monotonic() - started)
    return client, fleet


def _close_cluster(loop: LoopThread, cluster: Cluster) -> None:
    with contextlib.suppress(Exception):  # a lost scheduler cannot say goodbye, and its task is stopped next
        loop.submit(cluster._close()).result(_CLOSING)  # noqa: SLF001 - close() would hand out a coroutine bound to here


def _end_stints(fleet: Fleet) -> None:
    for arn in list(fleet.stints):
        fleet.end(arn)


def _remove_all(account: Account, name: str, ecs_cluster: str) -> None:
    try:
        _remove(account, name, ecs_cluster)
    except KeyboardInterrupt:  # heard when all is gone; only a second one breaks it off
        _remove(account, name, ecs_cluster)
        raise


def _remove(account: Account, name: str, ecs_cluster: str) -> None:
    for piece in removed(account, name, ecs_cluster=ecs_cluster):
        logger.info("cluster %s: removed %s", name, piece)
