"""The fast way for tables that are plain: Arrow reads them, without a Python object for each value.

Arrow works without the interpreter's lock, so that several threads read at once. It stays a short cut: whatever is not
plain through and through is left to the careful way, which knows the odd forms and names what is wrong, and what the
short cut reads is what the careful way would have read.
"""

from __future__ import annotations

import codecs
from collections.abc import Collection
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sdt_dask_core.tables.table_format import SEPARATORS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["as_category", "read_plain_csv", "with_plain_stamps"]


def read_plain_csv(
    data: bytes,
    *,
    names: Collection[str],
    skip: int,
    separator: str,
    decimal: str,
    encoding: str,
    missing: Collection[str],
    stamps: Collection[str],
    numbers: Collection[str],
    labels: Collection[str],
) -> pd.DataFrame | None:
    """Read a CSV table of ISO timestamps, plain numbers and labels; None where anything in it is less than plain.

    Parameters
    ----------
    data : bytes
        All of the table.
    names : collection of str
        The names of all its columns.
    skip : int
        How many lines are before the first row.
    separator, decimal, encoding : str
        As the table has them.
    missing : collection of str
        What stands for a missing timestamp or number.
    stamps, numbers, labels : collection of str
        The columns to read, by what they ought to hold: texts that repeat are labels.
    """
    if separator not in SEPARATORS or not _is_plain_text(data, encoding):
        return None
    import pyarrow as pa
    from pyarrow import csv

    kinds = {
        **dict.fromkeys(stamps, pa.timestamp("ns")),
        **dict.fromkeys(numbers, pa.float64()),
        **dict.fromkeys(labels, pa.string()),
    }
    try:
        table = csv.read_csv(
            pa.BufferReader(data),
            # Its threads gain nothing: a run has a process for each core.
            csv.ReadOptions(use_threads=False, column_names=list(names), skip_rows=skip),
            csv.ParseOptions(delimiter=separator, quote_char=False, ignore_empty_lines=True),
            csv.ConvertOptions(
                check_utf8=False,  # all of it was looked at
                column_types=kinds,
                include_columns=list(kinds),
                null_values=list(missing),
                decimal_point=decimal,
            ),
        )
    except pa.ArrowException:
        return None
    if not all(_are_plain_numbers(table[column]) for column in numbers):
        return None
    categories = {column: as_category(table[column]) for column in labels}
    if not all(map(_are_plain_labels, categories.values())):
        return None
    frame: pd.DataFrame = table.drop_columns(list(labels)).to_pandas().assign(**categories)
    return frame


def with_plain_stamps(table: Any, columns: Collection[str]) -> Any:
    """Return an Arrow table with these columns read as timestamps, those that are texts of ISO 8601 without offset."""
    import pyarrow as pa

    for column in columns:
        number = table.column_names.index(column)
        if pa.types.is_string(table.schema.types[number]) or pa.types.is_large_string(table.schema.types[number]):
            with suppress(pa.ArrowInvalid):
                table = table.set_column(number, column, table[column].cast(pa.timestamp("ns")))
    return table


def as_category(column: Any) -> pd.Series:
    """Return an Arrow column of whatever kind as categories that are texts; what is missing is the empty text."""
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    coded = column.dictionary_encode(null_encoding="encode").combine_chunks()
    texts = ["" if pd.isna(value) else str(value) for value in coded.dictionary.to_pylist()]
    places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    codes = np.array([places[text] for text in texts], dtype="int32")[coded.indices.to_numpy()]
    values: pd.Series = pd.Series(pd.Categorical.from_codes(codes, categories=pd.Index(list(places), dtype="object")))
    return values


def _is_plain_text(data: bytes, encoding: str) -> bool:
    """Tell whether quotes and odd ends of lines are absent, and the bytes are the same text in UTF-8."""
    if b'"' in data or b"\0" in data or (b"\r" in data and data.count(b"\r") != data.count(b"\r\n")):
        return False
    if data.isascii() and codecs.lookup(encoding).name in ("utf-8", "utf-8-sig"):
        return True
    try:
        return data.decode(encoding) == data.decode("utf-8-sig")
    except UnicodeError:
        return False


def _are_plain_numbers(column: Any) -> bool:
    # Arrow takes "nan(1)" and "infinity" for numbers.
    import pyarrow.compute as pc

    return pc.all(pc.is_finite(column)).as_py() is not False


def _are_plain_labels(column: pd.Series) -> bool:
    return all(label == label.strip() for label in column.cat.categories)
