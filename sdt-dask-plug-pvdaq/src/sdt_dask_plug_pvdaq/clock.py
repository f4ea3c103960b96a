"""The time rule: how PVDAQ's timestamps become local standard time, the same offset from UTC all year."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import pandas as pd

from sdt_dask_core.errors import DataFormatError
from sdt_dask_core.tables import TableFormat
from sdt_dask_core.tables.site_time import to_site_time
from sdt_dask_plug_pvdaq.rows import STAMP, UTC, VALUE

if TYPE_CHECKING:
    from sdt_dask_plug_pvdaq.systems import SystemFacts

__all__ = ["TimeRule", "to_local_standard_time"]

TimeRule: TypeAlias = Literal["auto", "utc", "offset", "zone"]
Note: TypeAlias = "dict[str, str]"

_HOUR = pd.Timedelta(hours=1)


def to_local_standard_time(
    rows: pd.DataFrame, facts: SystemFacts, rule: TimeRule, *, name: str
) -> tuple[pd.Series, list[Note]]:
    """Return the values on naive local standard time, and a note on the rule that was used.

    Rules, in the order in which auto tries them: ``utc``, the column of UTC times where it is complete, shifted by the
    standard offset; ``offset``, the local times as they are, where the table says a number of hours; ``zone``, the
    local times as wall-clock times of the zone that the table names, whose summer time is taken out.

    Parameters
    ----------
    rows : pandas.DataFrame
        `STAMP`, `VALUE`, and perhaps `UTC`.
    facts : SystemFacts
        What is known of the system's clock.
    rule : {"auto", "utc", "offset", "zone"}
        The rule to use.
    name : str
        How messages name the source.

    Raises
    ------
    DataFormatError
        The rule asked for cannot be used, or no row has a timestamp.
    """
    n_known = int(rows[UTC].notna().sum()) if UTC in rows else 0
    is_complete = 0 < len(rows) == n_known
    chosen = _chosen(facts, is_complete) if rule == "auto" else rule
    if chosen == "utc":
        if not is_complete:
            raise DataFormatError(
                f"{name}: time_rule=utc needs utc_measured_on, which {n_known} of {len(rows)} rows have; set time_rule "
                "to auto, offset or zone"
            )
        return _from_utc(rows, facts, name)
    if chosen == "zone":
        return _from_zone(rows, facts, name)
    return _kept(rows, facts, name, is_asked=rule == "offset")


def _chosen(facts: SystemFacts, is_complete: bool) -> TimeRule:
    if is_complete:
        return "utc"
    return "zone" if facts.zone and facts.utc_offset is None else "offset"


def _from_utc(rows: pd.DataFrame, facts: SystemFacts, name: str) -> tuple[pd.Series, list[Note]]:
    hours, why = facts.utc_offset, f"PVDAQ says {facts.clock!r}, hours west of UTC"
    zone = facts.zone
    if hours is None and zone is None:
        # Summer time only adds to the offset, so that the smallest one is standard time's.
        hours = float((rows[STAMP] - rows[UTC]).min() / _HOUR)
        why = "the smallest difference of measured_on from it; PVDAQ names no time zone"
    elif hours is None:
        why = f"standard time of {zone}"
    table_format = TableFormat(timestamps="utc", utc_offset=hours, tz=zone if hours is None else None)
    series, _ = to_site_time(_series(rows, UTC), table_format, name=name)
    return series, [_note("utc", f"utc_measured_on, which is complete, was brought to standard time ({why})")]


def _from_zone(rows: pd.DataFrame, facts: SystemFacts, name: str) -> tuple[pd.Series, list[Note]]:
    if facts.zone is None:
        raise DataFormatError(
            f"{name}: time_rule=zone needs the name of a zone, and PVDAQ says {facts.clock or 'nothing'!r}; set "
            "time_rule=offset for local times that are standard time all year"
        )
    zone = TableFormat(timestamps="local", tz=facts.zone)
    series, notes = to_site_time(_series(rows, STAMP), zone, name=name)
    kept = [{**note, "message": _in_our_words(note)} for note in notes if note["code"] != "utc_offset_applied"]
    said = f"measured_on was read as wall-clock time of {facts.zone}, and its summer time was taken out"
    return series, [_note("zone", said), *kept]


def _in_our_words(note: Note) -> str:
    """Name the option of this plug, where the core's note names that of plugs for files."""
    return note["message"].partition(" (tz=")[0] + (
        "; rows in the hour that is skipped mean that the clock keeps to standard time: then set time_rule=offset"
        if note["code"] == "dst_nonexistent"
        else ""
    )


def _kept(rows: pd.DataFrame, facts: SystemFacts, name: str, *, is_asked: bool) -> tuple[pd.Series, list[Note]]:
    series, notes = to_site_time(_series(rows, STAMP), TableFormat(timestamps="local"), name=name)
    if is_asked:
        why = "time_rule=offset was asked for"
    elif facts.utc_offset is not None:
        why = f"PVDAQ says {facts.clock!r}, which is UTC{facts.utc_offset:+g} h all year"
    else:
        why = f"PVDAQ says {facts.clock!r}, which is no time zone" if facts.clock else "PVDAQ names no time zone"
    return series, [_note("offset", f"measured_on was taken as standard time, as it is ({why})"), *notes]


def _series(rows: pd.DataFrame, column: str) -> pd.Series:
    series: pd.Series = pd.Series(rows[VALUE].to_numpy(copy=True), index=pd.DatetimeIndex(rows[column]), name="power")
    return series


def _note(rule: str, message: str) -> Note:
    return {"code": f"pvdaq_time_rule_{rule}", "message": f"time rule {rule}: {message}"}
