"""Cutting: the part of a record that lies in the window which the user asked for."""

from __future__ import annotations

import numpy as np

from sdt_dask_core.frames.findings import FindingLog
from sdt_dask_core.frames.stamps import Record, iso
from sdt_dask_core.window import Window

__all__ = ["back", "between"]


def between(record: Record, window: Window, log: FindingLog) -> Record:
    """Return the rows of a sorted record from the window's start to before its end."""
    first, end = (None if text is None else _in_us(np.datetime64(text)) for text in (window.since, window.until))
    start = 0 if first is None else int(np.searchsorted(record.stamps, first))
    stop = record.stamps.size if end is None else int(np.searchsorted(record.stamps, end))
    return _kept(record, window, slice(start, stop), log)


def back(record: Record, window: Window, log: FindingLog) -> Record:
    """Return the rows of a sorted record that the window looks back on, from its last value."""
    finite = record.stamps[np.isfinite(record.values)]
    if window.look_back is None or not finite.size:
        return record
    # The start itself is left out: a year of quarter hours has as many rows whenever it ends.
    start = int(np.searchsorted(record.stamps, _earlier(int(finite[-1]), window.look_back), side="right"))
    return _kept(record, window, slice(start, None), log)


def _kept(record: Record, window: Window, rows: slice, log: FindingLog) -> Record:
    kept = Record(record.stamps[rows], record.values[rows])
    n_rows, n_cut = int(record.stamps.size), int(record.stamps.size - kept.stamps.size)
    evidence = {"n_rows": n_rows, "first": iso(record.stamps[0]), "last": iso(record.stamps[-1])}
    if not kept.stamps.size:
        log.fail(
            "outside_window",
            f"none of the {n_rows} rows, from {evidence['first']} to {evidence['last']}, lies in the window "
            f"({window}). Ask for another period, or leave this system out.",
            **evidence,
        )
    if n_cut:
        log.repaired(
            "window_cut",
            f"{n_cut} of {n_rows} rows lie outside the window ({window}) and were cut off; what is left runs from "
            f"{iso(kept.stamps[0])} to {iso(kept.stamps[-1])}.",
            **evidence,
            n_cut=n_cut,
        )
    return kept


def _earlier(stamp: int, length: str) -> int:
    """Return a time [µs] minus a length, on the calendar; the last day of a shorter month stands for later ones."""
    number, unit = length.split()
    if unit == "days":
        return stamp - int(number) * 86_400_000_000
    import pandas as pd

    return _in_us((pd.Timestamp(stamp, unit="us") - pd.DateOffset(months=int(number))).as_unit("us").asm8)


def _in_us(time: np.datetime64) -> int:
    return int(time.astype("M8[us]").astype(np.int64))
