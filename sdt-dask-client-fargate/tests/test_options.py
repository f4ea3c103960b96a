"""Options that cannot work are refused before AWS is asked for anything."""

from __future__ import annotations

from typing import Any

import pytest

from sdt_dask_client_fargate import FargateClient
from sdt_dask_core.errors import OptionError


def _refused(**options: Any) -> str:
    with pytest.raises(OptionError) as caught:
        FargateClient(image="an-image", **options)
    return str(caught.value)


def test_memory_that_the_cpu_cannot_have_names_the_nearest_pairs() -> None:
    message = _refused(memory=16.0)
    assert "1 vCPU with 8 GiB" in message
    assert "2 vCPU with 16 GiB" in message


def test_memory_between_two_steps_names_the_nearest() -> None:
    assert "8 vCPU with 16 GiB" in _refused(worker_cpu=8192, memory=17.0)


def test_a_cpu_that_fargate_does_not_have_is_refused() -> None:
    assert "256, 512, 1024, 2048, 4096, 8192, 16384" in _refused(worker_cpu=3000)


def test_the_schedulers_size_is_checked() -> None:
    assert "scheduler_mem" in _refused(scheduler_mem=1024)


@pytest.mark.parametrize(
    ("threads", "expected"),
    [(1, (1024, 4096)), (2, (2048, 8192)), (3, (4096, 12288)), (8, (8192, 32768)), (16, (16384, 65536))],
)
def test_a_worker_has_a_vcpu_and_four_gib_for_each_thread(threads: int, expected: tuple[int, int]) -> None:
    size = FargateClient(image="an-image", threads_per_worker=threads).wanted.worker
    assert (size.cpu, size.memory) == expected


@pytest.mark.parametrize(
    "environment",
    [
        {"DB_PASSWORD": "x"},
        {"REDSHIFT_API_KEY": "x"},
        {"GITHUB_TOKEN": "x"},
        {"WHERE": "postgresql://me:open-sesame@db/fleet"},
        {"KEY_ID": "AKIAIOSFODNN7EXAMPLE"},
    ],
)
def test_what_looks_like_a_secret_is_refused_in_the_environment(environment: dict[str, str]) -> None:
    message = _refused(environment=environment)
    assert next(iter(environment)) in message
    assert "environment_from" in message
    assert "open-sesame" not in message


def test_what_looks_like_a_secret_is_taken_when_the_user_insists() -> None:
    client = FargateClient(image="an-image", environment={"DB_TOKEN_URL": "x"}, secrets_in_environment=True)
    assert client.wanted.environment == {"DB_TOKEN_URL": "x"}


@pytest.mark.parametrize("cidr", ["0.0.0.0/0", "::/0", "128.0.0.0/1"])
def test_a_scheduler_open_to_the_world_is_refused(cidr: str) -> None:
    assert "opens the scheduler to the world" in _refused(client_cidr=cidr)


def test_a_range_that_is_none_is_refused() -> None:
    assert "is no range of addresses" in _refused(client_cidr="here")


def test_fixed_and_following_numbers_of_workers_exclude_each_other() -> None:
    assert "not both" in _refused(n_workers=2, maximum=4)


def test_a_least_number_of_workers_needs_a_most() -> None:
    assert "maximum=None" in _refused(minimum=2)


@pytest.mark.parametrize("option", ["n_workers", "threads_per_worker", "idle_timeout", "timeout"])
def test_numbers_below_one_are_refused(option: str) -> None:
    assert option in _refused(**{option: 0})


def test_policies_of_a_role_of_the_users_own_are_refused() -> None:
    assert "task_role_policies" in _refused(task_role_arn="arn:aws:iam::1:role/x", task_role_policies=["arn:p"])
