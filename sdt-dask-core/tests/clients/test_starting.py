"""An interrupt in the middle of a start loses nothing that could not be closed any more."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from sdt_dask_core.clients.starting import joined, started


class Thing:
    def __init__(self) -> None:
        self.is_open = True

    def close(self) -> None:
        self.is_open = False


@pytest.fixture
def interrupt() -> Iterator[Callable[[], None]]:
    """Give what interrupts the main thread, and wait for nothing."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield lambda: signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    signal.signal(signal.SIGINT, before)


def test_what_is_made_is_given_back_and_closed_by_the_stack() -> None:
    with contextlib.ExitStack() as opened:
        thing = started(opened, Thing)
        assert thing.is_open
    assert not thing.is_open


def test_what_making_raises_is_raised() -> None:
    with contextlib.ExitStack() as opened, pytest.raises(ZeroDivisionError):
        started(opened, lambda: 1 / 0)


def test_what_is_made_under_an_interrupt_is_closed(interrupt: Callable[[], None]) -> None:
    made = []

    def make() -> Thing:
        interrupt()
        made.append(Thing())
        return made[0]

    with contextlib.ExitStack() as opened, pytest.raises(KeyboardInterrupt):
        started(opened, make)
    assert not made[0].is_open


def loops() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "IO loop"}


def test_a_client_that_finds_no_scheduler_leaves_no_loop() -> None:
    before = loops()
    with contextlib.ExitStack() as opened, pytest.raises(OSError, match="Timed out trying to connect"):
        joined(opened, "tcp://127.0.0.1:9", timeout=0.5)
    assert loops() <= before


def test_a_client_that_is_interrupted_while_it_waits_leaves_no_loop(interrupt: Callable[[], None]) -> None:
    before = loops()
    with socket.create_server(("127.0.0.1", 0)) as silent, contextlib.ExitStack() as opened:

        def accept_and_interrupt() -> None:
            connection, _ = silent.accept()
            with connection:
                connection.recv(1)  # the client greets, then waits for the answer
                interrupt()

        thread = threading.Thread(target=accept_and_interrupt)
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            joined(opened, f"tcp://127.0.0.1:{silent.getsockname()[1]}", timeout=600.0)
        opened.close()
        thread.join()
    assert loops() <= before
