"""What to change when a question is refused, the most direct first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sdt_dask_core.resolution.conflict import Conflict
from sdt_dask_core.resolution.needs import ASKED, HELD, Need

__all__ = ["advice_on"]

_CORE = "sdt-dask-core"


def advice_on(conflict: Conflict, *, releases: Mapping[str, str]) -> list[str]:
    """Return what to change, one sentence each.

    Parameters
    ----------
    conflict : Conflict
        What stands against it.
    releases : mapping of str to str
        Versions, by name, of what was asked for, that were found to install when any release is allowed.
    """
    return list(dict.fromkeys(_advice(conflict, releases)))


def _advice(conflict: Conflict, releases: Mapping[str, str]) -> Iterator[str]:
    left, right = conflict.left, conflict.right
    for name, version in releases.items():
        yield f"take another release, which installs: {name}=={version}"
    if conflict.left.key == _CORE and right is not None and right.chain[-1][0] == _CORE:
        yield f"upgrade the core as soon as there is such a release: pip install -U '{left.range}'"
        if left.chain:
            yield f"or take an older release of {left.chain[0][0]}"
        return
    if right is None:
        yield from _of_unserved(conflict)
    else:
        yield from _of_pair(left, right)
    if left.chain:
        yield f"or give {left.chain[0][0]} an environment and a worker image of its own"


def _of_unserved(conflict: Conflict) -> Iterator[str]:
    left = conflict.left
    if conflict.versions:
        wider = f"{left.package}>={conflict.versions[0]}"
        yield f"ask the authors of {left.chain[-1][0]} to allow {wider}" if left.chain else f"ask for {wider}"
    elif left.chain:
        yield f"ask the authors of {left.package} for a wheel, or make one yourself: pip wheel '{left.range}'"
    else:
        yield "check the name; if it is right, it may come as source alone: make a wheel and check that"


def _of_pair(left: Need, right: Need) -> Iterator[str]:
    yield _widened(left, right.range)
    if right.origin == ASKED:
        yield _widened(right, left.range)
    if right.origin == HELD:
        yield (
            f"or change it here, since workers must have what the driver has; whether that goes, tells: "
            f"sdt-dask plugs check '{left.range}'"
        )


def _widened(need: Need, other: str) -> str:
    if not need.chain:
        return f"ask for {other} instead"
    names = [name for name, _ in need.chain]
    allow = f"ask the authors of {names[-1]} to allow {other}"
    return (
        allow
        if len(names) == 1
        else f"ask the authors of {names[0]} to allow another release of {names[1]}; or {allow}"
    )
