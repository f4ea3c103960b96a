"""The virtual machines of scheduler and workers: dask-cloudprovider's, made and removed our way.

Its own are made with a password, by requests that today's Azure refuses, with environment variables that a shell may
take for commands; and what fails in the middle is lost.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import AzureError
from dask_cloudprovider.azure.azurevm import AzureVM
from dask_cloudprovider.generic.vmcluster import SchedulerMixin, WorkerMixin
from distributed.core import Status

from sdt_dask_client_azure.bodies import machine_body, network_interface_body, public_address_body
from sdt_dask_client_azure.boot import (
    SCHEDULER_PORT,
    container_command,
    custom_data,
    scheduler_command,
    worker_command,
)
from sdt_dask_client_azure.failures import boot_log, explained, state_of
from sdt_dask_client_azure.names import PartNames
from sdt_dask_client_azure.removal import remove_machine

if TYPE_CHECKING:
    from sdt_dask_client_azure.cluster import AzureCluster

__all__ = ["MachineError", "Scheduler", "Worker"]

_STEP = 0.1  # s between two looks at an operation, which a thread of Azure's library watches
_CONNECT = 5.0  # s to reach the scheduler once
_FIRST_LOOK, _LONGEST_LOOK = 0.5, 20.0  # s between two looks at the state of a machine that does not answer


class MachineError(Exception):
    """A virtual machine did not come up."""


class _VirtualMachine(AzureVM):  # type: ignore[misc]
    """A virtual machine of the cluster, with its network interface, its disk and, where it has one, its address."""

    cluster: AzureCluster

    def __init__(self, *args: Any, name: str, size: str, is_public: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.name = name
        self.names = PartNames(name)
        self.size = size
        self.is_public = is_public
        self.spot = False
        self.made: float | None = None  # when it began to cost
        self.removed: float | None = None
        self.joined = False
        self.failure = ""

    def command_on(self, address: str) -> list[str]:
        """Return what the machine runs in its container, given its private address."""
        raise NotImplementedError

    async def create_vm(self) -> tuple[str, str | None]:
        """Make the machine and what belongs to it; return its private and its public address."""
        try:
            return await self._make()
        except (AzureError, ValueError) as error:
            self.status = Status.failed
            self.failure = f"the virtual machine {self.name} ({self.size}) was not made: {_told(error)}"
            raise MachineError(self.failure) from error

    async def _make(self) -> tuple[str, str | None]:
        cluster, azure, names = self.cluster, self.cluster.azure, self.names
        public = None
        if self.is_public:
            body = public_address_body(cluster.place, cluster.own_tags)
            public = await self._finished(
                azure.network.public_ip_addresses.begin_create_or_update, names.public_address, body
            )
        body = network_interface_body(
            cluster.place, cluster.own_tags, public_address=str(public.id) if public is not None else None
        )
        interface = await self._finished(
            azure.network.network_interfaces.begin_create_or_update, names.network_interface, body
        )
        address = str(interface.ip_configurations[0].private_ip_address)
        self.made = time.time()
        await self._finished(
            azure.compute.virtual_machines.begin_create_or_update, names.machine, self._body(address, str(interface.id))
        )
        # A machine's tags are not its disk's, and a disk that outlived its machine would be nobody's.
        await self._finished(azure.compute.disks.begin_update, names.disk, {"tags": cluster.own_tags})
        return address, str(public.ip_address) if public is not None else None

    def _body(self, address: str, interface: str) -> dict[str, Any]:
        cluster, settings = self.cluster, self.cluster.settings
        command = container_command(settings.image, self.command_on(address), cluster.container_environment)
        return machine_body(
            settings,
            cluster.own_tags,
            names=self.names,
            size=self.size,
            network_interface=interface,
            custom_data=custom_data(
                command,
                bootstrap=settings.bootstrap,
                extra=settings.extra_bootstrap,
                auto_shutdown=settings.auto_shutdown,
            ),
            public_key=cluster.public_key,
            spot=self.spot,
        )

    async def _finished(self, begin: Callable[..., Any], name: str, body: dict[str, Any]) -> Any:
        self.cluster.go_on()
        poller = await self.cluster.in_thread(begin, self.cluster.azure.group, name, body)
        while not poller.done():
            self.cluster.go_on()
            await asyncio.sleep(_STEP)
        return await self.cluster.in_thread(poller.result)

    async def destroy_vm(self) -> None:
        """Remove the machine and what belongs to it alone."""
        await self.cluster.in_thread(remove_machine, self.cluster.azure, self.names)
        self.removed = time.time()

    async def why_not(self) -> str | None:
        """Return why the machine does not run, None while it does; Azure is asked."""
        try:
            reason: str | None = await self.cluster.in_thread(state_of, self.cluster.azure, self.name)
        except AzureError:  # that we cannot ask says nothing of the machine
            return None
        return reason

    async def last_words(self) -> str:
        """Return the end of its console's log, as a paragraph for a message."""
        log = await self.cluster.in_thread(boot_log, self.cluster.azure, self.name)
        return f"; the end of its boot log:\n{log}" if log else "; it has no boot log yet"


class Scheduler(SchedulerMixin, _VirtualMachine):  # type: ignore[misc]
    """The machine of the scheduler."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.name = self.names.machine  # the mixin chose another

    def command_on(self, address: str) -> list[str]:
        """Return the command of the scheduler."""
        return scheduler_command(address, idle_timeout=self.cluster.settings.idle_timeout)

    async def wait_for_scheduler(self) -> None:
        """Wait until the scheduler answers.

        Raises
        ------
        MachineError
            It does not in time, or its machine does not run any more.
        """
        host = (self.external_address or self.address).rpartition("//")[2].rpartition(":")[0]
        timeout = self.cluster.settings.timeout
        end, look, step = time.monotonic() + timeout, time.monotonic() + _FIRST_LOOK, _FIRST_LOOK
        while not await _answers(host):
            self.cluster.go_on()
            if time.monotonic() > look:
                if (why := await self.why_not()) is not None:
                    raise MachineError(f"the scheduler did not start on {self.name}: {why}{await self.last_words()}")
                step = min(step * 1.5, _LONGEST_LOOK)
                look = time.monotonic() + step
            if time.monotonic() > end:
                raise MachineError(self._not_reached(host, timeout) + await self.last_words())
            await asyncio.sleep(_STEP)

    def _not_reached(self, host: str, timeout: float) -> str:
        where = "its public address" if self.is_public else "a private address"
        return (
            f"the scheduler did not answer at {host}:{SCHEDULER_PORT}, {where}, within {timeout:g} s, though its "
            f"machine {self.name} runs; run this where the virtual network can be reached (a machine in it, or a "
            "VPN), check that the machines reach the image's registry (a NAT gateway), or raise timeout"
        )


class Worker(WorkerMixin, _VirtualMachine):  # type: ignore[misc]
    """The machine of a worker."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The mixin chose another, under which the cluster would not find the worker again.
        self.name = self.names.machine
        self.spot = self.cluster.settings.spot

    async def create_vm(self) -> tuple[str, str | None]:
        """Make the machine, not right after another one was refused."""
        await self.cluster.watch.until_asking_makes_sense()
        return await super().create_vm()

    def command_on(self, address: str) -> list[str]:
        """Return the command of the worker."""
        settings = self.cluster.settings
        return worker_command(
            self.scheduler,
            address,
            name=self.name,
            threads=settings.threads_per_worker,
            memory_limit=settings.memory_limit,
        )


async def _answers(host: str) -> bool:
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, SCHEDULER_PORT), _CONNECT)
    except (OSError, asyncio.TimeoutError):
        return False
    writer.close()
    return True


def _told(error: BaseException) -> str:
    return explained(error) if isinstance(error, AzureError) else str(error)
