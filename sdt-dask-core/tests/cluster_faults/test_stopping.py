"""`StopRequest`: what it hears, when it interrupts, and what it leaves to others."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Iterator

import pytest

from sdt_dask_core.stopping import StopRequest

ALL = ("SIGINT", "SIGTERM", "SIGHUP")


@pytest.fixture(autouse=True)
def _usual_handlers() -> Iterator[None]:
    """Let signals mean what they mean in a program of a user, whatever the tests' own process does with them."""
    before = {name: signal.getsignal(getattr(signal, name)) for name in ALL}
    for name in ALL:
        signal.signal(getattr(signal, name), signal.default_int_handler if name == "SIGINT" else signal.SIG_DFL)
    yield
    for name, handler in before.items():
        signal.signal(getattr(signal, name), handler)


@pytest.mark.parametrize("name", ALL)
def test_a_signal_is_noted_and_interrupts_nothing(name: str) -> None:
    stop = StopRequest()
    with stop.heard():
        signal.raise_signal(getattr(signal, name))
    assert stop.is_asked
    assert not stop.is_urgent


@pytest.mark.parametrize("name", ALL)
def test_a_signal_interrupts_what_may_take_minutes(name: str) -> None:
    stop = StopRequest()
    with stop.heard(), pytest.raises(KeyboardInterrupt), stop.interrupting():
        signal.raise_signal(getattr(signal, name))
    assert stop.is_asked


def test_after_what_may_be_interrupted_a_signal_is_noted_again() -> None:
    stop = StopRequest()
    with stop.heard():
        with stop.interrupting():
            pass
        signal.raise_signal(signal.SIGINT)
    assert stop.times == 1


def test_a_signal_that_was_noted_interrupts_at_the_next_check() -> None:
    stop = StopRequest()
    stop.check()
    with stop.heard():
        signal.raise_signal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        stop.check()


def test_handlers_are_as_before_afterwards() -> None:
    before = [signal.getsignal(getattr(signal, name)) for name in ALL]
    with pytest.raises(RuntimeError), StopRequest().heard():
        raise RuntimeError
    assert [signal.getsignal(getattr(signal, name)) for name in ALL] == before


@pytest.mark.parametrize("handler", [signal.SIG_IGN, lambda *_: None])
def test_a_handler_of_the_program_around_us_stays(handler: signal.Handlers) -> None:
    signal.signal(signal.SIGTERM, handler)
    with StopRequest().heard():
        assert signal.getsignal(signal.SIGTERM) is handler


def test_another_thread_hears_nothing() -> None:
    seen: list[object] = []

    def work() -> None:
        with StopRequest().heard():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.SIG_DFL]


def test_keys_in_work_have_their_grace_and_no_more() -> None:
    now = [0.0]
    stop = StopRequest(grace=10.0, clock=lambda: now[0])
    assert not stop.look()
    with stop.heard():
        signal.raise_signal(signal.SIGINT)
    assert not stop.look()
    now[0] = 9.9
    assert not stop.look()
    now[0] = 10.0
    assert stop.look()


def test_a_second_signal_leaves_no_grace() -> None:
    stop = StopRequest()
    with stop.heard():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
    assert stop.look()


def test_each_signal_that_changes_something_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    stop = StopRequest()
    with caplog.at_level(logging.WARNING), stop.heard():
        for _ in range(4):
            signal.raise_signal(signal.SIGINT)
            stop.look()
            stop.look()
    assert [record.getMessage() for record in caplog.records] == [
        "stopping: no more keys are handed out, those in work have 10 s to finish; Ctrl-C again stops at once",
        "stopping at once",
    ]
