"""Faster paths for what Solar Data Tools calls, with the same numbers.

Each is a module of this package with a ``NAME``, a function ``applies()`` that tells whether the versions it was made
for are installed, a function ``self_test()`` and a function ``apply()``. They are applied only in the child processes
that compute, and only when the self-test passes; otherwise the original runs and a warning says so.
"""

from __future__ import annotations

import warnings
from typing import Any

from sdt_dask_core.accelerations import (
    capacity_clustering,
    direct_clarabel,
    lazy_corpus,
    loss_rounds,
    sparse_is_diagonal,
)

__all__ = ["ALL", "apply_all"]

#: Every acceleration, in the order in which they are applied: the corpus first, for all others import SDT.
ALL: tuple[Any, ...] = (lazy_corpus, sparse_is_diagonal, direct_clarabel, capacity_clustering, loss_rounds)


def apply_all() -> list[str]:
    """Apply every acceleration whose self-test passes in this process; return their names."""
    applied = []
    for acceleration in ALL:
        if not acceleration.applies():
            warnings.warn(
                f"{acceleration.NAME} does not apply to the installed versions: the original runs", stacklevel=2
            )
        elif not acceleration.self_test():
            warnings.warn(f"{acceleration.NAME} failed its self-test: the original runs", stacklevel=2)
        else:
            acceleration.apply()
            applied.append(acceleration.NAME)
    return applied
