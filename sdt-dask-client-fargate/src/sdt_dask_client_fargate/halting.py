"""Work that an interrupt stops between two steps, never in the middle of one.

Python interrupts the main thread only. Were a request to AWS cut off there, nobody would know whether the piece that it
asked for was made.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import TypeVar

__all__ = ["Halt", "Halted", "interruptible"]

_STEP = 0.1  # s

Result = TypeVar("Result")


class Halted(BaseException):
    """The work was asked to stop."""


class Halt:
    """Tells work in another thread to stop."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def order(self) -> None:
        """Ask it to stop."""
        self._event.set()

    def check(self) -> None:
        """Stop here when that was asked."""
        if self._event.is_set():
            raise Halted

    def sleep(self, seconds: float) -> None:
        """Wait that long, or until it is asked to stop."""
        self._event.wait(seconds)
        self.check()

    def wait(self, future: Future[Result]) -> Result:
        """Wait for a future; cancel it when it is asked to stop."""
        while True:
            try:
                return future.result(_STEP)
            except FutureTimeoutError:
                if future.done():  # a timeout of its own
                    return future.result()
            if self._event.is_set():
                future.cancel()
                raise Halted


def interruptible(work: Callable[[Halt], Result]) -> Result:
    """Do work in a thread of its own; on an interrupt, ask it to stop and wait until it did.

    Parameters
    ----------
    work : callable
        Given a `Halt`, which it asks between its steps.
    """
    halt = Halt()
    with ThreadPoolExecutor(1, thread_name_prefix="sdt-dask-fargate") as pool:
        future = pool.submit(work, halt)
        try:
            while True:
                try:
                    return future.result(_STEP)
                except FutureTimeoutError:
                    if future.done():
                        return future.result()
        except BaseException:
            halt.order()
            raise  # the pool waits for its thread
