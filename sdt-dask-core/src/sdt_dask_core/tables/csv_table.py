"""CSV tables: their separator, their columns, a sample, and the chosen columns in full."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
from packaging.version import Version

from sdt_dask_core.errors import DataFormatError
from sdt_dask_core.oversize import size_text
from sdt_dask_core.tables.foreign import refuse_foreign
from sdt_dask_core.tables.plain import read_plain_csv
from sdt_dask_core.tables.table_format import SEPARATORS

if TYPE_CHECKING:
    from sdt_dask_core.tables.columns import Kind
    from sdt_dask_core.tables.source import PlainBytes
    from sdt_dask_core.tables.table_format import TableFormat

__all__ = ["CsvTable", "open_table"]

_SAMPLE_ROWS = 500
_SNIFFED_ROWS = 50
_LONGEST_LINE = 1024**2
_BEYOND = "\0beyond the last column"
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_UTF16_WITHOUT_MARK = re.compile(rb"([\t -~]\0){8}")
# What pandas takes for missing by itself; given column by column, so that a site named "NA" stays a site.
_MISSING = ("", "NaN", "nan", "-nan", "-NaN", "NA", "N/A", "n/a", "<NA>", "#N/A", "#NA", "NULL", "null", "None")
# The nearest float to each number, as Parquet and the fast way have it, and pandas from 3.1 on, not one beside it.
_NEAREST_FLOATS: dict[str, Any] = {"float_precision": "round_trip"} if Version(pd.__version__) < Version("3.1") else {}
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
    first_line : int
        The line of the file that the first row stands in.
    """

    name: str
    columns: tuple[str, ...]
    first_line: int
    _sample: list[list[str]]
    _plain: PlainBytes
    _separator: str
    _encoding: str
    _format: TableFormat

    def kind(self, column: str) -> Kind:
        """Return "text": CSV says nothing of its columns."""
        return "text"

    def first_rows(self, column: str) -> pd.Series:
        """Return the first rows of a column, as text, missing fields empty."""
        number = self.columns.index(column)
        return pd.Series([row[number] if number < len(row) else "" for row in self._sample], name=column)

    def read(
        self, columns: Collection[str], *, stamps: Collection[str] = (), labels: Collection[str] = ()
    ) -> pd.DataFrame:
        """Read columns in full; once.

        Parameters
        ----------
        columns : collection of str
            The columns.
        stamps : collection of str
            Those of them that hold timestamps: read where they are plain ISO 8601, else left as text.
        labels : collection of str
            Those of them that repeat a few texts: categories, none of them missing.

        Raises
        ------
        DataFormatError
            The text is no table, is too large, or not in the encoding.
        """
        data = b"".join(_refusing_endless_lines(self._plain.parts(), self.name))
        frame = self._read_plainly(data, columns, stamps, labels) if self._format.date_format is None else None
        return frame if frame is not None else self._read_with_care(data, columns, stamps, labels)

    def _read_plainly(
        self, data: bytes, columns: Collection[str], stamps: Collection[str], labels: Collection[str]
    ) -> pd.DataFrame | None:
        return read_plain_csv(
            data,
            names=self.columns,
            skip=self.first_line - 1,
            separator=self._separator,
            decimal=self._format.decimal,
            encoding=self._encoding,
            missing=_MISSING,
            stamps=stamps,
            numbers=[column for column in columns if column not in (*stamps, *labels)],
            labels=labels,
        )

    def _read_with_care(
        self, data: bytes, columns: Collection[str], stamps: Collection[str], labels: Collection[str]
    ) -> pd.DataFrame:
        try:
            frame: pd.DataFrame = pd.read_csv(
                io.StringIO(self._with_wide_end(data.decode(self._encoding))),
                sep=self._separator,
                decimal=self._format.decimal,
                header=None,
                # With one column more than there are, as pandas drops in silence what stands beyond the last one:
                # in 2020-01-01 12:00,1,5 that is half of a number with a decimal comma.
                names=[*self.columns, _BEYOND],
                usecols=[*columns, _BEYOND],
                skiprows=self.first_line - 1,
                # Not "category" for labels: pandas would make numbers of those that look like it.
                dtype=dict.fromkeys([*stamps, *labels, _BEYOND], "str"),
                keep_default_na=False,
                na_values={column: list(_MISSING) for column in columns if column not in labels},
                skipinitialspace=True,
                # Blank lines count, so that a row's number tells its line.
                skip_blank_lines=False,
                low_memory=False,
                **_NEAREST_FLOATS,
            )
        except UnicodeError as error:
            raise _wrong_encoding(self.name, self._encoding) from error
        except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
            reason = _reason(error)
            raise DataFormatError(
                f"{self.name} cannot be read as CSV: {reason}; repair the file or choose its separator"
            ) from error
        frame = frame.iloc[:-1]
        self._refuse_values_beyond(frame.pop(_BEYOND))
        frame = frame.astype(dict.fromkeys(labels, "category"))
        return frame

    def _with_wide_end(self, text: str) -> str:
        """Return the text with one more row, of empty fields, that reaches beyond the last column."""
        return f"{text}{'' if text.endswith((chr(10), chr(13))) else chr(10)}{self._separator * len(self.columns)}\n"

    def _refuse_values_beyond(self, beyond: pd.Series) -> None:
        found = beyond.dropna()
        found = found[found.str.strip() != ""]
        if not found.empty:
            raise _ragged(self.name, int(found.index[0]) + self.first_line, len(self.columns))


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
    start = next((i for i, row in enumerate(rows) if any(map(str.strip, row))), 0)
    rows[start] = _without_blank_end(rows[start])
    _refuse_ragged(rows, start, name)
    body = [row for row in rows[start + 1 :] if any(map(str.strip, row))][:_SAMPLE_ROWS]
    columns = _column_names(rows[start], width=max(map(len, body), default=0), name=name)
    if not body:
        raise DataFormatError(f"{name} has a header ({_listed(columns)}) but no rows; leave its key out or fill it")
    return CsvTable(
        name=name,
        columns=columns,
        first_line=start + 2,
        _sample=body,
        _plain=plain,
        _separator=separator,
        _encoding=encoding,
        _format=table_format,
    )


def _refusing_endless_lines(parts: Iterable[bytes | memoryview], name: str) -> Iterator[bytes | memoryview]:
    """Pass on parts of a table; refuse a line that does not end, which parsers would hold in memory several times."""
    length = 0
    for part in parts:
        data = bytes(part)
        end = max(data.rfind(b"\n"), data.rfind(b"\r"))
        length = length + len(data) if end < 0 else len(data) - end
        if length > _LONGEST_LINE:
            raise DataFormatError(
                f"{name} has a line of more than {size_text(_LONGEST_LINE)}; check that it is a table, whose lines end"
            )
        yield part


def _encoding_of(table_format: TableFormat) -> str:
    # Excel puts a byte order mark before UTF-8, which would become part of the first column's name.
    is_utf8 = codecs.lookup(table_format.encoding).name == "utf-8"
    return "utf-8-sig" if is_utf8 else table_format.encoding


def _refuse_binary(plain: PlainBytes, encoding: str) -> None:
    refuse_foreign(plain)
    is_wide = re.search("16|32", encoding)
    if plain.head.startswith(codecs.BOM_UTF32_LE) and not is_wide:
        raise DataFormatError(f"{plain.name} is UTF-32 text; set encoding=utf-32")
    if plain.head.startswith(_UTF16_MARKS) and not is_wide:
        raise DataFormatError(f"{plain.name} is UTF-16 text; set encoding=utf-16")
    if _UTF16_WITHOUT_MARK.match(plain.head) and not is_wide:
        raise DataFormatError(f"{plain.name} looks like UTF-16 text without its mark; set encoding=utf-16-le")
    if b"\0" in plain.head and not is_wide:
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
        if any(map(str.strip, row[width:])):
            raise _ragged(name, line, width)


def _ragged(name: str, line: int, width: int) -> DataFormatError:
    return DataFormatError(
        f"{name} cannot be read as CSV: line {line} has more values than the header, which has {width} columns (a "
        "decimal comma looks so too); repair the file, choose its separator, or quote the numbers and set decimal=','"
    )


def _reason(error: Exception) -> str:
    """Return pandas' reason, in lines of the file."""
    reason = " ".join(str(error).split()).removeprefix("Error tokenizing data. C error: ")
    unclosed = re.fullmatch(r"EOF inside string starting at row (\d+)", reason)
    return f"the quote that opens in line {int(unclosed[1]) + 1} is never closed" if unclosed else reason


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
