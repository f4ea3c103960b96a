"""What is told of a key whose child died: how, where it was, how large it was; with real child processes."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sdt_dask_core import deaths
from sdt_dask_core.job import Job
from sdt_dask_core.reference import refer_to

from .dying import DyingAnalysis, DyingPlug, clear_days
from .test_task import _no_child_is_left, outcome  # noqa: F401 - a fixture


def job(*, dies: bool = False, how: str = "", **more: Any) -> str:
    analyses = (refer_to("analysis", DyingAnalysis, {"how": how}),) if how else ()
    return Job(plug=refer_to("plug", DyingPlug, {"dies": dies}), analyses=analyses, **more).as_text()


def test_a_crash_tells_the_signal_the_analysis_and_the_size_of_the_key() -> None:
    failed = outcome(job(how="SIGSEGV"))
    n_rows = len(clear_days())
    assert (failed["cause"], failed["signal"], failed["at"], failed["n_rows"]) == (
        "crashed",
        "SIGSEGV",
        "dying",
        n_rows,
    )
    assert f"ended with signal SIGSEGV while 'dying' analysed its {n_rows:,} rows (after " in failed["message"]


def test_a_crash_tells_the_peak_of_its_memory() -> None:
    failed = outcome(job(how="SIGABRT"))
    assert failed["peak_rss_mb"] > 10
    said = re.search(r"with up to ([\d.]+) GiB of memory", failed["message"])
    assert said
    assert float(said[1]) == pytest.approx(failed["peak_rss_mb"] / 1024, abs=0.011)  # both are rounded


def test_an_exit_tells_its_code() -> None:
    failed = outcome(job(how="exit"))
    assert (failed["cause"], failed["exit_code"]) == ("crashed", 7)
    assert "ended with exit code 7 while 'dying' analysed" in failed["message"]


def test_a_key_killed_while_it_is_read_says_so() -> None:
    failed = outcome(job(dies=True))
    assert (failed["cause"], failed["signal"], failed["at"]) == ("killed", "SIGTERM", "read")
    assert "while its data were read" in failed["message"]
    assert "n_rows" not in failed


def test_a_kill_by_a_machine_without_memory_is_told_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = iter([3, 3, 4])
    monkeypatch.setattr(deaths, "n_killed_for_memory", lambda: next(counts))
    failed = outcome(job(how="SIGKILL"))
    assert failed["cause"] == "out_of_memory"
    assert failed["message"].startswith("the machine ran out of memory and its system killed the process")


def test_a_timeout_says_what_took_so_long() -> None:
    outcome(job())  # so that the time goes by in the analysis, not in imports
    failed = outcome(job(how="sleep", key_timeout=3.0))
    assert failed["cause"] == "timeout"
    assert "was stopped while 'dying' analysed its " in failed["message"]


def test_an_outcome_too_large_for_the_ledger_fails_with_its_size() -> None:
    failed = outcome(job(how="huge"))
    assert failed["cause"] == "bad_result"
    assert "characters, more than 4,194,304; keep arrays out of it" in failed["message"]


def test_twice_the_share_is_twice_the_memory_where_the_machine_has_it() -> None:
    from sdt_dask_core.task import _allowance

    text = Job.from_text(job(memory_limit=2**28))
    assert [_allowance(text, share).memory for share in (1, 2)] == [2**28, 2**29]


def test_twice_the_share_is_no_more_than_the_machine_has() -> None:
    from distributed.system import MEMORY_LIMIT

    from sdt_dask_core.task import _allowance

    text = Job.from_text(job(memory_limit=int(0.75 * MEMORY_LIMIT)))
    assert _allowance(text, 2).memory == MEMORY_LIMIT
