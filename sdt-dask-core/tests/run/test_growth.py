"""A cluster that grows or shrinks while keys are worked off gets as many keys as it has threads for."""

from __future__ import annotations

from pathlib import Path

import pytest
from distributed import LocalCluster

from sdt_dask_core import Progress, SDTDask

from .conftest import wait_until
from .plugs import ManyKeysPlug


def test_workers_that_join_later_get_their_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sdt_dask_core.pulse._ASK_EVERY", 0.0)
    seen = []
    with LocalCluster(
        n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0", silence_logs=30
    ) as cluster:

        def grow(progress: Progress) -> None:
            if not seen:
                cluster.scale(2)
                wait_until(lambda: len(cluster.scheduler.workers) == 2, "a second worker came")
            seen.append((progress.n_threads, len(progress.in_work)))

        tool = SDTDask(
            ManyKeysPlug,
            plug_options={"n_keys": 8},
            analyses=[],
            output=tmp_path / "out",
            client="address",
            client_options={"address": cluster.scheduler_address},
        )
        run = tool.execute(observe=grow)
    assert run.counts["done"] == 8
    assert seen[0] == (1, 2)
    assert max(seen) == (2, 4)
