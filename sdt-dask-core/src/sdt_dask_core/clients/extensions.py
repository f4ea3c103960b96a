"""Dask's scheduler extensions, for one that lives as long as a fleet of a hundred thousand systems takes."""

from __future__ import annotations

from typing import Any

__all__ = ["forgetful_extensions"]


def forgetful_extensions() -> dict[str, Any]:
    """Return the extensions that Dask's scheduler has by default where nothing is stolen, with spans that stay small.

    A span keeps a note of each submission; ours are one for each key, so that a driver with its scheduler would grow by
    a quarter of a kilobyte with each.
    """
    from distributed.scheduler import DEFAULT_EXTENSIONS
    from distributed.spans import SpansSchedulerExtension

    class ForgetfulSpans(SpansSchedulerExtension):  # type: ignore[misc,unused-ignore]
        def observe_tasks(self, *tasks: Any, **named: Any) -> Any:
            """Take in tasks that can run, and no note of what they were submitted with."""
            if "span_metadata" in named:  # an older release gives none
                named["span_metadata"] = {"collections": []}
            return super().observe_tasks(*tasks, **named)

    kept = {name: extension for name, extension in DEFAULT_EXTENSIONS.items() if name != "stealing"}
    return {**kept, "spans": ForgetfulSpans}
