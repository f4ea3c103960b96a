"""Publishing: chunk by chunk, leaving out what is there, so that it may be repeated after any interruption."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sdt_dask_core.contract import HookManager
from sdt_dask_core.errors import ConfigurationError, PublishError, SdtDaskError
from sdt_dask_core.publishing.publication import CHUNK_ROWS, Chunk, Publication, chunks_of, publication_of
from sdt_dask_core.reference import refer_to
from sdt_dask_core.report.described import described
from sdt_dask_core.secret import redact

if TYPE_CHECKING:
    import pandas as pd

    from sdt_dask_core.analyses import Column
    from sdt_dask_core.run import Run

__all__ = ["Published", "publish_run", "publish_table"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Published:
    """What came of publishing a run.

    Attributes
    ----------
    n_rows, n_chunks : int
        What is there now of the run.
    n_written : int
        Chunks that were written by this call; the others were there already, unchanged.
    """

    n_rows: int
    n_chunks: int
    n_written: int


def publish_run(run: Run, publisher: Any, options: Mapping[str, Any] | None = None) -> Published:
    """Publish the results of a run; see `Run.publish`."""
    reference = refer_to("publisher", publisher, options or {})
    columns = described("results", run.columns)
    return publish_table(reference.build(), run.run_id, run.results, columns, name=reference.name)


def publish_table(
    provider: Any,
    run_id: str,
    table: pd.DataFrame,
    columns: Sequence[Column],
    *,
    name: str,
    chunk_rows: int = CHUNK_ROWS,
) -> Published:
    """Publish a table of results through a publisher, which is closed on every path.

    Parameters
    ----------
    provider : object
        The publisher.
    run_id : str
        The run that the table is of.
    table : pandas.DataFrame
        One row for each key.
    columns : sequence of Column
        What its columns are.
    name : str
        How messages name the publisher.
    chunk_rows : int
        Rows that are written at once; the same whenever a run is published.

    Raises
    ------
    ConfigurationError
        The publisher says that it cannot work from here.
    PublishError
        It failed; to be repeated.
    """
    publication = publication_of(run_id, table, columns, chunk_rows=chunk_rows)
    manager = HookManager()
    manager.register(provider)
    try:
        _refuse_without_access(name, manager.hook)
        return _Work(name, manager.hook, publication).done(table, chunk_rows)
    finally:
        _close(name, manager.hook)


def _refuse_without_access(name: str, hooks: Any) -> None:
    try:
        problems = [str(problem) for found in hooks.check_access() for problem in found or ()]
    except SdtDaskError:
        raise
    except Exception as error:
        raise _failed(name, "could not be checked", error) from error
    if problems:
        raise ConfigurationError(f"publisher {name!r} cannot be used: {'; '.join(problems)}")


def _close(name: str, hooks: Any) -> None:
    try:
        hooks.close()
    except Exception as error:  # noqa: BLE001 - what was published is published
        logger.warning("publisher %s failed in close: %s", name, redact(f"{type(error).__name__}: {error}"))


@dataclass(frozen=True, slots=True)
class _Work:
    """One publication by one publisher."""

    name: str
    hooks: Any
    publication: Publication

    def done(self, table: pd.DataFrame, chunk_rows: int) -> Published:
        there = self._asked("published_chunks", "could not be asked what is there") or {}
        chunks, n_written = [], 0
        for chunk, rows in chunks_of(self.publication, table, chunk_rows=chunk_rows):
            if there.get(chunk.number) != chunk.digest:
                self._write(chunk, rows)
                n_written += 1
            chunks.append(chunk)
        self._asked("publish_finished", "failed after the last chunk", chunks=tuple(chunks))
        return Published(self.publication.n_rows, len(chunks), n_written)

    def _write(self, chunk: Chunk, rows: list[dict[str, Any]]) -> None:
        place = f"chunk {chunk.number + 1} of {self.publication.n_chunks}"
        self._asked("publish_rows", f"failed at {place}", chunk=chunk, rows=rows)
        logger.info("run %s: published %s (%d rows)", self.publication.run_id, place, chunk.n_rows)

    def _asked(self, hook: str, failure: str, **arguments: Any) -> Any:
        try:
            return getattr(self.hooks, hook)(publication=self.publication, **arguments)
        except SdtDaskError:
            raise
        except Exception as error:
            raise _failed(self.name, f"{failure}, run {self.publication.run_id}", error) from error


def _failed(name: str, what: str, error: Exception) -> PublishError:
    said = redact(f"{type(error).__name__}: {error}")
    return PublishError(
        f"publisher {name!r} {what}: {said}; what was published before stands: when the cause is gone, run the same "
        "command again, which writes what is missing",
        publisher=name,
    )
