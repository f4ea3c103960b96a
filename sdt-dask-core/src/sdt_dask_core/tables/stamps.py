"""Reading timestamps: ISO 8601, day and month in the order that the data prove, epochs; never a guess."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Literal

import pandas as pd

from sdt_dask_core.errors import DataFormatError

if TYPE_CHECKING:
    from sdt_dask_core.tables.columns import ChosenColumns
    from sdt_dask_core.tables.table_format import TableFormat

__all__ = ["parse_stamps"]

_TIMES = ("%H:%M:%S", "%H:%M", "%I:%M:%S %p", "%I:%M %p", "%H:%M:%S.%f", "")
_NAMED_MONTHS = ("%d-%b-%Y", "%d %b %Y", "%b %d, %Y", "%b %d %Y", "%d %B %Y", "%B %d, %Y")
_YEAR_LAST = re.compile(r"(\d\d?)([-/.])(\d\d?)\2(\d{4}|\d\d)\b.*")
# Only after a time of the day: the end of 1-January-2020 is no offset.
_OWN_OFFSET = re.compile(r"[:T]\d.*?(Z|UTC|[+-]\d\d(?::?\d\d)?)$")
# A time of the day begins no earlier, and there are few different ones.
_DATE_LENGTH = 8
_MONTHS = 12
_NUMBER = re.compile(r"-?\d+(\.\d*)?")
_EPOCH_YEARS = (631_152_000, 4_102_444_800)  # 1990 and 2100 [s]
_EPOCH_UNITS: dict[Literal["s", "ms", "us", "ns"], int] = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def parse_stamps(chosen: ChosenColumns, table_format: TableFormat) -> pd.DatetimeIndex:
    """Return the timestamps of a series, in the order of the table.

    Returns
    -------
    pandas.DatetimeIndex
        Naive, or time-zone aware where the timestamps carry offsets; NaT where the field is empty.

    Raises
    ------
    DataFormatError
        There are none, one of them cannot be read, or the order of day and month is open.
    """
    try:
        parsed = _parsed(chosen, table_format)
        if parsed.isna().all():
            raise DataFormatError(f"{chosen.name} has no timestamps: the column {_column(chosen)} is empty")
        _refuse_bare_days(parsed, chosen)
        index: pd.DatetimeIndex = pd.DatetimeIndex(parsed).as_unit("ns")
    except pd.errors.OutOfBoundsDatetime as error:
        raise DataFormatError(
            f"{chosen.name}: the column {_column(chosen)} holds a timestamp that no data can have: {error}"
        ) from error
    return index


def _parsed(chosen: ChosenColumns, table_format: TableFormat) -> pd.Series:
    values = chosen.stamps
    if isinstance(values.dtype, pd.DatetimeTZDtype) or values.dtype.kind == "M":
        return values
    if pd.api.types.is_numeric_dtype(values.dtype):
        return _from_epochs(values, chosen)
    return _from_texts(_as_texts(values), chosen, table_format)


def _as_texts(values: pd.Series) -> pd.Series:
    texts = [str(value).strip() or None for value in values.to_numpy(dtype="object", na_value="").tolist()]
    return pd.Series(texts, index=values.index, dtype="object", name=values.name)


def _from_texts(texts: pd.Series, chosen: ChosenColumns, table_format: TableFormat) -> pd.Series:
    filled = texts[texts.notna()]
    if filled.empty:
        return pd.to_datetime(texts)
    wanted = table_format.date_format
    if wanted is None and _NUMBER.fullmatch(filled.iloc[0]):
        return _from_epochs(_epoch_numbers(texts, chosen), chosen)
    if wanted is None or "%z" in wanted:
        offsets = _own_offsets(texts)
        if offsets.notna().any():
            return _from_offset_texts(texts, offsets, chosen, table_format)
    if wanted is not None:
        return _complete(pd.to_datetime(texts, format=wanted, errors="coerce"), texts, chosen, wanted)
    return _from_common_formats(texts, chosen)


def _from_common_formats(texts: pd.Series, chosen: ChosenColumns) -> pd.Series:
    # Without utc=True a single stray offset that was not seen would be an error of pandas.
    parsed: pd.Series = pd.to_datetime(texts, format="ISO8601", errors="coerce", utc=True).dt.tz_localize(None)
    if _is_complete(parsed, texts):
        return parsed
    if _YEAR_LAST.fullmatch(_first_bad(parsed, texts)[1]):
        _refuse_two_forms(parsed, texts, chosen)
        return _from_year_last(texts, chosen)
    named = _by_formats(texts, _NAMED_MONTHS)
    # Where nearly all are ISO, the few that are not are the bad ones.
    return _complete(named if named.notna().sum() > parsed.notna().sum() else parsed, texts, chosen)


def _refuse_two_forms(parsed: pd.Series, texts: pd.Series, chosen: ChosenColumns) -> None:
    """Refuse dates that begin with the year beside dates that end with it: two exports were put together."""
    if parsed.isna().all():
        return
    row, other = _first_row(parsed.notna()), _first_bad(parsed, texts)
    raise DataFormatError(
        f"{chosen.name}: the timestamps have two forms: {texts[row][:60]!r} in line {row + chosen.first_line} and "
        f"{other[1][:60]!r} in line {other[0] + chosen.first_line} of the column {_column(chosen)}; write all alike"
    )


def _own_offsets(texts: pd.Series) -> pd.Series:
    tails = [None if text is None else text[_DATE_LENGTH:] for text in texts]
    offsets = {tail: match[1] for tail in set(tails) if tail and (match := _OWN_OFFSET.search(tail))}
    return pd.Series([offsets.get(tail) for tail in tails] if offsets else None, index=texts.index, dtype="object")


def _from_offset_texts(
    texts: pd.Series, offsets: pd.Series, chosen: ChosenColumns, table_format: TableFormat
) -> pd.Series:
    without = texts.notna() & offsets.isna()
    if without.any():
        row = _first_row(without)
        raise DataFormatError(
            f"{chosen.name}: some timestamps carry an offset from UTC and others do not: {texts[row]!r} in line "
            f"{row + chosen.first_line} has none; write all of them alike"
        )
    wanted = table_format.date_format
    parsed = pd.to_datetime(texts, format=wanted or "ISO8601", errors="coerce", utc=True)
    if wanted is None and not _is_complete(parsed, texts):
        spelled = texts.str.replace(r"\s*UTC$", "Z", regex=True).str.replace(r"\s+(?=[+-][\d:]+$)", "", regex=True)
        parsed = pd.to_datetime(spelled, format="ISO8601", errors="coerce", utc=True)
    _complete(parsed, texts, chosen, wanted)
    found = sorted({_minutes(offset) for offset in offsets.dropna().unique()})
    is_summer_time = len(found) == 2 and found[1] - found[0] == 60  # noqa: PLR2004
    if len(found) == 1 or is_summer_time:
        # With two of them the lesser is the site's standard time and the other its summer time.
        return parsed.dt.tz_convert(dt.timezone(dt.timedelta(minutes=found[0])))
    if table_format.tz is None and table_format.utc_offset is None:
        listed = ", ".join(f"{minutes / 60:+g} h" for minutes in found)
        raise DataFormatError(
            f"{chosen.name}: the timestamps carry several offsets from UTC ({listed}); say with tz where the site is"
        )
    return parsed


def _minutes(offset: str) -> int:
    if offset in ("Z", "UTC"):
        return 0
    digits = offset[1:].replace(":", "").ljust(4, "0")
    return (int(digits[:2]) * 60 + int(digits[2:])) * (-1 if offset[0] == "-" else 1)


def _from_year_last(texts: pd.Series, chosen: ChosenColumns) -> pd.Series:
    """Read 31/01/2020 and 01/31/2020; a day past the 12th tells which is meant."""
    heads = {text.split(maxsplit=1)[0] for text in texts if text is not None}
    parts = [match.groups() for head in heads if (match := _YEAR_LAST.fullmatch(head))]
    is_day_first = any(int(first) > _MONTHS for first, *_ in parts)
    is_month_first = any(int(second) > _MONTHS for _, _, second, _ in parts)
    sign = parts[0][1] if parts else "/"
    day_first, month_first = f"%d{sign}%m{sign}%Y", f"%m{sign}%d{sign}%Y"
    if not (is_day_first or is_month_first) or any(len(year) == 2 for *_, year in parts):  # noqa: PLR2004
        example = texts[texts.notna()].iloc[0]
        raise DataFormatError(
            f"{chosen.name}: the order of day and month is open in timestamps such as {example!r}; "
            f"set date_format, such as '{day_first} %H:%M' or '{month_first} %H:%M'"
        )
    return _complete(_by_formats(texts, (day_first if is_day_first else month_first,)), texts, chosen)


def _by_formats(texts: pd.Series, dates: tuple[str, ...]) -> pd.Series:
    """Parse each text by the first format that reads it; whole columns at a time, as most have one format."""
    patterns = [f"{date} {time}".strip() for date in dates for time in _TIMES]
    parsed: pd.Series = pd.Series(pd.NaT, index=texts.index, dtype="datetime64[ns]")
    todo = texts[texts.notna()]
    while not todo.empty:
        pattern = next(
            (p for p in patterns if not pd.isna(pd.to_datetime(todo.iloc[0], format=p, errors="coerce"))), None
        )
        if pattern is None:
            break
        found = pd.to_datetime(todo, format=pattern, errors="coerce").dropna().astype("datetime64[ns]")
        parsed[found.index] = found
        todo = todo.drop(found.index)
    return parsed


def _epoch_numbers(texts: pd.Series, chosen: ChosenColumns) -> pd.Series:
    return _complete(pd.to_numeric(texts, errors="coerce"), texts, chosen)


def _from_epochs(numbers: pd.Series, chosen: ChosenColumns) -> pd.Series:
    """Read counts since 1970, which are UTC, in the unit that makes years of 1990 to 2100 of all of them."""
    low, high = _EPOCH_YEARS
    for unit, per_second in _EPOCH_UNITS.items():
        if numbers.min() >= low * per_second and numbers.max() <= high * per_second:
            parsed: pd.Series = pd.to_datetime(numbers, unit=unit, utc=True)
            return parsed
    if numbers.isna().all():
        return pd.to_datetime(numbers)
    raise DataFormatError(
        f"{chosen.name}: the column {_column(chosen)} holds numbers such as {numbers.dropna().iloc[0]!s} that are no "
        "timestamps (seconds or milliseconds since 1970); choose another timestamp_column, or set date_format, "
        "such as '%Y%m%d%H%M'"
    )


def _refuse_bare_days(parsed: pd.Series, chosen: ChosenColumns) -> None:
    stamps = parsed.dropna()
    if (stamps.dt.normalize() != stamps).any() or stamps.nunique() > len(stamps) / 2:
        return
    raise DataFormatError(
        f"{chosen.name}: the column {_column(chosen)} holds days without a time of the day; "
        "write date and time into one column"
    )


def _is_complete(parsed: pd.Series, texts: pd.Series) -> bool:
    return bool((parsed.notna() | texts.isna()).all())


def _first_bad(parsed: pd.Series, texts: pd.Series) -> tuple[int, str]:
    row = _first_row(parsed.isna() & texts.notna())
    return row, str(texts[row])


def _first_row(found: pd.Series) -> int:
    return int(found.index[int(found.to_numpy().argmax())])


def _complete(parsed: pd.Series, texts: pd.Series, chosen: ChosenColumns, wanted: str | None = None) -> pd.Series:
    if _is_complete(parsed, texts):
        return parsed
    row, value = _first_bad(parsed, texts)
    expected = f"as date_format={wanted!r} asks" if wanted else "as ISO 8601 (2020-01-31 12:00) or a common date"
    raise DataFormatError(
        f"{chosen.name}: {value[:60]!r} in line {row + chosen.first_line} of the column {_column(chosen)} cannot be "
        f"read {expected}; correct the line or set date_format"
    )


def _column(chosen: ChosenColumns) -> str:
    return repr(str(chosen.stamps.name))
