"""Costs are those of the dated table; what is not in it is unknown."""

from __future__ import annotations

import importlib.resources
import json
import re
from typing import Any

import pytest

from .test_options import client


@pytest.fixture(scope="module")
def table() -> dict[str, Any]:
    text = importlib.resources.files("sdt_dask_client_azure").joinpath("prices.json").read_text()
    found: dict[str, Any] = json.loads(text)
    return found


def test_the_table_says_of_when_and_whence_it_is(table: dict[str, Any]):
    assert re.match(r"20\d\d", table["as_of"])
    assert "prices.azure.com" in table["source"]


def test_an_hour_of_machines_costs_what_the_table_says():
    """A scheduler of two processors, two workers of four, three disks of 64 GB, for an hour and five minutes."""
    four = client(n_workers=2, vm_size="Standard_D4s_v5", scheduler_vm_size="Standard_D2s_v5", disk_size=64)
    hour = (2 + 2 * 4) * 0.048 + 3 * 4.8 / 730
    assert four.estimate_cost(n_keys=8, seconds_per_key=3600.0) == pytest.approx(hour * 65 / 60)


def test_threads_share_the_machine():
    one = client(threads_per_worker=1).estimate_cost(100, 600.0)
    four = client(threads_per_worker=4).estimate_cost(100, 600.0)
    assert one is not None
    assert four is not None
    assert four < one / 3


@pytest.mark.parametrize("options", [{"vm_size": "Standard_ND96isr_H100_v5"}, {"location": "marsnorth"}])
def test_what_the_table_has_not_is_unknown_also_before_anything_is_made(options: dict[str, Any]):
    assert client(**options).estimate_cost(10, 60.0) is None
    assert client(**options).cost_so_far() is None


def test_nothing_costs_nothing_yet():
    assert client().cost_so_far() == 0


def test_a_region_may_be_written_as_the_portal_writes_it():
    assert client(location="East US").estimate_cost(10, 60.0) == client().estimate_cost(10, 60.0)


def test_a_public_address_costs_a_little_more():
    private, public = client().estimate_cost(10, 60.0), client(public_ingress=True).estimate_cost(10, 60.0)
    assert private is not None
    assert public is not None
    assert private < public < private * 1.1
