"""Access to Azure's resource manager: who we are, and its clients for one resource group."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sdt_dask_client_azure.bodies import Place
from sdt_dask_client_azure.failures import open_to_the_world
from sdt_dask_client_azure.settings import Settings
from sdt_dask_core.errors import ClientError

if TYPE_CHECKING:
    from azure.mgmt.network.models import NetworkSecurityGroup, Subnet

__all__ = ["Azure", "subscription_of"]

_POLLING = 5.0  # s between two looks at what takes long, where Azure says no other time
_ASK_AZ = 60.0  # s


class Azure:
    """The clients of the resource manager for a subscription, and what every machine needs there.

    Nothing is asked before the first method is called.

    Parameters
    ----------
    settings : Settings
        Where and how.

    Attributes
    ----------
    group : str
        The resource group.
    compute, network : object
        Azure's management clients.
    """

    def __init__(self, settings: Settings) -> None:
        from azure.identity import DefaultAzureCredential
        from azure.mgmt.compute import ComputeManagementClient
        from azure.mgmt.network import NetworkManagementClient

        self.settings = settings
        self.group = settings.resource_group
        self.subscription = subscription_of(settings)
        self._credential = DefaultAzureCredential(exclude_interactive_browser_credential=True)
        more = self._cloud()
        self.compute = ComputeManagementClient(self._credential, self.subscription, **more)
        self.network = NetworkManagementClient(self._credential, self.subscription, **more)

    def _cloud(self) -> dict[str, Any]:
        more: dict[str, Any] = {"polling_interval": _POLLING}
        if self.settings.resource_manager is not None:
            address = self.settings.resource_manager.rstrip("/")
            more |= {"base_url": address, "credential_scopes": [f"{address}/.default"]}
        return more

    def close(self) -> None:
        """Close the connections."""
        for opened in (self.compute, self.network, self._credential):
            opened.close()

    def place(self) -> Place:
        """Return where machines are made.

        Raises
        ------
        azure.core.exceptions.AzureError
            Azure does not know it, refuses us, or does not answer.
        ClientError
            The network cannot be used as it is.
        """
        group = self._security_group()
        if self.settings.public_ingress and (rule := open_to_the_world(group)):
            raise ClientError(
                f"the security group {self.settings.security_group!r} lets the whole internet reach the scheduler, by "
                f"its rule {rule!r}; let it name the addresses that may (source), or leave public_ingress out"
            )
        return Place(self.settings.location, self._subnet(), str(group.id))

    def _security_group(self) -> NetworkSecurityGroup:
        group, name = _in_group(self.settings.security_group, self.group)
        return self.network.network_security_groups.get(group, name)

    def _subnet(self) -> str:
        wanted = self.settings.subnet
        if wanted is not None and wanted.startswith("/"):
            return wanted
        group, vnet = _in_group(self.settings.vnet, self.group)
        if wanted is not None:
            return str(self.network.subnets.get(group, vnet, wanted).id)
        first: Subnet | None = next(iter(self.network.subnets.list(group, vnet)), None)
        if first is None:
            raise ClientError(f"the virtual network {vnet!r} has no subnet; make one for the machines")
        return str(first.id)

    def tagged(self, tag: str) -> Iterator[tuple[str, Any]]:
        """Yield all resources in the group with this tag, each with its kind, in the order in which they can go."""
        for kind, found in (
            ("virtual machine", self.compute.virtual_machines.list(self.group)),
            ("network interface", self.network.network_interfaces.list(self.group)),
            ("public address", self.network.public_ip_addresses.list(self.group)),
            ("disk", self.compute.disks.list_by_resource_group(self.group)),
        ):
            for resource in found:
                if tag in (resource.tags or {}):
                    yield kind, resource


def subscription_of(settings: Settings) -> str:
    """Return the subscription: that of the option, of the environment, or the one that `az` uses.

    Raises
    ------
    ClientError
        None of them says it.
    """
    found = settings.subscription_id or os.environ.get("AZURE_SUBSCRIPTION_ID") or _subscription_of_az()
    if not found:
        raise ClientError(
            "no Azure subscription is given; set the option subscription_id or AZURE_SUBSCRIPTION_ID, or sign in with "
            "`az login` and choose one with `az account set --subscription …`"
        )
    return found


def _subscription_of_az() -> str:
    command = shutil.which("az")
    if command is None:
        return ""
    words = [command, "account", "show", "--query", "id", "--output", "tsv"]
    try:
        asked = subprocess.run(words, capture_output=True, text=True, timeout=_ASK_AZ, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return asked.stdout.strip()


def _in_group(name: str, group: str) -> tuple[str, str]:
    """Return group and name of a resource that is given by name or ID."""
    if not name.startswith("/"):
        return group, name
    parts = name.strip("/").split("/")
    lower = [part.lower() for part in parts]
    if "resourcegroups" not in lower[:-1]:
        raise ClientError(f"{name!r} is no ID of an Azure resource: it has no /resourceGroups/<name>/ in it")
    return parts[lower.index("resourcegroups") + 1], parts[-1]
