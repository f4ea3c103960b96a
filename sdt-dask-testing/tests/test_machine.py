"""A machine is a process in the environment of an image, with its own address; nothing of it is left after its end."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from sdt_dask_testing.machine import Machine, loopback_address

_PATIENCE = 60.0  # s; nothing waits for it when all is well

Start = Callable[..., Machine]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start Python with a text to run; what was started is stopped."""
    with contextlib.ExitStack() as opened:

        def make(text: str, *arguments: str, **more: Any) -> Machine:
            machine = Machine(["python", "-c", text, *arguments], image=sys.prefix, **more)
            opened.callback(machine.stop, grace=0.0)
            return machine

        yield make


def _printed(machine: Machine) -> list[str]:
    machine.wait(_PATIENCE)
    machine.stop()
    return [line.text for line in machine.lines]


def test_what_it_prints_is_kept_line_by_line(start: Start) -> None:
    assert _printed(start("import sys; print('one'); print('two', file=sys.stderr)")) == ["one", "two"]


def test_its_programs_are_those_of_the_image(start: Start) -> None:
    assert _printed(start("import sys; print(sys.prefix)")) == [sys.prefix]


def test_nothing_of_the_tests_environment_is_there(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not for machines")
    text = "import os; print(os.environ.get('AWS_SECRET_ACCESS_KEY'), os.environ['WANTED'])"
    assert _printed(start(text, environment={"WANTED": "yes"})) == ["None yes"]


def test_its_address_stands_in_for_a_mark_in_the_command(start: Start) -> None:
    machine = start("import sys; print(sys.argv[1])", "--host={address}", address="127.77.1.2")
    assert _printed(machine) == ["--host=127.77.1.2"]


def test_two_machines_listen_on_the_same_port(start: Start) -> None:
    text = (
        "import socket, sys\ns = socket.create_server((sys.argv[1], int(sys.argv[2])))\nprint(s.getsockname()[1])\n"
        "s.accept()"
    )
    first = start(text, "{address}", "0")
    assert first.wait_for_line("", _PATIENCE)
    second = start(text, "{address}", first.lines[0].text)
    assert second.wait_for_line(first.lines[0].text, _PATIENCE)


def test_an_unknown_program_is_told_as_containers_tell_it() -> None:
    with pytest.raises(FileNotFoundError, match='exec: "dask-of-old": executable file not found'):
        Machine(["dask-of-old"], image=sys.prefix)


def test_an_image_that_is_no_environment_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no image"):
        Machine(["python"], image=tmp_path)


def test_the_exit_code_is_kept(start: Start) -> None:
    assert start("raise SystemExit(3)").wait(_PATIENCE) == 3


def test_one_that_was_killed_ends_as_a_container_does(start: Start) -> None:
    machine = start("import time; time.sleep(600)")
    machine.kill()
    assert machine.wait(_PATIENCE) == 137
    assert not machine.alive


def test_stop_is_heard_before_it_kills(start: Start) -> None:
    text = "import signal, time\nsignal.signal(15, lambda *_: exit(7))\nprint('ready')\ntime.sleep(600)"
    machine = start(text)
    assert machine.wait_for_line("ready", _PATIENCE)
    assert machine.stop(_PATIENCE) == 7


def test_stop_kills_what_does_not_listen(start: Start) -> None:
    machine = start("import signal, time\nsignal.signal(15, signal.SIG_IGN)\nprint('ready')\ntime.sleep(600)")
    assert machine.wait_for_line("ready", _PATIENCE)
    assert machine.stop(0.1) == 137


def test_stop_ends_what_the_machine_started_too(start: Start) -> None:
    text = "import subprocess, sys\nprint(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']).pid)"
    machine = start(text)
    assert machine.wait_for_line("", _PATIENCE)
    child = psutil.Process(int(machine.lines[0].text))
    machine.stop()
    child.wait(_PATIENCE) if child.is_running() else None
    assert not child.is_running()


def test_its_home_is_gone_after_stop(start: Start) -> None:
    machine = start("open('made', 'w').close(); print('ready')")
    machine.wait(_PATIENCE)
    machine.stop()
    assert not machine.home.exists()


def test_addresses_stay_on_this_machine() -> None:
    assert loopback_address("127.88").startswith("127.88.")


def test_it_ends_with_the_process_that_forgot_to_stop_it() -> None:
    text = (
        "import sys\nfrom sdt_dask_testing.machine import Machine\n"
        "print(Machine(['python', '-c', 'import time; time.sleep(600)'], image=sys.prefix).pid)"
    )
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True, timeout=_PATIENCE)
    assert not psutil.pid_exists(int(done.stdout))
