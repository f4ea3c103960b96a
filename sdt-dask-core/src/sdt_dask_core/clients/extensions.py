"""Dask's scheduler extensions, for one that lives as long as a fleet of a hundred thousand systems takes."""

from __future__ import annotations

from typing import Any

__all__ = ["forgetful_extensions"]


def forgetful_extensions() -> dict[str, Any]:
    """Return the extensions that Dask's scheduler has by default where nothing is stolen, with spans that stay small.

    A span keeps a note of each submission, and ours are one for each key; and it keeps a group of tasks for each time
    at which there was none. A driver with its scheduler would grow by half a kilobyte with each key.
    """
    from distributed.scheduler import DEFAULT_EXTENSIONS
    from distributed.spans import SpansSchedulerExtension

    class ForgetfulSpans(SpansSchedulerExtension):  # type: ignore[misc,unused-ignore]
        def observe_tasks(self, *given: Any, **named: Any) -> Any:
            """Take in tasks that can run, and no note of what they were submitted with; let go of groups that ended."""
            if "span_metadata" in named:  # an older release gives none
                named["span_metadata"] = {"collections": []}
            noted = super().observe_tasks(*given, **named)
            alive = set(self.scheduler.task_groups.values())
            for task in given[0]:
                self.spans[task.group.span_id].groups &= alive
            return noted

    kept = {name: extension for name, extension in DEFAULT_EXTENSIONS.items() if name != "stealing"}
    return {**kept, "spans": ForgetfulSpans}
