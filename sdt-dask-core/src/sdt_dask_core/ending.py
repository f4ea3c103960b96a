"""How a run ends: its tables, and its state in the ledger."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator

from sdt_dask_core.errors import ClusterLostError, ConfigurationError, LedgerError, SdtDaskError
from sdt_dask_core.ledger import Ledger
from sdt_dask_core.run import Run

__all__ = ["ended", "reported"]

logger = logging.getLogger(__name__)

_SHARE_FOR_DRAWING = 0.1
_LEAST_DRAWING = 10.0  # s
_MOST_REPORTED = 20_000  # systems; a row of a system takes some 5 kB of memory


@contextlib.contextmanager
def ended(ledger: Ledger, run_id: str) -> Iterator[None]:
    """Write the tables of a run, and then how it ended, also when it ended early.

    It is complete only when its tables stand, so that `resume` writes those for which there was no room. When the run
    ends with an error, that error is raised, whatever else cannot be written.

    Raises
    ------
    LedgerError
        The tables or the ledger cannot be written.
    """
    try:
        yield
        _write_tables(ledger, run_id)
        ledger.end_run(run_id, "complete")
    except LedgerError:
        # It is the one error to tell; the next writer finds a run that goes on no more, and says so.
        with contextlib.suppress(SdtDaskError):
            ledger.end_run(run_id, "interrupted")
        raise
    except BaseException as error:
        state = "lost" if isinstance(error, ClusterLostError) else "interrupted"
        # Also the tables, because those of the run before would be taken for those of this one.
        _try(lambda: _write_tables(ledger, run_id))
        _try(lambda: ledger.end_run(run_id, state))
        raise


def reported(run: Run, *, wanted: bool) -> Run:
    """Write the report of a run where it is wanted; return the run.

    Drawing systems may take a tenth of the time that their analysis took. A report that cannot be written is told and
    fails nothing: all that it shows is in the ledger. That of a very large fleet is left to ``sdt-dask report``, as it
    holds every row in memory, which a run does not.
    """
    if wanted and run.n_systems > _MOST_REPORTED:
        logger.warning(
            "no report was written by itself, because the run has %d systems, more than %d: sdt-dask report %s",
            *(run.n_systems, _MOST_REPORTED, run.output),
        )
    elif wanted:
        bodies = [row["body"] for row in run.rows if row["state"] in ("done", "failed")]
        took = sum(sum(body.get("seconds", {}).values()) for body in bodies)
        # On a large cluster a tenth of that time would be longer than the run.
        took = min(took, run.seconds)
        _try(lambda: run.report(seconds=max(_LEAST_DRAWING, took * _SHARE_FOR_DRAWING)))
    return run


def _write_tables(ledger: Ledger, run_id: str) -> None:
    try:
        Run(ledger.folder, run_id).write_tables()
    except ConfigurationError as error:
        raise LedgerError(
            f"{error.message}; every outcome is safe in the ledger: sdt-dask resume {ledger.folder} writes the tables"
        ) from error


def _try(write: Callable[[], object]) -> None:
    try:
        write()
    except Exception as error:  # noqa: BLE001 - what the run came to is told by something else
        logger.warning("%s", error)
