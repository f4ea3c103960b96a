"""All that some requirements lead to."""

from __future__ import annotations

from collections.abc import Iterable

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from sdt_dask_core.resolution.installed import Installed

__all__ = ["closure"]


def closure(roots: Iterable[Requirement], installed: Installed) -> set[str]:
    """Return the canonical names of what requirements lead to, with the extras that they ask for.

    Parameters
    ----------
    roots : iterable of packaging.requirements.Requirement
        Where it begins.
    installed : Mapping
        What each distribution requires; what is not there leads no further.
    """
    seen: set[tuple[str, str]] = set()
    waiting = list(roots)
    while waiting:
        requirement = waiting.pop()
        key = canonicalize_name(requirement.name)
        extras = {("", key), *((extra, key) for extra in requirement.extras)} - seen
        seen |= extras
        if extras and key in installed:
            waiting += installed[key].needs(extra for extra, _ in extras)
    return {key for _, key in seen}
