"""CSV tables: their separator, their columns, a sample, and the chosen columns in full."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from sdt_dask_core.errors import DataFormatError
from sdt_dask_core.tables.table_format import SEPARATORS

if TYPE_CHECKING:
    from sdt_dask_core.tables.source import PlainBytes
    from sdt_dask_core.tables.table_format import TableFormat

__all__ = ["CsvTable", "open_table"]

_SAMPLE_ROWS = 500
_SNIFFED_ROWS = 50
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_ZIP_MAGIC = b"PK\x03\x04"
# What pandas takes for missing by itself; given column by column, so that a site named "NA" stays a site.
_MISSING = ("", "NaN", "nan", "-nan", "-NaN", "NA", "N/A", "n/a", "<NA>", "#N/A", "#NA", "NULL", "null", "None")
_DATA_CELL = re.compile(r"\s*(\d{4}-\d\d?-\d\d?([ T].*)?|\d\d?[/.]\d\d?[/.]\d{2,4}( .*)?)\s*")


@dataclass
class CsvTable:
    """A CSV table whose head was looked at.

    Attributes
    ----------
    name : str
        How messages name it.
    columns : tuple of str
        Its column names.
    sample : pandas.DataFrame
        Its first rows, as text, missing fields empty.
    first_line : int
        The line of the file that the first row stands in.
    """

    name: str
    columns: tuple[str, ...]
    sample: pd.DataFrame
    first_line: int
    _text: io.TextIOWrapper
    _separator: str
    _decimal: str
    _encoding: str

    def read(
        self, columns: Collection[str], *, text: Collection[str] = (), labels: Collection[str] = ()
    ) -> pd.DataFrame:
        """Read columns in full; once.

        Parameters
        ----------
        columns : collection of str
            The columns.
        text : collection of str
            Those of them to leave as text.
        labels : collection of str
            Those of them that repeat a few texts: categories, none of them missing.

        Raises
        ------
        DataFormatError
            The text is no table, or not in the encoding.
        """
        dtypes = {**dict.fromkeys(text, "str"), **dict.fromkeys(labels, "category")}
        try:
            return pd.read_csv(
                self._text,
                sep=self._separator,
                decimal=self._decimal,
                header=None,
                names=list(self.columns),
                usecols=list(columns),
                skiprows=self.first_line - 1,
                dtype=dtypes,
                keep_default_na=False,
                na_values={column: list(_MISSING) for column in columns if column not in labels},
                skipinitialspace=True,
                # Blank lines count, so that a row's number tells its line.
                skip_blank_lines=False,
                low_memory=False,
            )
        except UnicodeError as error:
            raise _wrong_encoding(self.name, self._encoding) from error
        except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
            reason = " ".join(str(error).split()).removeprefix("Error tokenizing data. C error: ")
            raise DataFormatError(
                f"{self.name} cannot be read as CSV: {reason}; repair the file or choose its separator"
            ) from error


def open_table(plain: PlainBytes, table_format: TableFormat) -> CsvTable:
    """Look at the head of a CSV table.

    Raises
    ------
    DataFormatError
        It is binary, not in the encoding, no table, has no header or no rows.
    """
    name, encoding = plain.name, _encoding_of(table_format)
    _refuse_binary(plain, encoding)
    lines = _head_lines(plain, encoding)
    if not any(line.strip() for line in lines):
        raise DataFormatError(f"{name} holds blank lines only; copy the file again or leave its key out")
    separator = table_format.separator or _sniff_separator(lines, table_format.decimal, name)
    rows = _parse(lines, separator, name)
    start = next((i for i, row in enumerate(rows) if any(cell.strip() for cell in row)), 0)
    rows[start] = _without_blank_end(rows[start])
    _refuse_ragged(rows, start, name)
    body = [row for row in rows[start + 1 :] if any(cell.strip() for cell in row)][:_SAMPLE_ROWS]
    columns = _column_names(rows[start], width=max(map(len, body), default=0), name=name)
    if not body:
        raise DataFormatError(f"{name} has a header ({_listed(columns)}) but no rows; leave its key out or fill it")
    sample = pd.DataFrame([[*row, *[""] * (len(columns) - len(row))] for row in body], columns=list(columns))
    return CsvTable(
        name=name,
        columns=columns,
        sample=sample,
        first_line=start + 2,
        _text=io.TextIOWrapper(io.BufferedReader(plain, 1 << 20), encoding=encoding, newline=""),
        _separator=separator,
        _decimal=table_format.decimal,
        _encoding=table_format.encoding,
    )


def _encoding_of(table_format: TableFormat) -> str:
    # Excel puts a byte order mark before UTF-8, which would become part of the first column's name.
    is_utf8 = codecs.lookup(table_format.encoding).name == "utf-8"
    return "utf-8-sig" if is_utf8 else table_format.encoding


def _refuse_binary(plain: PlainBytes, encoding: str) -> None:
    if plain.head.startswith(_ZIP_MAGIC):
        raise DataFormatError(
            f"{plain.name} is a zip archive (an Excel workbook is one too), not CSV or Parquet; "
            "unpack it, or save the sheet as CSV"
        )
    if plain.head.startswith(_UTF16_MARKS) and "16" not in encoding:
        raise DataFormatError(f"{plain.name} is UTF-16 text; set encoding=utf-16")
    if b"\0" in plain.head and not re.search("16|32", encoding):
        raise DataFormatError(
            f"{plain.name} holds binary data (zero bytes), not CSV or Parquet; check that it is the file you mean"
        )


def _head_lines(plain: PlainBytes, encoding: str) -> list[str]:
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(plain.head)
    except UnicodeError as error:
        raise _wrong_encoding(plain.name, encoding) from error
    lines = text.splitlines(keepends=True)
    # The last line of a head that was cut off is not whole.
    return (
        lines[: _SAMPLE_ROWS + 20]
        if len(lines) > _SAMPLE_ROWS + 20
        else lines[:-1] or lines
        if _is_cut(text)
        else lines
    )


def _is_cut(text: str) -> bool:
    return not text.endswith(("\n", "\r"))


def _wrong_encoding(name: str, encoding: str) -> DataFormatError:
    shown = "utf-8" if encoding == "utf-8-sig" else encoding
    return DataFormatError(
        f"{name} is not {shown} text; set encoding (cp1252 is usual for files from Windows), "
        "or check that it is a CSV or Parquet file"
    )


def _parse(lines: Iterable[str], separator: str, name: str) -> list[list[str]]:
    try:
        return list(csv.reader(lines, delimiter=separator, skipinitialspace=True))
    except csv.Error as error:
        raise DataFormatError(f"{name} cannot be read as CSV: {error}; check that it is a table") from error


def _sniff_separator(lines: list[str], decimal: str, name: str) -> str:
    """Return the separator that cuts the first lines into the most columns, the same number in most of them."""
    best, most = "", 1
    for separator in SEPARATORS:
        rows = [row for row in _parse(lines[:_SNIFFED_ROWS], separator, name) if row]
        if separator == decimal or not rows:
            continue
        widths, header = [len(row) for row in rows], len(_without_blank_end(rows[0]))
        # The first row is the header; trailing separators may make the others wider.
        width, count = Counter(widths[1:] or widths).most_common(1)[0]
        if width >= header > most and 2 * count >= len(widths[1:] or widths):
            best, most = separator, header
    if not best:
        first = next((line.strip() for line in lines if line.strip()), "")[:60]
        raise DataFormatError(
            f"{name} is no table of columns separated by comma, semicolon, tab or bar: it begins {first!r}; "
            "set separator if it has another one, or leave its key out"
        )
    return best


def _without_blank_end(header: list[str]) -> list[str]:
    """Leave out what follows the last name: some programs end each line with a separator."""
    named = [i for i, cell in enumerate(header) if cell.strip()]
    return header[: max(named, default=-1) + 1]


def _refuse_ragged(rows: list[list[str]], start: int, name: str) -> None:
    """Refuse rows with more values than there are columns; separators at their ends are harmless."""
    width = len(rows[start])
    for line, row in enumerate(rows[start + 1 :], start=start + 2):
        if any(cell.strip() for cell in row[width:]):
            raise DataFormatError(
                f"{name} cannot be read as CSV: line {line} has {len(row)} values and the header {width} columns; "
                "repair the file or choose its separator"
            )


def _column_names(header: list[str], *, width: int, name: str) -> tuple[str, ...]:
    cells = [cell.strip() for cell in header]
    for cell in cells:
        if _DATA_CELL.fullmatch(cell):
            raise DataFormatError(
                f"{name} has no line of column names: its first line holds {cell!r}; add one, such as timestamp,power"
            )
    names: list[str] = []
    for i, cell in enumerate([*cells, *[""] * (width - len(cells))]):
        names.append(_unused(cell or f"Unnamed: {i}", names))
    return tuple(names)


def _unused(cell: str, taken: list[str]) -> str:
    number, candidate = 0, cell
    while candidate in taken:
        number += 1
        candidate = f"{cell}.{number}"
    return candidate


def _listed(columns: Iterable[str]) -> str:
    return ", ".join(map(repr, columns))
