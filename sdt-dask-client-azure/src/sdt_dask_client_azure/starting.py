"""Starting what takes minutes, so that an interrupt ends it soon and loses nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

__all__ = ["given_up_on_interrupt", "undisturbed"]

_T = TypeVar("_T")


def given_up_on_interrupt(make: Callable[[], _T], stop: threading.Event) -> _T:
    """Do something in a thread of its own; an interrupt tells it to stop, and is heard when it has.

    Python interrupts the main thread only, and what a thread had begun it also brings to its end.

    Parameters
    ----------
    make : callable
        Does it, and looks at `stop` again and again.
    stop : threading.Event
        Set by an interrupt.
    """
    return _in_thread(make, stop.set)


def undisturbed(work: Callable[[], _T]) -> _T:
    """Do something to its end, in a thread; one interrupt is heard afterwards, a second one at once."""
    return _in_thread(work, lambda: None)


def _in_thread(work: Callable[[], _T], on_interrupt: Callable[[], None]) -> _T:
    future: Future[_T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            future.set_exception(error)

    # No executor: at the end of the process there is none any more.
    thread = threading.Thread(target=run, name="azure-client")
    try:
        thread.start()
        # Not Thread.join: before Python 3.13, one that is interrupted takes its thread for ended while it goes on.
        wait([future])
    except BaseException:
        on_interrupt()
        if thread.ident is not None:
            wait([future])
        raise
    return future.result()
