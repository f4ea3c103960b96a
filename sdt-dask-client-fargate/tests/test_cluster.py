"""What a cluster of real processes is like, seen once, and told fact by fact."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import distributed
import pytest

from sdt_dask_client_fargate.identity import Identity

from .fake_aws import FakeAws

_NAME = "SDT_TEST_PASSWORD"


@pytest.fixture(scope="module")
def seen(fake_aws: FakeAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Look at a cluster of two workers, close it, and give what was seen."""
    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as opened:
        fake_aws.set_environment(patch, tmp_path_factory.mktemp("aws"))
        secrets = opened.enter_context(contextlib.closing(boto3.client("secretsmanager")))
        arn = secrets.create_secret(Name="of the test", SecretString="open sesame")["ARN"]
        ecs = opened.enter_context(contextlib.closing(boto3.client("ecs")))
        ec2 = opened.enter_context(contextlib.closing(boto3.client("ec2")))
        options = {
            "n_workers": 2,
            "environment": {"SDT_TEST_COLOUR": "blue"},
            "environment_from": {_NAME: arn},
            "tags": {"project": "fleet"},
        }
        fake_aws.ask("calls")
        with fake_aws.client(**options) as client:
            dask_client = opened.enter_context(client.make_client())
            (record,) = client.list_clusters()
            yield {
                "sum": dask_client.submit(sum, [2, 3]).result(timeout=120),
                "sum of a task": dask_client.submit(_task_that_asks()).result(timeout=120),
                "workers": dask_client.scheduler_info(n_workers=-1)["workers"],
                "environment": [dask_client.run(os.getenv, name) for name in ("SDT_TEST_COLOUR", _NAME)],
                "address": dask_client.scheduler.address,
                "plain": _why_refused(dask_client.scheduler.address, None),
                "other authority": _why_refused(dask_client.scheduler.address, Identity.make("other").security()),
                "record": record,
                "cost": client.cost_so_far(),
                "tasks": _tasks(ecs, record.name),
                "groups": ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": [record.name]}]),
                **_closed(client, dask_client, fake_aws),
            }


def _task_that_asks() -> Callable[[], int]:
    """Return a function that travels by its code: the workers do not have this module."""

    def ask() -> int:
        from distributed import worker_client

        with worker_client(separate_thread=True) as client:
            return int(client.submit(sum, [3, 4]).result(timeout=120))

    return ask


def _closed(client: Any, dask_client: Any, fake_aws: FakeAws) -> dict[str, Any]:
    dask_client.close()
    client.close()
    return {"held": fake_aws.held(), "listed": list(client.list_clusters()), "calls": fake_aws.ask("calls")}


def _tasks(ecs: Any, name: str) -> list[dict[str, Any]]:
    arns = ecs.list_tasks(cluster=name)["taskArns"]
    tasks: list[dict[str, Any]] = ecs.describe_tasks(cluster=name, tasks=arns, include=["TAGS"])["tasks"]
    return tasks


def _why_refused(address: str, security: distributed.Security | None) -> str:
    """Try to let the scheduler run code; return why it does not."""

    async def call() -> str:
        arguments = (security or distributed.Security()).get_connection_args("client")
        place = address if security else address.replace("tls://", "tcp://")
        try:
            comm = await distributed.comm.connect(place, timeout=10, **arguments)
            try:
                await comm.write({"op": "identity", "reply": True})
                return f"nothing: it answered {await comm.read()}"
            finally:
                comm.abort()
        except Exception as error:  # noqa: BLE001 - how it refuses is what is asked for
            return repr(error)

    return asyncio.run(call())


def test_it_computes(seen: dict[str, Any]) -> None:
    assert seen["sum"] == 5


def test_a_task_asks_its_own_cluster(seen: dict[str, Any]) -> None:
    assert seen["sum of a task"] == 7


def test_all_its_workers_are_there(seen: dict[str, Any]) -> None:
    assert len(seen["workers"]) == 2


def test_a_worker_has_one_thread(seen: dict[str, Any]) -> None:
    assert {worker["nthreads"] for worker in seen["workers"].values()} == {1}


def test_a_worker_knows_its_memory_without_what_dask_takes(seen: dict[str, Any]) -> None:
    assert {worker["memory_limit"] for worker in seen["workers"].values()} == {(4096 - 256) * 2**20}


def test_all_parts_talk_by_tls(seen: dict[str, Any]) -> None:
    assert all(address.startswith("tls://") for address in (seen["address"], *seen["workers"]))


def test_a_client_without_a_certificate_is_refused(seen: dict[str, Any]) -> None:
    assert "nothing" not in seen["plain"]
    assert "Error" in seen["plain"]


def test_a_client_of_another_authority_is_refused(seen: dict[str, Any]) -> None:
    assert "nothing" not in seen["other authority"]
    assert "Error" in seen["other authority"]


def test_variables_reach_the_workers(seen: dict[str, Any]) -> None:
    assert set(seen["environment"][0].values()) == {"blue"}


def test_secrets_reach_the_workers_by_reference(seen: dict[str, Any]) -> None:
    assert set(seen["environment"][1].values()) == {"open sesame"}


def test_whoever_describes_the_tasks_reads_no_secret(seen: dict[str, Any]) -> None:
    assert seen["tasks"]
    assert "open sesame" not in json.dumps(seen["tasks"], default=str)


def test_overrides_stay_within_what_aws_takes(seen: dict[str, Any]) -> None:
    assert 1000 < max(len(json.dumps(task["overrides"])) for task in seen["tasks"]) < 8192


def test_tasks_bear_the_clients_tags_and_the_users(seen: dict[str, Any]) -> None:
    for task in seen["tasks"]:
        tags = {tag["key"]: tag["value"] for tag in task["tags"]}
        assert tags["sdt-dask:cluster"] == seen["record"].name
        assert tags["project"] == "fleet"


def test_tasks_bear_no_tag_by_which_others_sweep(seen: dict[str, Any]) -> None:
    assert "dask-cloudprovider" not in json.dumps([task["tags"] for task in seen["tasks"]])


def test_only_the_scheduler_is_open_and_only_to_the_caller(seen: dict[str, Any]) -> None:
    (group,) = seen["groups"]["SecurityGroups"]
    rules = [rule for rule in group["IpPermissions"] if rule["IpRanges"] or rule["Ipv6Ranges"]]
    (rule,) = rules
    assert (rule["FromPort"], rule["ToPort"]) == (8786, 8786)
    assert [each["CidrIp"] for each in rule["IpRanges"]] == ["127.0.0.0/8"]


def test_it_is_listed_while_it_runs(seen: dict[str, Any]) -> None:
    record = seen["record"]
    assert record.running
    assert record.place == "us-east-1"
    assert record.started is not None
    assert "@" in record.owner


def test_all_that_it_holds_is_listed(seen: dict[str, Any]) -> None:
    kinds = [resource.rpartition(" ")[0] for resource in seen["record"].resources]
    count = {kind: kinds.count(kind) for kind in set(kinds)}
    assert count == {"task": 3, "cluster": 1, "task definition": 2, "security group": 1, "role": 2}


def test_it_costs_something(seen: dict[str, Any]) -> None:
    assert 0 < seen["cost"] < 0.1


def test_nothing_is_left_of_it(seen: dict[str, Any]) -> None:
    assert seen["held"] == []


def test_it_is_not_listed_any_more(seen: dict[str, Any]) -> None:
    assert seen["listed"] == []


@pytest.mark.parametrize("file", ["driver.json", "driver-own-roles.json"])
def test_the_policies_allow_every_call(seen: dict[str, Any], file: str) -> None:
    folder = Path(__file__).parents[1] / "src" / "sdt_dask_client_fargate" / "policies"
    allowed = {
        action
        for statement in json.loads((folder / file).read_text())["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }
    # GetSecretValue and CreateSecret are the test's own, and so are the calls of the roles where the user has those.
    made = {call for call in seen["calls"] if not call.startswith("secretsmanager")}
    if file == "driver-own-roles.json":
        made = {call for call in made if not call.startswith("iam:") or call in ("iam:ListRoles", "iam:ListRoleTags")}
    assert len(made) > 20
    assert made <= allowed


def test_nothing_is_asked_role_by_role_or_definition_by_definition(seen: dict[str, Any]) -> None:
    """Not of the account's others, that is: dask-cloudprovider looks at all there are."""
    assert seen["calls"].count("iam:ListRoleTags") <= 6
    assert seen["calls"].count("ecs:DescribeTaskDefinition") <= 6
