"""What a plug returned, as plain arrays: the only place that touches an object that a stranger made.

A plug may return a subclass of DataFrame that lies about its length, or objects whose methods raise. Here they become
a plain frame first, and what still raises is a finding, not a crash.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from sdt_dask_core.errors import SdtDaskError
from sdt_dask_core.frames import column, stamps
from sdt_dask_core.frames import units as _units
from sdt_dask_core.frames.findings import FindingLog

__all__ = ["MAX_ROWS", "Received", "receive"]

#: Most rows of a frame: 10 years at 10 s, the finest interval that Solar Data Tools can work with.
MAX_ROWS = 10 * 366 * 24 * 360


@dataclass(frozen=True, slots=True)
class Received:
    """Timestamps, values in their own array, and their unit."""

    times: pd.DatetimeIndex
    values: npt.NDArray[np.float64]
    unit: str


def receive(frame: object, units: Any, log: FindingLog) -> Received:
    """Return the times, the power and its unit; fail where the frame has none, or cannot be read at all."""
    try:
        return _received(frame, units, log)
    except (SdtDaskError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever a stranger's object raises
        log.fail(
            "unreadable_frame",
            f"the frame cannot be read: {type(error).__name__} ({column.shown(error, 200)}) was raised while its "
            "index, columns and values were looked at. Return a plain pandas.DataFrame of numbers.",
            error_type=type(error).__name__,
            frame_type=column.type_name(frame),
        )


def _received(frame: object, units: Any, log: FindingLog) -> Received:
    table = _plain_frame(frame, log)
    _check_rows(table, log)
    column.log_plug_notes(table.attrs.get("notes"), log)
    table = column.timestamps_as_index(table, log)
    column.check_not_empty(table, log)
    times = stamps.datetimes(table.index, log)
    chosen = column.power_column(table, log)
    unit = _units.stated_units(units, table.attrs, chosen.name, log)
    return Received(times, column.to_floats(chosen, log), unit)


def _plain_frame(frame: object, log: FindingLog) -> pd.DataFrame:
    """Return a plain frame over the same values; what a subclass overrides is left behind."""
    if not isinstance(frame, (pd.Series, pd.DataFrame)):
        kind = column.type_name(frame)
        log.fail(
            "not_a_frame",
            f"get_data returned {kind}, not a pandas DataFrame, so there is nothing to analyse. "
            "Return a pandas.DataFrame with a DatetimeIndex and one power column.",
            type=kind,
        )
    table = pd.Series(frame).to_frame() if isinstance(frame, pd.Series) else pd.DataFrame(frame)
    # Not the plain frame's own attrs: pandas copies them deeply at each step, whatever they hold.
    return _with_attrs(table, frame.attrs)


def _with_attrs(table: pd.DataFrame, attrs: Mapping[Any, Any]) -> pd.DataFrame:
    table.attrs = {name: attrs[name] for name in ("units", "notes") if name in attrs}
    return table


def _check_rows(table: pd.DataFrame, log: FindingLog) -> None:
    if len(table) > MAX_ROWS:
        log.fail(
            "too_large",
            f"the frame has {len(table):,} rows; {MAX_ROWS:,} are the most that are taken, what 10 years at 10 s hold. "
            "Average the data to 1 min or coarser, or ask for a shorter period.",
            n_rows=len(table),
            max_rows=MAX_ROWS,
        )
