"""What goes wrong at AWS is told with its reason, is mended where it can be, and leaves nothing.

That nothing is left is looked at after each test, by the fixture `aws`.
"""

from __future__ import annotations

import contextlib
import logging
from typing import Any

import pytest

from sdt_dask_client_fargate import FargateClient
from sdt_dask_core.errors import ClientError

from .fake_aws import FakeAws


def _refusal(aws: FakeAws, **options: Any) -> str:
    """Return why no cluster came up."""
    with aws.client(**options) as client, pytest.raises(ClientError) as caught:
        client.make_client()
    return str(caught.value)


def _answers(dask_client: Any) -> bool:
    return bool(dask_client.submit(sum, [2, 3], pure=False).result(timeout=120) == 5)


def test_an_unknown_image_is_told_with_what_ecs_says(aws: FakeAws) -> None:
    message = _refusal(aws, image="no-such-image")
    assert "CannotPullContainerError" in message
    assert "no-such-image" in message
    assert "check image" in message


def test_an_image_without_the_program_is_told(aws: FakeAws) -> None:
    aws.ask("fault", lacks_program="scheduler")
    message = _refusal(aws)
    assert "CannotStartContainerError" in message
    assert "sdt-dask image" in message


def test_a_scheduler_that_exits_at_once_is_told_with_its_last_words(aws: FakeAws) -> None:
    aws.ask("fault", exits_at_once="scheduler")
    message = _refusal(aws)
    assert "exit code 1" in message
    assert "no module named solardatatools" in message


def test_workers_that_exit_at_once_are_told_with_their_last_words(aws: FakeAws) -> None:
    aws.ask("fault", exits_at_once="worker")
    message = _refusal(aws, n_workers=2)
    assert "none of 2 workers joined" in message
    assert "no module named solardatatools" in message


def test_no_room_is_waited_for(aws: FakeAws, caplog: pytest.LogCaptureFixture) -> None:
    aws.ask("fault", no_room=1)
    with caplog.at_level(logging.WARNING, "sdt_dask_client_fargate"), aws.cluster() as dask_client:
        assert _answers(dask_client)
    assert "Capacity is unavailable at this time" in caplog.text


def test_no_room_for_long_is_told(aws: FakeAws) -> None:
    aws.ask("fault", no_room=1000)
    message = _refusal(aws, timeout=2.0)
    assert "Capacity is unavailable at this time" in message
    assert "try again later" in message


def test_throttling_is_borne(aws: FakeAws) -> None:
    # More in a row than botocore bears by itself.
    aws.ask("fault", throttle={"ecs:DescribeTasks": 4, "ecs:RunTask": 4})
    with aws.cluster() as dask_client:
        assert _answers(dask_client)


def test_expired_credentials_are_told_at_the_start(aws: FakeAws) -> None:
    aws.ask("fault", expired=True)
    message = _refusal(aws)
    assert "the AWS credentials have expired" in message
    assert "log in again" in message


def test_what_expired_credentials_leave_is_told_and_can_be_removed(aws: FakeAws) -> None:
    client = FargateClient(**aws.options())
    with contextlib.closing(client.make_client()):
        aws.ask("fault", expired=True)
    with pytest.raises(ClientError, match="expired"):
        client.close()
    aws.ask("fault")
    (record,) = FargateClient(**aws.options()).list_clusters()
    assert record.running
    assert len(list(client.remove_cluster(record.name))) == len(record.resources)


def test_missing_credentials_are_told(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert "log in again" in _refusal(aws)


def test_a_missing_region_is_told(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert "give region=" in _refusal(aws)


def test_an_unknown_profile_is_told(aws: FakeAws) -> None:
    assert "nobody" in _refusal(aws, profile="nobody")


def test_a_worker_that_spot_takes_back_is_replaced(aws: FakeAws) -> None:
    with aws.cluster(n_workers=2, fargate_spot=True) as dask_client:
        first = {worker["id"] for worker in aws.running("worker")}
        aws.ask("reclaim", id=min(first))
        aws.until(lambda: len({worker["id"] for worker in aws.running("worker")} - first) == 1)
        dask_client.wait_for_workers(2, timeout=120)
        assert _answers(dask_client)


def test_a_worker_that_crashes_is_replaced(aws: FakeAws) -> None:
    with aws.cluster(n_workers=1) as dask_client:
        (first,) = aws.running("worker")
        aws.ask("crash", id=first["id"])
        aws.until(lambda: [worker for worker in aws.running("worker") if worker["id"] != first["id"]])
        assert _answers(dask_client)


def test_only_workers_run_on_spot_capacity(aws: FakeAws) -> None:
    with aws.cluster(fargate_spot=True):
        capacity = {task["part"]: task["capacity"] for task in aws.ask("running")}
    assert capacity == {"scheduler": "FARGATE", "worker": "FARGATE_SPOT"}


def test_a_lost_scheduler_does_not_keep_the_rest_from_closing(aws: FakeAws) -> None:
    with aws.client() as client:
        dask_client = client.make_client()
        (scheduler,) = aws.running("scheduler")
        aws.ask("crash", id=scheduler["id"])
        dask_client.close()


def test_a_nanny_starts_a_killed_worker_process_again(aws: FakeAws) -> None:
    def die() -> None:
        import os

        os._exit(1)

    with aws.cluster() as dask_client:
        (task,) = aws.running("worker")
        dask_client.run(die, on_error="ignore")
        dask_client.wait_for_workers(1, timeout=120)
        assert _answers(dask_client)
        assert [each["id"] for each in aws.running("worker")] == [task["id"]]
