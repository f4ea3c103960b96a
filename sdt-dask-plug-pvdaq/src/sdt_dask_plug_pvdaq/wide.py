"""Wide CSV files: a column of timestamps and one for each channel. Whole, as those of a day; or streamed."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sdt_dask_core import oversize
from sdt_dask_core.errors import DataFormatError
from sdt_dask_core.oversize import oversized, size_text
from sdt_dask_plug_pvdaq.columns import wanted
from sdt_dask_plug_pvdaq.rows import STAMP, VALUE, Rows

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from sdt_dask_core.tables.source import ByteStream

__all__ = ["channels", "no_rows", "parse_day", "parse_header", "parse_stamps", "stream"]

_NO_CHANNELS = ("system_id", "siteid", "site_id", STAMP, "date-time", "timestamp", "")
_TIME_NAMES = (STAMP, "date-time", "timestamp", "")
_TELL = "tell PVDAQ, or leave it out"
_BLOCK = 4 * 1024 * 1024  # bytes of text that are parsed at once
# A sign that only means "no value"; words that could be a fault of the logger are refused, and so seen.
_MISSING = ["", "NaN", "nan", "NA", "N/A", "NULL", "null", "None", "NaT"]


def parse_header(head: bytes, name: str) -> tuple[str, ...]:
    """Return the column names in the first line of a file.

    Raises
    ------
    DataFormatError
        There is no such line, or no column of timestamps in it.
    """
    line = head.split(b"\n", 1)[0].decode("utf-8-sig", errors="replace").rstrip("\r")
    columns = tuple(next(csv.reader([line]), []))
    if len(columns) < 2 or len(set(columns)) < len(columns):  # noqa: PLR2004 - a time and a value
        raise DataFormatError(
            f"{name} is no table of measurements: it begins {line[:60]!r}; tell PVDAQ, or leave it out"
        )
    if _time_column(columns) is None:
        raise DataFormatError(f"{name} has no column of timestamps (measured_on); it begins {line[:60]!r}")
    return columns


def channels(columns: Collection[str]) -> tuple[str, ...]:
    """Return the columns that hold measurements."""
    return tuple(column for column in columns if column.lower() not in _NO_CHANNELS)


def parse_day(content: bytes, name: str, asked: str | None) -> Rows:
    """Return the rows of a small file, of the columns that could be the power."""
    columns = parse_header(content, name)
    found = channels(columns)
    return Rows(found, _read(io.BytesIO(content), name, columns, wanted(found, asked)))


def stream(
    file: ByteStream, name: str, columns: Sequence[str], column: str, years: Collection[int] | None
) -> pd.DataFrame:
    """Return the rows of one column of a large file, never holding more than some of its text.

    Parameters
    ----------
    file : binary file object
        The file from its beginning on.
    name : str
        How messages name it.
    columns : sequence of str
        Its header.
    column : str
        The column.
    years : collection of int, optional
        The years wanted; default all.
    """
    import pandas as pd

    parts, size = [], 0
    with _reading(name):
        for batch in _open(file, [str(_time_column(columns)), column]):
            size += batch.nbytes
            if size > oversize.MAX_BYTES:
                raise oversized(name, f"has more than {size_text(oversize.MAX_BYTES)} in two columns", advice=_TELL)
            stamps = parse_stamps(batch.column(0).to_pandas(), name)
            rows = pd.DataFrame({STAMP: stamps, VALUE: batch.column(1).to_pandas()})
            parts.append(rows if years is None else rows[stamps.dt.year.isin(list(years))])
    return pd.concat(parts, ignore_index=True) if parts else no_rows()


def parse_stamps(texts: Any, name: str) -> pd.Series:
    """Return timestamps; a missing one is NaT.

    Raises
    ------
    DataFormatError
        A text is no timestamp.
    """
    import pandas as pd

    try:
        stamps: pd.Series = pd.to_datetime(texts, format="ISO8601")
    except ValueError:
        try:
            stamps = pd.to_datetime(texts, format="mixed")
        except ValueError as error:
            raise DataFormatError(f"{name} holds what is no timestamp: {str(error)[:120]}") from error
    if getattr(stamps.dtype, "tz", None) is not None:
        raise DataFormatError(
            f"{name} holds timestamps with an offset, where PVDAQ's have none; tell the plug's tracker"
        )
    return stamps


def _read(file: ByteStream, name: str, columns: Sequence[str], chosen: Sequence[str]) -> dict[str, pd.DataFrame]:
    import pandas as pd
    import pyarrow as pa

    if not chosen:
        return {}
    with _reading(name):
        batches = list(_open(file, [str(_time_column(columns)), *chosen]))
    if not batches:
        return {column: no_rows() for column in chosen}
    table = pa.Table.from_batches(batches)
    stamps = parse_stamps(table.column(0).to_pandas(), name)
    values = {column: table.column(place).to_numpy() for place, column in enumerate(chosen, start=1)}
    return {column: pd.DataFrame({STAMP: stamps, VALUE: values[column]}) for column in chosen}


def _open(file: ByteStream, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    numbers = {column: pa.float64() for column in columns[1:]}
    yield from arrow_csv.open_csv(
        file,
        read_options=arrow_csv.ReadOptions(use_threads=False, block_size=_BLOCK),
        convert_options=arrow_csv.ConvertOptions(
            include_columns=list(columns),
            column_types={columns[0]: pa.string(), **numbers},
            null_values=_MISSING,
            strings_can_be_null=True,
        ),
    )


class _reading:  # noqa: N801 - reads as a function
    """Turn what pyarrow says of a damaged file into an error of ours."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        import pyarrow as pa

        if isinstance(error, pa.ArrowInvalid):
            raise DataFormatError(
                f"{self.name} cannot be read as CSV: {' '.join(str(error).split())[:200]}; tell PVDAQ, or leave it out"
            ) from error


def _time_column(columns: Collection[str]) -> str | None:
    by_name = {column.lower(): column for column in reversed(list(columns))}
    return next((by_name[name] for name in _TIME_NAMES if name in by_name), None)


def no_rows() -> pd.DataFrame:
    """Return rows of no time."""
    import pandas as pd

    empty: pd.DataFrame = pd.DataFrame(
        {STAMP: pd.Series([], dtype="datetime64[us]"), VALUE: pd.Series([], dtype="float64")}
    )
    return empty
