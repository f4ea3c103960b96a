"""A process that publishes is killed anywhere, again and again; each row is there once after the repeat."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from sdt_dask_testing.published import publish, results

N_ROWS = 150
N_KILLS = 4


def kill_somewhere(seconds: float) -> int:
    """Publish in a process that is killed so long after it began; return its exit code."""
    script = Path(__file__).with_name("publishing_process.py")
    process = subprocess.Popen([sys.executable, script, str(N_ROWS)], stdout=subprocess.PIPE)
    with process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(seconds)
        process.kill()
        return process.wait()


def test_kills_at_random_instants_leave_each_row_once(target: Any) -> None:
    seed = random.randrange(2**32)
    sys.stderr.write(f"seed {seed}\n")  # shown where the test fails
    chance = random.Random(seed)
    codes = [kill_somewhere(chance.uniform(0.3, 2.0)) for _ in range(N_KILLS)]
    rows = target.rows()
    # Between the chunks and in them: rows and record always agree.
    recorded = sum(row["n_rows"] for row in target.rows("sdt_dask_results_published"))
    assert (len(rows), set(Counter(row["key"] for row in rows).values()) - {1}) == (recorded, set())
    assert set(codes) <= {-signal.SIGKILL, 0}
    publish(target.publisher(), "killed", results(n_rows=N_ROWS))
    assert Counter(row["key"] for row in target.rows()) == Counter(results(n_rows=N_ROWS)["key"])


def test_a_server_that_goes_away_leaves_each_row_once_after_the_repeat(postgres: Any, server: Any) -> None:
    script = Path(__file__).with_name("publishing_process.py")
    command = [sys.executable, script, str(N_ROWS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.7)
        server.restart()
        _, said = process.communicate(timeout=120)
    assert process.returncode == 0 or "PublishError" in said
    assert server.password not in said
    publish(postgres.publisher(), "killed", results(n_rows=N_ROWS))
    assert Counter(row["key"] for row in postgres.rows()) == Counter(results(n_rows=N_ROWS)["key"])
