"""The tasks of one cluster: started with patience, watched, and counted for what they cost."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sdt_dask_client_fargate.account import Account, code_of, is_throttled, told
from sdt_dask_client_fargate.environment import check_overrides, variables
from sdt_dask_client_fargate.foundation import Foundation, container_of
from sdt_dask_client_fargate.identity import Identity
from sdt_dask_client_fargate.naming import Naming
from sdt_dask_client_fargate.reasons import why_stopped
from sdt_dask_client_fargate.wanted import Wanted
from sdt_dask_client_fargate.watch import Task, TaskStoppedError, TaskWatch
from sdt_dask_core.errors import ClientError

__all__ = ["Fleet", "Stint"]

logger = logging.getLogger(__name__)

_FIRST, _LONGEST = 1.0, 15.0  # s between two tries to start a task
# A role that was made a moment ago is not known everywhere.
_PASSING = ("unable to assume the role", "is not authorized to assume")
_LIMITED = ("LimitExceededException", "ServerException", "ServiceUnavailable", "ClusterNotFoundException")


@dataclass(slots=True)
class Stint:
    """How long a task ran.

    Attributes
    ----------
    part : {"scheduler", "worker"}
        What it was.
    started : float
        On the clock of ``time.monotonic`` [s].
    ended : float or None
        Likewise; None while it runs.
    """

    part: str
    started: float
    ended: float | None = None


class Fleet:
    """Starts the tasks of a cluster and watches them.

    Parameters
    ----------
    account : Account
        Where.
    naming : Naming
        Names and tags.
    wanted : Wanted
        What the user wants.
    foundation : Foundation
        What the tasks are started with.
    identity : Identity
        Certificates of the cluster.
    """

    def __init__(
        self, account: Account, naming: Naming, wanted: Wanted, foundation: Foundation, identity: Identity
    ) -> None:
        self.account = account
        self.naming = naming
        self.wanted = wanted
        self.foundation = foundation
        self.identity = identity
        self.stints: dict[str, Stint] = {}
        self.troubles: list[str] = []
        self.watch = TaskWatch(self._describe)
        self._starts: set[asyncio.Task[Any]] = set()

    async def start(self, part: str, command: Sequence[str], *, spot: bool = False) -> Task:
        """Start a task and wait until it runs.

        Raises
        ------
        ClientError
            AWS refuses it, or it stopped; the message says why.
        """
        start = asyncio.ensure_future(self._start(part, self._request(part, command, spot=spot)))
        self._starts.add(start)
        try:
            return await start
        finally:
            start.cancel()
            self._starts.discard(start)

    async def close(self) -> None:
        """Cancel what starts, and look no more."""
        for start in list(self._starts):
            start.cancel()
        await self.watch.close()

    async def _start(self, part: str, request: dict[str, Any]) -> Task:
        task = await self._run(part, request)
        arn = task["taskArn"]
        self.stints[arn] = Stint(part, time.monotonic())
        try:
            return await asyncio.wait_for(self.watch.until_running(arn), self.wanted.timeout)
        except TaskStoppedError as error:
            self.end(arn)
            raise await self.stopped(part, error.task) from error
        except asyncio.TimeoutError as error:
            raise ClientError(
                f"the {part} task {arn.rpartition('/')[2]} did not run within {self.wanted.timeout:g} s; AWS may have "
                "little room, or the image is large: give a longer timeout"
            ) from error

    def follow(self, arn: str, on_stop: Callable[[Task], None]) -> None:
        """Have a function called when a task stops that was not meant to."""

        def note(task: Task) -> None:
            self.end(arn)
            on_stop(task)

        self.watch.follow(arn, note)

    async def stop(self, arn: str) -> None:
        """Stop a task; it is not waited for."""
        self.watch.forget(arn)
        self.end(arn)
        ecs = self.account.client("ecs")
        await asyncio.to_thread(ecs.stop_task, cluster=self.foundation.ecs_cluster, task=arn, reason="not needed now")

    def end(self, arn: str) -> None:
        """Note that a task came to its end."""
        stint = self.stints.get(arn)
        if stint is not None and stint.ended is None:
            stint.ended = time.monotonic()

    async def stopped(self, part: str, task: Task) -> ClientError:
        """Return the error that says why a task stopped."""
        text = await asyncio.to_thread(why_stopped, self.account, self.wanted, self.naming.name, task)
        return ClientError(f"the {part} task {task['taskArn'].rpartition('/')[2]} stopped: {text}")

    async def public_address(self, task: Task) -> str:
        """Return the public address of a task."""
        interface = _detail(task, "networkInterfaceId")
        ec2 = self.account.client("ec2")
        with told(f"learn the address of the network interface {interface}"):
            found = await asyncio.to_thread(ec2.describe_network_interfaces, NetworkInterfaceIds=[interface])
        return str(found["NetworkInterfaces"][0]["Association"]["PublicIp"])

    def private_address(self, task: Task) -> str:
        """Return the private address of a task."""
        return _detail(task, "privateIPv4Address")

    def _describe(self, arns: Sequence[str]) -> list[Task]:
        ecs = self.account.client("ecs")
        tasks: list[Task] = ecs.describe_tasks(cluster=self.foundation.ecs_cluster, tasks=list(arns))["tasks"]
        return tasks

    async def _run(self, part: str, request: dict[str, Any]) -> Task:
        """Ask for a task, again and again while AWS has no room for it."""
        ecs = self.account.client("ecs")
        deadline, step = time.monotonic() + self.wanted.timeout, _FIRST
        while True:
            try:
                with told(f"start a {part} task"):
                    answer = await asyncio.to_thread(ecs.run_task, **request)
                if answer["tasks"]:
                    task: Task = answer["tasks"][0]
                    return task
                reason = "; ".join(each.get("reason", "") for each in answer["failures"]) or "AWS gives no reason"
                error = ClientError(
                    f"AWS has no room for a {part} task: {reason}; try again later, in other subnets or another "
                    "region, or without fargate_spot"
                )
            except ClientError as refusal:
                if not _passes(refusal):
                    raise
                error = refusal
            if time.monotonic() + step > deadline:
                raise error
            logger.warning("%s; trying again", error)
            await asyncio.sleep(step)
            step = min(_LONGEST, step * 2)

    def _request(self, part: str, command: Sequence[str], *, spot: bool) -> dict[str, Any]:
        environment = variables(part, self.identity, self.wanted.environment)
        overrides = {
            "containerOverrides": [
                {
                    "name": container_of(part),
                    "command": list(command),
                    "environment": [{"name": name, "value": value} for name, value in environment.items()],
                }
            ]
        }
        check_overrides(overrides)
        network = self.foundation.network
        return {
            "cluster": self.foundation.ecs_cluster,
            "taskDefinition": self.foundation.definitions[part],
            "count": 1,
            "startedBy": self.naming.name,
            # So that a request that is sent twice starts one task.
            "clientToken": uuid.uuid4().hex,
            "overrides": overrides,
            "networkConfiguration": {
                "awsvpcConfiguration": {
                    "subnets": list(network.subnets),
                    "securityGroups": list(self.foundation.security_groups),
                    "assignPublicIp": "DISABLED" if network.is_private else "ENABLED",
                }
            },
            "tags": [{"key": name, "value": value} for name, value in self.naming.tags.items()],
            **({"platformVersion": self.wanted.platform_version} if self.wanted.platform_version else {}),
            **(
                {"capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT"}]}
                if spot
                else {"launchType": "FARGATE"}
            ),
        }


def _passes(error: ClientError) -> bool:
    """Tell whether a refusal may be over in a moment."""
    cause = error.__cause__
    if cause is None:
        return False
    return is_throttled(cause) or code_of(cause) in _LIMITED or any(text in str(cause) for text in _PASSING)


def _detail(task: Task, name: str) -> str:
    for attachment in task["attachments"]:
        for detail in attachment["details"]:
            if detail["name"] == name:
                return str(detail["value"])
    raise ClientError(f"ECS does not say the {name} of the task {task['taskArn']}; try again")
