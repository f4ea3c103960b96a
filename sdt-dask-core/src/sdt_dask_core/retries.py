"""Retries: which failures of a key are tried again within a run, how often, when, and with how much memory.

What cannot get better by itself, such as bad data, a missing key or a crash of a library, is never tried again; what
was no fault of the key, or may pass, is. Each attempt stands in the ledger with its own ending.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["POLICIES", "Again", "Policy", "Retries"]

_LEAST_GAIN = 1.2  # of memory, below which another attempt would end like the first


@dataclass(frozen=True, slots=True)
class Policy:
    """How a cause of failure is tried again.

    Attributes
    ----------
    attempts : int
        Attempts that may fail of this cause, the first one included.
    wait : float
        Mean time before the second attempt [s]; four times that before each next one.
    share : int
        How many times its worker's memory limit the last attempt may take; above 1 it runs while no neighbour does.
    """

    attempts: int
    wait: float = 0.0
    share: int = 1


#: By cause. The waits are for a source that is busy or restarts; the plugs' own clients have tried for longer before.
POLICIES: dict[str, Policy] = {
    "source_unavailable": Policy(attempts=3, wait=2.0),
    "out_of_memory": Policy(attempts=2, share=2),
    "killed": Policy(attempts=2),
    "worker_died": Policy(attempts=3),
    "child_not_started": Policy(attempts=2),
}


@dataclass(frozen=True, slots=True)
class Again:
    """Another attempt at a key.

    Attributes
    ----------
    wait : float
        Time until it may start [s].
    share : int
        How many times its worker's memory limit it may take.
    """

    wait: float = 0.0
    share: int = 1


class Retries:
    """Decides what becomes of a failed attempt; counts anew whenever a run is started, resumed or retried.

    Parameters
    ----------
    draw : callable
        Returns a random number from 0 to 1, so that keys which failed together do not come back together.
    """

    def __init__(self, draw: Callable[[], float] = random.random) -> None:
        self.draw = draw
        self._failed: dict[str, Counter[str]] = {}

    def judge(self, key: str, outcome: Mapping[str, Any]) -> tuple[dict[str, Any], Again | None]:
        """Return the outcome of an attempt, and the attempt that follows it, or None where it is the last one.

        Parameters
        ----------
        key : str
            Canonical text.
        outcome : mapping
            What the attempt came to.
        """
        failed = self._failed.pop(key, Counter())
        policy = POLICIES.get(str(outcome.get("cause"))) if outcome["status"] == "failed" else None
        if policy is not None:
            failed[outcome["cause"]] += 1
            if failed[outcome["cause"]] < policy.attempts and _may_help(policy, outcome):
                self._failed[key] = failed
                return dict(outcome), self._again(policy, failed[outcome["cause"]])
        if outcome["status"] == "failed" and failed.total() > 1:
            return {**outcome, "message": f"{outcome['message']} (tried {failed.total()} times)"}, None
        return dict(outcome), None

    def _again(self, policy: Policy, number: int) -> Again:
        # Equal jitter: never at once, never all together.
        return Again(wait=policy.wait * 4 ** (number - 1) * (0.5 + self.draw()), share=policy.share)


def _may_help(policy: Policy, outcome: Mapping[str, Any]) -> bool:
    """Tell whether the machine has the memory that another attempt would be given."""
    limit, machine = outcome.get("memory_limit_mb"), outcome.get("machine_memory_mb")
    return policy.share == 1 or not limit or not machine or machine >= _LEAST_GAIN * limit
