"""Faster paths for what Solar Data Tools calls, with the same numbers.

Each is a module of this package with a ``NAME``, a function ``applies()`` that tells whether what it was made for is
installed, a function ``self_test()`` and a function ``apply()``. They are applied only in the child processes that
compute, and only when the self-test passes; otherwise the original runs, and the run says so once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sdt_dask_core.accelerations import (
    capacity_clustering,
    direct_clarabel,
    lazy_corpus,
    loss_rounds,
    sparse_is_diagonal,
)

__all__ = ["ALL", "WITHOUT_SDT", "Applied", "apply_all"]

#: Every acceleration, in the order in which they are applied: the corpus first, for those after it import SDT.
ALL: tuple[Any, ...] = (lazy_corpus, sparse_is_diagonal, direct_clarabel, capacity_clustering, loss_rounds)

#: Those that import no SDT, for analyses that may never need it.
WITHOUT_SDT: tuple[Any, ...] = (sparse_is_diagonal,)


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of the accelerations in one process.

    Attributes
    ----------
    names : list of str
        Those that are applied.
    left_out : list of str
        A sentence for each other one.
    """

    names: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def apply_all(accelerations: Iterable[Any] = ALL) -> Applied:
    """Apply every acceleration whose self-test passes in this process."""
    applied = Applied()
    for acceleration in accelerations:
        reason = _reason_against(acceleration)
        if reason:
            applied.left_out.append(f"{acceleration.NAME} {reason}: the original runs")
        else:
            applied.names.append(acceleration.NAME)
    return applied


def _reason_against(acceleration: Any) -> str:
    """Apply one; return why it is not, or nothing."""
    try:
        if not acceleration.applies():
            return "does not apply to the installed versions"
        if not acceleration.self_test():
            return "failed its self-test"
        acceleration.apply()
    except Exception as error:  # noqa: BLE001 - whatever other versions raise, the original is there
        return f"failed with {type(error).__name__}: {error}"
    return ""
