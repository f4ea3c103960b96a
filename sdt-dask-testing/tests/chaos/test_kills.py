"""The kills count what does not end, what is left behind and what cannot go on."""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from sdt_dask_testing.chaos import Kills, kills, sides
from sdt_dask_testing.chaos.endings import end_driver
from sdt_dask_testing.chaos.instants import Watched
from sdt_dask_testing.chaos.marked import Marked, marked_processes, wait_until
from sdt_dask_testing.chaos.tally import Tally

LEAVES_A_PROCESS = "import os, time; os.fork() or (os.setsid(), os.fork() or time.sleep(60))"


@pytest.fixture
def with_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Tally]:
    """Run the kills with this program for a driver."""

    def run(code: str) -> Tally:
        monkeypatch.setattr(Kills, "_start", lambda *_: Marked([sys.executable, "-c", code], tmp_path))
        return Kills(tmp_path / "kills", seed=1, kills=1, n_keys=2).run()

    return run


def test_a_driver_that_does_not_end_is_hung(
    with_driver: Callable[[str], Tally], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kills, "_PATIENCE", 1.0)
    tally = with_driver("import time; time.sleep(60)")
    assert dict(tally.harms) == {"hung": 1}


def test_a_process_that_a_driver_leaves_is_counted_and_ended(
    with_driver: Callable[[str], Tally], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kills, "_GONE", 2.0)
    tally = with_driver(f"{LEAVES_A_PROCESS}; os._exit(2)")
    assert tally.harms["left"] == 1
    assert not [process for process in psutil.process_iter() if LEAVES_A_PROCESS in " ".join(_command(process))]


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def test_a_driver_that_cannot_go_on_is_counted_with_its_words(with_driver: Callable[[str], Tally]) -> None:
    tally = with_driver("print('the ledger is in another castle'); raise SystemExit(2)")
    assert tally.sentences == ["refused: a driver ended with exit code 2: the ledger is in another castle"]


def test_what_a_marked_process_starts_is_found_without_its_parent(tmp_path: Path) -> None:
    marked = Marked([sys.executable, "-c", LEAVES_A_PROCESS], tmp_path)
    try:
        marked.process.wait(timeout=60)
        assert wait_until(lambda: len(marked_processes(marked.mark)) >= 1, seconds=60)
    finally:
        marked.end()
    assert wait_until(lambda: not marked_processes(marked.mark), seconds=60)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("Ctrl-C", "[2]"),
        ("Ctrl-C twice", "[2, 2]"),
        ("SIGTERM", "[15]"),
        ("kill -9", ""),
        ("stopped, then kill -9", ""),
    ],
)
def test_a_driver_is_ended_as_drawn(tmp_path: Path, how: str, said: str) -> None:
    code = (
        "import signal, time\nheard = []\nfor s in (2, 15):\n    signal.signal(s, lambda n, f: heard.append(n))\n"
        "print('ready', flush=True)\n"
        f"wanted = {how.count('twice') + 1}\n"
        "while len(heard) < wanted:\n    time.sleep(0.01)\nprint(heard)"
    )
    marked = Marked([sys.executable, "-c", code], tmp_path)
    try:
        assert wait_until(lambda: marked.printed == "ready", seconds=60)
        end_driver(marked, how, 2.0)
        marked.process.wait(timeout=60)
        assert marked.printed.removeprefix("ready").strip() == said
    finally:
        marked.end()


def test_a_mark_reaches_what_is_stopped(tmp_path: Path) -> None:
    marked = Marked([sys.executable, "-c", "import time; time.sleep(60)"], tmp_path)
    os.kill(marked.pid, signal.SIGSTOP)
    marked.end()
    assert not marked.is_alive


def test_nothing_is_begun_when_the_time_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Kills, "_run_undisturbed", lambda *_: True)
    tally: Any = Kills(tmp_path, seed=1, kills=1, seconds=0.0).run()
    assert tally.facts["rounds"] == 0


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Marked]:
    """A process with another one below it, which goes on without it."""
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"
    marked = Marked([sys.executable, "-c", code], tmp_path)
    assert wait_until(lambda: len(marked.all()) == 2, seconds=60)
    yield marked
    marked.end()


def test_a_process_that_outlives_the_one_it_was_below_is_left(family: Marked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sides, "_GONE", 0.5)
    monkeypatch.setattr(sides, "workers", lambda _: [psutil.Process(family.pid)])
    tally = Tally("test", 0)
    rng = random.Random(0)
    monkeypatch.setattr(rng, "choice", lambda given: "worker kill -9" if "worker kill -9" in given else given[0])
    alive = Watched(*[lambda: True] * 4, n_outcomes=lambda: 1, n_todo=1)  # type: ignore[misc, arg-type]
    sides.strike_aside(rng, family, alive, None, tally)
    assert dict(tally.faults) == {"worker kill -9": 1}
    assert dict(tally.harms) == {"left": 1}
