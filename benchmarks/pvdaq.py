"""How long a year of 365 daily files of PVDAQ takes, read many at once, against reading them one after another.

    python benchmarks/pvdaq.py [ROUNDS] [MILLISECONDS]

A year of one-minute data lies in a folder that rclone serves as the bucket, and a proxy before it holds back each
answer for some milliseconds (default 40), as the way to the real bucket does: on loopback there is nothing to wait for.
"One after another" is boto3 and pandas with one client, all columns, as a script would. Both take turns. The bound: at
least four times faster. Exit code 1 when it is missed, or when the series differ.
"""

from __future__ import annotations

import multiprocessing
import os
import platform
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from multiprocessing.connection import Connection
from pathlib import Path

import boto3
import numpy as np
import pandas as pd
from botocore import UNSIGNED
from botocore.config import Config

from sdt_dask_plug_pvdaq import PvdaqPlug
from sdt_dask_testing.http_server import Answer, Request, serve_proxy
from sdt_dask_testing.s3_server import serve_folder

RATIO = 4.0
BUCKET = "oedi-data-lake"
PREFIX = "pvdaq/csv/pvdata/system_id=4/year=2011/"
OTHERS = ("ac_current__319", "ac_voltage__318", "ambient_temp__320", "dc_power__314", "module_temp_1__321")


def main() -> int:
    """Measure, print and judge."""
    given = dict(enumerate(sys.argv))
    rounds, delay = int(given.get(1, 3)), float(given.get(2, 40)) / 1000
    with tempfile.TemporaryDirectory() as folder:
        make_year(Path(folder) / BUCKET)
        with serve_folder(Path(folder)) as store, delayed(store, delay) as url:
            turns = [(timed(one_after_another, url), timed(many_at_once, url)) for _ in range(rounds)]
    n_same = sum(first.equals(second) for (_, first), (_, second) in turns)
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {delay * 1000:.0f} ms an answer, ", end="")
    print(f"{rounds} rounds: median (least to most)")
    print(f"365 files, {len(turns[0][0][1])} rows")
    serial = told("one after another", [seconds for (seconds, _), _ in turns])
    plug = told("plug pvdaq", [seconds for _, (seconds, _) in turns])
    kept = serial >= RATIO * plug and n_same == rounds
    print(f"{serial / plug:.1f} times faster, bound {RATIO:g}; same series in {n_same} of {rounds} rounds: ", end="")
    print("kept" if kept else "BROKEN")
    return int(not kept)


def told(name: str, times: list[float]) -> float:
    """Print how long one took; return the median."""
    median = statistics.median(times)
    print(f"{name:17} {median:.2f} s ({min(times):.2f} to {max(times):.2f})")
    return median


@contextmanager
def delayed(store: str, delay: float) -> Iterator[str]:
    """Run the proxy in a process of its own, so that it takes no time from the readers; give its address."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve_late, args=(store, delay, theirs), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        process.terminate()
        process.join()


def _serve_late(store: str, delay: float, pipe: Connection) -> None:
    def late(_: Request, answer: Answer) -> Answer:
        time.sleep(delay)
        return answer

    with serve_proxy(store) as proxy:
        proxy.always = late
        pipe.send(proxy.url)
        threading.Event().wait()


def make_year(bucket: Path) -> None:
    """Write a year of system 4 as the bucket has it, a file for each day, and the table of systems."""
    index = pd.date_range("2011-01-01", "2011-12-31 23:59", freq="1min")
    sun = np.sin((index.hour.to_numpy() + index.minute.to_numpy() / 60 - 6) / 12 * np.pi)
    table = pd.DataFrame({"ac_power__315": np.where(sun > 0, 900 * sun, -2.0).round(3)}, index=index)
    table = table.assign(**dict.fromkeys(OTHERS, 1.25), system_id=4)
    for day, rows in table.groupby(index.date):
        folder = bucket / PREFIX / f"month={day.month}" / f"day={day.day}"
        folder.mkdir(parents=True)
        text = rows.to_csv(index_label="measured_on", date_format="%Y-%m-%d %H:%M:%S")
        (folder / f"system_4__date_{day:%Y_%m_%d}.csv").write_text(text, encoding="utf-8")
    systems = pd.DataFrame({"system_id": [4], "timezone_or_utc_offset": [7], "dc_capacity_kW": [1.0]})
    systems.to_csv(bucket / "pvdaq" / "csv" / "systems_20250729.csv", index=False)


def timed(read: Callable[[str], pd.Series], url: str) -> tuple[float, pd.Series]:
    """Return how long a reading takes [s], and the series."""
    start = time.perf_counter()
    series = read(url)
    return time.perf_counter() - start, series


def one_after_another(url: str) -> pd.Series:
    """Read with boto3 and pandas, a file at a time."""
    config = Config(signature_version=UNSIGNED)
    client = boto3.client("s3", endpoint_url=url, region_name="us-west-2", config=config)
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=PREFIX)
    parts = []
    for found in (found for page in pages for found in page.get("Contents", ())):
        body = client.get_object(Bucket=BUCKET, Key=found["Key"])["Body"].read()
        parts.append(pd.read_csv(BytesIO(body), parse_dates=["measured_on"]))
    series: pd.Series = pd.concat(parts).set_index("measured_on")["ac_power__315"].sort_index()
    series = series.rename("power").rename_axis("timestamp")
    return series


def many_at_once(url: str) -> pd.Series:
    """Read with the plug."""
    plug = PvdaqPlug(endpoint_url=url)
    try:
        series: pd.Series = plug.get_data((4, 2011))["power"]
    finally:
        plug.close()
    return series


if __name__ == "__main__":
    sys.exit(main())
