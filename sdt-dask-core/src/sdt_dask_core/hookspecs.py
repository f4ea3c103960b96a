"""The contract: every hook of the pluggy project ``sdt_dask``.

A provider implements a hook by a method of the same name and the same argument names (any subset of them, none with a
default). `hookimpl` marks such a method; on a provider's own class the mark is needed only to add pluggy's options,
such as ``wrapper=True``.

*Driver* is the process that the user started; *child* is the process beside a Dask worker that reads and analyses one
key at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    import distributed
    import pandas as pd

    from sdt_dask_core.clusters import ClusterRecord
    from sdt_dask_core.keys import Key
    from sdt_dask_core.publishing import Chunk, Publication

__all__ = ["API", "PROJECT", "hookimpl", "hookspec"]

#: Version of the contract, apart from release numbers: only additions within a major version.
API = (1, 2)

#: Name of the pluggy project.
PROJECT = "sdt_dask"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec(firstresult=True)
def get_data(key: Key) -> pd.DataFrame:  # type: ignore[empty-body]
    """Read the power series of one key.

    Called in a child, once per key and attempt; the plug was built in that process. May block; must not change `key`;
    must return a new frame each time.

    Parameters
    ----------
    key : tuple
        What `list_keys` yields: JSON scalars or lists of them.

    Returns
    -------
    pandas.DataFrame, shape (n_timestamps, 1)
        DatetimeIndex in local standard time, or time-zone aware; one numeric power column. ``frame.attrs["units"]``
        ("W", "kW" or "MW") says the unit of the power where the plug's own ``units`` attribute does not;
        ``frame.attrs["notes"]``, a list of sentences or of ``{"code": …, "message": …}``, tells what the plug changed.
        A note with ``"repaired": False`` tells what it doubts and left as it is: the system is then graded no better
        than caution, and the message is the reason.

    Raises
    ------
    KeyNotFoundError
        The source has no such key. Not retried.
    AccessDeniedError
        The source refuses us. Not retried.
    SourceUnavailableError
        The source did not answer. Safe to retry.
    DataFormatError
        What the source holds is not a power series. Not retried.
    AmbiguousColumnError
        More than one power column and none chosen. Not retried.
    """


@hookspec(firstresult=True)
def list_keys() -> Iterable[Any]:  # type: ignore[empty-body]
    """Yield every key that the source offers; lazy, in a stable order.

    Called on the driver, once, when the caller gave no keys. Absent or None: the plug cannot list, and a run needs
    keys. Nothing yielded: the source is empty, which the run reports as an error.
    """


@hookspec(firstresult=True)
def fingerprint(key: Key) -> str | None:
    """Return a text that changes when the source's data for the key change; None where that is unknown.

    Called on the driver, once per key and run; cheap (a stat, a listing's ETag), never a read of the data. A key whose
    fingerprint is None is analysed in every run.
    """


@hookspec(firstresult=True)
def data_size(key: Key) -> int | None:
    """Return how large the source's data for the key are [bytes]; None where that is unknown.

    Any number that grows with the data will do, such as a count of rows, if it is the same kind for every key.
    Called on the driver, once per key that would run; as cheap as `fingerprint`. The larger ones of a run go first, and
    `sdt-dask plan` estimates their time from it where they were never analysed. Since API 1.1.
    """


@hookspec(firstresult=True)
def system_metadata(key: Key) -> Mapping[str, Any] | None:
    """Return what the source knows of the system behind a key; None where it knows nothing.

    Called on the driver, once per key that will run. Known names: ``latitude`` [°], ``longitude`` [°], ``time_zone``
    (IANA), ``capacity_kw`` [kW], ``tilt`` [°], ``azimuth`` [°, 180 is south].
    """


@hookspec(firstresult=True)
def local_paths() -> Iterable[str]:  # type: ignore[empty-body]
    """Yield the files and folders of this machine that `get_data` reads; nothing for a source reached by network.

    Called on the driver before a cluster is made: workers that cannot see them are refused. Since API 1.1.
    """


@hookspec
def check_access() -> Iterable[str]:  # type: ignore[empty-body]
    """Yield one sentence per problem that would stop a run from here; nothing when all is well.

    Called on the driver by `sdt-dask check` and before a run; quick and read-only.
    """


@hookspec
def close() -> None:
    """Give back what was opened. Called where the provider was built, at least once; must be idempotent."""


@hookspec(firstresult=True)
def make_client() -> distributed.Client:  # type: ignore[empty-body]
    """Return a ``distributed.Client`` of a live cluster.

    Called on the driver, once per run, after everything else was checked. Core closes the client, and then calls
    `close`, on every path.

    Raises
    ------
    ClientError
        The cluster could not be made or joined.
    """


@hookspec(firstresult=True)
def estimate_cost(n_keys: int, seconds_per_key: float) -> float | None:
    """Return what a run would cost [US dollars], before anything is spent; None where unknown.

    Called on the driver by `sdt-dask plan` and before a run with a `max_cost`, without `make_client`. `seconds_per_key`
    is the computing time of one key on one core [s]. Count what the run pays for besides, such as the time in which
    the cluster starts.
    """


@hookspec(firstresult=True)
def cost_so_far() -> float | None:
    """Return what the cluster has cost since `make_client` [US dollars]; None where unknown.

    Called on the driver before `make_client`, where it is 0, and again and again while keys are worked off, so it
    counts and asks no service. It never falls. None at any time: the run cannot keep a `max_cost`, and is refused or
    ended. Since API 1.1.
    """


@hookspec(firstresult=True)
def list_clusters() -> Iterable[ClusterRecord]:  # type: ignore[empty-body]
    """Yield the clusters that this client made and that still hold something, leftovers of a crash among them.

    Called on the driver by `sdt-dask clusters`, without `make_client`, so it asks the service and not the instance; an
    option that only a new cluster needs has a default, so that leftovers are listed without it.
    Absent or nothing: there is nothing that could be left over. Since API 1.1.

    Raises
    ------
    ClientError
        The service does not answer, or refuses us: what to do. Other clients are listed all the same.
    """


@hookspec(firstresult=True)
def remove_cluster(name: str) -> Iterable[str]:  # type: ignore[empty-body]
    """Remove everything that the cluster of this name holds; yield what was removed, piece by piece.

    Called on the driver by `sdt-dask clusters clean`, without `make_client`, also for a cluster that is running. What
    this client did not make is never touched; what is gone already is passed over. Since API 1.1.

    Raises
    ------
    ClientError
        No such cluster, or a part of it could not be removed.
    """


@hookspec(firstresult=True)
def published_chunks(publication: Publication) -> Mapping[int, str] | None:
    """Return the chunks of a publication that the target holds whole: the digest of each, by its number.

    Called on the driver by `sdt-dask publish`, once, before any `publish_rows`. A chunk that is there with the digest
    it has now is left out. None or nothing: all chunks are written. A target that holds nothing yet is no error, and
    nothing is made there. Since API 1.2.

    Raises
    ------
    PublishError
        The target does not answer, or refuses us: what to do. Safe to repeat.
    """


@hookspec
def publish_rows(publication: Publication, chunk: Chunk, rows: Sequence[Mapping[str, Any]]) -> None:
    """Bring one chunk to the target: its rows and the record of its digest, both or neither.

    Called on the driver once per chunk that is not there, in the order of their numbers. It may come again with the
    same rows, or with newer ones of the same keys, in whatever state an earlier call was interrupted: afterwards each
    row, told by ``run_id`` and ``key``, must be there once. Since API 1.2.

    Parameters
    ----------
    publication : Publication
        The run and its columns.
    chunk : Chunk
        Its number, its digest, and how many rows it has.
    rows : sequence of mapping
        By the names of the columns: text, numbers, truth, ``datetime`` without a zone, or None.

    Raises
    ------
    PublishError
        The target did not take the chunk: what failed, why, and what to do. Safe to repeat.
    """


@hookspec
def publish_finished(publication: Publication, chunks: Sequence[Chunk]) -> None:
    """Hear that every chunk is there; a target of files writes its manifest now.

    Called on the driver after the last chunk, also where all were there already; must be idempotent. Since API 1.2.
    """


@hookspec
def admit_key(key: Key) -> str | None:
    """Veto a key: a sentence saying why it must not run, or None to let it run.

    Called on the driver for each enabled addon, once per key that would run.
    """


@hookspec
def run_started(run: Any) -> None:
    """Hear that a run starts; `run` is its `RunInfo`. Called on the driver, after the cluster is up."""


@hookspec
def key_finished(run: Any, outcome: Mapping[str, Any]) -> None:
    """Hear of one outcome, after it is durable in the ledger. Called on the driver."""


@hookspec
def run_finished(run: Any) -> None:
    """Hear that a run ended, also when it was interrupted. Called on the driver, before the cluster closes."""
