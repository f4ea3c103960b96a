"""A run over `PvdbPlug` on a LocalCluster opens no more connections than allowed."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from distributed import LocalCluster
from pvdb_source import Source

from sdt_dask_core import SDTDask
from sdt_dask_testing import SyntheticSystem


@pytest.mark.slow
@pytest.mark.parametrize("limit", [1, 2])
def test_a_cluster_opens_no_more_connections_than_allowed(
    source: Source, sdt_fleet: list[SyntheticSystem], tmp_path: Path, limit: int
):
    sensors = [f"inverter_{number}" for number in range(12)]
    for sensor in sensors:
        source.copy("site", sensor, sdt_fleet[0].power.iloc[: 5 * 96])
    counts, over = [], threading.Event()

    def watch() -> None:
        while not over.wait(0.005):
            counts.append(source.server.connections())

    options = {**source.options, "max_connections": limit, "chunk_rows": 4}  # many queries, so that reads last
    watcher = threading.Thread(target=watch)
    with LocalCluster(
        n_workers=4, threads_per_worker=1, dashboard_address="127.0.0.1:0", host="127.0.0.1", silence_logs=50
    ) as cluster:
        where = {"client": "address", "client_options": {"address": cluster.scheduler_address}}
        tool = SDTDask("pvdb", plug_options=options, analyses=[], output=tmp_path / "out", **where)
        watcher.start()
        try:
            run = tool.execute([("site", sensor) for sensor in sensors])
        finally:
            over.set()
            watcher.join()
    assert run.counts["done"] == len(sensors)
    assert max(counts) == limit
