"""The cluster: dask-cloudprovider's, without what it does to the process and with what it leaves out."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from dask_cloudprovider.azure import AzureVMCluster
from distributed.core import Status
from distributed.deploy.cluster import Cluster
from distributed.deploy.spec import SpecCluster

from sdt_dask_client_azure.access import Azure
from sdt_dask_client_azure.encryption import dask_environment, new_security, public_key
from sdt_dask_client_azure.names import own_tags
from sdt_dask_client_azure.settings import Settings
from sdt_dask_client_azure.virtual_machine import MachineError, Scheduler, Worker
from sdt_dask_client_azure.watching import Watch

__all__ = ["AzureCluster", "StoppedError"]

logger = logging.getLogger(__name__)

_THREADS = 16  # requests to Azure at once


class StoppedError(Exception):
    """The start was given up."""


class AzureCluster(AzureVMCluster):  # type: ignore[misc]
    """A scheduler and workers, each on a virtual machine.

    Closing it lets go of the machines; `sdt_dask_client_azure.removal.remove` removes them, all at once.

    Parameters
    ----------
    azure : Azure
        Where.
    name : str
        Its name, which is that of its machines, too.
    stop : threading.Event
        Set to give up its start.

    Attributes
    ----------
    machines : list
        Every machine that it ever had.
    """

    def __init__(self, azure: Azure, name: str, stop: threading.Event) -> None:
        self.azure = azure
        self.settings: Settings = azure.settings
        self.place = azure.place()
        self.own_tags = own_tags(name, self.settings.tags)
        self.own_security = new_security()
        self.public_key = public_key()
        self.container_environment = {
            **self.settings.revealed_environment(),
            **dask_environment(self.own_security),
        }
        self.machines: list[Any] = []
        self.compute_client: Any = None
        self.network_client: Any = None
        self._stop = stop
        self._numbers = itertools.count(1)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="azure")
        self._watching: asyncio.Task[None] | None = None
        self.watch = Watch(self)
        try:
            super().__init__(
                **self._given(), n_workers=self.settings.first_workers, name=name, security=False, protocol="tls"
            )
        except BaseException:
            self.let_go()
            raise

    def _given(self) -> dict[str, Any]:
        settings = self.settings
        return {
            "location": settings.location,
            "resource_group": settings.resource_group,
            "vnet": settings.vnet,
            "subnet": self.place.subnet,
            "security_group": settings.security_group,
            "subscription_id": self.azure.subscription,
            "public_ingress": settings.public_ingress,
            "vm_size": settings.vm_size,
            "scheduler_vm_size": settings.scheduler_vm_size,
            "disk_size": settings.disk_size,
            "docker_image": settings.image,
        }

    async def _start(self) -> None:
        # dask-cloudprovider would write the keys into the configuration of the whole process, and leave them there.
        self.security = self.own_security
        # Those that it made look for another cloud, and for credentials of their own.
        for unused in (self.compute_client, self.network_client, self.credentials):
            unused.close()
        self.compute_client, self.network_client = self.azure.compute, self.azure.network
        scheduler = partial(self._machine, Scheduler, name=f"{self.name}-scheduler")
        self.scheduler_spec = {"cls": scheduler, "options": self.scheduler_options}
        self.new_spec = {"cls": partial(self._machine, Worker), "options": self.worker_options}
        self.worker_spec = {self._new_worker_name(i): self.new_spec for i in range(self._n_workers)}
        # VMCluster's own would warn of a start that takes longer than ten seconds: all do.
        await SpecCluster._start(self)  # noqa: SLF001 - of an ancestor
        self._watching = asyncio.create_task(self.watch.run())

    def _machine(
        self, kind: Callable[..., Any], *args: Any, vm_size: str, public_ingress: bool = False, **kwargs: Any
    ) -> Any:
        machine = kind(*args, size=vm_size, is_public=public_ingress, **kwargs)
        self.machines.append(machine)
        return machine

    def _new_worker_name(self, worker_number: int) -> str:
        # Never one that was there before: Azure may not be done with the machine of that name.
        return f"{self.name}-worker-{next(self._numbers)}"

    async def _correct_state_internal(self) -> None:
        """Start and stop workers; one that fails is noted, and the others go on."""
        try:
            await super()._correct_state_internal()
        except MachineError as error:
            logger.debug("a worker failed: %s", error)
        for name, machine in list(self.workers.items()):
            if machine.status == Status.failed:
                self.watch.refused(name, machine)

    def _update_worker_status(self, op: str, msg: Any) -> None:
        # SpecCluster's own closes a lost worker and starts no other; that is the watch's to do.
        Cluster._update_worker_status(self, op, msg)  # noqa: SLF001 - of an ancestor
        # Noted at once: a worker may be lost before the watch has looked.
        for name in self.joined & self.workers.keys():
            self.workers[name].joined = True

    async def in_thread(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Do what blocks in a thread; what is under way is waited for when the cluster is let go."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, partial(work, *args, **kwargs))

    def go_on(self) -> None:
        """Raise where the start was given up.

        Raises
        ------
        StoppedError
            It was.
        """
        if self._stop.is_set():
            raise StoppedError("the start was given up")

    @property
    def joined(self) -> set[str]:
        """Names of the workers that the scheduler knows."""
        return {str(worker["name"]) for worker in self.scheduler_info["workers"].values()}

    async def _close(self) -> None:
        # The scheduler is not asked: it may be gone, and its machine goes anyway.
        self.shutdown_scheduler = False
        if self._watching is not None:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching
            self._watching = None
        await self.watch.end()
        self.worker_spec.clear()
        self.workers.clear()
        for machine in self._created:
            machine.status = Status.closed
        with contextlib.suppress(OSError):
            await super()._close()

    def let_go(self) -> None:
        """Close it, and wait for what is under way; afterwards nothing is made any more. Idempotent."""
        self._stop.set()
        with contextlib.suppress(Exception):
            self.close()
        runner = getattr(self, "_loop_runner", None)
        if runner is not None:
            runner.stop()
        self._threads.shutdown(wait=True)

    def _log(self, log: str) -> None:
        logger.info("%s", log)

    def count_no_longer(self) -> None:
        """Note that its machines are gone and cost nothing more."""
        for machine in self.machines:
            machine.removed = machine.removed or time.time()
