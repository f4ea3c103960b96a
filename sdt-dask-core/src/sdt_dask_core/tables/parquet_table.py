"""Parquet tables: their columns, a sample, and the chosen columns in full."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sdt_dask_core.errors import DataFormatError
from sdt_dask_core.tables import source

if TYPE_CHECKING:
    import pandas as pd

    from sdt_dask_core.tables.source import PlainBytes
    from sdt_dask_core.tables.table_format import TableFormat

__all__ = ["ParquetTable", "is_parquet", "open_table"]

_MAGIC = b"PAR1"
_SAMPLE_ROWS = 500


@dataclass
class ParquetTable:
    """A Parquet table whose schema was read.

    Attributes
    ----------
    name : str
        How messages name it.
    columns : tuple of str
        Its column names; nested columns are left out.
    sample : pandas.DataFrame
        Its first rows.
    first_line : int
        1: rows are counted from 1.
    """

    name: str
    columns: tuple[str, ...]
    sample: pd.DataFrame
    first_line: int
    _file: Any

    def read(
        self, columns: Collection[str], *, text: Collection[str] = (), labels: Collection[str] = ()
    ) -> pd.DataFrame:
        """Read columns in full; see `CsvTable.read`. Only `labels` change what the file says of a column.

        Raises
        ------
        DataFormatError
            The columns are too large, or the file is damaged.
        """
        del text
        self._refuse_bomb(columns)
        with _wrapped(self.name):
            frame = _as_frame(self._file.read(columns=list(columns)))
        for column in labels:
            frame[column] = frame[column].astype("object").fillna("").astype("str").astype("category")
        return frame

    def _refuse_bomb(self, columns: Collection[str]) -> None:
        # Runs of equal values take no space in the file, so the rows count too, at 8 bytes a value.
        metadata = self._file.metadata
        size = metadata.num_rows * 8 * len(columns)
        for group in range(metadata.num_row_groups):
            chunks = (metadata.row_group(group).column(i) for i in range(metadata.num_columns))
            size += sum(c.total_uncompressed_size for c in chunks if c.path_in_schema in columns)
        if size > source.MAX_BYTES:
            raise DataFormatError(
                f"{self.name} would take {size / 1024**3:.1f} GiB of memory, more than the "
                f"{source.MAX_BYTES / 1024**3:g} GiB that are read of one table; split it, one file for each system"
            )


def is_parquet(plain: PlainBytes) -> bool:
    """Tell whether a table is meant to be Parquet: by its first bytes, or by its name."""
    return plain.head.startswith(_MAGIC) or plain.name.lower().endswith(".parquet")


def open_table(plain: PlainBytes, table_format: TableFormat) -> ParquetTable:
    """Read the schema of a Parquet table and its first rows.

    Raises
    ------
    DataFormatError
        It is no Parquet file, is damaged or has no rows.
    """
    del table_format
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not plain.head.startswith(_MAGIC):
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
        batch = next(file.iter_batches(batch_size=_SAMPLE_ROWS, columns=list(columns)))
        sample = _as_frame(pa.Table.from_batches([batch]))
    return ParquetTable(plain.name, columns, sample, 1, file)


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
