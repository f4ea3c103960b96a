"""Tables as files that appear whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sdt_dask_core.errors import ConfigurationError
from sdt_dask_core.whole_file import whole_file

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["write_table"]

# What a spreadsheet takes for a formula when a cell of text starts with it (OWASP, "CSV injection").
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def write_table(table: pd.DataFrame, path: Path | str) -> Path:
    """Write a table as ``.csv`` or ``.parquet``, under a temporary name first.

    In CSV, text that a spreadsheet would run as a formula gets a leading apostrophe; numbers stay as they are.

    Raises
    ------
    ConfigurationError
        Another file extension, or the folder or the disk cannot be written.
    """
    path = Path(path)
    if path.suffix not in (".csv", ".parquet"):
        raise ConfigurationError(f"cannot export to {str(path)!r}: the extension decides, write .csv or .parquet")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as temporary:
            _write(table, temporary, path.suffix)
    except OSError as error:
        raise ConfigurationError(
            f"cannot export to {str(path)!r}: {error.strerror or error}; choose another folder or make room"
        ) from error
    return path


def _write(table: pd.DataFrame, path: Path, suffix: str) -> None:
    if suffix == ".parquet":
        table.to_parquet(path, index=False)
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
