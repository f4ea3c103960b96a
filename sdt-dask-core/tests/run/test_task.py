"""What a worker does with one key, with real child processes and without a cluster."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from sdt_dask_core.job import Job
from sdt_dask_core.reference import refer_to
from sdt_dask_core.task import close_children, run_key
from sdt_dask_testing import FaultyPlug

from .conftest import PATIENCE, computing, descendants, wait_until
from .plugs import ManyKeysPlug, PickyPlug

#: The stint of the test that runs.
STINT: list[str] = []


@pytest.fixture(autouse=True)
def _no_child_is_left() -> Iterator[None]:
    STINT[:] = [uuid.uuid4().hex]
    yield
    close_children(STINT[0])


def job(plug: Any = ManyKeysPlug, *, options: dict[str, Any] | None = None, **changes: Any) -> str:
    return Job(plug=refer_to("plug", plug, options or {}), analyses=(), **changes).as_text()


def outcome(job_text: str, key: str = '["a"]', options: dict[str, Any] | None = None) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(run_key(job_text, key, options or {}, {}, STINT[0]))
    return answer


def child() -> psutil.Process:
    (process,) = computing(descendants())
    return process


def test_one_child_does_one_key_after_another() -> None:
    text = job()
    assert outcome(text)["status"] == "done"
    first = child().pid
    assert outcome(text)["status"] == "done"
    assert child().pid == first


def test_a_key_that_comes_after_the_end_of_its_stint_starts_no_child() -> None:
    close_children(STINT[0])
    assert outcome(job())["cause"] == "child_not_started"
    assert computing(descendants()) == []


def test_the_end_of_a_stint_leaves_the_children_of_others() -> None:
    outcome(job())
    first = child()
    close_children("that of another run on the same worker")
    assert first.is_running()
    assert outcome(job())["status"] == "done"
    assert child() == first


def test_a_child_that_died_between_two_keys_fails_none() -> None:
    text = job()
    outcome(text)
    dead = child()
    dead.kill()
    dead.wait(PATIENCE)
    assert outcome(text)["status"] == "done"


def test_a_child_in_which_a_key_crashed_is_replaced() -> None:
    text = job(FaultyPlug)
    assert outcome(text, '["os_exit"]')["cause"] == "crashed"
    assert computing(descendants()) == []
    assert outcome(text)["status"] == "done"


def test_what_a_key_forked_goes_down_with_its_child() -> None:
    before = set(descendants())
    assert outcome(job(FaultyPlug), '["good_leaves_a_process"]')["status"] == "done"
    close_children(STINT[0])
    wait_until(lambda: not set(descendants()) - before, "no process was left")


def test_a_fork_that_holds_the_pipes_of_a_hung_key_goes_down_with_it() -> None:
    before = set(descendants())
    outcome(job(FaultyPlug))  # so that the time goes by in the key, not in imports
    failed = outcome(job(FaultyPlug, key_timeout=2.0), '["hang_with_children"]')
    assert failed["cause"] == "timeout"
    assert failed["message"].startswith(
        "the key took longer than 2 s and was stopped while its data were read (after 2."
    )
    assert failed["message"].endswith(" of memory); set key_timeout higher, or look at the system's data")
    wait_until(lambda: not set(descendants()) - before, "no process was left")


def test_the_memory_limit_of_a_job_is_kept() -> None:
    failed = outcome(job(FaultyPlug, memory_limit=400 * 2**20), '["hog"]')
    assert failed["cause"] == "out_of_memory"
    assert (
        "more than the 0.39 GiB that one process may hold, and was stopped while its data were read (after"
        in (failed["message"])
    )
    assert failed["peak_rss_mb"] > 400


def test_an_outcome_says_where_and_how_long() -> None:
    done = outcome(job())
    assert done["host"]
    assert done["peak_rss_mb"] > 10
    assert set(done["seconds"]) == {"read", "check"}


def test_a_plug_that_cannot_be_built_fails_its_key_with_the_reason() -> None:
    failed = outcome(job(PickyPlug), options={"number": 13})
    assert (failed["stage"], failed["cause"]) == ("plug", "broken_provider")
    assert "plug 'PickyPlug' of (yours) " in failed["message"]
    assert "raised in __init__: ValueError: not 13" in failed["message"]


def test_a_plug_that_does_not_close_fails_no_key() -> None:
    text = job(PickyPlug)
    # Each system has options of its own, and a child keeps eight plugs.
    assert {outcome(text, options={"number": number})["status"] for number in range(12)} == {"done"}


def test_what_a_library_registered_for_the_end_is_done() -> None:
    code = "import atexit, os; from sdt_dask_core import child; atexit.register(os.write, 2, b'done'); child.main()"
    ended = subprocess.run([sys.executable, "-c", code], stdin=subprocess.DEVNULL, capture_output=True, check=True)
    assert ended.stderr == b"done"


def test_an_interpreter_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho no such module >&2; exit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(broken))
    failed = outcome(job())
    assert (failed["stage"], failed["cause"]) == ("worker", "child_not_started")
    assert f"with {broken}: no such module; is sdt-dask-core installed there?" in failed["message"]


def test_a_file_beside_the_run_shadows_no_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "pandas.py").write_text("raise SystemExit('shadowed')")
    monkeypatch.chdir(tmp_path)
    assert outcome(job())["status"] == "done"


def test_what_dask_sets_for_its_own_memory_does_not_reach_the_solvers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "65536")
    outcome(job())
    assert "MALLOC_TRIM_THRESHOLD_" not in child().environ()


def test_solvers_get_one_thread() -> None:
    outcome(job())
    environment = child().environ()
    assert {environment[name] for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")} == {"1"}
