"""A small strict resource manager: what Azure does with the requests of a client of virtual machines.

It takes what the real one takes and no more: bodies with unknown members are refused, each request needs its action in
the caller's role, what is in use cannot be deleted, tags of a machine are not those of its disk, and operations take
their time. Machines are processes; see `booting`.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sdt_dask_testing.machine import loopback_address

from .booting import Computer, later
from .members import BODIES, DISK, IP, NIC, VM, RefusalError, check_members, deleted_with, linked
from .subscription import GROUP, ID, IN_GROUP, LOCATION, SECRET, SUBSCRIPTION, Subscription, split

_OPERATION = re.compile(r"/subscriptions/[^/]+/providers/(?P<kind>[^/]+/locations)/[^/]+/(?P<name>[^/]+)/(?P<id>[^/]+)")
_SIZES = ("Standard_D2s_v5", "Standard_D4s_v5")
_OFFERS = {"ubuntu-24_04-lts": ("server",), "ubuntu-22_04-lts": ("server",)}


class ResourceManager(Subscription):
    """What the resource manager answers, and what its answers do to the subscription."""

    def answer(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], Any]:
        """Answer a request with status, headers and what is sent as JSON, or as it is where it is bytes."""
        url = urlsplit(target)
        try:
            if url.path == "/identity/token":
                return self._token(headers, parse_qs(url.query))
            if url.path.startswith("/console/"):
                return 200, {}, self.computer(url.path.rpartition("/")[2]).log.encode()
            self._admit(method, url.path, headers)
            return self._route(method, url.path, json.loads(body) if body else None)
        except RefusalError as refusal:
            return refusal.status, refusal.headers, {"error": {"code": refusal.code, "message": refusal.message}}

    def _token(self, headers: Mapping[str, str], query: dict[str, list[str]]) -> tuple[int, dict[str, str], Any]:
        if headers.get("x-identity-header") != SECRET:
            raise RefusalError(401, "invalid_request", "the header of the identity is missing")
        token = {"access_token": "token", "expires_on": str(int(time.time()) + 86_000), "token_type": "Bearer"}
        return 200, {}, {**token, "resource": query["resource"][0]}

    def _admit(self, method: str, path: str, headers: Mapping[str, str]) -> None:
        with self.lock:
            self.calls.append((method, path))
            if headers.get("authorization") != "Bearer token":
                raise RefusalError(401, "AuthenticationFailed", "Authentication failed.")
            if self.faults.expired:
                raise RefusalError(
                    401, "ExpiredAuthenticationToken", "The access token expiry is before the current time."
                )
            if self.faults.throttled > 0:
                self.faults.throttled -= 1
                wait = {"Retry-After": str(self.faults.throttled_for)}
                raise RefusalError(429, "TooManyRequests", "The request is being throttled.", **wait)

    def _need(self, *actions: str) -> None:
        for action in actions:
            with self.lock:
                self.used.add(action)
            if action.lower() not in {allowed.lower() for allowed in self.actions}:
                raise RefusalError(
                    403, "AuthorizationFailed", f"The client does not have authorization for '{action}'."
                )

    def _route(self, method: str, path: str, body: Any) -> tuple[int, dict[str, str], Any]:
        if (operation := _OPERATION.fullmatch(path)) is not None:
            self._need(f"{operation['kind']}/{operation['name']}/read")
            with self.lock:
                return 200, {"retry-after-ms": str(self.faults.look_again)}, dict(self.operations[operation["id"]])
        found = ID.fullmatch(path)
        if found is None or found["subscription"] != SUBSCRIPTION:
            raise RefusalError(404, "SubscriptionNotFound", f"The subscription of {path} could not be found.")
        if found["group"] != GROUP:
            raise RefusalError(404, "ResourceGroupNotFound", f"Resource group '{found['group']}' could not be found.")
        kind, names = split(found["provider"], found["rest"])
        if names and kind.endswith(("/instanceView", "/retrieveBootDiagnosticsData")):
            return self._about_machine(method, kind, path)
        if len(names) < kind.count("/"):
            self._need(f"{kind}/read")
            if names:
                self._found(path.rpartition("/")[0])
            return 200, {}, {"value": [_shown(one) for one in self._below(path)]}
        act = {"GET": self._get, "PUT": self._put, "PATCH": self._patch, "DELETE": self._delete}[method]
        return act(kind, path, body)

    def _below(self, path: str) -> list[dict[str, Any]]:
        with self.lock:
            return [one for key, one in self.resources.items() if key.rpartition("/")[0] == path.lower()]

    def _found(self, path: str) -> dict[str, Any]:
        with self.lock:
            if path.lower() not in self.resources:
                name = path.partition("providers/")[2]
                raise RefusalError(404, "ResourceNotFound", f"The Resource '{name}' was not found.")
            return self.resources[path.lower()]

    def _about_machine(self, method: str, kind: str, path: str) -> tuple[int, dict[str, str], Any]:
        machine = self._found(path.rpartition("/")[0])
        if method == "POST":
            self._need(f"{VM}/retrieveBootDiagnosticsData/action")
            return 200, {}, {"serialConsoleLogBlobUri": f"{self.url}/console/{machine['name']}"}
        self._need(f"{VM}/instanceView/read")
        return 200, {}, {"statuses": self._statuses(machine)}

    def _statuses(self, machine: dict[str, Any]) -> list[dict[str, Any]]:
        with self.lock:
            state = machine["properties"]["provisioningState"].lower()
            failure = machine.get("failure")
            statuses = [{"code": f"ProvisioningState/{state}", "level": "Info"}]
            if failure:
                statuses = [{"code": f"ProvisioningState/failed/{failure[0]}", "message": failure[1], "level": "Error"}]
            if machine["name"] in self.computers:
                statuses.append({"code": f"PowerState/{self.computers[machine['name']].power}", "level": "Info"})
            return statuses

    def _get(self, kind: str, path: str, _: Any) -> tuple[int, dict[str, str], Any]:
        self._need(f"{kind}/read")
        return 200, {}, _shown(self._found(path))

    # --- changes

    def _put(self, kind: str, path: str, body: Any) -> tuple[int, dict[str, str], Any]:
        self._need(f"{kind}/write")
        check_members(body, BODIES[kind], kind)
        self._need(*linked(kind, body))
        if body.get("location") != LOCATION:
            raise RefusalError(
                400, "LocationNotAvailableForResourceType", f"{body.get('location')!r} is not available."
            )
        with self.lock:
            resource = {"id": path, "name": path.rpartition("/")[2], **json.loads(json.dumps(body))}
            if path.lower() in self.resources:
                raise RefusalError(409, "PropertyChangeNotAllowed", f"{resource['name']} is there already.")
            resource["properties"]["provisioningState"] = "Succeeded"
            make = {VM: self._put_machine, NIC: self._put_interface, IP: self._put_address}[kind]
            return make(resource)

    def _put_address(self, address: dict[str, Any]) -> tuple[int, dict[str, str], Any]:
        address["properties"]["ipAddress"] = loopback_address("127.88")
        self.keep(address)
        return 201, self.asynchronous("Microsoft.Network", self.begin("Succeeded")), _shown(address)

    def _put_interface(self, interface: dict[str, Any]) -> tuple[int, dict[str, str], Any]:
        [config] = interface["properties"]["ipConfigurations"]
        properties = config["properties"]
        self._found(properties["subnet"]["id"])
        self._found(interface["properties"]["networkSecurityGroup"]["id"])
        # Azure translates between the public and the private address; here both are one.
        public = properties.get("publicIPAddress")
        shared = self._found(public["id"])["properties"]["ipAddress"] if public else None
        properties["privateIPAddress"] = shared or loopback_address("127.88")
        self.keep(interface)
        return 201, {}, _shown(interface)

    def _put_machine(self, machine: dict[str, Any]) -> tuple[int, dict[str, str], Any]:
        properties = machine["properties"]
        self._check_machine(machine["name"], properties)
        [interface] = properties["networkProfile"]["networkInterfaces"]
        interface = self._found(interface["id"])
        if interface["properties"].get("virtualMachine"):
            raise RefusalError(400, "NicInUse", f"{interface['name']} is in use.")
        interface["properties"]["virtualMachine"] = {"id": machine["id"]}
        custom_data = properties["osProfile"].pop("customData")  # never shown again
        self.custom_data[machine["name"]] = custom_data
        properties["provisioningState"] = "Creating"
        self.keep(machine)
        operation = self.begin()
        later(self.faults.provisioning, lambda: self._provision(machine, interface, custom_data, operation))
        return 201, self.asynchronous("Microsoft.Compute", operation), _shown(machine)

    def _check_machine(self, name: str, properties: dict[str, Any]) -> None:
        for part, (code, message) in self.faults.refused.items():
            if part in name:
                raise RefusalError(409, code, message)
        size, image = properties["hardwareProfile"]["vmSize"], properties["storageProfile"]["imageReference"]
        if size not in _SIZES:
            raise RefusalError(400, "InvalidParameter", f"The value {size} provided for the VM size is not valid.")
        if image["publisher"] != "Canonical" or image["sku"] not in _OFFERS.get(image["offer"], ()):
            raise RefusalError(404, "PlatformImageNotFound", f"The platform image '{image}' is not available.")
        system = properties["osProfile"]
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", system["computerName"]):
            raise RefusalError(400, "InvalidParameter", f"Linux host name '{system['computerName']}' is not valid.")
        [key] = system["linuxConfiguration"]["ssh"]["publicKeys"]
        if not key["keyData"].startswith("ssh-rsa "):
            raise RefusalError(
                400, "InvalidParameter", "The value of linuxConfiguration.ssh.publicKeys.keyData is invalid."
            )
        try:
            base64.b64decode(system["customData"], validate=True)
        except binascii.Error:
            raise RefusalError(400, "InvalidParameter", "Custom data in OSProfile must be Base64 encoded.") from None

    def _provision(self, machine: dict[str, Any], interface: dict[str, Any], custom_data: str, operation: str) -> None:
        name = machine["name"]
        if self.faults.not_allocated and self.faults.not_allocated in name:
            failure = ("AllocationFailed", "Allocation failed. We do not have sufficient capacity.")
            with self.lock:
                machine["properties"]["provisioningState"] = "Failed"
                machine["failure"] = failure
                self.operations[operation] |= {
                    "status": "Failed",
                    "error": {"code": failure[0], "message": failure[1]},
                }
            return
        address = interface["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"]
        with self.lock:
            if self.resources.get(machine["id"].lower()) is not machine:
                return  # deleted meanwhile
            disk = machine["properties"]["storageProfile"]["osDisk"]
            self.keep(
                {
                    "id": f"{IN_GROUP}/Microsoft.Compute/disks/{disk['name']}",
                    "name": disk["name"],
                    "location": LOCATION,
                    "managedBy": machine["id"],
                    "properties": {},
                }
            )
            self.computers[name] = Computer(custom_data, address, self.images, command=self.faults.command)
            machine["properties"]["provisioningState"] = "Succeeded"
            self.operations[operation]["status"] = "Succeeded"

    def _patch(self, kind: str, path: str, body: Any) -> tuple[int, dict[str, str], Any]:
        self._need(f"{kind}/write")
        check_members(body, BODIES[kind], kind)
        with self.lock:
            resource = self._found(path)
            resource |= body
            operation = self.begin("Succeeded")
            return 202, self.asynchronous("Microsoft.Compute", operation, "diskOperations"), _shown(resource)

    def _delete(self, kind: str, path: str, _: Any) -> tuple[int, dict[str, str], Any]:
        self._need(f"{kind}/delete")
        with self.lock:
            if path.lower() not in self.resources:
                return 204, {}, None
            resource = self.resources[path.lower()]
            if self.faults.stuck and self.faults.stuck in resource["name"]:
                raise RefusalError(409, "ScopeLocked", f"The scope '{path}' cannot perform delete: it is locked.")
            self._refuse_if_used(kind, resource)
            if kind != VM:
                del self.resources[path.lower()]
                return 202 if kind == DISK else 200, {}, None
            self._need(*deleted_with(resource, self.resources))
            resource["properties"]["provisioningState"] = "Deleting"
            operation = self.begin()
        later(self.faults.deleting, lambda: self.end(path, operation))
        return 202, self.asynchronous("Microsoft.Compute", operation), None

    def _refuse_if_used(self, kind: str, resource: dict[str, Any]) -> None:
        user = resource.get("managedBy") or resource["properties"].get("virtualMachine", {}).get("id", "")
        if user and user.lower() in self.resources:
            raise RefusalError(409, "InUse", f"{resource['name']} is used by {user}.")
        if kind == IP and any(resource["id"] in json.dumps(one) for one in self.of_kind(NIC)):
            raise RefusalError(400, "PublicIPAddressCannotBeDeleted", f"{resource['name']} is in use.")


def _shown(resource: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in resource.items() if name != "failure"}
