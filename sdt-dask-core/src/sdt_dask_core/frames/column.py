"""The one power column of what a plug returned: found, never guessed."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api import types

from sdt_dask_core.frames.findings import FindingLog

__all__ = ["as_frame", "check_not_empty", "log_plug_notes", "power_column", "to_floats"]

#: What pandas calls object columns that hold numbers (and None) only.
_NUMBERS = {"integer", "floating", "mixed-integer-float", "decimal"}


def as_frame(frame: object, log: FindingLog) -> pd.DataFrame:
    """Return the frame, a Series as a frame of one column."""
    if isinstance(frame, pd.Series):
        table = frame.to_frame()
        table.attrs = frame.attrs
        return table
    if isinstance(frame, pd.DataFrame):
        return frame
    kind = f"{type(frame).__module__}.{type(frame).__qualname__}".removeprefix("builtins.")
    log.fail(
        "not_a_frame",
        f"get_data returned {kind}, not a pandas DataFrame, so there is nothing to analyse. "
        "Return a pandas.DataFrame with a DatetimeIndex and one power column.",
        type=kind,
    )


def log_plug_notes(notes: Any, log: FindingLog) -> None:
    """Record what the plug says that it changed: a list of sentences or of {"code", "message"}."""
    if notes is None:
        return
    for note in notes if isinstance(notes, (list, tuple)) else [notes]:
        if isinstance(note, dict):
            log.repaired(str(note.get("code", "plug_note")), str(note.get("message", "")))
        else:
            log.repaired("plug_note", str(note))


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
        names = [str(column.name) for column in numeric]
        log.fail(
            "ambiguous_column",
            f"the frame has {len(names)} numeric columns ({_listed(names)}) and none was chosen; which one is the "
            "power is not guessed. Choose one with the plug's column or sensor option.",
            columns=names,
        )
    _log_dropped([column for column in columns if column is not numeric[0]], numeric[0], log)
    return numeric[0]


def to_floats(column: pd.Series, log: FindingLog) -> npt.NDArray[np.float64]:
    """Return a new array of the column's values, missing ones as NaN."""
    if not types.is_object_dtype(column.dtype):
        return np.array(column.to_numpy(dtype=np.float64, na_value=np.nan), copy=True)
    log.repaired(
        "converted_to_numbers",
        f"column {column.name!r} is of type object but holds only numbers; they were converted to floats.",
        column=str(column.name),
    )
    objects = column.to_numpy(dtype=object, copy=True)
    objects[column.isna().to_numpy()] = np.nan
    return objects.astype(np.float64)


def _kind(column: pd.Series) -> str:
    return str(types.infer_dtype(column, skipna=True)) if types.is_object_dtype(column.dtype) else ""


def _is_power_like(column: pd.Series) -> bool:
    dtype = column.dtype
    if types.is_object_dtype(dtype):
        return _kind(column) in _NUMBERS
    return bool(types.is_numeric_dtype(dtype) and not types.is_bool_dtype(dtype) and not types.is_complex_dtype(dtype))


def _fail_not_numeric(columns: list[pd.Series], log: FindingLog) -> None:
    kinds = {str(column.name): f"{column.dtype}" for column in columns}
    sample = columns[0].dropna().head(1).tolist()
    held = f"; the first value of {columns[0].name!r} is {str(sample[0])[:40]!r}" if sample else ""
    log.fail(
        "not_numeric",
        f"no column is numeric ({_listed([f'{name}: {kind}' for name, kind in kinds.items()])}){held}. "
        "Power must be numbers: choose the power column, and read it as numbers (mind decimal commas and text "
        "for missing values).",
        columns=kinds,
    )


def _log_dropped(dropped: list[pd.Series], kept: pd.Series, log: FindingLog) -> None:
    if not dropped:
        return
    names = [str(column.name) for column in dropped]
    log.repaired(
        "extra_columns_dropped",
        f"{kept.name!r} is the one numeric column and was taken as the power; dropped: {_listed(names)}.",
        kept=str(kept.name),
        dropped=names,
    )


def _listed(names: list[str], limit: int = 12) -> str:
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more
