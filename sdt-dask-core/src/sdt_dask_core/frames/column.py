"""The one power column of what a plug returned: found, never guessed."""

from __future__ import annotations

import math
import numbers
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api import types

from sdt_dask_core.frames.findings import FindingLog

__all__ = [
    "check_not_empty",
    "log_plug_notes",
    "power_column",
    "shown",
    "timestamps_as_index",
    "to_floats",
    "type_name",
]

#: What pandas calls object columns that hold numbers (and None) only.
_NUMBERS = {"integer", "floating", "mixed-integer-float", "decimal"}
#: Notes of a plug and names of columns that are kept; a frame of 10,000 columns would fill the ledger with them.
_MOST_NOTES = 50
_MOST_NAMES = 50


def type_name(thing: object) -> str:
    """Return the name of a thing's type as people write it."""
    return f"{type(thing).__module__}.{type(thing).__qualname__}".removeprefix("builtins.")


def shown(value: object, longest: int = 80) -> str:
    """Return a value's text, cut; of one that cannot be shown its type."""
    try:
        text = str(value)
    except Exception:  # noqa: BLE001 - a stranger's __str__
        text = f"<{type_name(value)}>"
    return text if len(text) <= longest else text[:longest] + " …"


def timestamps_as_index(frame: pd.DataFrame, log: FindingLog) -> pd.DataFrame:
    """Return the frame with its one column of timestamps as the index, where the index only numbers the rows.

    Solar Data Tools' own ``DataPlug`` promises "a timestamp column and a power column".
    """
    places = [place for place, dtype in enumerate(frame.dtypes) if types.is_datetime64_any_dtype(dtype)]
    if not isinstance(frame.index, pd.RangeIndex) or len(places) != 1:
        return frame
    name = shown(frame.columns[places[0]])
    log.repaired(
        "timestamp_column",
        f"the index only numbered the rows, so column {name!r} was taken as the index.",
        column=name,
    )
    others = frame.iloc[:, [place for place in range(frame.shape[1]) if place != places[0]]]
    indexed: pd.DataFrame = others.set_axis(pd.DatetimeIndex(frame.iloc[:, places[0]]), axis=0)
    indexed.attrs = frame.attrs
    return indexed


def log_plug_notes(notes: Any, log: FindingLog) -> None:
    """Record what the plug changed or doubts: a list of sentences or of {"code", "message", "repaired"}."""
    if notes is None:
        return
    all_notes = list(notes) if isinstance(notes, (list, tuple)) else [notes]
    for note in all_notes[:_MOST_NOTES]:
        told = note if isinstance(note, dict) else {"message": note}
        record = log.repaired if told.get("repaired", True) else log.noted
        record(shown(told.get("code") or "plug_note"), shown(told.get("message") or "", 1000))
    if len(all_notes) > _MOST_NOTES:
        log.noted("plug_note", f"the plug told {len(all_notes)} notes; the first {_MOST_NOTES} are kept")


def check_not_empty(frame: pd.DataFrame, log: FindingLog) -> None:
    """Fail where there are no rows or no columns."""
    if len(frame) == 0:
        log.fail(
            "empty",
            "the frame has no rows, so there is nothing to analyse. "
            "Check that the source holds data for this key and period.",
            n_rows=0,
        )
    if frame.shape[1] == 0:
        log.fail(
            "no_columns",
            f"the frame has {len(frame)} rows but no columns, so there is no power. Return one power column.",
            n_rows=len(frame),
        )


def power_column(frame: pd.DataFrame, log: FindingLog) -> pd.Series:
    """Return the one numeric column; fail where there is none or more than one."""
    columns = [frame.iloc[:, place] for place in range(frame.shape[1])]
    return _only_numeric(columns, log)


def _only_numeric(columns: list[pd.Series], log: FindingLog) -> pd.Series:
    # A column of None alone is power that is missing when it stands alone, and no candidate beside others.
    if len(columns) == 1 and _kind(columns[0]) == "empty":
        return columns[0]
    numeric = [column for column in columns if _is_power_like(column)]
    if not numeric:
        _fail_not_numeric(columns, log)
    if len(numeric) > 1:
        names = [shown(column.name) for column in numeric[:_MOST_NAMES]]
        log.fail(
            "ambiguous_column",
            f"the frame has {len(numeric)} numeric columns ({_listed(names, len(numeric))}) and none was chosen; which "
            "one is the power is not guessed. Choose one with the plug's column or sensor option.",
            columns=names,
        )
    _log_dropped([column for column in columns if column is not numeric[0]], numeric[0], log)
    return numeric[0]


def to_floats(column: pd.Series, log: FindingLog) -> npt.NDArray[np.float64]:
    """Return a new array of the column's values, missing ones as NaN."""
    if column.dtype == np.float64:
        return np.array(column.to_numpy(), dtype=np.float64, copy=True)
    if not types.is_object_dtype(column.dtype):
        # A copy whatever the type: the checks work on this array in place.
        return column.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
    log.repaired(
        "converted_to_numbers",
        f"column {shown(column.name)!r} is of type object but holds only numbers; they were converted to floats.",
        column=shown(column.name),
    )
    objects = column.to_numpy(dtype=object, copy=True)
    objects[column.isna().to_numpy()] = np.nan
    try:
        return objects.astype(np.float64)
    except OverflowError:
        return np.array([_as_float(value) for value in objects], dtype=np.float64)


def _as_float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        # An integer beyond every float, which is then masked as an infinite value.
        return math.copysign(math.inf, value > 0 or -1)


def _kind(column: pd.Series) -> str:
    return str(types.infer_dtype(column, skipna=True)) if types.is_object_dtype(column.dtype) else ""


def _is_power_like(column: pd.Series) -> bool:
    dtype = column.dtype
    if types.is_object_dtype(dtype):
        return _kind(column) in _NUMBERS
    return bool(types.is_numeric_dtype(dtype) and not types.is_bool_dtype(dtype) and not types.is_complex_dtype(dtype))


def _fail_not_numeric(columns: list[pd.Series], log: FindingLog) -> None:
    kinds = {shown(column.name): f"{column.dtype}" for column in columns[:_MOST_NAMES]}
    log.fail(
        "not_numeric",
        f"no column is numeric ({_listed([f'{name}: {kind}' for name, kind in kinds.items()], len(columns))})"
        f"{_example(columns[0])}. Power must be numbers: choose the power column, and read it as numbers (mind decimal "
        "commas and text for missing values).",
        columns=kinds,
    )


def _example(column: pd.Series) -> str:
    """Return words that show the first value that is no number, else the first value."""
    values = column.dropna()
    name = repr(shown(column.name))
    if values.empty:
        return ""
    places = enumerate(values) if types.is_object_dtype(column.dtype) else ()
    first = next((place for place, value in places if not _is_number(value)), 0)
    if first:
        return f"; {shown(values.iloc[first], 40)!r} at {shown(values.index[first], 40)} of {name} is none"
    return f"; the first value of {name} is {shown(values.iloc[0], 40)!r}"


def _is_number(value: object) -> bool:
    is_real = isinstance(value, (numbers.Real, Decimal))
    return is_real and not isinstance(value, (bool, np.bool_))


def _log_dropped(dropped: list[pd.Series], kept: pd.Series, log: FindingLog) -> None:
    if not dropped:
        return
    names = [shown(column.name) for column in dropped[:_MOST_NAMES]]
    name = shown(kept.name)
    log.repaired(
        "extra_columns_dropped",
        f"{name!r} is the one numeric column and was taken as the power; dropped: {_listed(names, len(dropped))}.",
        kept=name,
        dropped=names,
    )


def _listed(names: list[str], count: int, limit: int = 12) -> str:
    more = f" and {count - limit} more" if count > limit else ""
    return ", ".join(names[:limit]) + more
