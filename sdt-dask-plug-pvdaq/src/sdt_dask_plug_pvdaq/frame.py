"""From the rows of a key to the frame that ``get_data`` returns, with what was decided on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sdt_dask_plug_pvdaq.clock import TimeRule, to_local_standard_time
from sdt_dask_plug_pvdaq.rows import VALUE
from sdt_dask_plug_pvdaq.units import Note, UnitChoice, decide_unit

if TYPE_CHECKING:
    from sdt_dask_plug_pvdaq.reading import Record
    from sdt_dask_plug_pvdaq.systems import SystemFacts

__all__ = ["power_frame"]

#: What PVDAQ's loggers write for "no value"; small negative power at night is what an inverter draws, and true.
_SENTINELS = (-999.0, -7999.0, -9999.0, -99999.0)


def power_frame(
    record: Record, facts: SystemFacts, *, time_rule: TimeRule, units: UnitChoice, name: str
) -> pd.DataFrame:
    """Return the frame of one key.

    Its column is called "power": PVDAQ's own names state units that are not always true, and the core refuses a name
    that contradicts the unit.

    Parameters
    ----------
    record : Record
        What was read.
    facts : SystemFacts
        What is known of the system.
    time_rule, units : str
        The options.
    name : str
        How messages name the source.
    """
    rows, sentinels = _without_sentinels(record.rows)
    series, clock_notes = to_local_standard_time(rows, facts, time_rule, name=name)
    unit, unit_notes = decide_unit(
        series,
        option=units,
        said=record.said,
        capacity_kw=facts.capacity_kw,
        usual=record.usual_unit,
        is_part=not record.channel.is_whole,
    )
    frame: pd.DataFrame = series.rename("power").rename_axis("timestamp").to_frame()
    frame.attrs["units"] = unit
    frame.attrs["notes"] = [*record.notes, *clock_notes, *unit_notes, *sentinels, *_quality(facts)]
    return frame


def _without_sentinels(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[Note]]:
    values = rows[VALUE].to_numpy(dtype=np.float64, copy=True)
    is_sentinel = np.isin(values, _SENTINELS)
    if not is_sentinel.any():
        return rows, []
    told, counts = np.unique(values[is_sentinel], return_counts=True)
    values[is_sentinel] = np.nan
    listed = ", ".join(f"{count} of {value:g}" for value, count in zip(told, counts, strict=True))
    message = f"{int(is_sentinel.sum())} values that mean 'no value' were taken as missing: {listed}"
    return rows.assign(**{VALUE: values}), [{"code": "pvdaq_sentinels", "message": message}]


def _quality(facts: SystemFacts) -> list[Note]:
    if not facts.qa_issue:
        return []
    message = f"PVDAQ's own quality check failed this system: {facts.qa_issue}"
    return [{"code": "pvdaq_quality_check", "message": message, "repaired": False}]
