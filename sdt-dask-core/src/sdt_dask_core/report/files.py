"""Tables as files that appear whole or not at all."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sdt_dask_core.errors import ConfigurationError
from sdt_dask_core.report.parquet import write_parquet
from sdt_dask_core.report.spreadsheet import refuse_spreadsheet, write_spreadsheet
from sdt_dask_core.whole_file import whole_file

if TYPE_CHECKING:
    import pandas as pd

    from sdt_dask_core.analyses import Column

__all__ = ["exported", "write_pieces", "write_table"]

# What a spreadsheet takes for a formula when a cell of text starts with it (OWASP, "CSV injection").
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
# By itself pandas leaves the time out of those rows, as it takes them together, that are all at midnight.
_DATE_FORMAT = "%Y-%m-%d %H:%M:%S"


def write_table(table: pd.DataFrame, path: Path | str, columns: Iterable[Column] = ()) -> Path:
    """Write a table as ``.csv``, ``.parquet`` or ``.xlsx``, under a temporary name first.

    In CSV, text that a spreadsheet would run as a formula gets a leading apostrophe; numbers stay as they are. In
    Excel files text is text. Parquet and Excel files say what the columns are, as far as it is given.

    Raises
    ------
    ConfigurationError
        Another file extension, more rows than a sheet takes, or the folder or the disk cannot be written.
    """
    path = Path(path)
    if path.suffix not in (".csv", ".parquet", ".xlsx"):
        raise ConfigurationError(
            f"cannot export to {str(path)!r}: the extension decides, write .csv or .parquet, or .xlsx for Excel"
        )
    if path.suffix == ".csv":
        return write_pieces([table], path)
    if path.suffix == ".xlsx":
        refuse_spreadsheet(table, path)
    write = write_spreadsheet if path.suffix == ".xlsx" else write_parquet
    with exported(path) as temporary:
        write(table, temporary, columns)
    return path


def write_pieces(pieces: Iterable[pd.DataFrame], path: Path) -> Path:
    """Write a table as ``.csv`` piece by piece, as they come, so that a large one is never held; see `write_table`.

    Parameters
    ----------
    pieces : iterable of pandas.DataFrame
        At least one; all have the same columns.
    path : path
        The file.
    """
    with exported(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        for number, piece in enumerate(pieces):
            _without_formulas(piece).to_csv(file, index=False, header=number == 0, date_format=_DATE_FORMAT)
    return path


@contextlib.contextmanager
def exported(path: Path) -> Iterator[Path]:
    """Yield the temporary name under which a file is written, in a folder that is made; at the end it is in place.

    Raises
    ------
    ConfigurationError
        The folder or the disk cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as temporary:
            yield temporary
    except OSError as error:
        raise ConfigurationError(
            f"cannot export to {str(path)!r}: {error.strerror or error}; choose another folder or make room"
        ) from error


def _without_formulas(table: pd.DataFrame) -> pd.DataFrame:
    # Only columns of text: mapped, a column of whole numbers with gaps becomes one of floats before pandas 3.
    neutral = table.copy()
    for name in table.select_dtypes(["object", "string"]).columns:
        neutral[name] = table[name].map(_without_formula)
    named: pd.DataFrame = neutral.rename(columns=_without_formula)
    return named


def _without_formula(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value
