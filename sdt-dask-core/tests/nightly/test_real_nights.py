"""Three nights on a real cluster: only what is due is read, and what is cut is cut where it is computed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from distributed import LocalCluster

from sdt_dask_core import SDTDask

from .conftest import reasons

Tool = Callable[..., SDTDask]


@pytest.fixture(scope="module")
def on_cluster() -> Iterator[dict[str, Any]]:
    """The arguments that let a run use one cluster for all nights."""
    with LocalCluster(
        n_workers=1, threads_per_worker=1, memory_limit="1 GiB", host="127.0.0.1", dashboard_address="127.0.0.1:0"
    ) as running:
        yield {"client": "address", "client_options": {"address": running.scheduler_address}}


@pytest.mark.slow
def test_three_nights(tool: Tool, data: Path, on_cluster: dict[str, Any]) -> None:
    first = tool(**on_cluster).execute()
    assert (first.reasons, first.exit_code) == ({"new": 3}, 0)

    (data / "a.txt").write_text("nonsense", encoding="utf-8")
    (data / "c.txt").unlink()
    second = tool(**on_cluster).execute()
    assert reasons(second) == {"a": "changed: data", "b": "unchanged", "c": "vanished"}
    assert second.compare(first).counts == {"broken": 1, "gone": 1, "grade": 0, "moved": 0, "fixed": 0, "new": 0}

    (data / "a.txt").write_text("5", encoding="utf-8")
    (data / "c.txt").write_text("5", encoding="utf-8")
    third = tool(**on_cluster).execute()
    assert reasons(third) == {"a": "failed before", "b": "unchanged", "c": "unchanged"}
    assert third.compare(second).counts == {"broken": 0, "gone": 0, "grade": 0, "moved": 0, "fixed": 1, "new": 1}
    assert third.compare(first).changes == ()


def test_the_window_is_cut_where_the_key_is_computed(tool: Tool, on_cluster: dict[str, Any]) -> None:
    run = tool(**on_cluster, look_back="3d").execute(["a"])
    assert run.results.loc[0, ["n_timestamps", "length_days"]].tolist() == [3 * 96, 3.0]
    assert [finding["code"] for finding in run.rows[0]["body"]["findings"]] == ["window_cut"]


def test_a_system_outside_the_window_fails_with_its_cause(tool: Tool, on_cluster: dict[str, Any]) -> None:
    run = tool(**on_cluster, since="2021-01-01").execute(["a"])
    assert run.errors.loc[0, ["cause", "stage"]].tolist() == ["outside_window", "check"]
    assert run.errors.loc[0, "fix"] == "Ask for another period, or leave the system out."


def test_resume_keeps_the_window_of_the_run(tool: Tool, on_cluster: dict[str, Any]) -> None:
    asked = tool(**on_cluster, look_back="3d", since="2021-01-01")
    assert asked.execute(["a"]).exit_code == 1
    again = asked.retry()
    assert again.settings.job.window == asked.settings.job.window
    assert again.errors["cause"].tolist() == ["outside_window"]
