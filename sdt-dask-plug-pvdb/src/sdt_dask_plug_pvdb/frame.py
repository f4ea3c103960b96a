"""From the rows of a table to the frame that `get_data` returns."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sdt_dask_core.tables import TableFormat
from sdt_dask_core.tables.site_time import to_site_time
from sdt_dask_plug_pvdb.series import Series

__all__ = ["MISSING", "as_frame"]

#: What PVDB holds for a value that is missing.
MISSING = -999999.0


def as_frame(series: Series, *, name: str, table_format: TableFormat, column: str) -> pd.DataFrame:
    """Return a series in the site's local standard time, with notes of what was changed.

    Parameters
    ----------
    series : Series
        What was read; its arrays are taken over.
    name : str
        How messages name it.
    table_format : TableFormat
        The unit, and what the timestamps are.
    column : str
        Name of the column.
    """
    notes = _mask_missing(series)
    index = pd.DatetimeIndex(series.stamps, copy=False)
    power = pd.Series(series.power, index=index.tz_localize("UTC") if series.is_aware else index, copy=False)
    power, time_notes = to_site_time(power, table_format, name=name)
    frame: pd.DataFrame = power.rename(column).rename_axis("timestamp").to_frame()
    frame.attrs["units"] = table_format.units
    frame.attrs["notes"] = [*notes, *time_notes]
    return frame


def _mask_missing(series: Series) -> list[dict[str, str]]:
    is_missing = series.power == MISSING
    count = int(np.count_nonzero(is_missing))
    series.power[is_missing] = np.nan
    message = f"{count} values of {MISSING:.0f} were taken as missing"
    return [{"code": "sentinel_masked", "message": message}] if count else []
