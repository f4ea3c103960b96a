"""Reading 100 objects of a year of 5-minute data on 4 threads: `S3Plug` against the S3 plug in Solar Data Tools.

    python benchmarks/s3.py [ROUNDS]

The store is rclone on this machine, requests are signed, and all take turns, so that whatever else the machine does
meets all of them. Three comparisons:

- *reading*: ``get_data`` of the CSV objects, from the request to the series: what a user waits for.
- *asking*: one small request (HEAD) for each object, each by the client that the plug itself would use: Solar Data
  Tools' makes a session and a client for each call, ours has one for the process. (What a plug asks for fingerprints is
  less: a listing tells those of a thousand objects.)
- *reading Parquet*: ours of the same series as Parquet, against Solar Data Tools' of the CSV objects, for it reads no
  Parquet: what a user gains who stores the tables anew.

Then the least that they can take: the bytes of the objects alone, by our client, and ``pandas.read_csv`` alone, of
objects in memory, on as many threads.

No network is between, so that the time which a distant store takes to answer is in none of the figures; and rclone
counts no checksums, for which a store has processors of its own. The processor's seconds of this process are told too:
other work on the machine changes them less. Exit code 1 when *reading* misses the goal of ten times faster.
"""

from __future__ import annotations

import io
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sdt_dask_plug_s3 import S3Plug
from sdt_dask_testing.s3_server import serve_folder

N_OBJECTS, N_THREADS = 100, 4
GOAL = 10
KEY_ID, SECRET = "AKIABENCHMARK0000001", "secret-of-the-benchmark"
BUCKET = "fleet"
SHOWN = ("pandas", "pyarrow", "boto3", "solar-data-tools")

Way = Callable[[str], Any]
#: Seconds, and seconds of the processor, of one turn.
Turn = tuple[float, float]


def main() -> int:
    """Measure, print and judge."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as folder:
        rows = write_objects(Path(folder) / BUCKET)
        versions = ", ".join(f"{name} {version(name)}" for name in SHOWN)
        print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {versions}")
        print(f"{N_OBJECTS} objects of {rows} rows, {N_THREADS} threads, {rounds} rounds: median (least to most)")
        os.environ.update(RCLONE_ETAG_HASH="", RCLONE_NO_CHECKSUM="true")
        with serve_folder(Path(folder), access_key=(KEY_ID, SECRET)) as url:
            set_environment(url)
            turns = measure(rounds, ways(Path(folder) / BUCKET))
    ratio = told("reading", turns["ours"], turns["theirs"])
    told("asking", turns["ours, HEAD"], turns["theirs, HEAD"])
    told("reading Parquet", turns["ours, Parquet"], turns["theirs"])
    print(f"the bytes alone: {spread(turns['bytes'])}")
    print(f"pandas.read_csv alone: {spread(turns['pandas'])}")
    return int(ratio < GOAL)


def ways(folder: Path) -> dict[str, Way]:
    """Return all that is measured, each a function of an object's name."""
    from sdt_dask.dataplugs.S3Bucket_plug import S3Bucket

    ours, theirs = S3Plug(BUCKET), S3Bucket(BUCKET)
    refuse_different(ours.get_data(("site_000.csv",)), S3Bucket(BUCKET).get_data(("site_000.csv",)))
    client = theirs._create_s3_client()  # noqa: SLF001 - one for all, as ours has
    texts = {path.stem: path.read_bytes() for path in folder.glob("*.csv")}
    return {
        "ours": lambda name: len(ours.get_data((f"{name}.csv",))),
        # An instance for each call, as it keeps the table in `self`.
        "theirs": lambda name: len(S3Bucket(BUCKET).get_data((f"{name}.csv",))),
        "ours, Parquet": lambda name: len(ours.get_data((f"{name}.parquet",))),
        "ours, HEAD": lambda name: ours._bucket().head(f"{name}.csv"),  # noqa: SLF001
        "theirs, HEAD": lambda name: theirs._create_s3_client().head_object(Bucket=BUCKET, Key=f"{name}.csv"),  # noqa: SLF001
        "bytes": lambda name: client.get_object(Bucket=BUCKET, Key=f"{name}.csv")["Body"].read(),
        "pandas": lambda name: len(pd.read_csv(io.BytesIO(texts[name]))),
    }


def refuse_different(ours: pd.DataFrame, theirs: pd.DataFrame) -> None:
    """Refuse to compare where the two do not read the same power."""
    # Not the timestamps: Solar Data Tools' plug moves them by eight hours.
    if not np.array_equal(ours.to_numpy(), theirs.to_numpy(), equal_nan=True):
        raise SystemExit("the two read different power")


def measure(rounds: int, ways: dict[str, Way]) -> dict[str, list[Turn]]:
    """Time all in turns after one call each."""
    names = [f"site_{number:03}" for number in range(N_OBJECTS)]
    for way in ways.values():
        way(names[0])
    turns = [{what: seconds(way, names) for what, way in ways.items()} for _ in range(rounds)]
    return {what: [turn[what] for turn in turns] for what in ways}


def seconds(way: Way, names: list[str]) -> Turn:
    """Return how long all objects take [s]."""
    start, start_of_processor = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(N_THREADS) as pool:
        found = list(pool.map(way, names))
    if not all(found):
        raise SystemExit("an object was not read")
    return time.perf_counter() - start, time.process_time() - start_of_processor


def told(what: str, ours: list[Turn], theirs: list[Turn]) -> float:
    """Print a comparison; return the ratio of the medians."""
    ratio = median(theirs) / median(ours)
    verdict = "kept" if ratio >= GOAL else "MISSED"
    print(f"{what}: {ratio:.1f} times faster, goal {verdict}")
    print(f"  S3Plug {spread(ours)}\n  S3Bucket {spread(theirs)}")
    return ratio


def median(turns: list[Turn]) -> float:
    """Return the median of the seconds."""
    return statistics.median(seconds for seconds, _ in turns)


def spread(turns: list[Turn]) -> str:
    """Return the median, the least and the most, and the median of the processor's seconds."""
    least, most = (pick(seconds for seconds, _ in turns) for pick in (min, max))
    processor = statistics.median(seconds for _, seconds in turns)
    return f"{median(turns):.2f} s ({least:.2f} to {most:.2f}), {processor:.2f} s of the processor"


def write_objects(folder: Path) -> int:
    """Write the objects; return the number of rows of each."""
    folder.mkdir(parents=True)
    stamps = pd.date_range("2019-01-01", "2020-01-01", freq="5min", inclusive="left")
    hours = stamps.hour + stamps.minute / 60
    daily = np.clip(np.sin((hours - 6) / 12 * np.pi), 0, None)
    for number in range(N_OBJECTS):
        power = (daily * (5 + number % 7) * np.random.default_rng(number).uniform(0.6, 1, len(stamps))).round(3)
        # The columns that Solar Data Tools' plug reads and no others.
        labels = {"site": f"s{number}", "meas_name": "ac_power"}
        frame = pd.DataFrame({**labels, "ts": stamps, "sensor": f"inv_{number}", "meas_val_f": power})
        frame.to_csv(folder / f"site_{number:03}.csv", index=False)
        frame.to_parquet(folder / f"site_{number:03}.parquet", index=False)
    return len(stamps)


def set_environment(url: str) -> None:
    """Say where the store is and who asks, as both plugs are told it."""
    os.environ.update(
        AWS_ENDPOINT_URL=url,
        AWS_ACCESS_KEY_ID=KEY_ID,
        AWS_SECRET_ACCESS_KEY=SECRET,
        AWS_DEFAULT_REGION="us-east-1",
        AWS_CONFIG_FILE=os.devnull,
        AWS_EC2_METADATA_DISABLED="true",
    )


if __name__ == "__main__":
    sys.exit(main())
