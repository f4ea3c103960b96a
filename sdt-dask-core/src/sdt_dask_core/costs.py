"""What a run costs: before it, by the client's estimate, and while it goes on, by what its cluster has cost so far."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sdt_dask_core.errors import LedgerError, OptionError

if TYPE_CHECKING:
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
        Computing time of one key on one core [s].
    n_measured : int
        Number of systems whose mean time this is; 0 for a guess.
    dollars : float or None
        What the client says that they cost [US dollars]; None where it does not know.
    """

    n_keys: int
    seconds_per_key: float
    n_measured: int
    dollars: float | None

    @property
    def basis(self) -> str:
        """Where the time comes from, for people."""
        if self.n_measured:
            return f"the mean of {self.n_measured} done here before"
        return "a guess for two to three years at 15 min; it is measured once some are done here"


def estimate(settings: RunSettings, output: Path | str, n_keys: int) -> Estimate:
    """Return what keys would take and cost, by the client's prices and the newest run in a folder.

    Parameters
    ----------
    settings : RunSettings
        What is computed and where.
    output : path
        The output folder, whose newest run tells how long a key takes when it had the same analyses.
    n_keys : int
        Number of keys.
    """
    seconds, n_measured = _seconds_per_key(settings, output)
    with hooks_of_client(settings.client) as hooks:
        cost = known_cost(lambda: hooks.estimate_cost(n_keys=n_keys, seconds_per_key=seconds))
    return Estimate(n_keys, seconds, n_measured, cost)


def _seconds_per_key(settings: RunSettings, output: Path | str) -> tuple[float, int]:
    from sdt_dask_core.run import Run

    analyses = [analysis.name for analysis in settings.job.analyses]
    guess = _SECONDS_PER_KEY if analyses else _SECONDS_PER_READ
    try:
        run = Run(output)
    except LedgerError:
        return guess, 0
    if [analysis.name for analysis in run.settings.job.analyses] != analyses:
        return guess, 0  # reading alone says nothing of a pipeline
    bodies = [row["body"] for row in run.rows if row["status"] == "done" and row["body"]]
    times = [sum(body["seconds"].values()) for body in bodies]
    return (sum(times) / len(times), len(times)) if times else (guess, 0)


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
