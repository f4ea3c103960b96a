"""Stop requests: Ctrl-C, SIGTERM and a closed terminal, heard at a moment when nothing can be torn.

A ``KeyboardInterrupt`` comes at any line, also in the middle of a commit. While keys are worked off a signal is only
noted, and looked at between two outcomes. The first lets the keys in work come to their end for a moment, the second
ends the run at once; what comes later changes nothing any more, because everything is being closed already.
"""

from __future__ import annotations

import contextlib
import logging
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator

__all__ = ["GRACE", "StopRequest"]

logger = logging.getLogger(__name__)

#: How long keys in work may still take after the first signal [s].
GRACE = 10.0

# SIGHUP: the terminal was closed, or the connection to it broke. Windows has none.
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
# A handler of the program around us is its own business, and nohup lets a program ignore SIGHUP on purpose.
_OURS_TO_HEAR = (signal.SIG_DFL, signal.default_int_handler)


class StopRequest:
    """What the user, or the system, asked of a run by signals.

    Parameters
    ----------
    grace : float
        How long keys in work may still take after the first signal [s].
    clock : callable
        Returns a time that only grows [s].

    Attributes
    ----------
    times : int
        How many signals were heard.
    """

    def __init__(self, grace: float = GRACE, clock: Callable[[], float] = time.monotonic) -> None:
        self.grace = grace
        self.clock = clock
        self.times = 0
        self._said = 0
        self._ends_at = math.inf
        self._interrupts = False

    @contextlib.contextmanager
    def heard(self) -> Iterator[None]:
        """Hear the signals of this process; in another thread than the main one nothing can and nothing does."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.getsignal(number) for number in _SIGNALS}
        for number, handler in before.items():
            if handler in _OURS_TO_HEAR:
                signal.signal(number, self._hear)
        try:
            yield
        finally:
            for number, handler in before.items():
                if handler in _OURS_TO_HEAR:
                    signal.signal(number, handler)

    def _hear(self, _number: int, _frame: object) -> None:
        self.times += 1
        if self._interrupts:
            raise KeyboardInterrupt

    @contextlib.contextmanager
    def interrupting(self) -> Iterator[None]:
        """Let a signal raise ``KeyboardInterrupt`` in the body: it may block for minutes, and can be broken off."""
        self._interrupts = True
        try:
            yield
        finally:
            self._interrupts = False

    def check(self) -> None:
        """Raise ``KeyboardInterrupt`` for a signal that was noted."""
        if self.times:
            raise KeyboardInterrupt

    @property
    def is_asked(self) -> bool:
        """Whether no key is to be handed out any more."""
        return self.times > 0

    @property
    def is_urgent(self) -> bool:
        """Whether nothing is to be waited for any more."""
        return self.times > 1

    def look(self) -> bool:
        """Say what was heard since the last look; return whether also the keys in work have no time left."""
        # Said here and not by the handler, which may have come in the middle of another line.
        if self.is_asked and not self._said:
            self._said = 1
            self._ends_at = self.clock() + self.grace
            logger.warning(
                "stopping: no more keys are handed out, those in work have %g s to finish; Ctrl-C again stops at once",
                self.grace,
            )
        elif self.is_urgent and self._said == 1:
            self._said = 2
            logger.warning("stopping at once")
        return self.is_urgent or self.clock() >= self._ends_at
