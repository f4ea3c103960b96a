"""A connection that is opened on first use, and once more when it was dropped."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sdt_dask_plug_pvdb.address import Address
from sdt_dask_plug_pvdb.columns import DECIMAL, TIMESTAMP, TIMESTAMP_WITH_ZONE, Column, check_types
from sdt_dask_plug_pvdb.credentials import CredentialsCache
from sdt_dask_plug_pvdb.failures import connection_failure, is_away, is_full, query_failure
from sdt_dask_plug_pvdb.table import MeasurementTable, Query

__all__ = ["Database"]

Taken = TypeVar("Taken")
Take = Callable[[list[Column], Iterator[list[tuple[Any, ...]]]], Taken]

#: How long is waited for a free connection, and for a server that went away while it was read to come back [s].
_PATIENCE_FULL = 60.0
_PATIENCE_AWAY = 20.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0  # s
_ROWS_AT_ONCE = 20_000


@dataclass
class Database:
    """The one connection of a plug.

    Equal to another one of the same address: what is open is no part of what a plug was built with.

    Parameters
    ----------
    address : Address
        What to connect to.
    table : MeasurementTable
        What is read there.
    """

    address: Address
    table: MeasurementTable
    _connection: Any = field(default=None, init=False, compare=False, repr=False)
    _logins: CredentialsCache | None = field(default=None, init=False, compare=False, repr=False)

    @property
    def is_open(self) -> bool:
        """Whether there is a connection now."""
        return self._connection is not None

    @property
    def place(self) -> str:
        """How messages name the table."""
        return f"{self.table} in {self.address}"

    def check_table(self) -> None:
        """Ask for the table's columns, without a row.

        Raises
        ------
        AccessDeniedError, DataFormatError, SourceUnavailableError
            As `rows`.
        """
        self.read(self.table.columns(), lambda columns, _: check_types(*columns[-2:], place=self.place))

    def rows(self, query: Query) -> list[tuple[Any, ...]]:
        """Return all rows of a query; timestamps as text.

        Raises
        ------
        AccessDeniedError, DataFormatError
            The database refuses, or the table is not as it must be. Not retried.
        SourceUnavailableError
            It did not answer. Safe to retry.
        """
        return self.read(query, lambda _, parts: [row for part in parts for row in part])

    def read(self, query: Query, take: Take[Taken]) -> Taken:
        """Run a query and return what `take` makes of its columns and of its rows, which come in parts.

        Where the connection was dropped on the way, it is opened once more, and `take` starts anew.

        Raises
        ------
        AccessDeniedError, DataFormatError, SourceUnavailableError
            As `rows`.
        """
        import psycopg2

        patience = 0.0
        while True:
            connection = self._open(patience)
            try:
                return self._run(connection, query, take)
            except psycopg2.Error as error:
                is_dropped = bool(connection.closed)
                self.close()
                if not is_dropped or patience:
                    raise query_failure(error, self.address, self.table) from error
                patience = _PATIENCE_AWAY

    def close(self) -> None:
        """Give the connection back; the next query opens another one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _run(self, connection: Any, query: Query, take: Take[Taken]) -> Taken:
        with connection.cursor() as cursor:
            _register_types(cursor)
            try:
                cursor.execute(query.statement, query.values)
                columns = [Column(str(column.name), int(column.type_code)) for column in cursor.description]
                return take(columns, iter(lambda: cursor.fetchmany(_ROWS_AT_ONCE), []))
            finally:
                if not connection.closed:
                    connection.rollback()  # nothing was written, and no transaction stays open

    def _open(self, patience: float) -> Any:
        if self._connection is None:
            self._connection = self._connect(patience)
        return self._connection

    def _connect(self, patience: float) -> Any:
        """Connect; wait where all connections are taken and, with patience [s], where the server is not up."""
        import psycopg2

        start, pause = time.monotonic(), _FIRST_PAUSE
        while True:
            try:
                return self._connect_once()
            except psycopg2.Error as error:
                waited = time.monotonic() - start
                if waited < _PATIENCE_FULL if is_full(error) else waited < patience and is_away(error):
                    time.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - so that not all come back at once
                    pause = min(2 * pause, _LONGEST_PAUSE)
                    continue
                if self._logins is not None:
                    self._logins.forget()
                raise connection_failure(error, self.address) from error

    def _connect_once(self) -> Any:
        import psycopg2

        arguments = self.address.libpq_arguments(self._login(), libpq_version=psycopg2.__libpq_version__)
        connection = psycopg2.connect(**arguments)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(
                    "SET timezone TO 'UTC'; SET statement_timeout TO %s",
                    (round(1000 * self.address.statement_timeout),),
                )
            # From here each transaction begins with BEGIN READ ONLY, which Redshift understands, too.
            connection.set_session(readonly=True)
        except BaseException:
            with contextlib.suppress(Exception):
                connection.close()
            raise
        return connection

    def _login(self) -> Any:
        if self.address.iam is None:
            return None
        if self._logins is None:
            self._logins = CredentialsCache(self.address.iam.fetch)
        return self._logins.get()


def _register_types(cursor: Any) -> None:
    """Let timestamps come as text, which NumPy reads ten times faster than Python, and decimals as floats."""
    from psycopg2 import extensions

    for name, codes, cast in (
        ("SDT_DASK_STAMP", (TIMESTAMP, TIMESTAMP_WITH_ZONE), extensions.UNICODE),
        ("SDT_DASK_NUMBER", (DECIMAL,), extensions.FLOAT),
    ):
        extensions.register_type(extensions.new_type(codes, name, cast), cursor)
