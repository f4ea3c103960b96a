"""Systems that a source had and has no longer: reported, and kept with their last row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from sdt_dask_core.due import VANISHED
from sdt_dask_core.ledger import LedgerReader, PlannedTask
from sdt_dask_core.registry import YOURS
from sdt_dask_core.settings import RunSettings

__all__ = ["earlier_run", "vanished_tasks"]


def earlier_run(ledger: LedgerReader, settings: RunSettings) -> str | None:
    """Return the newest run over the same source; None where there is none, and for a run over chosen keys.

    The same source is the same plug with the same options of the run, asked in the same way: for its list, or for the
    same manifest. One run is enough: it also holds what had vanished before it.
    """
    source = _source(settings.as_dict())
    runs = ledger.runs() if settings.keys_from else []
    return next((run.run_id for run in runs if _source(run.settings) == source), None)


def vanished_tasks(ledger: LedgerReader, run_id: str) -> Iterator[PlannedTask]:
    """Yield a skipped task for each key of an earlier run that has an outcome; it counts where the key has no other."""
    for task in ledger.tasks(run_id):
        outcome = ledger.last_outcome(task.key)
        if outcome is not None:
            yield replace(
                task,
                state="skipped",
                reason=VANISHED,
                fingerprint=outcome.fingerprint,
                digest=outcome.digest,
                outcome_id=outcome.outcome_id,
                grade=outcome.grade,
            )


def _source(settings: Mapping[str, Any]) -> list[Any]:
    plug = settings["job"]["plug"]
    # A class of the user's own is known by where it stands; an installed one may move within its distribution.
    home = plug["value"] if plug["distribution"] == YOURS else ""
    return [plug["name"], plug["distribution"], home, plug["options"], settings.get("keys_from", "")]
