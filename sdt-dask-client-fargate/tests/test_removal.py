"""Leftovers are found by their tags and removed; what is somebody else's is not touched."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator

import boto3
import pytest

from sdt_dask_client_fargate import FargateClient
from sdt_dask_core.errors import ClientError

from .fake_aws import FakeAws

_START_AND_DIE = """
import os, sys
from sdt_dask_client_fargate import FargateClient
FargateClient(**{options!r}).make_client()
{end}
"""


def _run(aws: FakeAws, end: str) -> None:
    script = _START_AND_DIE.format(options=aws.options(idle_timeout=600.0), end=end)
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=False, capture_output=True, timeout=300)


@pytest.fixture
def strangers(aws: FakeAws) -> Iterator[list[str]]:
    """Pieces of others, with names like ours and with tags like ours."""
    ecs, iam = boto3.client("ecs"), boto3.client("iam")
    with contextlib.closing(ecs), contextlib.closing(iam):
        ecs.create_cluster(clusterName="sdt-dask-of-others")
        ecs.create_cluster(clusterName="theirs", tags=[{"key": "sdt-dask:cluster", "value": "theirs"}])
        iam.create_role(RoleName="sdt-dask-of-others", Path="/sdt-dask/", AssumeRolePolicyDocument="{}")
        yield aws.held()
        iam.delete_role(RoleName="sdt-dask-of-others")
        ecs.delete_cluster(cluster="theirs")
        ecs.delete_cluster(cluster="sdt-dask-of-others")


def test_what_a_killed_run_leaves_is_listed_and_removed(aws: FakeAws) -> None:
    _run(aws, "os.kill(os.getpid(), 9)")
    with aws.client() as client:
        (record,) = client.list_clusters()
        assert sorted(client.remove_cluster(record.name)) == sorted(record.resources)
        assert list(client.list_clusters()) == []


def test_a_script_that_forgets_to_close_leaves_nothing(aws: FakeAws) -> None:
    _run(aws, "")
    assert aws.settled(aws.held) == []


def test_an_interrupt_while_it_is_removed_is_heard_when_nothing_is_left(aws: FakeAws) -> None:
    with aws.client() as client:
        client.make_client()
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        thread = threading.Thread(target=_interrupt_a_removal, args=[aws])
        thread.start()
        try:
            with pytest.raises(KeyboardInterrupt):
                _close(client, thread)
        finally:
            signal.signal(signal.SIGINT, before)
        thread.join()
        assert aws.held() == []


def _close(client: FargateClient, thread: threading.Thread) -> None:
    client.close()
    thread.join()  # should it have been faster than the interrupt


def _interrupt_a_removal(aws: FakeAws) -> None:
    aws.until(lambda: any("StopTask" in call for call in aws.ask("calls")))
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


def test_what_others_made_is_not_listed(aws: FakeAws, strangers: list[str]) -> None:
    with aws.client() as client:
        assert list(client.list_clusters()) == []


@pytest.mark.parametrize("name", ["sdt-dask-of-others", "theirs"])
def test_what_others_made_is_not_removed(aws: FakeAws, strangers: list[str], name: str) -> None:
    with aws.client() as client, pytest.raises(ClientError, match=f"no cluster '{name}'"):
        list(client.remove_cluster(name))
    assert aws.held() == strangers


def test_what_the_user_has_is_used_and_stays(aws: FakeAws) -> None:
    ecs, iam = boto3.client("ecs"), boto3.client("iam")
    with contextlib.closing(ecs), contextlib.closing(iam):
        cluster = ecs.create_cluster(clusterName="my-own")["cluster"]["clusterArn"]
        role = iam.create_role(RoleName="my-own", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        before = aws.held()
        own = {"cluster_arn": cluster, "execution_role_arn": role, "task_role_arn": role}
        with aws.client(**own) as client, client.make_client():
            (record,) = client.list_clusters()
            assert {resource.split()[0] for resource in record.resources} == {"task", "security"}
        assert aws.held() == before
        iam.delete_role(RoleName="my-own")
        ecs.delete_cluster(cluster="my-own")
