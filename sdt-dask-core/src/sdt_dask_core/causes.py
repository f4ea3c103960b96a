"""Causes of failure: the stable codes that stand in the ledger, and what to do about each."""

from __future__ import annotations

__all__ = ["FIXES", "fix_of"]

#: What to do about each cause that does not come from the checks of a frame.
FIXES: dict[str, str] = {
    "key_not_found": "check the key's spelling; sdt-dask keys lists what the plug offers",
    "access_denied": "grant the access that the message names, or leave the key out",
    "source_unavailable": "the source did not answer; sdt-dask retry when it is back",
    "data_format": "mend the file or set the option that the message names (layout, timestamp_column, separator …)",
    "ambiguous_column": "name the sensor in the key or set power_columns",
    "plug": "see the plug's message",
    "broken_provider": "reinstall or upgrade the distribution that the message names, then sdt-dask retry",
    "option": "set the option as the message says, then run again",
    "sdt_pipeline_failed": "look at the system's data: Solar Data Tools could not complete one of its steps",
    "sdt_data_lost": "the time stamps are probably in another time zone: set timestamps, tz or utc_offset",
    "sdt_daytime_failed": "look at the system's days: sunrise and sunset could not be found",
    "sdt_losses_failed": "look at the system's daily energy: the loss model could not be fitted",
    "analysis": "look at the system's data",
    "exception": "an unexpected error; sdt-dask errors --traceback shows where, report it to the plug's or our tracker",
    "timeout": "set key_timeout higher, or look at the system's data",
    "out_of_memory": "use fewer workers, or set the client's memory_limit higher",
    "crashed": "a library crashed; sdt-dask errors --traceback shows its last words; sdt-dask retry tries again",
    "killed": "somebody stopped the process that computed the key, or the machine did; sdt-dask retry tries again",
    "child_not_started": "install sdt-dask-core and the plug where the workers run",
    "worker_died": "look at the worker's log and memory, then sdt-dask retry",
    "worker_error": "look at the worker's log, then sdt-dask retry",
    "bad_result": "an analysis returned what is no plain value; report it to its author",
}


def fix_of(cause: str) -> str:
    """Return what to do about a cause; an empty text for one that is not ours."""
    if cause in FIXES:
        return FIXES[cause]
    from sdt_dask_core.frames import FINDINGS

    return FINDINGS.get(cause, "")
