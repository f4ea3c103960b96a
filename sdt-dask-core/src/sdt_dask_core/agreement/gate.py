"""The gate on a worker: a key that comes to one which does not meet the terms is turned away, with the reason.

Workers may join while keys are worked off, and Dask gives them keys at once.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import Any

from sdt_dask_core.agreement.question import answer_of_this_process, call
from sdt_dask_core.agreement.terms import Terms
from sdt_dask_core.agreement.verdict import disagreements

__all__ = ["TURNED_AWAY", "gate_of", "run_key_if_agreed", "through_the_gate"]

#: Status of the answer for a key that was not started.
TURNED_AWAY = "turned away"

# Evaluated on the worker. One without this module, or with another release of it, must be able to say so.
_GATE = """
def answer_of_worker():
    import json
    from distributed import get_worker
    try:
        from sdt_dask_core.agreement.gate import run_key_if_agreed
    except Exception:
        run_key_if_agreed = None
    where = get_worker().address
    if run_key_if_agreed is not None:
        return run_key_if_agreed(where, terms, arguments)
    said = eval(*asked)
    return json.dumps({"status": status, "where": where, "answer": json.loads(said)})
"""


def gate_of(terms: Terms) -> dict[str, Any]:
    """Return the arguments with which ``eval`` asks a worker whether it meets the terms; the same for every key.

    Parameters
    ----------
    terms : Terms
        What the worker must have.
    """
    return {"terms": terms.as_text(), "asked": call(terms.question), "status": TURNED_AWAY}


def through_the_gate(gate: Mapping[str, Any], arguments: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the arguments with which ``eval`` runs a key on a worker that meets the terms, and nowhere else.

    Parameters
    ----------
    gate : mapping
        As `gate_of` returns it.
    arguments : mapping
        What `sdt_dask_core.task.run_key` takes.
    """
    space = {**gate, "arguments": dict(arguments)}
    return "(exec(gate, space), space['answer_of_worker']())[1]", {"gate": _GATE, "space": space}


def run_key_if_agreed(where: str, terms_text: str, arguments: dict[str, Any]) -> str:
    """Run a key, or turn it away; return JSON text."""
    turned_away = _turned_away(where, terms_text)
    if turned_away:
        return turned_away
    from sdt_dask_core.task import run_key

    return run_key(**arguments)


@functools.lru_cache(maxsize=64)
def _turned_away(where: str, terms_text: str) -> str:
    """Return what is said to a key that must not run here, or nothing; looked at once, as packages stay as they are."""
    terms = Terms.from_text(terms_text)
    answer = answer_of_this_process(terms.question)
    if not disagreements(terms, where, answer):
        return ""
    return json.dumps({"status": TURNED_AWAY, "where": where, "answer": answer})
