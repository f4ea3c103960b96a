"""What a run costs, by a table with its date and source."""

from __future__ import annotations

import datetime

import pytest

from sdt_dask_client_fargate import FargateClient
from sdt_dask_client_fargate.fleet import Stint
from sdt_dask_client_fargate.prices import price_table, prices_in

# One vCPU and 4 GiB for the scheduler and for each worker, with a public address each, in us-east-1.
_HOUR = 0.04048 + 4 * 0.004445 + 0.005
_STARTING = 180.0  # s


def _cost(**options: object) -> float:
    client = FargateClient(**{"image": "an-image", "region": "us-east-1", "n_workers": 2, **options})  # type: ignore[arg-type]
    cost = client.estimate_cost(720, 10.0)  # an hour of two workers
    assert cost is not None
    return cost


def test_an_estimate_counts_scheduler_workers_addresses_and_the_start() -> None:
    assert _cost() == pytest.approx(3 * _HOUR * (1 + _STARTING / 3600))


def test_more_workers_cost_the_scheduler_for_a_shorter_time() -> None:
    assert _cost(n_workers=4) == pytest.approx(5 * _HOUR * (0.5 + _STARTING / 3600))


def test_spot_is_cheaper_for_the_workers_alone() -> None:
    compute = _HOUR - 0.005
    expected = (_HOUR + 2 * (0.3 * compute + 0.005)) * (1 + _STARTING / 3600)
    assert _cost(fargate_spot=True) == pytest.approx(expected)


def test_tasks_without_public_addresses_do_not_pay_for_them() -> None:
    assert _cost(fargate_use_private_ip=True) == pytest.approx(3 * (_HOUR - 0.005) * (1 + _STARTING / 3600))


def test_arm_is_cheaper() -> None:
    assert _cost(cpu_architecture="ARM64") < _cost()


def test_a_region_that_the_table_lacks_has_no_estimate(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "sdt_dask_client_fargate"):
        assert FargateClient(image="an-image", region="xx-moon-1").estimate_cost(1, 1.0) is None
    assert "has no region 'xx-moon-1'" in caplog.text


def test_nothing_was_spent_before_a_cluster() -> None:
    assert FargateClient(image="an-image", region="us-east-1").cost_so_far() == 0.0


def test_what_was_spent_counts_each_task_for_its_time() -> None:
    prices = prices_in("us-east-1", "X86_64")
    assert prices is not None
    stints = [Stint("scheduler", 0.0), Stint("worker", 0.0, ended=1800.0)]
    wanted = FargateClient(image="an-image").wanted
    assert prices.of_stints(wanted, stints, now=3600.0) == pytest.approx(1.5 * _HOUR)


def test_a_task_is_charged_for_a_minute_at_least() -> None:
    prices = prices_in("us-east-1", "X86_64")
    assert prices is not None
    wanted = FargateClient(image="an-image").wanted
    assert prices.of_stints(wanted, [Stint("worker", 0.0, ended=1.0)], now=1.0) == pytest.approx(_HOUR / 60)


def test_the_table_tells_its_date_and_source() -> None:
    table = price_table()
    assert datetime.date.fromisoformat(table["date"]) > datetime.date(2026, 1, 1)
    assert table["source"].startswith("https://aws.amazon.com/fargate/pricing/")
