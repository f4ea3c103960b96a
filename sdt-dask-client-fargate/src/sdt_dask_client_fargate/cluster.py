"""dask-cloudprovider's FargateCluster, with tasks that wait without asking, say why they stopped, and are replaced.

What it would make itself (ECS cluster, roles, log group, security group, task definitions) is given to it, so that it
makes nothing and removes nothing: it starts, scales and follows the tasks.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Coroutine
from typing import Any

import dask
from dask.utils import parse_timedelta
from dask_cloudprovider.aws.ecs import FargateCluster, Scheduler, Worker
from distributed.core import Status

from sdt_dask_client_fargate.fleet import Fleet
from sdt_dask_client_fargate.network import PORT
from sdt_dask_client_fargate.watch import Task
from sdt_dask_core.errors import ClientError

__all__ = ["Cluster", "start_cluster"]

logger = logging.getLogger(__name__)

_KNOCK = 5.0  # s for one try to reach the scheduler
_STEP = 0.2  # s
_AGAIN, _LONGEST_AGAIN = 1.0, 60.0  # s until a lost worker is replaced, more after each that is lost soon
_DEATH_TIMEOUT = 60  # s that a worker waits for its scheduler
_FOR_DASK = 256  # MiB of a worker that Dask's own processes take
_MIB = 2**20


class SchedulerTask(Scheduler):  # type: ignore[misc]
    """The scheduler's task.

    Parameters
    ----------
    fleet : Fleet
        Starts it.
    **kwargs : object
        As in dask-cloudprovider.
    """

    def __init__(self, *, fleet: Fleet, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.fleet = fleet

    async def start(self) -> None:
        """Start it, and wait until it can be reached."""
        wanted = self.fleet.wanted
        command = [
            *("python", "-m", "distributed.cli.dask_scheduler", "--protocol", "tls", "--port", str(PORT)),
            # The dashboard knows neither encryption nor passwords.
            *("--dashboard-address", "127.0.0.1:0", "--idle-timeout", f"{wanted.idle_timeout:g} seconds"),
        ]
        self.task = await self.fleet.start("scheduler", command)
        self.task_arn = self.task["taskArn"]
        self.private_ip = self.fleet.private_address(self.task)
        if not self.fleet.foundation.network.is_private:
            self.public_ip = await self.fleet.public_address(self.task)
        await self._until_reached(self.public_ip or self.private_ip)
        self.status = Status.running

    async def close(self, **_: Any) -> None:
        """Do nothing: all tasks are stopped together, by what removes the cluster."""
        self.status = Status.closed

    async def _until_reached(self, address: str) -> None:
        stopped: asyncio.Future[Task] = asyncio.get_running_loop().create_future()
        self.fleet.follow(self.task_arn, lambda task: None if stopped.done() else stopped.set_result(task))
        timeout = self.fleet.wanted.timeout
        deadline = time.monotonic() + timeout
        while not stopped.done():
            if await _answers(address):
                self.fleet.follow(self.task_arn, self._lost)
                return
            if time.monotonic() > deadline:
                raise ClientError(
                    f"the scheduler task runs, and nothing answers from here at {address}:{PORT} within {timeout:g} s; "
                    "its security group must let this machine in (client_cidr, security_groups), and with "
                    "fargate_use_private_ip this machine must be within the VPC"
                )
            await asyncio.wait([stopped], timeout=_STEP)
        raise await self.fleet.stopped("scheduler", stopped.result())

    def _lost(self, task: Task) -> None:
        self.status = Status.failed
        logger.error("the scheduler task stopped: %s", task.get("stoppedReason"))


class WorkerTask(Worker):  # type: ignore[misc]
    """A worker's task.

    Parameters
    ----------
    *args, **kwargs : object
        As in dask-cloudprovider.
    cluster : Cluster
        It replaces it when it is lost.
    """

    def __init__(self, *args: Any, cluster: Cluster, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cluster = cluster
        self.fleet = cluster.fleet

    async def start(self) -> None:
        """Start it; one that does not come up is noted, and replaced."""
        wanted = self.fleet.wanted
        # Each thread has a computing process of its own, which may take this much.
        memory = (wanted.worker.memory - _FOR_DASK) * _MIB // wanted.threads_per_worker
        command = [
            *("python", "-m", "distributed.cli.dask_worker", self.scheduler, "--name", str(self.name)),
            *("--nthreads", str(wanted.threads_per_worker), "--memory-limit", str(memory), "--no-dashboard"),
            *("--death-timeout", str(_DEATH_TIMEOUT)),
        ]
        try:
            self.task = await self.fleet.start("worker", command, spot=wanted.spot)
        except Exception as error:  # noqa: BLE001 - its neighbours go on
            self.task = {"lastStatus": "STOPPED"}  # without one, the base class would not take it for started
            self._give_up(str(error))
            return
        self.task_arn = self.task["taskArn"]
        self.fleet.follow(self.task_arn, self._lost)
        self.status = Status.running

    async def close(self, **_: Any) -> None:
        """Stop it."""
        if self.task_arn and self.status == Status.running:
            await self.fleet.stop(self.task_arn)
        self.status = Status.closed

    def _lost(self, task: Task) -> None:
        async def tell() -> None:
            self._give_up(str(await self.fleet.stopped("worker", task)))

        self.status = Status.failed
        self.cluster.background(tell())

    def _give_up(self, why: str) -> None:
        logger.warning("%s", why)
        self.fleet.troubles.append(why)
        self.status = Status.failed
        self.cluster.replace(self)


class Cluster(FargateCluster):  # type: ignore[misc]
    """The cluster.

    Parameters
    ----------
    fleet : Fleet
        Its tasks.
    """

    def __init__(self, fleet: Fleet) -> None:
        wanted, foundation = fleet.wanted, fleet.foundation
        self.fleet = fleet
        self._names = itertools.count()
        self._background: set[asyncio.Task[None]] = set()
        super().__init__(
            name=fleet.naming.name,
            asynchronous=True,
            security=fleet.identity.security(),
            skip_cleanup=True,
            n_workers=0,
            image=wanted.image,
            cluster_arn=foundation.ecs_cluster,
            # Neither is used for anything but definitions, which are given.
            execution_role_arn="given",
            task_role_arn="given",
            cloudwatch_logs_group=wanted.log_group,
            cloudwatch_logs_stream_prefix=fleet.naming.name,
            vpc=foundation.network.vpc,
            subnets=list(foundation.network.subnets),
            security_groups=list(foundation.security_groups),
            scheduler_task_definition_arn=foundation.definitions["scheduler"],
            worker_task_definition_arn=foundation.definitions["worker"],
            fargate_use_private_ip=wanted.is_private,
            region_name=fleet.account.region,
            # What would otherwise come from the user's settings for other clusters of dask-cloudprovider.
            environment={},
            tags={},
            scheduler_extra_args=[],
            worker_extra_args=[],
            shutdown_scheduler=False,
        )
        self.cluster_name = fleet.naming.name

    async def bring_up(self) -> None:
        """Start the scheduler, then the workers; wait until all have joined that come up.

        Raises
        ------
        ClientError
            The scheduler or all workers failed.
        """
        # Started here, because FargateCluster has a class of its own for it, and warns when it takes its time.
        self.scheduler = SchedulerTask(
            fleet=self.fleet, port=PORT, tls=True, scheduler_timeout="", **self._task_options("scheduler")
        )
        await self.scheduler
        await self
        # The numbers are replaced by those of the command.
        numbers: dict[str, Any] = {"cpu": 0, "mem": 0, "gpu": 0, "nthreads": None, "extra_args": []}
        self.new_spec = {"cls": WorkerTask, "options": {"cluster": self, **numbers, **self._task_options("worker")}}
        wanted = self.fleet.wanted
        self.scale(wanted.minimum)
        await self._until_joined(wanted.minimum)
        if wanted.is_adaptive:
            self.adapt(minimum=wanted.minimum, maximum=wanted.maximum)

    def background(self, work: Coroutine[Any, Any, None]) -> None:
        """Do some work beside; it is cancelled when the cluster closes."""
        if self.status in (Status.closing, Status.closed):
            work.close()
            return
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def replace(self, worker: WorkerTask) -> None:
        """Start another worker for one that was lost."""
        delay = min(_LONGEST_AGAIN, _AGAIN * 2 ** min(8, len(self.fleet.troubles)))

        async def later() -> None:
            await asyncio.sleep(delay)
            # A new name: the scheduler may not have noticed yet that the old one is gone.
            if self.workers.get(worker.name) is worker:
                del self.workers[worker.name]
            if self.worker_spec.pop(worker.name, None) is not None and self.status == Status.running:
                self.worker_spec.update(self.new_worker_spec())
                await self._correct_state()

        self.background(later())

    async def _close(self) -> None:
        for task in list(self._background):
            task.cancel()
        # Whoever waits for a task would keep the state from being corrected.
        await self.fleet.close()
        if self.scheduler is not None:
            self.scheduler.status = Status.closed  # nobody is asked to retire: all tasks are stopped together
        for worker in self._created:
            worker.status = Status.closed
        await super()._close()

    @property
    def tags(self) -> dict[str, str]:
        """Tags of the tasks, without the one by which others' dask-cloudprovider sweeps what it takes for stale."""
        return self.fleet.naming.tags

    def _new_worker_name(self, _: int) -> int:
        return next(self._names)

    def _check_scheduler_tls_config(self) -> None:
        """Leave out a warning that comes with every encrypted cluster."""

    def _update_worker_status(self, op: str, msg: Any) -> None:
        super()._update_worker_status(op, msg)
        if op == "remove":
            self.fleet.watch.hurry()
            # After Dask's own patience with a lost worker, which forgets it and starts no other.
            patience = parse_timedelta(dask.config.get("distributed.deploy.lost-worker-timeout")) + 1
            self.background(self._correct_later(patience))

    async def _correct_later(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        if self.status == Status.running:
            await self._correct_state()

    async def _until_joined(self, count: int) -> None:
        """Wait for workers; when some fail, or take too long, go on with the others."""
        timeout = self.fleet.wanted.timeout
        deadline = time.monotonic() + timeout
        while (joined := len(self.scheduler_info["workers"])) < count:
            if self.scheduler.status != Status.running:
                raise ClientError("the scheduler task stopped while the workers started; run again")
            troubles = self.fleet.troubles
            is_late = time.monotonic() > deadline
            if not joined and (is_late or len(troubles) >= count):
                first = troubles[0] if troubles else "the tasks run, and do not reach the scheduler"
                raise ClientError(f"none of {count} workers joined within {timeout:g} s: {first}")
            if joined and (is_late or joined + len(troubles) >= count):
                logger.warning("%d of %d workers came up; the others join when they can", joined, count)
                return
            await asyncio.sleep(_STEP)

    def _task_options(self, part: str) -> dict[str, Any]:
        foundation = self.fleet.foundation
        return {
            "client": None,
            "cluster_arn": foundation.ecs_cluster,
            "task_definition_arn": foundation.definitions[part],
            "vpc_subnets": list(foundation.network.subnets),
            "security_groups": list(foundation.security_groups),
            "fargate": True,
            "environment": {},
            "tags": self.tags,
            "fargate_use_private_ip": foundation.network.is_private,
        }


async def start_cluster(fleet: Fleet) -> Cluster:
    """Make the cluster, without its tasks; it belongs to the event loop that runs this."""
    return Cluster(fleet)


async def _answers(address: str) -> bool:
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(address, PORT), _KNOCK)
    except (OSError, asyncio.TimeoutError):
        return False
    writer.close()
    return True
