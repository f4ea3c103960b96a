"""Workers that join while keys are worked off: those that do not meet the terms are told and taken out."""

from __future__ import annotations

import contextlib
import itertools
import logging
import time
import weakref
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sdt_dask_core.agreement.asking import wrong_workers
from sdt_dask_core.agreement.gate import TURNED_AWAY, gate_of, through_the_gate
from sdt_dask_core.agreement.table import Found, commands, table
from sdt_dask_core.agreement.terms import Terms
from sdt_dask_core.agreement.verdict import disagreements
from sdt_dask_core.task import run_key

if TYPE_CHECKING:
    import distributed

__all__ = ["Newcomers"]

logger = logging.getLogger(__name__)

_LOOK_EVERY = 0.5  # s
_ANSWER_WITHIN = 60.0  # s; a scheduler that hangs never does
_NAMES = 1000  # of tasks that Dask may remember in this process
_WAIT_FOR_A_GOOD_ONE = 30.0  # s for one that comes, or that Dask starts again, when the last one was taken out


class Newcomers:
    """Hands keys out, and keeps them from workers that do not meet the terms.

    Parameters
    ----------
    client : distributed.Client
        The cluster.
    terms : Terms
        What each worker must have.
    takes_any : bool
        Whether any worker will do.
    image : str
        The command that writes a new image, where the workers are made of one.
    """

    def __init__(self, client: distributed.Client, terms: Terms, *, takes_any: bool, image: str = "") -> None:
        self.client = client
        self.terms = terms
        self.takes_any = takes_any
        self._gate = gate_of(terms)
        self._numbers = itertools.count(1)
        self.image = image
        self._known = set(client.nthreads(callback_timeout=_ANSWER_WITHIN))
        self._wrong: dict[str, Any] = {}
        # How many had been taken out when a key was handed out.
        self._before: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()

    def submit(self, arguments: Mapping[str, Any], *, key: str, worker: str = "") -> Any:
        """Submit a key; a worker that does not meet the terms turns it away.

        Parameters
        ----------
        arguments : mapping
            What `sdt_dask_core.task.run_key` takes.
        key : str
            Dask's name of the task.
        worker : str
            Address of the worker that should do it; another one does where that one is gone.
        """
        _forget_old_names(next(self._numbers))
        how: dict[str, Any] = {"key": key, "pure": False}
        if worker:
            how |= {"workers": [worker], "allow_other_workers": True}
        if self.takes_any:
            return self.client.submit(run_key, **arguments, **how)
        future = self.client.submit(eval, *through_the_gate(self._gate, arguments), **how)
        self._before[future] = len(self._wrong)
        return future

    def turned_away(self, future: Any, outcome: Mapping[str, Any] | None) -> bool:
        """Tell whether a wrong worker, and not the key, is to blame; it is then told and taken out.

        Parameters
        ----------
        future : distributed.Future
            What `submit` returned, now done.
        outcome : mapping or None
            What it brought; None where its worker died.
        """
        if self.takes_any:
            return False
        if outcome is not None and outcome["status"] == TURNED_AWAY:
            where = outcome["where"]
            self._take_out({where: disagreements(self.terms, where, outcome["answer"])})
            return True
        if future.status == "finished":
            return False
        # A worker with another release of Dask may fail or die of the task alone, and of several at once.
        self._look()
        return self._before.get(future, 0) < len(self._wrong)

    def why_none_is_left(self) -> str:
        """Return why nobody can compute any more, after a worker was taken out; nothing where somebody can."""
        end = time.monotonic() + _WAIT_FOR_A_GOOD_ONE
        while not (is_left := self._look()) and time.monotonic() < end:
            time.sleep(_LOOK_EVERY)
        return "" if is_left else f"no worker is left that is as this environment:\n{self._told(self._wrong)}\n"

    def _look(self) -> bool:
        """Ask the workers that came since the last look; tell whether any is left to compute."""
        with contextlib.suppress(Exception):  # they may go while they are asked
            new = set(self.client.nthreads(callback_timeout=_ANSWER_WITHIN)) - self._known - self._wrong.keys()
            self._take_out(wrong_workers(self.client, self.terms, sorted(new)) if new else {})
            self._known |= new
            return bool(set(self.client.nthreads(callback_timeout=_ANSWER_WITHIN)) - self._wrong.keys())
        return True  # nobody knows; a scheduler that went away is found out by the next key

    def _take_out(self, found: Found) -> None:
        fresh = {where: problems for where, problems in found.items() if where not in self._wrong}
        if not fresh:
            return
        self._wrong.update(fresh)
        logger.warning("a worker came that is not as this environment, and is taken out:\n%s", self._told(fresh))
        scheduler: Any = self.client.scheduler
        for where in fresh:
            with contextlib.suppress(Exception):  # it may have gone by itself
                # Not retire_workers: it gives up where nobody is left to take over what the worker holds, which is
                # nothing but keys turned away.
                self.client.sync(scheduler.unregister, address=where, stimulus_id="sdt-dask-disagrees")

    def _told(self, found: Found) -> str:
        return "\n".join([table(found), *commands(found, self.terms, self.image)])


def _forget_old_names(n_tasks: int) -> None:
    """Empty a cache in which Dask keeps the last 100,000 names of tasks, 19 MiB of them; none of ours comes again."""
    if n_tasks % _NAMES == 0:
        from dask.utils import key_split

        key_split.cache_clear()
