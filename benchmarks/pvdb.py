"""Five million rows from PostgreSQL: the plug `pvdb` against ``pandas.read_sql``, seconds and peak memory.

    python benchmarks/pvdb.py [ROWS] [ROUNDS]

Each read has a process of its own and starts with everything imported; both take turns, so that whatever else the
machine does meets both. The server is a real PostgreSQL, started here. Both do the whole work of a key: two columns of
one sensor in order of time, as a series with -999999 masked. Exit code 1 when the plug is slower or takes more memory.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys

from postgres import Postgres, started

TABLE = "CREATE TABLE measurements (site varchar, meas_name varchar, ts timestamp, sensor varchar, meas_val_f float8)"
FILL = (
    "INSERT INTO measurements SELECT 'a', 'ac_power', timestamp '2001-01-01' + n * interval '1 second', 's', "
    "CASE WHEN n % 1000 = 0 THEN -999999 ELSE random() END FROM generate_series(0, {} - 1) n"
)
INDEX = "CREATE INDEX ON measurements (site, meas_name, sensor, ts)"

METER = """
import json, sys, time
from sdt_dask_testing.peak import peak_memory
given = json.loads(sys.argv[1])
def measured(read):
    before, start = peak_memory(), time.perf_counter()
    rows = len(read())
    print(json.dumps({"seconds": time.perf_counter() - start, "bytes": peak_memory() - before, "rows": rows}))
"""
PLUG = """
import numpy, pandas, psycopg2
from sdt_dask_core.secret import Secret
from sdt_dask_plug_pvdb import PvdbPlug, frame, series
plug = PvdbPlug(**{**given, "password": Secret("env:PGPASSWORD")}, utc_offset=-8.0)
measured(lambda: plug.get_data(("a", "s")))
"""
PANDAS = """
import pandas, sqlalchemy, psycopg2
url = sqlalchemy.URL.create("postgresql+psycopg2", given["user"], None, given["host"], given["port"], given["database"])
query = sqlalchemy.text(
    "SELECT ts, meas_val_f FROM measurements WHERE site = 'a' AND meas_name = 'ac_power' AND sensor = 's' ORDER BY ts"
)
def read():
    frame = pandas.read_sql(query, sqlalchemy.create_engine(url)).set_index("ts")
    frame = frame.mask(frame == -999999.0)
    frame.index = frame.index + pandas.Timedelta(hours=-8)
    return frame
measured(read)
"""


def main() -> int:
    """Measure, print and judge."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3  # noqa: PLR2004
    with started() as server:
        server.run(TABLE, FILL.format(rows), INDEX, "VACUUM ANALYZE measurements")
        turns = [(once(PLUG, server, rows), once(PANDAS, server, rows)) for _ in range(rounds)]
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {rows:,} rows, {rounds} rounds: ", end="")
    print("median (least to most)")
    plug = told("plug pvdb", [turn[0] for turn in turns])
    pandas = told("pandas.read_sql", [turn[1] for turn in turns])
    is_kept = plug[0] <= pandas[0] and plug[1] <= pandas[1]
    print(f"{pandas[0] / plug[0]:.1f} times as fast, {pandas[1] / plug[1]:.1f} times less memory: ", end="")
    print("kept" if is_kept else "BROKEN")
    return int(not is_kept)


def told(name: str, turns: list[dict[str, float]]) -> tuple[float, float]:
    """Print how long one took and how much memory; return the medians."""
    times, sizes = [turn["seconds"] for turn in turns], [turn["bytes"] for turn in turns]
    seconds, grown = statistics.median(times), statistics.median(sizes)
    print(f"{name:16} {seconds:6.1f} s ({min(times):.1f} to {max(times):.1f}), ", end="")
    print(f"{grown / 2**20:5.0f} MiB above what was imported")
    return seconds, grown


def once(script: str, server: Postgres, rows: int) -> dict[str, float]:
    """Read once, in a process of its own."""
    given = {"host": "127.0.0.1", "port": server.port, "database": "postgres", "user": "admin"}
    done = subprocess.run(
        [sys.executable, "-c", METER + script, json.dumps(given)],
        env={**os.environ, "PGPASSWORD": server.password},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    if found["rows"] != rows:
        raise SystemExit(f"{found['rows']} rows came back, not {rows}")
    return found


if __name__ == "__main__":
    sys.exit(main())
