"""The table of measurements, and every query that is asked of it.

Values go into a query as parameters and names as `psycopg2.sql.Identifier`, never in any other way. The SQL keeps to
what Redshift, which speaks the language of PostgreSQL 8.0, understands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from sdt_dask_core.errors import OptionError

if TYPE_CHECKING:
    from psycopg2 import sql

__all__ = ["MeasurementTable", "Query", "Where"]


@dataclass(frozen=True)
class Query:
    """A statement and the values that go into it."""

    statement: sql.Composed
    values: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Where:
    """Which rows; None leaves a column out.

    Attributes
    ----------
    site, sensor, meas_name : str or None
        What stands in these columns.
    start, end : str or None
        ``start <= ts < end``.
    """

    site: str | None = None
    sensor: str | None = None
    meas_name: str | None = None
    start: str | None = None
    end: str | None = None


#: How each part of a `Where` compares.
_COMPARISONS = {"site": "=", "sensor": "=", "meas_name": "=", "start": ">=", "end": "<"}


@dataclass(frozen=True, kw_only=True)
class MeasurementTable:
    """A table with one row for each measurement.

    Parameters
    ----------
    table : str
        Its name.
    schema : str or None
        Its schema; by default where the database looks for it.
    site, meas_name, timestamp, sensor, power : str
        Names of its columns.

    Raises
    ------
    OptionError
        A name that no table or column can have.
    """

    table: str
    schema: str | None
    site: str
    meas_name: str
    timestamp: str
    sensor: str
    power: str

    def __post_init__(self) -> None:
        for field in fields(self):
            name = getattr(self, field.name)
            option = field.name if field.name in ("table", "schema") else f"{field.name}_column"
            if name is not None and (not name or "\0" in name):
                raise OptionError(f"{option}={name!r} is no name of a table or column", option=option)

    def __str__(self) -> str:
        """Name the table in messages."""
        return f"table {self.table!r}" if self.schema is None else f"table '{self.schema}.{self.table}'"

    def columns(self) -> Query:
        """All five columns and no row: whether they are there and may be read."""
        return self._query("SELECT {site}, {meas_name}, {sensor}, {timestamp}, {power} FROM {table} LIMIT 0", Where())

    def sensors(self, where: Where) -> Query:
        """Each sensor, once."""
        return self._query("SELECT {sensor} FROM {table} {where} GROUP BY {sensor}", where)

    def meas_names(self, where: Where) -> Query:
        """Each name of a measurement, once."""
        return self._query("SELECT {meas_name} FROM {table} {where} GROUP BY {meas_name}", where)

    def counts(self, where: Where) -> Query:
        """Site, sensor, number of rows and last timestamp of each series."""
        return self._query(
            "SELECT {site}, {sensor}, COUNT(*), MAX({timestamp}) FROM {table} {where} GROUP BY {site}, {sensor}", where
        )

    def series(self, where: Where, limit: int) -> Query:
        """Timestamp and power of the first rows, equal timestamps in the order of the power: the same each time."""
        return self._query(
            "SELECT {timestamp}, {power} FROM {table} {where} AND {timestamp} IS NOT NULL "
            "ORDER BY {timestamp}, {power} LIMIT %(limit)s",
            where,
            {"limit": limit},
        )

    def _query(self, template: str, where: Where, more: Mapping[str, Any] | None = None) -> Query:
        from psycopg2 import sql

        columns = {name: getattr(self, name) for name in ("site", "meas_name", "timestamp", "sensor", "power")}
        names = {name: _identifier(column) for name, column in columns.items()}
        given = {part: getattr(where, part) for part in _COMPARISONS if getattr(where, part) is not None}
        conditions = [
            sql.SQL(" ").join([names.get(part, names["timestamp"]), sql.SQL(_COMPARISONS[part]), sql.Placeholder(part)])
            for part in given
        ]
        statement = sql.SQL(template).format(
            table=_identifier(self.table) if self.schema is None else _identifier(self.schema, self.table),
            where=sql.SQL("WHERE ") + sql.SQL(" AND ").join(conditions) if conditions else sql.SQL(""),
            **names,
        )
        return Query(statement, {**given, **(more or {})})


def _identifier(*names: str) -> sql.Identifier:
    from psycopg2 import sql

    # psycopg2 quotes a name, and then takes a % in it for the start of a placeholder.
    return sql.Identifier(*(name.replace("%", "%%") for name in names))
