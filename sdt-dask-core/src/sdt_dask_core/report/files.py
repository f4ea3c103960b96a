"""Tables as files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from sdt_dask_core.errors import ConfigurationError

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
        Another file extension, or the folder cannot be written.
    """
    path = Path(path)
    if path.suffix not in (".csv", ".parquet"):
        raise ConfigurationError(f"cannot export to {str(path)!r}: the extension decides, write .csv or .parquet")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
    except OSError as error:
        raise ConfigurationError(f"cannot export to {str(path)!r}: {error.strerror}; choose another folder") from error
    os.close(handle)
    try:
        _write(table, Path(temporary))
        with open(temporary, "rb") as file:  # noqa: PTH123 - a descriptor to sync
            os.fsync(file.fileno())
        os.replace(temporary, path)  # noqa: PTH105 - says what it does
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)  # noqa: PTH108
        raise
    return path


def _write(table: pd.DataFrame, path: Path) -> None:
    if path.suffix == ".parquet":
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
