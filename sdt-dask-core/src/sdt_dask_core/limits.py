"""Limits of a run as a whole: what its cluster may cost, and how long nothing may finish.

A run that reaches one ends early and cleanly: what was finished is recorded, the cluster is closed, and the rest can be
resumed.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from sdt_dask_core.costs import dollars, known_cost
from sdt_dask_core.errors import OptionError

__all__ = ["LimitWatch", "Limits"]

logger = logging.getLogger(__name__)

# How long keys in work may still take once the cost limit is reached [s]: most are worth more finished than saved.
_GRACE = 60.0
_ASK_EVERY = 2.0  # s


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run keeps to; None where there is no limit.

    Attributes
    ----------
    max_cost : float or None
        What the cluster of one run, or of one resume of it, may cost [US dollars].
    idle_timeout : float or None
        How long nothing may finish [s].
    """

    max_cost: float | None = None
    idle_timeout: float | None = None

    @classmethod
    def given(cls, *, max_cost: float | None = None, idle_timeout: float | str | None = None) -> Limits:
        """Return limits as a user gives them; a time as seconds, or as text such as "10m".

        Raises
        ------
        OptionError
            One is not above 0, or is no number or time.
        """
        return cls(_above_0("max_cost", max_cost), _above_0("idle_timeout", _seconds(idle_timeout)))

    def or_else(self, others: Limits) -> Limits:
        """Return these limits, and where there is none that of the others."""
        max_cost = others.max_cost if self.max_cost is None else self.max_cost
        return Limits(max_cost, others.idle_timeout if self.idle_timeout is None else self.idle_timeout)


def _seconds(given: float | str | None) -> float | None:
    from dask.utils import parse_timedelta

    try:
        seconds: float | None = parse_timedelta(given, default="seconds")
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):  # it has no error of its own
        raise OptionError(f"idle_timeout cannot be {given!r}; give seconds, or a time such as '10m'") from None
    return seconds


def _above_0(name: str, value: float | None) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < math.inf:
        raise OptionError(f"{name} cannot be {value!r}; give a number above 0, or nothing for no limit")
    return float(value)


class LimitWatch:
    """Looks after the limits of one run while its keys are worked off.

    Parameters
    ----------
    limits : Limits
        What to keep to.
    ask : callable
        Returns what the cluster has cost so far [US dollars], or None.
    clock : callable
        Returns a time that only grows [s].

    Attributes
    ----------
    reason : str
        Why no key is handed out any more; empty while all is well.
    advice : str
        How to come further another time.
    """

    def __init__(
        self,
        limits: Limits,
        ask: Callable[[], float | None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits = limits
        self.ask = ask
        self.clock = clock
        self.reason = self.advice = ""
        self._landed_at = clock()
        self._asked_at = -math.inf
        self._ends_at = math.inf

    def landed(self) -> None:
        """Hear that a key came to its outcome."""
        self._landed_at = self.clock()
        self._asked_at = -math.inf  # so that the next look asks

    def look(self) -> bool:
        """Look at the limits; return whether also the keys in work have no time left."""
        now = self.clock()
        if self.limits.max_cost is not None and not self.reason and now - self._asked_at >= _ASK_EVERY:
            self._asked_at = now
            self._look_at_cost(self.limits.max_cost, now)
        if self.limits.idle_timeout is not None and now - self._landed_at >= self.limits.idle_timeout:
            self._look_at_idleness(self.limits.idle_timeout, now)
        return now >= self._ends_at

    def _look_at_cost(self, limit: float, now: float) -> None:
        spent = known_cost(self.ask)
        if spent is None:
            self._stop("the client can no longer tell what the cluster has cost, so max_cost cannot be kept", "", now)
        elif spent >= limit:
            self._stop(
                f"the cluster has cost {dollars(spent)} US dollars and max_cost is {dollars(limit)}",
                "on a new cluster, which may cost as much again; --max-cost sets another limit",
                now + _GRACE,
            )

    def _look_at_idleness(self, limit: float, now: float) -> None:
        spent = known_cost(self.ask)
        cost = "" if spent is None else f"; the cluster has cost {dollars(spent)} US dollars"
        self._stop(
            f"nothing finished for {limit:g} s, which is the idle_timeout{cost}",
            "--idle-timeout sets another limit",
            now,
        )

    def _stop(self, reason: str, advice: str, ends_at: float) -> None:
        if not self.reason:
            self.reason, self.advice = reason, advice
        self._ends_at = min(self._ends_at, ends_at)
