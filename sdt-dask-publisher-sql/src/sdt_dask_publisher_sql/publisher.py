"""`SqlPublisher`: a chunk and its record in one transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from sdt_dask_core.errors import OptionError
from sdt_dask_core.plug import Publisher
from sdt_dask_core.secret import Secret
from sdt_dask_publisher_sql.database import Database
from sdt_dask_publisher_sql.tables import Tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from sdt_dask_core import Chunk, Column, Publication

__all__ = ["SqlPublisher"]

_KEYS_AT_ONCE = 500  # every database takes so many parameters


class SqlPublisher(Publisher):
    """Writes results into a table of any database that SQLAlchemy reaches, one row for each key of each run.

    Parameters
    ----------
    url : Secret
        Address of the database, as a reference such as "env:RESULTS_URL" to postgresql://user:password@host/database.
    table : str
        Name of the table; what is there already is recorded in the table of this name with "_published".
    schema : str, optional
        Schema of the tables, which is there already; default that of the user.

    Raises
    ------
    OptionError
        The table has no name.
    """

    name: ClassVar[str] = "sql"

    def __init__(self, url: Secret, *, table: str = "sdt_dask_results", schema: str | None = None) -> None:
        if not table.strip():
            raise OptionError("publisher 'sql': the option 'table' is empty; give a name, such as sdt_dask_results")
        self.url = url
        self.table = table
        self.schema = schema
        self._database = Database(url)
        self._made: tuple[Column, ...] = ()  # what the tables are known to have

    def check_access(self) -> Iterable[str]:
        """Log in, and ask for nothing; what goes wrong is raised with what to do."""
        from sqlalchemy import text

        with self._database.transaction("log in to") as connection:
            connection.execute(text("SELECT 1"))
        return ()

    def published_chunks(self, publication: Publication) -> Mapping[int, str]:
        """Return what the record says, as long as the rows are there, too."""
        from sqlalchemy import func, inspect, select

        tables = self._tables(publication)
        results, record = tables.results, tables.record
        with self._database.transaction("ask what is published in") as connection:
            there = inspect(connection)
            if not all(there.has_table(table.name, schema=self.schema) for table in (results, record)):
                return {}
            of_run = select(record).where(record.c.run_id == publication.run_id)
            chunks = connection.execute(of_run).mappings().all()
            counted = select(func.count()).select_from(results).where(results.c.run_id == publication.run_id)
            if connection.execute(counted).scalar_one() != sum(chunk["n_rows"] for chunk in chunks):
                return {}  # somebody took rows away
        return {chunk["chunk"]: chunk["digest"] for chunk in chunks}

    def publish_rows(self, publication: Publication, chunk: Chunk, rows: Sequence[Mapping[str, Any]]) -> None:
        """Replace the rows of a chunk and its record, in one transaction."""
        tables = self._tables(publication)
        # On its own: some databases end a transaction where a table is made.
        if self._made != publication.columns:
            with self._database.transaction("make the tables in") as connection:
                tables.make(connection)
            self._made = publication.columns
        with self._database.transaction(f"write chunk {chunk.number + 1} of {publication.n_chunks} to") as connection:
            _replace_rows(connection, tables, publication, rows)
            _replace_record(connection, tables, publication, chunk)

    def close(self) -> None:
        """Close the connections; idempotent."""
        self._database.close()

    def _tables(self, publication: Publication) -> Tables:
        return Tables.of(publication.columns, name=self.table, schema=self.schema)


def _replace_rows(
    connection: Connection, tables: Tables, publication: Publication, rows: Sequence[Mapping[str, Any]]
) -> None:
    from sqlalchemy import delete, insert

    results = tables.results
    for keys in _some([row["key"] for row in rows]):
        of_run = results.c.run_id == publication.run_id
        connection.execute(delete(results).where(of_run, results.c.key.in_(keys)))
    connection.execute(insert(results), [dict(row) for row in rows])


def _replace_record(connection: Connection, tables: Tables, publication: Publication, chunk: Chunk) -> None:
    from sqlalchemy import delete, insert

    record = tables.record
    where = (record.c.run_id == publication.run_id, record.c.chunk == chunk.number)
    connection.execute(delete(record).where(*where))
    now = dt.datetime.now(dt.timezone.utc).replace(tzinfo=None, microsecond=0)
    values = {"run_id": publication.run_id, "chunk": chunk.number, "n_rows": chunk.n_rows, "digest": chunk.digest}
    connection.execute(insert(record), [{**values, "published_at": now}])


def _some(keys: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        yield keys[start : start + _KEYS_AT_ONCE]
