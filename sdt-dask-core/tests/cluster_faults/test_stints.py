"""Children that nobody asks anything: closed after a while, and replaced when a key comes."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator

import numpy as np
import pandas as pd
import psutil
import pytest

from sdt_dask_core import Plug, stints
from sdt_dask_core.job import Job
from sdt_dask_core.keys import Key
from sdt_dask_core.reference import refer_to
from sdt_dask_core.task import _take_idle, close_children, run_key

from .processes import computing, wait_until


class DaysPlug(Plug):
    """Three clear days, whatever the key."""

    units = "kW"

    def get_data(self, key: Key) -> pd.DataFrame:
        index = pd.date_range("2020-06-01", periods=288, freq="15min")
        power = np.maximum(0.0, np.sin((np.asarray(index.hour) - 6) / 12 * np.pi))
        frame: pd.DataFrame = pd.DataFrame({"power": power}, index=index)
        return frame


@pytest.fixture
def stint() -> Iterator[str]:
    """A stint of the test's own."""
    name = uuid.uuid4().hex
    yield name
    close_children(name)


def status(stint: str) -> str:
    job = Job(plug=refer_to("plug", DaysPlug, {}), analyses=())
    outcome: dict[str, str] = json.loads(run_key(job.as_text(), '["a"]', {}, {}, stint))
    return outcome["status"]


def children() -> list[psutil.Process]:
    return computing(psutil.Process().children())


def test_a_child_that_is_idle_for_long_is_closed(stint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stints, "IDLE_FOR", 0.4)
    status(stint)
    wait_until(lambda: not children(), "the idle child was closed")


def test_a_key_that_comes_after_its_child_was_closed_gets_another(stint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stints, "IDLE_FOR", 0.4)
    status(stint)
    wait_until(lambda: not children(), "the idle child was closed")
    assert status(stint) == "done"


def test_a_child_that_is_used_now_and_then_is_kept(stint: str) -> None:
    status(stint)
    (child,) = children()
    assert _take_idle() == ([], True)
    assert status(stint) == "done"
    assert children() == [child]


def test_off_a_worker_somebody_always_waits() -> None:
    assert not stints.nobody_waits()()
