"""AWS is asked seldom: it throttles whoever asks task by task."""

from __future__ import annotations

import pytest

from .fake_aws import FakeAws


@pytest.mark.slow
def test_three_tasks_that_take_ten_seconds_to_come_are_asked_for_twenty_times_at_most(aws: FakeAws) -> None:
    aws.ask("fault", provisioning=10.0)
    with aws.cluster(n_workers=2) as dask_client:
        assert len(dask_client.nthreads()) == 2
    calls = aws.ask("calls")
    assert calls.count("ecs:RunTask") == 3
    assert 3 <= calls.count("ecs:DescribeTasks") <= 20
