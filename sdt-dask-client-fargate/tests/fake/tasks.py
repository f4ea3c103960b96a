"""Tasks of moto's ECS that are real processes, with the states that a task goes through."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from typing import Any

import moto.ecs.models as ecs_models
from moto.core.responses import ActionResult
from moto.ec2 import ec2_backends
from moto.ecs.exceptions import EcsClientException, InvalidParameterException
from moto.ecs.responses import EC2ContainerServiceResponse as EcsResponse
from moto.logs import logs_backends
from moto.secretsmanager import secretsmanager_backends

from sdt_dask_testing.machine import Machine, loopback_address

__all__ = ["FAULTS", "IMAGES", "TASKS", "MachineTask", "install"]

#: Virtual environments by image.
IMAGES: dict[str, str] = {}
#: ``provisioning`` [s], ``no_room`` (number of refusals), ``exits_at_once`` (scheduler or worker), ``ignores_stop``.
FAULTS: dict[str, Any] = {}
TASKS: list[Any] = []

_MOST_OVERRIDES = 8192
_GRACE = 20.0  # s
_STEP = 0.05  # s
_NO_ROOM = "Capacity is unavailable at this time. Please try again later or in a different availability zone"
_SIZES = {256: (512, 1024, 2048), 512: range(1024, 4097, 1024), 1024: range(2048, 8193, 1024),
          2048: range(4096, 16385, 1024), 4096: range(8192, 30721, 1024)}  # fmt: skip


class MachineTask(ecs_models.Task):
    """A task that runs its command as a process, at an address of its own."""

    __module__ = "moto.ecs.models"  # moto finds the service of a class by it

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if len(json.dumps(self.overrides)) > _MOST_OVERRIDES:
            raise InvalidParameterException(f"Container Overrides length must be at most {_MOST_OVERRIDES}")
        self.definition = self._backend.describe_task_definition(self.task_definition_arn)
        self.machine: Machine | None = None
        self.stopped_reason = ""
        self.stop_code = ""
        self._state = "PROVISIONING"
        self._told = 0
        self.address = loopback_address()
        self._give_address()
        container = self.containers[0]
        container.exitCode = None
        container.last_status = "PENDING"
        TASKS.append(self)
        threading.Thread(target=self._live, daemon=True).start()

    @property
    def last_status(self) -> str:
        return self._state

    @last_status.setter
    def last_status(self, value: str) -> None:
        if value == "STOPPED":  # StopTask
            self.stop("Task stopped by user", "UserInitiated")

    def stop(self, reason: str, code: str) -> None:
        """End it from outside; what it says of its own end comes first."""
        if self._state in ("STOPPED", "DEPROVISIONING"):
            return
        self.stopped_reason, self.stop_code, self.desired_status = reason, code, "STOPPED"
        self._state = "DEPROVISIONING"
        threading.Thread(target=self._end, daemon=True).start()

    def is_there(self) -> bool:
        return self._state != "STOPPED" or (self.machine is not None and self.machine.alive)

    def _live(self) -> None:
        try:
            self._wait_for_room()
            self.machine = self._start()
        except FileNotFoundError as error:
            self._failed_to_start(error)
            return
        if self.machine is None:
            return
        self.containers[0].last_status = self._state = "RUNNING"
        while self.machine.alive and self._state == "RUNNING":
            self._write_log()
            time.sleep(_STEP)
        if self._state == "RUNNING":
            self.stopped_reason = self.stopped_reason or "Essential container in task exited"
            self.stop_code = "EssentialContainerExited"
            self._end()

    def _wait_for_room(self) -> None:
        end = time.monotonic() + float(FAULTS.get("provisioning", 0.0))
        while time.monotonic() < end and self._state == "PROVISIONING":
            time.sleep(_STEP)

    def _start(self) -> Machine | None:
        if self._state != "PROVISIONING":
            self._state = "STOPPED"
            return None
        override = self.overrides["containerOverrides"][0]
        part = override["name"].removeprefix("dask-")
        command = [*override["command"], "--host", "{address}"]
        if FAULTS.get("exits_at_once") == part:
            command = ["python", "-c", "raise SystemExit('no module named solardatatools')"]
        if FAULTS.get("lacks_program") == part:
            command[0] = "a-program-of-old"
        image = self.definition.container_definitions[0]["image"]
        if image not in IMAGES:
            raise FileNotFoundError(image)
        return Machine(command, image=IMAGES[image], environment=self._environment(override), address=self.address)

    def _environment(self, override: dict[str, Any]) -> dict[str, str]:
        container = self.definition.container_definitions[0]
        secrets = secretsmanager_backends[self._account_id][self.region_name]
        return {
            **{
                each["name"]: secrets.get_secret_value(each["valueFrom"], "", "")["SecretString"]
                for each in container.get("secrets", [])
            },
            **{each["name"]: each["value"] for each in override.get("environment", [])},
        }

    def _failed_to_start(self, error: FileNotFoundError) -> None:
        container = self.containers[0]
        if "executable" in str(error):
            self.stopped_reason = f"CannotStartContainerError: failed to create shim task: {error}"
            container.exitCode = 127
        else:
            self.stopped_reason = f"CannotPullContainerError: failed to resolve ref {error}: not found"
        self.stop_code, self.desired_status = "TaskFailedToStart", "STOPPED"
        container.reason, container.last_status, self._state = self.stopped_reason, "STOPPED", "STOPPED"

    def _end(self) -> None:
        if self.machine is not None:
            code = self.machine.stop(_GRACE)
            self._write_log()
            self.containers[0].exitCode = code
        self.containers[0].last_status = "STOPPED"
        self.desired_status = "STOPPED"
        self._state = "STOPPED"

    def _write_log(self) -> None:
        lines = self.machine.lines[self._told :] if self.machine is not None else []
        if not lines:
            return
        options = self.definition.container_definitions[0]["logConfiguration"]["options"]
        stream = f"{options['awslogs-stream-prefix']}/{self.containers[0].name}/{self.id}"
        logs = logs_backends[self._account_id][self.region_name]
        with contextlib.suppress(Exception):  # it is there after the first lines
            logs.create_log_stream(options["awslogs-group"], stream)
        events = [{"timestamp": int(line.seconds * 1000), "message": line.text} for line in lines]
        logs.put_log_events(options["awslogs-group"], stream, events)
        self._told += len(lines)

    def _give_address(self) -> None:
        ec2 = ec2_backends[self._account_id][self.region_name]
        details = self.attachments[0]["details"]
        names = {detail["name"]: detail for detail in details}
        interface = ec2.enis[names["networkInterfaceId"]["value"]]
        interface.private_ip_address = self.address
        interface.private_ip_addresses = [{"Primary": True, "PrivateIpAddress": self.address}]
        interface.public_ip = self.address
        names["privateIPv4Address"]["value"] = self.address


def install() -> None:
    """Put these tasks in the place of moto's, with the checks that Fargate makes and moto does not."""
    ecs_models.Task = MachineTask
    backend = ecs_models.EC2ContainerServiceBackend
    register, run, delete = backend.register_task_definition, EcsResponse.run_task, backend.delete_cluster

    def checked_register(self: Any, *args: Any, **kwargs: Any) -> Any:
        cpu, memory = int(kwargs["cpu"]), int(kwargs["memory"])
        if memory not in _SIZES.get(cpu, ()):
            raise EcsClientException("No Fargate configuration exists for given values.")
        return register(self, *args, **kwargs)

    def checked_run(self: Any) -> Any:
        if FAULTS.get("no_room", 0) > 0:
            FAULTS["no_room"] -= 1
            return ActionResult({"tasks": [], "failures": [{"reason": _NO_ROOM}]})
        return run(self)

    def checked_delete(self: Any, cluster_str: str) -> Any:
        name = cluster_str.rpartition("/")[2]
        if any(task.is_there() for task in TASKS if task.cluster_name == name):
            raise EcsClientException("The Cluster cannot be deleted while Tasks are active.")
        return delete(self, cluster_str)

    # Of machines of the user's own, which Fargate has none of; moto fails where only the task has a size.
    backend._calculate_task_resource_requirements = staticmethod(lambda definition: {})  # noqa: SLF001
    backend.register_task_definition = checked_register
    EcsResponse.run_task = checked_run
    backend.delete_cluster = checked_delete
