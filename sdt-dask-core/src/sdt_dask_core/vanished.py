"""Systems that a source had and has no longer: reported, and kept with their last row."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from sdt_dask_core.due import VANISHED
from sdt_dask_core.ledger import LastOutcome, LedgerReader, PlannedTask
from sdt_dask_core.registry import YOURS
from sdt_dask_core.settings import RunSettings

__all__ = ["earlier_tasks", "vanished_tasks"]


def earlier_tasks(ledger: LedgerReader, settings: RunSettings) -> list[PlannedTask]:
    """Return the tasks of the newest run over the same source; none for a run over chosen keys.

    The same source is the same plug with the same options of the run, asked in the same way: for its list, or for the
    same manifest. One run is enough: it also holds what had vanished before it.
    """
    source = _source(settings.as_dict())
    runs = ledger.runs() if settings.keys_from else []
    newest = next((run for run in runs if _source(run.settings) == source), None)
    return ledger.tasks(newest.run_id, "todo", "done", "failed", "skipped") if newest else []


def vanished_tasks(
    earlier: Iterable[PlannedTask], keys: Collection[str], last: Mapping[str, LastOutcome]
) -> Iterator[PlannedTask]:
    """Yield a skipped task for each earlier one with an outcome whose key is not among those that there are now."""
    for task in earlier:
        outcome = last.get(task.key)
        if outcome is not None and task.key not in keys:
            yield replace(
                task,
                state="skipped",
                reason=VANISHED,
                fingerprint=outcome.fingerprint,
                digest=outcome.digest,
                outcome_id=outcome.outcome_id,
            )


def _source(settings: Mapping[str, Any]) -> list[Any]:
    plug = settings["job"]["plug"]
    # A class of the user's own is known by where it stands; an installed one may move within its distribution.
    home = plug["value"] if plug["distribution"] == YOURS else ""
    return [plug["name"], plug["distribution"], home, plug["options"], settings.get("keys_from", "")]
