"""The number of workers follows the work where that is asked for."""

from __future__ import annotations

import time

import pytest

from .fake_aws import FakeAws


@pytest.mark.slow
def test_workers_come_with_the_work_and_go_after_it(aws: FakeAws) -> None:
    with aws.cluster(n_workers=None, minimum=1, maximum=3) as dask_client:
        assert len(dask_client.nthreads()) == 1
        futures = dask_client.map(time.sleep, [3.0] * 8, pure=False)
        aws.until(lambda: len(dask_client.nthreads()) >= 2)
        dask_client.cancel(futures)
        aws.until(lambda: len(aws.running("worker")) == 1)
