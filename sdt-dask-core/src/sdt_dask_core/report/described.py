"""What the columns of each table of a run are: their units, what they mean, and what Solar Data Tools calls them."""

from __future__ import annotations

from collections.abc import Iterable

from sdt_dask_core.analyses import Column

__all__ = ["ERROR_COLUMNS", "HEAD_COLUMNS", "TABLES", "described"]

#: Columns that stand before the results of each system.
HEAD_COLUMNS: tuple[Column, ...] = (
    Column("key", "text", "The key, as you would type it."),
    Column("status", "text", "What became of it: done, failed, skipped or todo."),
    Column("run_reason", "text", "Why it ran or not."),
    Column("grade", "text", "How far its numbers can be trusted: ok, caution or withheld; empty for a failed key."),
    Column("reasons", "text", "Why the grade is not ok."),
)

#: Columns of the table of failed keys.
ERROR_COLUMNS: tuple[Column, ...] = (
    Column("key", "text", "The key, as you would type it."),
    Column("cause", "text", "Stable code of the cause."),
    Column("message", "text", "What failed, why, and what to do."),
    Column("stage", "text", "Where: plug (it could not be built), read, check, the name of the analysis, or worker."),
    Column("fix", "text", "What to do about this cause."),
    Column("attempt", "count", "Number of the attempt."),
)

_SUMMARY_COLUMNS = (
    Column("column", "text", "Name of the result column."),
    Column("unit", "text", "Unit of median, p10 and p90."),
    Column("median", "unit", "Median over the trusted systems, in the unit of the row."),
    Column("p10", "unit", "Tenth percentile over the trusted systems, in the unit of the row."),
    Column("p90", "unit", "Ninetieth percentile over the trusted systems, in the unit of the row."),
    Column("n_used", "count", "Number of trusted systems that have the number."),
)

#: Names of the tables that a run has.
TABLES = ("results", "errors", "withheld", "summary")


def described(table: str, columns: Iterable[Column]) -> tuple[Column, ...]:
    """Return every column of a table, in its order.

    Parameters
    ----------
    table : str
        One of `TABLES`.
    columns : iterable of Column
        The result columns of the run.
    """
    if table == "errors":
        return ERROR_COLUMNS
    if table == "summary":
        return _SUMMARY_COLUMNS
    if table == "results":
        return (*HEAD_COLUMNS, *columns)
    head = (column for column in HEAD_COLUMNS if column.name in ("key", "reasons"))
    return (*head, *(column for column in columns if column.is_withheld))
