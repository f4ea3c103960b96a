"""Turns to read: a plug's bound on reads at once holds over the whole cluster, and nothing else waits for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from sdt_dask_core import SDTDask
from sdt_dask_core.job import Job
from sdt_dask_core.reference import refer_to
from sdt_dask_core.task import close_children, run_key

from .plugs import MeetingPlug

Tool = Callable[..., SDTDask]


def met(folder: Path) -> list[str]:
    return sorted(file.stem for file in folder.glob("*.met"))


def test_one_at_once_means_one_over_all_workers(tool: Tool, tmp_path: Path) -> None:
    options = {"path": str(tmp_path), "patience": 0.5, "max_concurrent_reads": 1}
    run = tool(MeetingPlug, options).execute([("a",), ("b",), ("c",), ("d",)])
    assert run.counts["done"] == 4
    assert met(tmp_path) == []


@pytest.mark.parametrize("limit", [None, 2])
def test_as_many_as_allowed_read_at_once(tool: Tool, tmp_path: Path, limit: int | None) -> None:
    options = {"path": str(tmp_path), "patience": 60.0, "max_concurrent_reads": limit}
    tool(MeetingPlug, options).execute([("a",), ("b",)])
    assert met(tmp_path) == ["a", "b"]


def test_a_child_that_dies_while_it_reads_gives_its_turn_back(tool: Tool, tmp_path: Path) -> None:
    options = {"path": str(tmp_path), "patience": 0.1, "max_concurrent_reads": 1}
    run = tool(MeetingPlug, options).execute([("exits",), ("a",), ("b",)])
    assert (run.counts["failed"], run.counts["done"]) == (1, 2)


@pytest.mark.slow
def test_waiting_for_the_turn_is_no_part_of_the_time_of_a_key(tool: Tool, tmp_path: Path) -> None:
    options = {"path": str(tmp_path), "patience": 7.0, "max_concurrent_reads": 1}
    run = tool(MeetingPlug, options, key_timeout=12.0).execute([("a",), ("b",), ("c",)])
    assert run.counts["done"] == 3


def test_outside_a_cluster_nobody_waits(tmp_path: Path) -> None:
    reference = refer_to("plug", MeetingPlug, {"path": str(tmp_path), "patience": 0.1, "max_concurrent_reads": 1})
    try:
        text = run_key(Job(plug=reference, analyses=()).as_text(), '["a"]', {}, {}, "alone")
    finally:
        close_children("alone")
    assert json.loads(text)["status"] == "done"
