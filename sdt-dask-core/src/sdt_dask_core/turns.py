"""Turns: where a plug bounds how many of its reads go on at once, each read waits for its turn, over the whole cluster.

The child that is about to read asks the Dask worker that drives it, and the worker holds a lease of a
``distributed.Semaphore`` for as long as the read takes. What a dead worker held falls back by itself.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import distributed

__all__ = ["turn_to_read"]

_LOOK_AGAIN = 1.0  # s between two looks at whether the turn is still wanted

# One for each worker and name: a semaphore renews its leases for ever, so that one for each key would pile up.
_semaphores: weakref.WeakKeyDictionary[Any, dict[str, distributed.Semaphore]] = weakref.WeakKeyDictionary()


@contextlib.contextmanager
def turn_to_read(plug: str, limit: int, *, is_wanted: Callable[[], bool]) -> Iterator[None]:
    """Wait until fewer than `limit` others read, and keep the turn inside the ``with``.

    Outside a Dask worker there are no others, and nothing is waited for.

    Parameters
    ----------
    plug : str
        What tells the plug and its options from others; all who give the same share the limit.
    limit : int
        How many may read at once.
    is_wanted : callable
        Asked while it waits; when it says False the wait ends, without a turn.
    """
    semaphore = _semaphore(f"sdt-dask-reads-{plug}-{limit}", limit)
    if semaphore is None:
        yield
        return
    while not (has_turn := semaphore.acquire(timeout=_LOOK_AGAIN)) and is_wanted():
        pass
    try:
        yield
    finally:
        if has_turn:
            semaphore.release()


def _semaphore(name: str, limit: int) -> distributed.Semaphore | None:
    try:
        from distributed import Semaphore, get_worker

        worker = get_worker()
    except (ImportError, ValueError):
        return None
    known = _semaphores.setdefault(worker, {})
    if name not in known:
        known[name] = Semaphore(max_leases=limit, name=name)
    return known[name]
