"""What went wrong in Azure: which words of it matter, and what to do."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azure.mgmt.network.models import NetworkSecurityGroup, SecurityRule

    from sdt_dask_client_azure.access import Azure

__all__ = ["advice_for", "boot_log", "explained", "open_to_the_world", "state_of"]

_PORT = 8786
_LONGEST = 600  # characters of Azure's own message
_LOG_LINES = 30
_LOG_TIMEOUT = 30.0  # s
_EVERYBODY = {"*", "0.0.0.0/0", "::/0", "internet", "any"}

#: What to do, by the beginning of Azure's error code.
_ADVICE = {
    "SkuNotAvailable": "take another vm_size or location, or another zone of it; `az vm list-skus --location … "
    "--size …` tells what is offered to you",
    "AllocationFailed": "Azure has no room for this vm_size there just now; try again later, fewer workers, or "
    "another vm_size or location",
    "ZonalAllocationFailed": "Azure has no room for this vm_size there just now; try again later or another vm_size",
    "OverconstrainedAllocationRequest": "Azure has no room for this vm_size there just now; take another vm_size",
    "QuotaExceeded": "ask for more cores on the portal's page Quotas, or take fewer workers or a smaller vm_size",
    "OperationNotAllowed": "if it names a quota, ask for more cores on the portal's page Quotas, or take fewer "
    "workers or a smaller vm_size",
    "PlatformImageNotFound": "vm_image names no image in this location; `az vm image list --publisher Canonical "
    "--offer ubuntu-24_04-lts --all` lists them",
    "ImageNotFound": "vm_image names no image that you may use in this location",
    "InvalidParameter": "one of the options is not what Azure takes; the message names it",
    "AuthorizationFailed": "give whoever runs this the role that comes with this client (see the how-to on Azure), "
    "in this resource group",
    "LinkedAuthorizationFailed": "give whoever runs this the role that comes with this client also where the network "
    "or the identity is",
    "ExpiredAuthenticationToken": "sign in anew: `az login`, or a new secret for the service principal",
    "InvalidAuthenticationToken": "sign in anew: `az login`, or a new secret for the service principal",
    "ResourceGroupNotFound": "check resource_group and subscription_id, or make it with `az group create`",
    "ResourceNotFound": "check vnet, subnet and security_group; they are looked for in resource_group unless given "
    "as IDs",
    "SubscriptionNotFound": "check subscription_id, and that you are signed in to its tenant",
    "NotFound": "check vnet, subnet and security_group; they are looked for in resource_group unless given as IDs",
    "TooManyRequests": "Azure lets you ask no more for now; try again in some minutes, with fewer workers",
    "SubnetIsFull": "take a larger subnet, or fewer workers",
    "RequestDisallowedByPolicy": "a policy of your organisation forbids it; its administrator can tell what it wants",
}


def explained(error: BaseException) -> str:
    """Return what an error of Azure's libraries says, shortened, with what to do."""
    from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ServiceRequestError

    code, text = code_and_message(error)
    advice = advice_for(code)
    if not advice and isinstance(error, ClientAuthenticationError):
        advice = "sign in: `az login`, or AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET in the environment"
    elif not advice and isinstance(error, ServiceRequestError):
        advice = "check that this machine reaches Azure's resource manager, by its proxy if there is one"
    elif not advice and isinstance(error, HttpResponseError):
        advice = "the portal's activity log of the resource group has more of it"
    return f"{f'{code}: ' if code else ''}{text}" + (f"; {advice}" if advice else "")


def advice_for(code: str) -> str:
    """Return what to do for an error code of Azure; nothing where that is unknown."""
    return _ADVICE.get(code.rpartition("/")[2], "")


def code_and_message(error: BaseException) -> tuple[str, str]:
    """Return Azure's error code, or nothing, and the first of its message."""
    inner = getattr(error, "error", None)
    code = str(getattr(inner, "code", "") or "")
    message = str(getattr(inner, "message", "") or getattr(error, "message", "") or error)
    first = " ".join(message.split())
    return code, first if len(first) <= _LONGEST else f"{first[:_LONGEST]}…"


def state_of(azure: Azure, machine: str) -> str | None:
    """Return why a machine does not run: one line from its state; None while it runs or may come to it.

    Raises
    ------
    azure.core.exceptions.AzureError
        Azure could not be asked.
    """
    from azure.core.exceptions import ResourceNotFoundError

    try:
        view = azure.compute.virtual_machines.instance_view(azure.group, machine)
    except ResourceNotFoundError:
        return "it is gone: evicted, or deleted by somebody"
    for status in view.statuses or ():
        code = str(status.code or "")
        if code.startswith("ProvisioningState/failed"):
            advice = advice_for(code)
            return f"it was not provisioned: {code.rpartition('/')[2]}: {status.message or ''}" + (
                f"; {advice}" if advice else ""
            )
        if code in ("PowerState/stopped", "PowerState/stopping", "PowerState/deallocated", "PowerState/deallocating"):
            return f"it is {code.rpartition('/')[2]}: its container ended, or it was stopped from outside"
    return None


def boot_log(azure: Azure, machine: str) -> str:
    """Return the last lines that a machine wrote to its console; nothing where there are none."""
    import requests
    from azure.core.exceptions import AzureError

    with contextlib.suppress(AzureError, requests.RequestException):
        data: Any = azure.compute.virtual_machines.retrieve_boot_diagnostics_data(azure.group, machine)
        if data.serial_console_log_blob_uri:
            answer = requests.get(data.serial_console_log_blob_uri, timeout=_LOG_TIMEOUT)
            answer.raise_for_status()
            lines = answer.content.decode("utf-8", "replace").splitlines()
            return "\n".join(line.rstrip() for line in lines[-_LOG_LINES:])
    return ""


def open_to_the_world(group: NetworkSecurityGroup) -> str | None:
    """Return the name of a rule by which everybody may reach a scheduler; None where there is none."""
    for rule in sorted(group.security_rules or (), key=lambda rule: rule.priority or 0):
        sources = {str(source).lower() for source in _all(rule, "source_address_prefix")}
        if rule.direction == "Inbound" and sources & _EVERYBODY and _covers_port(rule):
            return str(rule.name) if rule.access == "Allow" else None
    return None


def _covers_port(rule: SecurityRule) -> bool:
    for text in _all(rule, "destination_port_range"):
        first, _, last = str(text).partition("-")
        if text == "*" or int(first) <= _PORT <= int(last or first):
            return True
    return False


def _all(rule: SecurityRule, name: str) -> Iterator[str]:
    one, many = getattr(rule, name, None), getattr(rule, f"{name}es" if name.endswith("x") else f"{name}s", None)
    yield from ([one] if one else [])
    yield from many or ()
