"""The state of the fake subscription: its resources, the machines that run, and the faults that are switched on."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .booting import Computer
from .members import NIC, OURS, VM

SUBSCRIPTION = "0b1f6471-1bf0-4dda-aec3-cb9272f09590"
GROUP, VNET, SUBNET, SECURITY_GROUP, LOCATION = "fleet", "fleet-net", "machines", "fleet-nsg", "eastus"
SECRET = "header-of-the-identity"
IN_GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers"
IDENTITY = f"{IN_GROUP}/Microsoft.ManagedIdentity/userAssignedIdentities/reader"


ID = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)/providers/(?P<provider>[^/]+)/(?P<rest>.+)",
    re.IGNORECASE,
)


@dataclass
class Faults:
    """What goes wrong; each is off at first."""

    provisioning: float = 0.0  # s that a machine takes
    look_again: int = 50  # ms that it tells to wait before an operation is looked at again
    deleting: float = 0.0  # s that its removal takes
    throttled: int = 0  # requests that are answered with 429
    throttled_for: int = 1  # s that each of them is told to wait
    refused: dict[str, tuple[str, str]] = field(default_factory=dict)  # code and message by a part of a VM's name
    not_allocated: str = ""  # a part of the name of VMs for which there is no room, told late
    command: Callable[[list[str]], list[str]] = list  # what a container runs instead
    expired: bool = False  # the token
    stuck: str = ""  # a part of the names of what cannot be deleted


class Subscription:
    """The state of a subscription, and what tests do to it.

    Parameters
    ----------
    images : mapping
        Virtual environment by the name of the container image that it stands for.
    actions : iterable of str
        What the caller's role allows.
    """

    def __init__(self, images: Mapping[str, Path], actions: list[str]) -> None:
        self.url = ""
        self.images = dict(images)
        self.actions = actions
        self.lock = threading.RLock()
        self.reset()

    def reset(self) -> None:
        """Begin with a network and nothing else."""
        with self.lock:
            self.faults = Faults()
            self.resources: dict[str, dict[str, Any]] = {}
            self.computers: dict[str, Computer] = {}
            self.custom_data: dict[str, str] = {}
            self.operations: dict[str, dict[str, Any]] = {}
            self.calls: list[tuple[str, str]] = []
            self.used: set[str] = set()
            self.rules: list[dict[str, Any]] = []
            network = f"{IN_GROUP}/Microsoft.Network/virtualNetworks/{VNET}"
            self.keep({"id": network, "name": VNET, "properties": {}})
            self.keep({"id": f"{network}/subnets/{SUBNET}", "name": SUBNET, "properties": {}})
            self.keep(
                {
                    "id": f"{IN_GROUP}/Microsoft.Network/networkSecurityGroups/{SECURITY_GROUP}",
                    "name": SECURITY_GROUP,
                    "location": LOCATION,
                    "properties": {"securityRules": self.rules},
                }
            )

    def keep(self, resource: dict[str, Any]) -> None:
        self.resources[resource["id"].lower()] = resource

    # --- what tests ask

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        """Return all resources of a kind."""
        with self.lock:
            return [found for found in self.resources.values() if kind_of(found["id"]) == kind.lower()]

    def leftovers(self) -> list[str]:
        """Name everything that costs money, and all that goes on."""
        with self.lock:
            found = [f"{kind} {one['name']}" for kind in OURS for one in self.of_kind(kind)]
            return found + [
                f"process of {name}"
                for name, computer in self.computers.items()
                if computer.machine is not None and computer.machine.alive
            ]

    def names(self, kind: str = VM) -> list[str]:
        """Return the names of all resources of a kind."""
        return sorted(one["name"] for one in self.of_kind(kind))

    def computer(self, part: str) -> Computer:
        """Return the machine whose name has this part."""
        with self.lock:
            [found] = [computer for name, computer in self.computers.items() if part in name]
            return found

    def add_interface(self, name: str, tags: dict[str, str]) -> None:
        """Add a network interface of somebody else."""
        self.keep({"id": f"{IN_GROUP}/{NIC}/{name}", "name": name, "tags": tags, "properties": {}})

    def drop_interface(self, name: str) -> None:
        """Take it away again."""
        del self.resources[f"{IN_GROUP}/{NIC}/{name}".lower()]

    def evict(self, name: str) -> None:
        """Take a spot machine back, with what is tied to it."""
        with self.lock:
            machine = next(one for one in self.of_kind(VM) if one["name"] == name)
        self.end(machine["id"])

    def count(self, method: str, part: str) -> int:
        """Return how often it was asked."""
        return sum(1 for asked, path in self.calls if asked == method and part.lower() in path.lower())

    # --- what becomes of it

    def begin(self, status: str = "InProgress") -> str:
        operation = str(uuid.uuid4())
        self.operations[operation] = {"name": operation, "status": status}
        return operation

    def asynchronous(self, provider: str, operation: str, kind: str = "operations") -> dict[str, str]:
        address = (
            f"{self.url}/subscriptions/{SUBSCRIPTION}/providers/{provider}/locations/{LOCATION}/{kind}/{operation}"
        )
        # Sooner than the second that Retry-After could tell at least.
        wait = {"retry-after-ms": str(self.faults.look_again)}
        return {"Azure-AsyncOperation": f"{address}?api-version=2024-07-01", **wait}

    def end(self, path: str, operation: str | None = None) -> None:
        """Remove a machine and what is tied to it."""
        with self.lock:
            machine = self.resources.get(path.lower())
            computer = self.computers.pop(machine["name"], None) if machine else None
        if computer is not None:
            computer.stop()
        with self.lock:
            if machine is not None:
                self.resources.pop(path.lower(), None)
                self._remove_tied(machine["properties"])
            if operation in self.operations:
                self.operations[operation]["status"] = "Succeeded"

    def _remove_tied(self, properties: dict[str, Any]) -> None:
        disk = properties["storageProfile"]["osDisk"]
        if disk.get("deleteOption") == "Delete":
            self.resources.pop(f"{IN_GROUP}/Microsoft.Compute/disks/{disk['name']}".lower(), None)
        for tied in properties["networkProfile"]["networkInterfaces"]:
            interface = self.resources[tied["id"].lower()]
            if tied.get("properties", {}).get("deleteOption") != "Delete":
                del interface["properties"]["virtualMachine"]
                continue
            del self.resources[tied["id"].lower()]
            for config in interface["properties"]["ipConfigurations"]:
                public = config["properties"].get("publicIPAddress", {})
                if public.get("properties", {}).get("deleteOption") == "Delete":
                    self.resources.pop(public["id"].lower(), None)

    def stop_all(self) -> None:
        """Stop every machine that runs."""
        with self.lock:
            computers, self.computers = list(self.computers.values()), {}
        for computer in computers:
            computer.stop()


def split(provider: str, rest: str) -> tuple[str, list[str]]:
    """Return the kind of a resource, and its names: types and names take turns."""
    parts = rest.split("/")
    kinds = {kind.lower(): kind for kind in (*OURS, "Microsoft.Network/virtualNetworks/subnets")}
    kind = "/".join([provider, *parts[::2]])
    return kinds.get(kind.lower(), kind), parts[1::2]


def kind_of(path: str) -> str:
    found = ID.fullmatch(path)
    assert found is not None, path
    return split(found["provider"], found["rest"])[0].lower()
