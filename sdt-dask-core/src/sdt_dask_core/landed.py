"""What a future brought: the outcome of an attempt, also where the Dask worker under it died."""

from __future__ import annotations

from typing import Any

from sdt_dask_core.outcome import failure, load

__all__ = ["NobodyAnswersError", "outcome_of"]

_RESULT_TIMEOUT = 60.0  # s to fetch the text of a finished task
_GONE = "the scheduler went away"


class NobodyAnswersError(Exception):
    """The cluster is lost, and the message says why; no key is to blame."""


def outcome_of(future: Any) -> dict[str, Any]:
    """Return the outcome that a future brought.

    Parameters
    ----------
    future : distributed.Future
        One that has landed.

    Raises
    ------
    NobodyAnswersError
        The scheduler went away, or has no worker left.
    """
    from distributed import CancelledError, TimeoutError

    try:
        if future.status == "finished":
            return load(future.result(timeout=_RESULT_TIMEOUT))
        if future.status == "cancelled":
            raise NobodyAnswersError(_GONE)
        if future.status == "lost":
            return _worker_died("with the finished outcome in its hands")
        error = future.exception(timeout=_RESULT_TIMEOUT)
    except TimeoutError:  # Dask computes it once more
        return _worker_died("while its outcome was fetched")
    except (CancelledError, OSError) as error_of_comm:
        raise NobodyAnswersError(_GONE) from error_of_comm
    name = type(error).__name__
    if name in ("NoWorkerError", "NoValidWorkerError"):
        raise NobodyAnswersError("the cluster has no worker left")
    if name == "KilledWorker":
        return _worker_died(f"under this key, last {error.last_worker.address}")
    return failure(stage="worker", cause="worker_error", message=f"the Dask worker failed: {name}: {error}")


def _worker_died(when: str) -> dict[str, Any]:
    return failure(
        stage="worker",
        cause="worker_died",
        message=f"the Dask worker died {when}; look at the worker's log and memory, then sdt-dask retry",
    )
