"""Parquet tables: their columns, a sample, and the chosen columns in full."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sdt_dask_core import oversize
from sdt_dask_core.errors import DataFormatError
from sdt_dask_core.oversize import oversized, parquet_size, size_text
from sdt_dask_core.tables.foreign import refuse_foreign
from sdt_dask_core.tables.plain import as_category, with_plain_stamps

if TYPE_CHECKING:
    import pandas as pd

    from sdt_dask_core.tables.columns import Kind
    from sdt_dask_core.tables.source import PlainBytes
    from sdt_dask_core.tables.table_format import TableFormat

__all__ = ["ParquetTable", "is_parquet", "open_table"]

_MAGIC = b"PAR1"
_SAMPLE_ROWS = 500
_BATCH_ROWS = 64 * 1024


@dataclass
class ParquetTable:
    """A Parquet table whose schema was read.

    Attributes
    ----------
    name : str
        How messages name it.
    columns : tuple of str
        Its column names; nested columns are left out.
    first_line : int
        1: rows are counted from 1.
    """

    name: str
    columns: tuple[str, ...]
    first_line: int
    _file: Any
    _date_format: str | None

    def kind(self, column: str) -> Kind:
        """Return what the schema says that a column holds."""
        from pyarrow import types

        held = self._file.schema_arrow.field(column).type
        if types.is_timestamp(held):
            return "time"
        is_number = types.is_integer(held) or types.is_floating(held) or types.is_boolean(held)
        return "number" if is_number else "text"

    def first_rows(self, column: str) -> pd.Series:
        """Return the first rows of a column; those of the others stay unread, as they may have to come from afar."""
        import pyarrow as pa

        self._refuse_bomb([column])
        with _wrapped(self.name):
            batch = next(self._file.iter_batches(batch_size=_SAMPLE_ROWS, columns=[column]))
            values: pd.Series = _as_frame(pa.Table.from_batches([batch]))[column]
        return values

    def read(
        self, columns: Collection[str], *, stamps: Collection[str] = (), labels: Collection[str] = ()
    ) -> pd.DataFrame:
        """Read columns in full; see `CsvTable.read`.

        Raises
        ------
        DataFormatError
            The columns are too large, or the file is damaged.
        """
        self._refuse_bomb(columns)
        with _wrapped(self.name):
            table = self._table(columns)
            if self._date_format is None:
                table = with_plain_stamps(table, stamps)
            categories = {column: as_category(table[column]) for column in labels}
            frame: pd.DataFrame = _as_frame(table.drop_columns(list(labels))).assign(**categories)
        return frame

    def _table(self, columns: Collection[str]) -> Any:
        """Read columns, some rows at a time and counted: a file may hold more than it says of itself."""
        import pyarrow as pa

        batches, size = [], 0
        for batch in self._file.iter_batches(batch_size=_BATCH_ROWS, columns=list(columns)):
            size += batch.nbytes
            if size > oversize.MAX_BYTES:
                raise oversized(self.name, f"takes {size_text(size)} of memory, and there is more")
            batches.append(batch)
        return pa.Table.from_batches(batches)

    def _refuse_bomb(self, columns: Collection[str]) -> None:
        size = parquet_size(self._file.metadata, columns)
        if size > oversize.MAX_BYTES:
            raise oversized(
                self.name, f"would take {size_text(size)} of memory", advice="split it, one file for each system"
            )


def is_parquet(plain: PlainBytes) -> bool:
    """Tell whether a table is meant to be Parquet: by its first bytes, or by its name."""
    return plain.head.startswith(_MAGIC) or plain.name.lower().endswith(".parquet")


def open_table(plain: PlainBytes, table_format: TableFormat) -> ParquetTable:
    """Read the schema of a Parquet table.

    Raises
    ------
    DataFormatError
        It is no Parquet file, is damaged or has no rows.
    """
    import pyarrow.parquet as pq

    if not plain.head.startswith(_MAGIC):
        refuse_foreign(plain)
        raise DataFormatError(
            f"{plain.name} is not a Parquet file though its name says so (it begins {plain.head[:8]!r}); "
            "copy it again or correct its name"
        )
    with _wrapped(plain.name):
        file = pq.ParquetFile(plain.seekable_whole())
        if not file.metadata.num_rows:
            raise DataFormatError(f"{plain.name} has columns but no rows; leave its key out or fill it")
        columns = tuple(f.name for f in file.schema_arrow if not str(f.type).startswith(("struct", "list", "map")))
        if len(set(columns)) < len(columns):
            raise DataFormatError(f"{plain.name} has two columns of one name among {columns}; rename one of them")
    return ParquetTable(plain.name, columns, 1, file, table_format.date_format)


def _as_frame(table: Any) -> pd.DataFrame:
    # The pandas metadata would take the timestamps away into an index, and may be damaged.
    frame: pd.DataFrame = table.replace_schema_metadata(None).to_pandas()
    return frame


@contextmanager
def _wrapped(name: str) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, ValueError, LookupError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__).rstrip(".")
        raise DataFormatError(f"{name} cannot be read as Parquet: {reason}; copy the file again") from error
