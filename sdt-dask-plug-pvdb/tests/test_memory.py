"""Large series: memory holds the result's own arrays and one chunk, however long the series is."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from pvdb_source import Source

ROWS = 5_000_000

SCRIPT = """
import json, sys
import numpy, pandas, psycopg2
from sdt_dask_core.options import options_of
from sdt_dask_plug_pvdb import PvdbPlug
from sdt_dask_plug_pvdb import frame, series
from sdt_dask_testing.peak import peak_memory

options = options_of(PvdbPlug, kind="plug", name="pvdb")
given = json.loads(sys.argv[1])
PvdbPlug(**options.build_arguments({**given, "end": "2001-01-01 06:00:00"})).get_data(("a", "s"))
before = peak_memory()
got = PvdbPlug(**options.build_arguments(given)).get_data(("a", "s"))
print(json.dumps([len(got), float(got["ac_power"].sum()), bool(got.index.is_unique), peak_memory() - before]))
"""


@pytest.mark.slow
def test_five_million_rows_take_no_more_memory_than_their_arrays(source: Source):
    source.ask(
        "INSERT INTO measurements SELECT 'a', 'ac_power', timestamp '2001-01-01' + n * interval '1 second', 's', n "
        f"FROM generate_series(0, {ROWS - 1}) n"
    )
    source.ask("CREATE INDEX ON measurements (site, meas_name, sensor, ts)")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(source.options)], capture_output=True, text=True, check=True
    )
    rows, total, is_unique, grown = json.loads(done.stdout)
    assert (rows, total, is_unique) == (ROWS, ROWS * (ROWS - 1) / 2, True)
    # Timestamps, power, and the timestamps once more in local time; and a chunk, which the first read did not have.
    arrays = 3 * 8 * ROWS
    assert grown < arrays + 80 * 2**20
