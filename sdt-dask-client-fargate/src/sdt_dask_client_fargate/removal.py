"""Giving everything back: tasks are stopped, and the rest goes when nothing uses it any more."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from sdt_dask_client_fargate.account import Account, code_of
from sdt_dask_client_fargate.inventory import Holding, Piece, holdings
from sdt_dask_core.errors import ClientError

__all__ = ["remove_holding", "removed"]

_PATIENCE = 240.0  # s; until tasks have stopped, and their network interfaces are gone
_FIRST_STEP, _LAST_STEP = 0.5, 5.0  # s
_GONE = (
    *("ClusterNotFoundException", "NoSuchEntity", "NoSuchEntityException", "InvalidGroup.NotFound"),
    *("InvalidParameterException", "ResourceNotFoundException"),
)
_IN_USE = ("DependencyViolation", "ClusterContainsTasksException", "UpdateInProgressException", "DeleteConflict")
_ORDER = ("cluster", "task definition", "security group", "role")


def removed(account: Account, name: str, *, ecs_cluster: str = "") -> Iterator[str]:
    """Remove all that a cluster holds; yield it piece by piece.

    Parameters
    ----------
    account : Account
        Where.
    name : str
        Name of the cluster.
    ecs_cluster : str
        Where its tasks run, when it is known.

    Raises
    ------
    ClientError
        A part of it could not be removed.
    """
    found = holdings(account, name, ecs_cluster=ecs_cluster)
    if name in found:
        yield from remove_holding(account, found[name])


def remove_holding(account: Account, holding: Holding) -> Iterator[str]:
    """Remove the pieces of a holding; yield each when it is gone.

    Raises
    ------
    ClientError
        Some are still there; the others are removed all the same.
    """
    problems: list[str] = []
    deadline = time.monotonic() + _PATIENCE
    yield from _stop_tasks(account, holding, deadline, problems)
    for kind in _ORDER:
        for piece in holding.of(kind):
            try:
                _until_unused(lambda piece=piece: _remove(account, piece), deadline)  # type: ignore[misc]
            except Exception as error:  # noqa: BLE001 - the others are to go all the same
                problems.append(f"{piece}: {error}")
            else:
                yield str(piece)
    if problems:
        raise ClientError(
            f"client 'fargate' could not remove all of the cluster {holding.name!r}, which goes on to cost money or to "
            f"give access: {'; '.join(problems)}; sdt-dask clusters lists it, and sdt-dask clusters clean tries again"
        )


def _stop_tasks(account: Account, holding: Holding, deadline: float, problems: list[str]) -> Iterator[str]:
    ecs = account.client("ecs")
    stopping = []
    for task in holding.of("task"):
        try:
            ecs.stop_task(cluster=holding.ecs_cluster, task=task.handle, reason="the run is over")
            stopping.append(task)
        except Exception as error:  # noqa: BLE001 - the others are to stop all the same
            if code_of(error) not in _GONE:
                problems.append(f"{task}: {error}")
    try:
        _wait_until_stopped(ecs, holding.ecs_cluster, [task.handle for task in stopping], deadline)
    except Exception as error:  # noqa: BLE001 - what does not depend on them is to go all the same
        problems.append(f"tasks of {holding.ecs_cluster}: {error}")
    yield from map(str, stopping)


def _wait_until_stopped(ecs: Any, ecs_cluster: str, arns: list[str], deadline: float) -> None:
    step = _FIRST_STEP
    while arns:
        described = []
        for start in range(0, len(arns), 100):
            described += ecs.describe_tasks(cluster=ecs_cluster, tasks=arns[start : start + 100])["tasks"]
        arns = [task["taskArn"] for task in described if task["lastStatus"] != "STOPPED"]
        if arns:
            _pause(step, deadline, f"{len(arns)} tasks have not stopped yet")
            step = min(_LAST_STEP, step * 1.5)


def _until_unused(remove: Callable[[], None], deadline: float) -> None:
    """Remove a piece; what is still in use is tried again, since AWS frees it some time after its last user."""
    step = _FIRST_STEP
    while True:
        try:
            return remove()
        except Exception as error:
            if code_of(error) in _GONE:
                return None
            if code_of(error) not in _IN_USE:
                raise
            _pause(step, deadline, str(error))
            step = min(_LAST_STEP, step * 1.5)


def _pause(seconds: float, deadline: float, why: str) -> None:
    if time.monotonic() > deadline:
        raise TimeoutError(f"after {_PATIENCE:g} s: {why}")
    time.sleep(seconds)


def _remove(account: Account, piece: Piece) -> None:
    if piece.kind == "cluster":
        account.client("ecs").delete_cluster(cluster=piece.handle)
    elif piece.kind == "task definition":
        account.client("ecs").deregister_task_definition(taskDefinition=piece.handle)
        account.client("ecs").delete_task_definitions(taskDefinitions=[piece.handle])
    elif piece.kind == "security group":
        account.client("ec2").delete_security_group(GroupId=piece.handle)
    else:
        _remove_role(account.client("iam"), piece.handle)


def _remove_role(iam: Any, role: str) -> None:
    for policy in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=role, PolicyArn=policy["PolicyArn"])
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        iam.delete_role_policy(RoleName=role, PolicyName=name)
    iam.delete_role(RoleName=role)
