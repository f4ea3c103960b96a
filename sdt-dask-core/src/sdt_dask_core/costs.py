"""What a run costs: before it, by the client's estimate, and while it goes on, by what its cluster has cost so far."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sdt_dask_core.errors import OptionError

if TYPE_CHECKING:
    from sdt_dask_core.expected import Measured
    from sdt_dask_core.reference import Reference
    from sdt_dask_core.settings import RunSettings

__all__ = ["Estimate", "dollars", "estimate", "hooks_of_client", "known_cost", "refuse_unless_cost_is_known"]

logger = logging.getLogger(__name__)

# Of one key on one core [s]: pipeline and losses of a system with two to three years at 15 min; its reading alone.
_SECONDS_PER_KEY = 15.0
_SECONDS_PER_READ = 1.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """What keys would take and cost.

    Attributes
    ----------
    n_keys : int
        Number of keys.
    seconds_per_key : float
        Computing time of one key on one core [s]; a guess where nothing was measured.
    n_measured : int
        Number of systems that were measured, with the same analyses; 0 for a guess.
    dollars : float or None
        What the client says that they cost [US dollars]; None where it does not know.
    peak_mb : float or None
        Most memory that the process that computes held for one of those that were measured [MiB].
    """

    n_keys: int
    seconds_per_key: float
    n_measured: int
    dollars: float | None
    peak_mb: float | None = None

    @property
    def basis(self) -> str:
        """Where the time comes from, for people."""
        if self.n_measured:
            return f"measured on {self.n_measured} done here before"
        return "a guess for two to three years at 15 min; it is measured once some are done here"


def estimate(settings: RunSettings, measured: Measured, n_keys: int, *, seconds: float | None = None) -> Estimate:
    """Return what keys would take and cost, by the client's prices and what was measured before.

    Parameters
    ----------
    settings : RunSettings
        What is computed and where.
    measured : Measured
        What the same work took.
    n_keys : int
        Number of keys.
    seconds : float, optional
        What is expected of them all, where more is known than their number [s].
    """
    guess = _SECONDS_PER_KEY if settings.job.analyses else _SECONDS_PER_READ
    per_key = measured.seconds if measured.n else guess
    if seconds is not None and n_keys:
        per_key = seconds / n_keys
    with hooks_of_client(settings.client) as hooks:
        cost = known_cost(lambda: hooks.estimate_cost(n_keys=n_keys, seconds_per_key=per_key))
    return Estimate(n_keys, per_key, measured.n, cost, measured.peak_mb)


@contextmanager
def hooks_of_client(reference: Reference) -> Iterator[Any]:
    """Build a client to ask it something, without its cluster; yield pluggy's hook relay."""
    from sdt_dask_core.contract import HookManager

    manager = HookManager()
    manager.register(reference.build(), name=reference.name)
    try:
        yield manager.hook
    finally:
        manager.hook.close()


def known_cost(ask: Callable[[], Any]) -> float | None:
    """Return the US dollars that a client answers; None where it does not know, fails or answers no amount."""
    try:
        amount = ask()
    except Exception as error:  # noqa: BLE001 - whatever a client plug raises
        logger.warning("the client could not tell a cost: %s: %s", type(error).__name__, error)
        return None
    if not isinstance(amount, (int, float)) or isinstance(amount, bool) or math.isnan(amount):
        return None
    return float(amount)


def refuse_unless_cost_is_known(client: Reference) -> None:
    """Refuse a cost limit with a client that cannot tell its cost, before there is a cluster.

    Raises
    ------
    OptionError
        The limit could not be kept.
    """
    with hooks_of_client(client) as hooks:
        spent = known_cost(hooks.cost_so_far)
    if spent is None:
        raise OptionError(
            f"max_cost cannot be kept: client {client.name!r} cannot tell what its cluster costs; leave max_cost out, "
            "or limit the run by idle_timeout"
        )


def dollars(amount: float) -> str:
    """Return an amount of US dollars as people read it, a small one too."""
    return f"{amount:.2f}" if amount >= 1 or amount == 0 else f"{amount:.2g}"
