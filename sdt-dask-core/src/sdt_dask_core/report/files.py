"""Tables as files that appear whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from sdt_dask_core.errors import ConfigurationError
from sdt_dask_core.report.parquet import write_parquet
from sdt_dask_core.report.spreadsheet import refuse_spreadsheet, write_spreadsheet
from sdt_dask_core.whole_file import whole_file

if TYPE_CHECKING:
    import pandas as pd

    from sdt_dask_core.analyses import Column

__all__ = ["write_table", "written_whole"]

# What a spreadsheet takes for a formula when a cell of text starts with it (OWASP, "CSV injection").
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


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
    if path.suffix == ".xlsx":
        refuse_spreadsheet(table, path)
    return written_whole(path, lambda temporary: _write(table, temporary, path.suffix, columns))


def written_whole(path: Path, write: Callable[[Path], None]) -> Path:
    """Let a function write a file under a temporary name, in a folder that is made; return where it then is.

    Raises
    ------
    ConfigurationError
        The folder or the disk cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as temporary:
            write(temporary)
    except OSError as error:
        raise ConfigurationError(
            f"cannot export to {str(path)!r}: {error.strerror or error}; choose another folder or make room"
        ) from error
    return path


def _write(table: pd.DataFrame, path: Path, suffix: str, columns: Iterable[Column]) -> None:
    if suffix == ".parquet":
        write_parquet(table, path, columns)
    elif suffix == ".xlsx":
        write_spreadsheet(table, path, columns)
    else:
        _without_formulas(table).to_csv(path, index=False)


def _without_formulas(table: pd.DataFrame) -> pd.DataFrame:
    # Only columns of text: mapped, a column of whole numbers with gaps becomes one of floats before pandas 3.
    neutral = table.copy()
    for name in table.select_dtypes(["object", "string"]).columns:
        neutral[name] = table[name].map(_without_formula)
    named: pd.DataFrame = neutral.rename(columns=_without_formula)
    return named


def _without_formula(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value
