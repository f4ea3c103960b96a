"""`AzureClient`: a Dask cluster of Azure's virtual machines."""

from __future__ import annotations

import atexit
import contextlib
import logging
import threading
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, ClassVar

from sdt_dask_client_azure.costs import cost_of, estimate
from sdt_dask_client_azure.names import new_cluster_name
from sdt_dask_client_azure.settings import LATEST_UBUNTU, Settings
from sdt_dask_client_azure.starting import given_up_on_interrupt, undisturbed
from sdt_dask_core.clients.starting import joined
from sdt_dask_core.clusters import ClusterRecord
from sdt_dask_core.errors import ClientError, OptionError, SdtDaskError
from sdt_dask_core.hookspecs import hookimpl
from sdt_dask_core.plug import Client

if TYPE_CHECKING:
    import distributed

    from sdt_dask_client_azure.access import Azure
    from sdt_dask_client_azure.cluster import AzureCluster

__all__ = ["AzureClient"]

logger = logging.getLogger(__name__)

ADAPT_EVERY = "10s"  # between two looks at how many workers there should be
_NEW_IMAGE = "sdt-dask image PLUG --output image"
_STEP = 1.0  # s between two looks at the workers that come


class AzureClient(Client):
    """Start a Dask cluster of Azure virtual machines, one for the scheduler and one for each worker.

    Everything that it makes carries its tags, and is removed when the run ends, whatever its end.

    Parameters
    ----------
    resource_group : str
        Resource group in which everything is made.
    location : str
        Azure region, such as "eastus"; a new cluster needs it, as it needs the next three.
    vnet : str
        Virtual network of the machines; its name, or its ID where it is in another resource group.
    security_group : str
        Network security group of the machines; its name or ID. It is never changed.
    image : str
        Container image with SDT Dask and the plug, such as "myregistry.azurecr.io/sdt-dask:1a2b3c".
    subnet : str, optional
        Subnet of the virtual network, its name or ID; default the first one.
    subscription_id : str, optional
        Azure subscription; default AZURE_SUBSCRIPTION_ID, or the one that `az` uses.
    resource_manager : str, optional
        Address of the resource manager of another cloud, such as "https://management.usgovcloudapi.net".
    n_workers : int
        Number of workers, each on a machine of its own.
    threads_per_worker : int, optional
        Threads per worker, each with a computing process of its own; default the processors of vm_size.
    memory_limit : str, optional
        Most memory of each computing process, such as "4 GiB"; default the machine's memory by its threads.
    minimum : int, optional
        Fewest workers of adaptive scaling; default 1.
    maximum : int, optional
        Most workers of adaptive scaling; default no adaptive scaling.
    vm_size : str
        Size of the workers' machines.
    scheduler_vm_size : str
        Size of the scheduler's machine.
    vm_image : dict, optional
        Image of the machines' operating system: publisher, offer, sku and version; default Ubuntu 24.04 LTS.
    disk_size : int
        Size of each machine's disk [GB], 30 to 1023.
    spot : bool
        Take spot machines for the workers: cheaper, and Azure may take them back.
    identity : str, optional
        ID of a managed identity that the machines get, so that they may read data and images without secrets.
    public_ingress : bool
        Give the scheduler a public address, when this machine cannot reach the virtual network.
    bootstrap : bool
        Install Docker when a machine boots; not needed with a vm_image that has it.
    extra_bootstrap : list of str, optional
        Shell commands that each machine runs before its container, such as a login to a registry.
    environment : dict, optional
        Environment variables of scheduler and workers.
    secrets_in_environment : bool
        Allow references to secrets (env:NAME, file:/path) as values in environment.
    tags : dict, optional
        Tags of everything that is made, besides those by which it is known as ours.
    timeout : float
        How long scheduler and workers may take to come [s].
    idle_timeout : float
        After so long without work the scheduler ends, also when nobody is there to close the cluster [s].
    auto_shutdown : bool
        Shut a machine down when its scheduler or worker ends.

    Raises
    ------
    OptionError
        A value that its option cannot take, or options that contradict each other.
    """

    shares_files: bool | None = False
    name: ClassVar[str] = "azure"

    def __init__(
        self,
        *,
        resource_group: str,
        location: str = "",
        vnet: str = "",
        security_group: str = "",
        image: str = "",
        subnet: str | None = None,
        subscription_id: str | None = None,
        resource_manager: str | None = None,
        n_workers: int = 1,
        threads_per_worker: int | None = None,
        memory_limit: str | None = None,
        minimum: int | None = None,
        maximum: int | None = None,
        vm_size: str = "Standard_D4s_v5",
        scheduler_vm_size: str = "Standard_D2s_v5",
        vm_image: dict[str, str] | None = None,
        disk_size: int = 64,
        spot: bool = False,
        identity: str | None = None,
        public_ingress: bool = False,
        bootstrap: bool = True,
        extra_bootstrap: list[str] | None = None,
        environment: dict[str, str] | None = None,
        secrets_in_environment: bool = False,
        tags: dict[str, str] | None = None,
        timeout: float = 1200.0,
        idle_timeout: float = 1800.0,
        auto_shutdown: bool = True,
    ) -> None:
        self.settings = Settings(
            location=location,
            resource_group=resource_group,
            vnet=vnet,
            security_group=security_group,
            image=image,
            subnet=subnet,
            subscription_id=subscription_id,
            resource_manager=resource_manager,
            n_workers=n_workers,
            threads_per_worker=threads_per_worker,
            memory_limit=memory_limit,
            minimum=minimum,
            maximum=maximum,
            vm_size=vm_size,
            scheduler_vm_size=scheduler_vm_size,
            vm_image=LATEST_UBUNTU if vm_image is None else {**LATEST_UBUNTU, **vm_image},
            disk_size=disk_size,
            spot=spot,
            identity=identity,
            public_ingress=public_ingress,
            bootstrap=bootstrap,
            extra_bootstrap=tuple(extra_bootstrap or ()),
            environment=dict(environment or {}),
            secrets_in_environment=secrets_in_environment,
            tags=dict(tags or {}),
            timeout=timeout,
            idle_timeout=idle_timeout,
            auto_shutdown=auto_shutdown,
        )
        self._open: contextlib.ExitStack | None = None
        self._cluster: AzureCluster | None = None

    @hookimpl
    def make_client(self) -> distributed.Client:
        """Make the machines, wait for scheduler and workers, and join them.

        Raises
        ------
        ClientError
            The cluster did not come up; nothing of it is left.
        OptionError
            An option that a new cluster needs was not given.
        """
        if missing := self.settings.missing_for_a_cluster():
            raise OptionError(missing)
        self._open = contextlib.ExitStack()
        atexit.register(self.close)
        try:
            with _told(f"the cluster in the resource group {self.settings.resource_group!r} did not start"):
                return self._start(self._open)
        except BaseException as error:
            try:
                self.close()
            except ClientError as left:
                if isinstance(error, ClientError):
                    raise ClientError(f"{error.message}; and {left.message}") from error
                logger.error("%s", left.message)  # noqa: TRY400 - it is no traceback that helps here
            raise

    def _start(self, opened: contextlib.ExitStack) -> distributed.Client:
        from sdt_dask_client_azure.access import Azure

        azure = opened.enter_context(contextlib.closing(Azure(self.settings)))
        name, stop = new_cluster_name(), threading.Event()
        opened.callback(_remove_all, azure, name)
        cluster = given_up_on_interrupt(lambda: self._made(opened, azure, name, stop), stop)
        client: distributed.Client = given_up_on_interrupt(lambda: joined(opened, cluster, image=_NEW_IMAGE), stop)
        self._wait_for_workers(client, cluster)
        return client

    def _made(self, opened: contextlib.ExitStack, azure: Azure, name: str, stop: threading.Event) -> AzureCluster:
        from sdt_dask_client_azure.cluster import AzureCluster

        self._cluster = cluster = AzureCluster(azure, name, stop)
        opened.callback(cluster.let_go)
        if self.settings.maximum is not None:
            # A machine takes minutes to come: it goes only when it has had nothing to do for a minute.
            cluster.adapt(
                minimum=self.settings.minimum or 1, maximum=self.settings.maximum, interval=ADAPT_EVERY, wait_count=6
            )
        return cluster

    def _wait_for_workers(self, client: distributed.Client, cluster: AzureCluster) -> None:
        """Wait for those that may still come.

        Raises
        ------
        ClientError
            None came.
        """
        import distributed

        wanted, end = self.settings.first_workers, time.monotonic() + self.settings.timeout
        while True:
            with contextlib.suppress(distributed.TimeoutError):
                client.wait_for_workers(wanted, timeout=_STEP)
                return
            joined = cluster.joined
            nobody_is_coming = joined.issuperset(cluster.worker_spec) and len(joined) < wanted
            if nobody_is_coming or time.monotonic() > end:
                break
        reasons = "; ".join(f"{name}: {why}" for name, why in cluster.watch.reasons.items())
        missing = f"{len(joined)} of {wanted} workers came: {reasons or f'none in {self.settings.timeout:g} s'}"
        if not joined:
            raise ClientError(missing)
        logger.warning("%s; going on with those", missing)

    @hookimpl
    def check_access(self) -> Iterable[str]:
        """Yield one sentence per problem that would stop a run from here; nothing is made."""
        from sdt_dask_client_azure.access import Azure

        if missing := self.settings.missing_for_a_cluster():
            yield missing
            return
        try:
            with _told("Azure cannot be used from here"), contextlib.closing(Azure(self.settings)) as azure:
                azure.place()
        except SdtDaskError as error:
            yield error.message

    @hookimpl
    def estimate_cost(self, n_keys: int, seconds_per_key: float) -> float | None:
        """Return the cost of a run by the list prices of machines and disks [US dollars]; None where unknown."""
        return estimate(self.settings, n_keys, seconds_per_key)

    @hookimpl
    def cost_so_far(self) -> float | None:
        """Return what the machines have cost since they were made [US dollars]; None where unknown."""
        return cost_of(self.settings, self._cluster.machines if self._cluster is not None else ())

    @hookimpl
    def list_clusters(self) -> Iterator[ClusterRecord]:
        """Yield the clusters of this client in the resource group, whoever made them."""
        from sdt_dask_client_azure.access import Azure
        from sdt_dask_client_azure.failures import state_of
        from sdt_dask_client_azure.removal import records

        group = self.settings.resource_group
        with _told(f"the clusters in {group!r} cannot be listed"), contextlib.closing(Azure(self.settings)) as azure:
            yield from records(azure, lambda machine: state_of(azure, machine) is None)

    @hookimpl
    def remove_cluster(self, name: str) -> Iterator[str]:
        """Remove everything that carries our tag with this name; yield what was removed.

        Raises
        ------
        ClientError
            No such cluster, or a part of it could not be removed.
        """
        from sdt_dask_client_azure.access import Azure
        from sdt_dask_client_azure.removal import parts_of, remove

        group = self.settings.resource_group
        with _told(f"the cluster {name!r} was not removed"), contextlib.closing(Azure(self.settings)) as azure:
            if not parts_of(azure, name):
                raise ClientError(
                    f"there is no cluster {name!r} in the resource group {group!r}; sdt-dask clusters lists them"
                )
            yield from map(str, remove(azure, name))

    @hookimpl
    def close(self) -> None:
        """Close the cluster and remove all that it holds; an interrupt is heard when that is done."""
        opened, self._open = self._open, None
        if opened is None:
            return
        atexit.unregister(self.close)
        with _told("the cluster was not closed"):
            undisturbed(opened.close)
        if self._cluster is not None:
            self._cluster.count_no_longer()


def _remove_all(azure: Azure, name: str) -> None:
    from sdt_dask_client_azure.removal import remove

    for part in remove(azure, name):
        logger.info("removed the %s", part)


@contextlib.contextmanager
def _told(what: str) -> Iterator[None]:
    """Tell errors of Azure and of the start as ours, with what to do."""
    from azure.core.exceptions import AzureError

    from sdt_dask_client_azure.failures import explained

    try:
        yield
    except AzureError as error:
        raise ClientError(f"{what}: {explained(error)}") from error
    except RuntimeError as error:  # Dask's, around what stopped the start
        cause = error.__cause__ or error
        text = explained(cause) if isinstance(cause, AzureError) else str(cause)
        raise ClientError(f"{what}: {text}") from error
