"""What bodies of requests may hold, and which actions they need: the strict part of the fake resource manager."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

VM, NIC, IP, DISK = (
    "Microsoft.Compute/virtualMachines",
    "Microsoft.Network/networkInterfaces",
    "Microsoft.Network/publicIPAddresses",
    "Microsoft.Compute/disks",
)
OURS = (VM, NIC, IP, DISK)

# Members that a body may have; a list stands for a list of such, `...` for anything.
_TIED = {"deleteOption": ...}
BODIES: dict[str, Any] = {
    IP: {
        "location": ...,
        "tags": ...,
        "sku": {"name": ..., "tier": ...},
        "properties": {"publicIPAllocationMethod": ..., "publicIPAddressVersion": ...},
    },
    NIC: {
        "location": ...,
        "tags": ...,
        "properties": {
            "ipConfigurations": [
                {
                    "name": ...,
                    "properties": {
                        "subnet": {"id": ...},
                        "privateIPAllocationMethod": ...,
                        "publicIPAddress": {"id": ..., "properties": _TIED},
                    },
                }
            ],
            "networkSecurityGroup": {"id": ...},
        },
    },
    VM: {
        "location": ...,
        "tags": ...,
        "identity": {"type": ..., "userAssignedIdentities": ...},
        "properties": {
            "hardwareProfile": {"vmSize": ...},
            "storageProfile": {
                "imageReference": {"publisher": ..., "offer": ..., "sku": ..., "version": ...},
                "osDisk": {
                    "name": ...,
                    "createOption": ...,
                    "diskSizeGB": ...,
                    "managedDisk": {"storageAccountType": ...},
                    "deleteOption": ...,
                },
            },
            "osProfile": {
                "computerName": ...,
                "adminUsername": ...,
                "customData": ...,
                "linuxConfiguration": {
                    "disablePasswordAuthentication": ...,
                    "ssh": {"publicKeys": [{"path": ..., "keyData": ...}]},
                },
            },
            "networkProfile": {"networkInterfaces": [{"id": ..., "properties": _TIED}]},
            "diagnosticsProfile": {"bootDiagnostics": {"enabled": ...}},
            "priority": ...,
            "evictionPolicy": ...,
            "billingProfile": {"maxPrice": ...},
        },
    },
    DISK: {"tags": ...},
}


class RefusalError(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(code)
        self.status, self.code, self.message, self.headers = status, code, message, headers


def check_members(body: Any, allowed: Any, where: str) -> None:
    """Refuse members that the resource manager does not know, as it does."""
    if allowed is ...:
        return
    if isinstance(allowed, list):
        for item in body:
            check_members(item, allowed[0], where)
        return
    for name, value in body.items():
        if name not in allowed:
            raise RefusalError(
                400,
                "InvalidRequestContent",
                f"The request content was invalid and could not be deserialized: Could not find member '{name}' on "
                f"object of type '{where}'.",
            )
        check_members(value, allowed[name], f"{where}.{name}")


def linked(kind: str, body: Mapping[str, Any]) -> set[str]:
    """Return the actions that a body needs besides the write: to join what it names."""
    text = json.dumps(body)
    joined = {
        "/subnets/": "Microsoft.Network/virtualNetworks/subnets/join/action",
        "/networkSecurityGroups/": "Microsoft.Network/networkSecurityGroups/join/action",
        "/publicIPAddresses/": f"{IP}/join/action",
        "/networkInterfaces/": f"{NIC}/join/action",
        "/userAssignedIdentities/": "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
    }
    more = {f"{DISK}/write"} if kind == VM else set()
    return more | {action for part, action in joined.items() if part.lower() in text.lower()}


def deleted_with(machine: Mapping[str, Any], resources: Mapping[str, Any]) -> set[str]:
    """Return the actions that the deletion of a machine needs besides its own: for what is tied to it."""
    [interface] = machine["properties"]["networkProfile"]["networkInterfaces"]
    has_address = "publicIPAddress" in json.dumps(resources[interface["id"].lower()])
    return {f"{DISK}/delete", f"{NIC}/delete"} | ({f"{IP}/delete"} if has_address else set())
