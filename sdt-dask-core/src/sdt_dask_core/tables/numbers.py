"""Reading power: numbers, with the stray texts that loggers write for a missing value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from sdt_dask_core.errors import DataFormatError

if TYPE_CHECKING:
    from sdt_dask_core.tables.columns import ChosenColumns
    from sdt_dask_core.tables.table_format import TableFormat

__all__ = ["as_numbers", "number_count"]

_SHOWN = 3
# Thousands parted by any sign that people use, then perhaps a decimal sign that is another one.
_GROUPED = r"[-+\u2212]?[1-9]\d{0,2}(?:([,.'\u2019 \u00a0\u202f_])\d{3}(?:\1\d{3})*)(?:[.,]\d*)?"
_FEW = 0.1
_MANY = 20
_TINY = 1e-6


def as_numbers(chosen: ChosenColumns, table_format: TableFormat) -> tuple[pd.Series, list[dict[str, Any]]]:
    """Return the power as floats, and a note where texts were taken for missing values.

    Raises
    ------
    DataFormatError
        Fewer than half of the values are numbers.
    """
    values = chosen.power
    if pd.api.types.is_bool_dtype(values.dtype) or values.dtype.kind in "mM":
        raise DataFormatError(
            f"{chosen.name}: the column {chosen.label!r} holds {values.dtype} values, not power; choose another one"
        )
    if pd.api.types.is_numeric_dtype(values.dtype):
        numbers = values.astype("float64")
        return numbers, _doubt_thousands(numbers, chosen)
    texts = values.astype("object").where(values.notna(), None)
    numbers = _parsed(texts, table_format.decimal)
    stray = texts[numbers.isna() & texts.notna()]
    stray = stray[stray.astype("str").str.strip().str.lower().ne("nan") & stray.astype("str").str.strip().ne("")]
    examples = ", ".join(repr(str(value)) for value in stray.unique()[:_SHOWN])
    _refuse_thousands(stray, chosen)
    if len(stray) > numbers.notna().sum():
        hint = "; set decimal=',' for numbers like 1,5" if _has_decimal_commas(stray, table_format.decimal) else ""
        raise DataFormatError(
            f"{chosen.name}: the column {chosen.label!r} is not numbers: {len(stray)} of "
            f"{len(stray) + numbers.notna().sum()} values are texts such as {examples}{hint}; "
            "choose the power with power_columns or the key ('name', 'column')"
        )
    if stray.empty:
        return numbers, []
    message = f"{len(stray)} values of {chosen.label!r} are no numbers ({examples}) and were taken as missing"
    return numbers, [{"code": "non_numeric_missing", "message": message}]


def _refuse_thousands(stray: pd.Series, chosen: ChosenColumns) -> None:
    """Refuse numbers such as 1,234.5: taken for texts, only the small ones would be left of a day."""
    is_grouped = stray.astype("str").str.strip().str.fullmatch(_GROUPED)
    grouped = stray[is_grouped]
    # 1,185 beside 0,241 has a decimal comma.
    if len(grouped) <= _FEW * len(stray) or _parsed(stray[~is_grouped], ",").notna().any():
        return
    raise DataFormatError(
        f"{chosen.name}: the column {chosen.label!r} holds numbers with a thousands separator, such as "
        f"{str(grouped.iloc[0])!r} in line {int(grouped.index[0]) + chosen.first_line}; write them without it"
    )


def _doubt_thousands(numbers: pd.Series, chosen: ChosenColumns) -> list[dict[str, Any]]:
    """Note where 1.185 among 241 and 998 is likely to mean 1185: read as they stand, days have a hole at noon."""
    whole = numbers[(numbers > 0) & (numbers == numbers.round())]
    broken = numbers[numbers != numbers.round()].dropna()
    if min(whole.size, broken.size) < _MANY or not 100 <= whole.max() <= 999:  # noqa: PLR2004 - numbers below a thousand
        return []
    thousands = broken * 1000
    if broken.min() < 1 or broken.max() > whole.max() or (thousands - thousands.round()).abs().max() > _TINY:
        return []
    message = (
        f"the values of {chosen.label!r} are whole numbers up to {whole.max():g} and others such as "
        f"{broken.iloc[0]:g}: the point may part thousands; if so, write the numbers without it"
    )
    return [{"code": "thousands_suspected", "message": message, "repaired": False}]


def number_count(values: pd.Series) -> tuple[int, int]:
    """Return how many values are numbers and how many there are at all; truth values are no numbers."""
    if pd.api.types.is_bool_dtype(values.dtype):
        return 0, len(values)
    if pd.api.types.is_numeric_dtype(values.dtype):
        count = int(values.notna().sum())
        return count, count
    texts = values.astype("object")
    filled = texts.notna() & ~texts.astype("str").str.strip().str.lower().isin(
        ["", "nan", "none", "null", "na", "<na>"]
    )
    # Decimal commas count: what the numbers mean is decided when they are read.
    return int(_parsed(texts[filled], ",").notna().sum()), int(filled.sum())


def _parsed(texts: pd.Series, decimal: str) -> pd.Series:
    if decimal == ",":
        texts = texts.map(lambda text: text.replace(",", ".") if isinstance(text, str) else text)
    return pd.to_numeric(texts, errors="coerce").astype("float64")


def _has_decimal_commas(stray: pd.Series, decimal: str) -> bool:
    return decimal == "." and bool(_parsed(stray, ",").notna().mean() > 1 / 2)
