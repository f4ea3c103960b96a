"""How much is read of one source, so that a hostile or mistaken one cannot fill the memory."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sdt_dask_core.errors import DataFormatError

__all__ = ["MAX_BYTES", "oversized", "parquet_size", "size_text"]

#: Most bytes that are held of one table, unpacked: 1 GiB. Ten years of one power, a row for each minute, weigh a fourth
#: of that as CSV.
MAX_BYTES = 1024**3

_KIB = 1024
_ADVICE = (
    "split it, one file for each system, or store it as Parquet, of which only the columns that are needed are read"
)


def oversized(
    name: str,
    size: str,
    *,
    advice: str = _ADVICE,
) -> DataFormatError:
    """Return the error for what is larger than `MAX_BYTES`.

    Parameters
    ----------
    name : str
        How messages name it.
    size : str
        How large it is, in words that follow its name: ``"has 3.2 GiB"``.
    advice : str
        What to do.
    """
    return DataFormatError(f"{name} {size}, more than the {size_text(MAX_BYTES)} that are held of one table; {advice}")


def parquet_size(metadata: Any, columns: Collection[str] | None = None) -> int:
    """Return what columns of a Parquet file take in memory, as its metadata say [bytes].

    Parameters
    ----------
    metadata : pyarrow.parquet.FileMetaData
        Of the file.
    columns : collection of str, optional
        The columns; default all.
    """
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    # Runs of equal values take no space in the file, so the rows count too, at 8 bytes a value.
    n_rows = max(metadata.num_rows, sum(group.num_rows for group in groups))
    chunks = (group.column(number) for group in groups for number in range(metadata.num_columns))
    stored = sum(c.total_uncompressed_size for c in chunks if columns is None or c.path_in_schema in columns)
    return int(stored + n_rows * 8 * (metadata.num_columns if columns is None else len(columns)))


def size_text(n_bytes: float) -> str:
    """Return a number of bytes as people read it: ``250 MiB``."""
    for unit in ("bytes", "KiB", "MiB"):
        if n_bytes < _KIB:
            return f"{_short(n_bytes)} {unit}"
        n_bytes /= _KIB
    return f"{_short(n_bytes)} GiB"


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"  # noqa: PLR2004 - three digits tell enough
