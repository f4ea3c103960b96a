"""The tables in the target: results with typed columns, and the record of the chunks that are there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Connection, MetaData, Table

    from sdt_dask_core import Column

__all__ = ["Tables"]

_LONGEST_KEY = 500
# They index no text without a length.
_NEED_A_LENGTH = ("mysql", "mariadb", "mssql", "oracle")


@dataclass(frozen=True, slots=True)
class Tables:
    """The two tables of a target.

    Attributes
    ----------
    results : sqlalchemy.Table
        One row for each key of each run.
    record : sqlalchemy.Table
        One row for each chunk of each run that is there whole.
    """

    results: Table
    record: Table

    @classmethod
    def of(cls, columns: Iterable[Column], *, name: str, schema: str | None) -> Tables:
        """Return the tables that hold these columns."""
        from sqlalchemy import MetaData

        metadata = MetaData(schema=schema)
        return cls(_results(metadata, name, columns), _record(metadata, f"{name}_published"))

    def make(self, connection: Connection) -> None:
        """Make the tables where they are not there, and the columns that an earlier run did not have."""
        from sqlalchemy import inspect

        self.results.metadata.create_all(connection)
        there = {c["name"] for c in inspect(connection).get_columns(self.results.name, schema=self.results.schema)}
        for column in self.results.columns:
            if column.name not in there:
                _add(connection, self.results, column)


def _add(connection: Connection, table: Table, column: Any) -> None:
    from sqlalchemy.schema import CreateColumn

    name = connection.dialect.identifier_preparer.format_table(table)
    definition = CreateColumn(column).compile(dialect=connection.dialect)
    # Names are quoted for the driver already; text() would take a colon for a parameter, and double each percent sign.
    connection.exec_driver_sql(f"ALTER TABLE {name} ADD {definition}")


def _results(metadata: MetaData, name: str, columns: Iterable[Column]) -> Table:
    from sqlalchemy import Column as SqlColumn
    from sqlalchemy import Table

    keys = ("run_id", "key")
    made = [
        SqlColumn(c.name, _key_type() if c.name in keys else _type(c), primary_key=c.name in keys, comment=_comment(c))
        for c in columns
    ]
    return Table(name, metadata, *made)


def _record(metadata: MetaData, name: str) -> Table:
    from sqlalchemy import Column as SqlColumn
    from sqlalchemy import DateTime, Integer, String, Table

    return Table(
        name,
        metadata,
        SqlColumn("run_id", _key_type(), primary_key=True),
        SqlColumn("chunk", Integer, primary_key=True, autoincrement=False),
        SqlColumn("n_rows", Integer, nullable=False),
        SqlColumn("digest", String(64), nullable=False),
        SqlColumn("published_at", DateTime, nullable=False, comment="UTC"),
    )


def _key_type() -> Any:
    from sqlalchemy import String, Text

    return Text().with_variant(String(_LONGEST_KEY), *_NEED_A_LENGTH)


def _type(column: Column) -> Any:
    from sqlalchemy import BigInteger, Boolean, DateTime, Double, Text

    types = {"text": Text(), "count": BigInteger(), "bool": Boolean(), "time": DateTime()}
    return types.get(column.unit, Double())


def _comment(column: Column) -> str:
    named = f" Solar Data Tools' name: {column.source}" if column.source else ""
    return f"[{column.unit}] {column.description}{named}"
