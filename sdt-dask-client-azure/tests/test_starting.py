"""An interrupt of the start is heard when the start has come to its end, and not before."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator

import pytest

from sdt_dask_client_azure.starting import given_up_on_interrupt, undisturbed


@pytest.fixture(autouse=True)
def _heard() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def _interrupt() -> None:
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


def test_what_is_made_is_given_back():
    assert given_up_on_interrupt(lambda: 5, threading.Event()) == 5


def test_an_interrupted_start_is_told_to_stop_and_waited_for():
    stop, ended = threading.Event(), []

    def make() -> None:
        time.sleep(0.2)  # so that the main thread waits
        _interrupt()
        ended.append(stop.wait(60))
        time.sleep(0.2)
        ended.append(True)

    with pytest.raises(KeyboardInterrupt):
        given_up_on_interrupt(make, stop)
    assert ended == [True, True]


def test_work_that_must_not_be_disturbed_comes_to_its_end():
    ended = []

    def work() -> None:
        time.sleep(0.2)
        _interrupt()
        time.sleep(0.2)
        ended.append(True)

    with pytest.raises(KeyboardInterrupt):
        undisturbed(work)
    assert ended == [True]
