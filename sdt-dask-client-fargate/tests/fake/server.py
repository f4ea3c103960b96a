"""A fake AWS account in a process of its own: ``python server.py``; told what to do by lines of JSON on its input.

It ends, and all its tasks with it, when its input does.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from typing import Any

os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"

import boto3
import moto.backends
import tasks
from gate import Gate
from moto.core import DEFAULT_ACCOUNT_ID as ACCOUNT
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

_REGION = "us-east-1"


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing of each request."""


def _backend(name: str, region: str = _REGION) -> Any:
    return moto.backends.get_backend(name)[ACCOUNT][region]


def _lead_out(url: str) -> dict[str, str]:
    """Give the default VPC the way out that it has at AWS and lacks in moto."""
    ec2 = boto3.client("ec2", endpoint_url=url, region_name=_REGION, aws_access_key_id="x", aws_secret_access_key="x")
    vpc = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"][0]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    ec2.close()
    return {"vpc": vpc, "route_table": table}


class Fake:
    """What the lines on the input ask for, one method each."""

    def __init__(self, gate: Gate, at_first: dict[str, str]) -> None:
        self.gate = gate
        self.at_first = at_first
        self.own: set[str] = set()
        self.own = set(self.held())

    def fault(self, **faults: Any) -> None:
        """Switch faults on; without arguments, all off."""
        ours = {name: faults.pop(name) for name in ("expired", "throttle") if name in faults}
        self.gate.faults.clear()
        self.gate.faults.update(ours)
        tasks.FAULTS.clear()
        tasks.FAULTS.update(faults)

    def images(self, **images: str) -> None:
        """Add images: virtual environments by name."""
        tasks.IMAGES.update(images)

    def calls(self) -> list[str]:
        """Return what was asked for since it was last asked, and forget it."""
        calls, self.gate.calls = self.gate.calls, []
        return calls

    def facts(self) -> dict[str, str]:
        """Return what was there at first."""
        return self.at_first

    def running(self) -> list[dict[str, Any]]:
        """Return the tasks that run."""
        return [
            {
                "part": task.containers[0].name.removeprefix("dask-"),
                "id": task.id,
                "address": task.address,
                "capacity": task.capacity_provider_name or task.launch_type,
                "environment": task.overrides["containerOverrides"][0]["environment"],
                "alive": task.machine is not None and task.machine.alive,
            }
            for task in tasks.TASKS
            if task.is_there()
        ]

    def reclaim(self, id: str) -> None:
        """Take a task away, as AWS does with spot capacity."""
        self._task(id).stop("Your Spot Task was interrupted.", "SpotInterruption")

    def crash(self, id: str) -> None:
        """Kill the process of a task."""
        machine = self._task(id).machine
        if machine is not None:
            machine.kill()

    def held(self) -> list[str]:
        """Return all that costs money or gives access, beyond what was there at first."""
        ecs, iam, ec2 = _backend("ecs"), _backend("iam", "aws"), _backend("ec2")
        found = [f"task {task.id} {task.last_status}" for task in tasks.TASKS if task.is_there()]
        found += [f"cluster {each.name}" for each in ecs.clusters.values() if each.status != "INACTIVE"]
        found += [
            f"task definition {each.arn}"
            for revisions in ecs.task_definitions.values()
            for each in revisions.values()
            if each.status != "DELETE_IN_PROGRESS"
        ]
        found += [f"role {role.name}" for role in iam.roles.values()]
        found += [f"security group {each.id} {each.name}" for vpc in ec2.groups.values() for each in vpc.values()]
        return [each for each in found if each not in self.own]

    def clean(self) -> None:
        """Stop all tasks; for the end."""
        for task in tasks.TASKS:
            if task.machine is not None:
                task.machine.stop(0.0)

    def _task(self, id: str) -> Any:
        return next(task for task in tasks.TASKS if task.id == id)


def main() -> None:
    """Serve until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the tests, which then close the input
    tasks.install()
    gate = Gate(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, gate, threaded=True, request_handler=_Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    fake = Fake(gate, {"url": url, **_lead_out(url)})
    try:
        for line in sys.stdin:
            name, arguments = json.loads(line)
            try:
                answer: dict[str, Any] = {"value": getattr(fake, name)(**arguments)}
            except Exception as error:  # noqa: BLE001 - the test that asked fails with it
                answer = {"error": repr(error)}
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()
    finally:
        fake.clean()


if __name__ == "__main__":
    main()
