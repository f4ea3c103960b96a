"""Asking the processes of a cluster, all at once, also where two releases of Dask do not understand each other."""

from __future__ import annotations

import asyncio
import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from sdt_dask_core.agreement.question import call
from sdt_dask_core.agreement.table import Found, mismatch
from sdt_dask_core.agreement.terms import Terms, common_terms
from sdt_dask_core.agreement.verdict import disagreements
from sdt_dask_core.environment import SCHEDULER
from sdt_dask_core.errors import ClientError, EnvironmentMismatchError

if TYPE_CHECKING:
    import distributed

__all__ = ["ask", "explain_failure", "wrong_workers"]

_TIMEOUT = 60.0  # s for the slowest worker to answer; one that is at work on something answers later
_PICKLE_PROTOCOL = 4  # of every Python that we know

Answers = dict[str, Any]


def ask(client: distributed.Client, terms: Terms) -> Found:
    """Ask the scheduler and every worker; return what does not agree.

    Raises
    ------
    ClientError
        They cannot be asked.
    """
    scheduler: Any = client.scheduler
    try:
        answers = client.sync(_ask, scheduler, terms.question, callback_timeout=_TIMEOUT)
    except Exception as error:
        raise ClientError(
            f"the scheduler and the workers cannot be asked for their versions: {type(error).__name__}: {error}; look "
            f"at their logs, or compare them with sdt-dask doctor --address {scheduler.address}"
        ) from error
    return _found(terms, answers)


def wrong_workers(client: distributed.Client, terms: Terms, workers: list[str]) -> Found:
    """Return what does not agree on those of some workers that answer."""
    answers = client.sync(_ask_workers, client.scheduler, terms.question, workers, callback_timeout=_TIMEOUT)
    return _found(terms, answers)


def explain_failure(
    address: str, connection_args: dict[str, Any] | None = None, *, image: str = ""
) -> EnvironmentMismatchError | None:
    """Return the error for a cluster that cannot be joined because it has other versions; None where that is not why.

    For clients: what Dask itself raises when releases differ says nothing of them.

    Parameters
    ----------
    address : str
        Of the scheduler.
    connection_args : dict, optional
        Of ``distributed.Security.get_connection_args("client")``.
    image : str
        The command that writes a new image, where the cluster was started from one.
    """
    terms = common_terms()

    def answers() -> Answers:
        return asyncio.run(asyncio.wait_for(_ask_address(address, connection_args, terms.question), _TIMEOUT))

    try:
        with ThreadPoolExecutor(1) as pool:  # a notebook has a loop of its own in this thread
            found = _found(terms, pool.submit(answers).result())
    except Exception:  # noqa: BLE001 - nobody there who could tell
        return None
    return mismatch(found, terms, image) if found else None


def _found(terms: Terms, answers: Answers) -> Found:
    found = {where: disagreements(terms, where, answer) for where, answer in answers.items()}
    return {where: problems for where, problems in found.items() if problems}


async def _ask_address(address: str, connection_args: dict[str, Any] | None, question: dict[str, Any]) -> Answers:
    from distributed.core import rpc

    async with rpc(address, connection_args=connection_args) as scheduler:
        return await _ask(scheduler, question)


async def _ask(scheduler: Any, question: dict[str, Any]) -> Answers:
    """Ask scheduler and workers; `Client.run` would do, if it could be made where releases differ."""
    own, workers = await asyncio.gather(
        scheduler.run_function(**_message(question)), _ask_workers(scheduler, question, None)
    )
    return {SCHEDULER: json.loads(own["result"]), **workers}


async def _ask_workers(scheduler: Any, question: dict[str, Any], workers: list[str] | None) -> Answers:
    message = {"op": "run", **_message(question)}
    said = await scheduler.broadcast(msg=message, workers=workers, on_error="ignore")
    return {
        where: json.loads(one["result"]) for where, one in said.items() if isinstance(one, dict) and "result" in one
    }


def _message(question: dict[str, Any]) -> dict[str, Any]:
    arguments = {"function": eval, "args": call(question), "kwargs": {}}
    return {"wait": True, **{name: pickle.dumps(value, _PICKLE_PROTOCOL) for name, value in arguments.items()}}
