"""Rows as a run publishes them, for the tests of publishers: every type of column, names that are hard to quote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sdt_dask_core.analyses import Column

if TYPE_CHECKING:
    import pandas as pd

    from sdt_dask_core.publishing.publish import Published

__all__ = ["CHUNK_ROWS", "COLUMNS", "KEYS", "publish", "results"]

#: Few, so that a handful of rows make several chunks.
CHUNK_ROWS = 3

#: Seven keys, so three chunks, the last one not full.
KEYS = ("a", "Ä ü €", 'it\'s "quoted"', "two\nlines", "50% :name {x}", "[34,2011]", "\\N,;|")

COLUMNS: tuple[Column, ...] = (
    Column("key", "text", "The key."),
    Column("grade", "text", "Its grade."),
    Column("n_timestamps", "count", "A number that may be missing.", source="num"),
    Column("is_clipped", "bool", "A truth that may be missing."),
    Column("first_timestamp", "time", "A time that may be missing."),
    Column("rate_pct_per_year", "%/yr", "A number.", source="degradation rate"),
)


def results(*, rate: float = -0.5, n_rows: int = len(KEYS)) -> pd.DataFrame:
    """Return a table of results whose rows but for the first lack something.

    Parameters
    ----------
    rate : float
        The rate that each row has.
    n_rows : int
        As many keys are numbered as there are more than the named ones.
    """
    from sdt_dask_core.report.tables import typed_table

    keys = [*KEYS, *(f"system {number}" for number in range(n_rows - len(KEYS)))][:n_rows]
    full = {"n_timestamps": 5, "is_clipped": True, "first_timestamp": "2020-06-01T12:30:00", "grade": "ok"}
    return typed_table(
        [{"key": key, "rate_pct_per_year": rate, **(full if not n else {})} for n, key in enumerate(keys)],
        list(COLUMNS),
    )


def publish(provider: Any, run_id: str, table: pd.DataFrame | None = None) -> Published:
    """Publish a table, by default `results`, in chunks of three rows; the publisher is closed."""
    from sdt_dask_core.publishing.publish import publish_table

    table = results() if table is None else table
    return publish_table(provider, run_id, table, COLUMNS, name="under test", chunk_rows=CHUNK_ROWS)
