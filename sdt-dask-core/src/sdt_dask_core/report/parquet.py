"""Tables as Parquet whose columns say their unit, what they mean, and what Solar Data Tools calls them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from sdt_dask_core.analyses import Column

__all__ = ["arrow_table", "column_metadata", "write_parquet"]


def column_metadata(column: Column) -> dict[str, str]:
    """Return what the metadata of a field say of a column; nothing where there is nothing to say."""
    texts = {"unit": column.unit, "description": column.description, "sdt_name": column.source}
    return {name: text for name, text in texts.items() if text}


def arrow_table(table: pd.DataFrame, columns: Iterable[Column] = ()) -> Any:
    """Return a table as Arrow's, with metadata of its columns beside those that pandas keeps.

    Parameters
    ----------
    table : pandas.DataFrame
        Any table; its index is left out.
    columns : iterable of Column
        What is known of its columns. They have the same types in every table, also where a column is empty, so that
        several files are one data set.

    Returns
    -------
    pyarrow.Table
    """
    import pyarrow as pa

    made = pa.Table.from_pandas(table, preserve_index=False)
    known = {column.name: column for column in columns}
    fields = [_field(field, known.get(field.name)) for field in made.schema]
    # Nanoseconds that microseconds cannot hold are no part of a measurement's time.
    return made.cast(pa.schema(fields, metadata=made.schema.metadata), safe=False)


def write_parquet(table: pd.DataFrame, file: Path | Any, columns: Iterable[Column] = ()) -> None:
    """Write a table to a path or to an open binary file; see `arrow_table`."""
    import pyarrow.parquet

    pyarrow.parquet.write_table(arrow_table(table, columns), file)


def _field(field: Any, column: Column | None) -> Any:
    import pyarrow as pa

    if column is None:
        return field
    if pa.types.is_timestamp(field.type):
        field = field.with_type(pa.timestamp("us"))
    elif pa.types.is_null(field.type) or pa.types.is_large_string(field.type):
        field = field.with_type(pa.string())
    return field.with_metadata(column_metadata(column))
