"""Ctrl-C, SIGTERM and a closed terminal, at the command line: what is recorded, what is said, what is left."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import time
from collections.abc import Callable

import pytest

from sdt_dask_core.ledger import LedgerReader

from .conftest import Fleet
from .processes import CommandLine, wait_until

pytestmark = pytest.mark.slow

Start = Callable[..., CommandLine]

LOCAL = ("-c", "n_workers=2")
SAYS_FIRST = (
    "warning: stopping: no more keys are handed out, those in work have 10 s to finish; Ctrl-C again stops at once"
)


def with_held_keys(fleet: Fleet, start: Start, **how: bool) -> CommandLine:
    """Start a run in which some keys are done, and two are held."""
    fleet.hold(4, 5)
    line = start(*fleet.arguments, *LOCAL, **how)
    fleet.wait_for_reads(4, 5)
    return line


def assert_rest_is_resumed(fleet: Fleet, start: Start) -> None:
    """Resume; what was done is not done again, and the rest is."""
    fleet.let_go()
    before = {number: len(fleet.reads(number)) for number in fleet.done}
    assert start("resume", fleet.output).ended() == 0
    assert len(fleet.done) == 12
    assert {number: len(fleet.reads(number)) for number in before} == before


def assert_sound(fleet: Fleet) -> None:
    with LedgerReader(fleet.output) as ledger, contextlib.closing(sqlite3.connect(ledger.path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_after_ctrl_c_keys_in_work_finish_and_no_other_is_handed_out(fleet: Fleet, sdt_dask: Start) -> None:
    line = with_held_keys(fleet, sdt_dask, terminal=True)
    line.ctrl_c()
    wait_until(lambda: SAYS_FIRST in line.said, "it said that it stops")
    handed_out, finished = fleet.n_attempts, len(fleet.done)
    fleet.let_go()
    assert line.ended() == 130
    assert fleet.n_attempts == handed_out < 12
    assert {4, 5} <= fleet.done
    assert len(fleet.done) > finished
    assert f"sdt-dask resume {fleet.output} does the rest" in line.said
    assert_rest_is_resumed(fleet, sdt_dask)


def test_what_is_said_at_ctrl_c_has_a_line_of_its_own(fleet: Fleet, sdt_dask: Start) -> None:
    line = with_held_keys(fleet, sdt_dask, terminal=True)
    line.ctrl_c()
    wait_until(lambda: SAYS_FIRST in line.said, "it said that it stops")
    fleet.let_go()
    line.ended()
    (said,) = [text for text in line.said.split("\n") if "stopping:" in text]
    assert said.rpartition("\x1b[2K")[2] == SAYS_FIRST  # rich takes its live line away before


def test_a_second_ctrl_c_ends_the_run_at_once_and_its_hanging_keys(fleet: Fleet, sdt_dask: Start) -> None:
    fleet.hang(4, 5)
    line = sdt_dask(*fleet.arguments, *LOCAL, terminal=True)
    fleet.wait_for_reads(4, 5)
    line.ctrl_c()
    wait_until(lambda: SAYS_FIRST in line.said, "it said that it stops")
    line.ctrl_c()
    wait_until(lambda: "warning: stopping at once" in line.said, "it said that it stops at once")
    assert line.ended() == 130
    assert fleet.endings(4) == fleet.endings(5) == ["interrupted"]
    assert fleet.states == {"done", "todo"}
    assert_rest_is_resumed(fleet, sdt_dask)


def test_any_number_of_ctrl_c_leaves_neither_a_process_nor_a_broken_ledger(fleet: Fleet, sdt_dask: Start) -> None:
    fleet.hang(4, 5)
    line = sdt_dask(*fleet.arguments, *LOCAL, terminal=True)
    fleet.wait_for_reads(4, 5)
    while line.process.poll() is None:
        line.ctrl_c()
        time.sleep(0.05)
    # One that comes when the run has ended ends Python itself; a shell shows both as 130.
    assert line.ended() in (130, -signal.SIGINT)
    assert fleet.run.state == "interrupted"
    assert_sound(fleet)
    assert_rest_is_resumed(fleet, sdt_dask)


def test_sigterm_is_a_ctrl_c(fleet: Fleet, sdt_dask: Start) -> None:
    line = with_held_keys(fleet, sdt_dask)
    line.process.terminate()
    wait_until(lambda: SAYS_FIRST in line.said, "it said that it stops")
    fleet.let_go()
    assert line.ended() == 130
    assert {4, 5} <= fleet.done
    assert_rest_is_resumed(fleet, sdt_dask)


def test_closing_the_terminal_ends_the_run_cleanly(fleet: Fleet, sdt_dask: Start) -> None:
    line = with_held_keys(fleet, sdt_dask, terminal=True)
    finished = fleet.done
    line.close_terminal()
    line.ended()
    assert fleet.run.state == "interrupted"
    assert finished <= fleet.done
    assert fleet.endings(4) == ["interrupted"]
    assert_rest_is_resumed(fleet, sdt_dask)


def test_nohup_lets_a_run_go_on_without_its_terminal(fleet: Fleet, sdt_dask: Start) -> None:
    fleet.hold(4, 5)
    line = sdt_dask(*fleet.arguments, *LOCAL, before="import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)")
    fleet.wait_for_reads(4, 5)
    os.killpg(line.process.pid, signal.SIGHUP)
    fleet.let_go()
    assert line.ended() == 0
    assert len(fleet.done) == 12


def test_an_interrupt_before_the_cluster_is_there_starts_no_key(fleet: Fleet, sdt_dask: Start) -> None:
    line = sdt_dask(*fleet.arguments, *LOCAL, before=IN_THE_START)
    assert line.ended() == 130
    assert fleet.n_attempts == 0
    assert "error: interrupted; what was finished is recorded" in line.said
    assert_rest_is_resumed(fleet, sdt_dask)


IN_THE_START = """
import os, signal, distributed
class Interrupted(distributed.LocalCluster):
    def __init__(self, *arguments, **more):
        os.kill(os.getpid(), signal.SIGINT)
        super().__init__(*arguments, **more)
distributed.LocalCluster = Interrupted
"""
