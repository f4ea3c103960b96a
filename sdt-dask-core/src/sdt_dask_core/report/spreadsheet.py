"""Tables as Excel files: text is text, never a formula, and a second sheet says what the columns are."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sdt_dask_core.errors import ConfigurationError

if TYPE_CHECKING:
    import pandas as pd

    from sdt_dask_core.analyses import Column

__all__ = ["refuse_spreadsheet", "write_spreadsheet"]

#: Limits of the format.
MOST_ROWS = 1_048_575  # below the headings
_MOST_COLUMNS = 16_384
_LONGEST_TEXT = 32_767
_FIRST_DATE = dt.datetime(1900, 3, 1)  # before it, Excel counts a day that was not
_CUT = "… (cut)"


def refuse_spreadsheet(table: pd.DataFrame, path: Path) -> None:
    """Refuse what cannot become an Excel file, before anything is written.

    Raises
    ------
    ConfigurationError
        The library is not installed, or the table is larger than a sheet.
    """
    try:
        import xlsxwriter  # noqa: F401 - only asked whether it is there
    except ImportError as error:
        raise ConfigurationError(
            f"cannot export to {str(path)!r}: Excel files need the distribution XlsxWriter, which is not installed; "
            'pip install "sdt-dask-core[excel]", or write .csv or .parquet'
        ) from error
    rows, columns = table.shape
    if rows > MOST_ROWS or columns > _MOST_COLUMNS:
        raise ConfigurationError(
            f"cannot export to {str(path)!r}: the table has {rows} rows and {columns} columns, a sheet of Excel takes "
            f"{MOST_ROWS} and {_MOST_COLUMNS}; write .parquet or .csv"
        )


def write_spreadsheet(table: pd.DataFrame, path: Path, columns: Iterable[Column] = ()) -> None:
    """Write a table as the first sheet of an Excel file, and its columns as the second."""
    import xlsxwriter
    from xlsxwriter.exceptions import FileCreateError

    try:
        # Rows go to the disk as they come, so memory does not grow with them.
        with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as workbook:
            _fill_workbook(workbook, table, list(columns))
    except FileCreateError as error:
        raise OSError(str(error)) from error  # what it was


def _fill_workbook(workbook: Any, table: pd.DataFrame, columns: list[Column]) -> None:
    formats = _formats(workbook)
    head = [str(name) for name in table.columns]
    _fill(workbook.add_worksheet("table"), head, table.itertuples(index=False, name=None), formats)
    if columns:
        rows = ((c.name, c.unit, c.description, c.source) for c in columns)
        _fill(workbook.add_worksheet("columns"), ["column", "unit", "meaning", "SDT's name"], rows, formats)


def _formats(workbook: Any) -> dict[str, Any]:
    return {
        "head": workbook.add_format({"bold": True}),
        "time": workbook.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
    }


def _fill(sheet: Any, head: Sequence[str], rows: Iterable[Sequence[Any]], formats: dict[str, Any]) -> None:
    sheet.freeze_panes(1, 0)
    for place, name in enumerate(head):
        sheet.write_string(0, place, _text(name), formats["head"])
    for number, row in enumerate(rows, start=1):
        for place, value in enumerate(row):
            _write_cell(sheet, number, place, value, formats)


def _write_cell(sheet: Any, row: int, column: int, value: Any, formats: dict[str, Any]) -> None:
    import pandas as pd

    if pd.isna(value):
        return
    if isinstance(value, bool) or type(value).__name__ in ("bool", "bool_"):
        sheet.write_boolean(row, column, bool(value))
    elif isinstance(value, dt.datetime) and value.tzinfo is None and value >= _FIRST_DATE:
        sheet.write_datetime(row, column, value, formats["time"])
    elif not isinstance(value, (str, dt.datetime)) and math.isfinite(value):
        sheet.write_number(row, column, value)
    else:
        # Never `write`, which takes "=1+1" for a formula and an address for a link.
        sheet.write_string(row, column, _text(str(value)))


def _text(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - len(_CUT)] + _CUT
