"""What two runs did not do alike, in words: their numbers may differ for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sdt_dask_core.reference import Reference
    from sdt_dask_core.run import Run

__all__ = ["unlike"]

# Versions that decide no number.
_OF_NO_NUMBER = ("sqlite", "dask", "distributed", "cloudpickle")
_MISSING = "not there"


def unlike(before: Run, after: Run) -> list[str]:
    """Return one sentence for each difference in plug, options, analyses, window, keys and versions."""
    old, new = before.settings.job, after.settings.job
    pairs = {
        "plug": (_name(old.plug), _name(new.plug)),
        "analyses": tuple(", ".join(a.name for a in job.analyses) or "none" for job in (old, new)),
        "window": (str(old.window), str(new.window)),
        "keys": tuple(run.settings.keys_from or "chosen ones" for run in (before, after)),
    }
    return [
        *(f"{what}: {was} before, {now} now" for what, (was, now) in pairs.items() if was != now),
        *_options("plug option", old.plug.options, new.plug.options),
        *_options_of_analyses(old.analyses, new.analyses),
        *_versions(before.versions, after.versions),
    ]


def _name(plug: Reference) -> str:
    return f"{plug.name} ({plug.distribution} {plug.version})"


def _options_of_analyses(old: tuple[Reference, ...], new: tuple[Reference, ...]) -> Iterator[str]:
    now = {analysis.name: analysis.options for analysis in new}
    for analysis in old:
        if analysis.name in now:
            yield from _options(f"option of {analysis.name}", analysis.options, now[analysis.name])


def _options(what: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for name in {**old, **new}:
        if old.get(name, _MISSING) != new.get(name, _MISSING):
            was, now = (repr(values[name]) if name in values else "not given" for values in (old, new))
            yield f"{what} {name}: {was} before, {now} now"


def _versions(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted({**old, **new}):
        was, now = old.get(name, _MISSING), new.get(name, _MISSING)
        if was != now and name not in _OF_NO_NUMBER:
            yield f"version of {name}: {was} before, {now} now"
