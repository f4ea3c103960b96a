"""The bodies of the requests that make a virtual machine, as Azure's resource manager takes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sdt_dask_client_azure.names import PartNames
from sdt_dask_client_azure.settings import Settings

__all__ = ["Place", "machine_body", "network_interface_body", "public_address_body"]

_USER = "dask"
# What goes with the machine also when somebody deletes that by hand.
_WITH_THE_MACHINE = {"deleteOption": "Delete"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where machines are made.

    Attributes
    ----------
    location : str
        The region.
    subnet : str
        ID of the subnet.
    security_group : str
        ID of the network security group.
    """

    location: str
    subnet: str
    security_group: str


def public_address_body(place: Place, tags: Mapping[str, str]) -> dict[str, Any]:
    """Return the body of a public address."""
    return {
        "location": place.location,
        "sku": {"name": "Standard"},
        "properties": {"publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv4"},
        "tags": dict(tags),
    }


def network_interface_body(
    place: Place, tags: Mapping[str, str], *, public_address: str | None = None
) -> dict[str, Any]:
    """Return the body of a network interface; `public_address` is the ID of one."""
    address: dict[str, Any] = {"subnet": {"id": place.subnet}, "privateIPAllocationMethod": "Dynamic"}
    if public_address is not None:
        address["publicIPAddress"] = {"id": public_address, "properties": _WITH_THE_MACHINE}
    return {
        "location": place.location,
        "properties": {
            "ipConfigurations": [{"name": "primary", "properties": address}],
            "networkSecurityGroup": {"id": place.security_group},
        },
        "tags": dict(tags),
    }


def machine_body(
    settings: Settings,
    tags: Mapping[str, str],
    *,
    names: PartNames,
    size: str,
    network_interface: str,
    custom_data: str,
    public_key: str,
    spot: bool,
) -> dict[str, Any]:
    """Return the body of a virtual machine; `network_interface` is the ID of one."""
    properties: dict[str, Any] = {
        "hardwareProfile": {"vmSize": size},
        "storageProfile": {"imageReference": dict(settings.vm_image), "osDisk": _disk(settings, names)},
        "osProfile": _system(names, custom_data, public_key),
        "networkProfile": {"networkInterfaces": [{"id": network_interface, "properties": _WITH_THE_MACHINE}]},
        # In storage that Azure keeps: it is how we hear why nothing came up.
        "diagnosticsProfile": {"bootDiagnostics": {"enabled": True}},
    }
    if spot:
        properties |= {"priority": "Spot", "evictionPolicy": "Delete", "billingProfile": {"maxPrice": -1}}
    body: dict[str, Any] = {"location": settings.location, "properties": properties, "tags": dict(tags)}
    if settings.identity is not None:
        body["identity"] = {"type": "UserAssigned", "userAssignedIdentities": {settings.identity: {}}}
    return body


def _disk(settings: Settings, names: PartNames) -> dict[str, Any]:
    return {
        "name": names.disk,
        "createOption": "FromImage",
        "diskSizeGB": settings.disk_size,
        "managedDisk": {"storageAccountType": "StandardSSD_LRS"},
        **_WITH_THE_MACHINE,
    }


def _system(names: PartNames, custom_data: str, public_key: str) -> dict[str, Any]:
    key = {"path": f"/home/{_USER}/.ssh/authorized_keys", "keyData": public_key}
    return {
        "computerName": names.machine,
        "adminUsername": _USER,
        "customData": custom_data,
        "linuxConfiguration": {"disablePasswordAuthentication": True, "ssh": {"publicKeys": [key]}},
    }
