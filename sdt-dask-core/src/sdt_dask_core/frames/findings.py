"""The findings: their stable codes, what each means and what the user does about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

from sdt_dask_core.errors import FrameError

__all__ = ["FINDINGS", "MEANINGS", "Finding", "FindingLog"]

# code: (what it means, what the user does). Codes are stable; the ledger and scripts of users hold them.
_TABLE: dict[str, tuple[str, str]] = {
    # The frame and its column; all but the last three fail the key.
    "not_a_frame": (
        "The plug returned something that is no pandas DataFrame or Series.",
        "Return a pandas.DataFrame with a DatetimeIndex and one power column from get_data.",
    ),
    "unreadable_frame": (
        "The frame, or something in it, raises an error when it is looked at; fails the key.",
        "Return a plain pandas.DataFrame of numbers from get_data; the message names the error.",
    ),
    "too_large": (
        "The frame has more than 31,622,400 rows, what 10 years at 10 s hold; fails the key.",
        "Average the data to 1 min or coarser, or ask for a shorter period.",
    ),
    "no_columns": (
        "The frame has no columns.",
        "Return the power as a column; an index alone holds no data.",
    ),
    "empty": (
        "The frame has no rows, or none with a timestamp.",
        "Check that the source holds data for this key and period.",
    ),
    "ambiguous_column": (
        "More than one numeric column, and none chosen.",
        "Choose the power column with the plug's column or sensor option.",
    ),
    "not_numeric": (
        "No column holds numbers: text, booleans or complex numbers are no power.",
        "Choose the power column, and read it as numbers (decimal commas and text such as 'n/a' are common causes).",
    ),
    "converted_to_numbers": (
        "The power column was of type object but held only numbers; it was converted.",
        "Nothing; let the plug return a float column to be rid of this note.",
    ),
    "extra_columns_dropped": (
        "Columns that are not numeric stood beside the power; they were dropped.",
        "Nothing; let the plug return the power column only to be rid of this note.",
    ),
    "plug_note": (
        "The plug told what it changed or, where it is a caution, what it doubts.",
        "Nothing, if it is what you expect.",
    ),
    # Timestamps
    "timestamp_column": (
        "The index only numbered the rows, and one column holds timestamps; it was taken as the index.",
        "Nothing; let the plug return it as the index to be rid of this note.",
    ),
    "no_datetime_index": (
        "The index is no DatetimeIndex; fails the key.",
        "Set the timestamps as the index: frame.set_index(pandas.to_datetime(frame[...])).",
    ),
    "missing_timestamps_dropped": (
        "Rows without a timestamp (NaT) were dropped.",
        "Check how the source writes its timestamps if there are many.",
    ),
    "time_zone_converted": (
        "Time zone aware timestamps were converted to local standard time, which has no daylight saving.",
        "Nothing, if the zone named is the system's own.",
    ),
    "sorted": (
        "Rows were not in the order of time; they were sorted.",
        "Nothing.",
    ),
    "duplicates_dropped": (
        "Rows that repeat a timestamp and its value were dropped.",
        "Nothing; many may mean that the source was loaded twice.",
    ),
    "conflicting_duplicates": (
        "Rows repeat a timestamp with another value; the first was kept, as Solar Data Tools does.",
        "Check whether two sensors are mixed, or whether the clock follows daylight saving (one hour each autumn).",
    ),
    "stray_timestamps": (
        "Timestamps that cannot be right: years away from all others, in the future or before 1980; fails the key.",
        "Drop or correct these rows at the source, or give the period to analyse (since, until).",
    ),
    "window_cut": (
        "Rows outside the window that was asked for (since, until, look_back) were cut off.",
        "Nothing.",
    ),
    "outside_window": (
        "No row lies in the window that was asked for (since, until, look_back); fails the key.",
        "Ask for another period, or leave the system out.",
    ),
    "too_sparse": (
        "Nearly all of the record is a gap; fails the key.",
        "Analyse the periods that hold data as keys of their own.",
    ),
    "too_thin": (
        "Fewer than 3 days hold power for more than a fifth of the day, so Solar Data Tools has none to fit; fails "
        "the key.",
        "Look for the missing values at the source, or ask for a longer period.",
    ),
    "daytime_missing": (
        "More than 30 % of the values between 9:00 and 15:00 are missing, on days that hold any.",
        "Look for the missing values at the source; trust results less.",
    ),
    "too_short": (
        "Fewer than 3 days hold data; fails the key.",
        "Ask for a longer period; degradation needs two years.",
    ),
    # Sampling
    "sampling_too_coarse": (
        "Timestamps are 2 h apart or more; fails the key.",
        "Use data of 1 h or finer; Solar Data Tools works on the shape of each day.",
    ),
    "sampling_coarse": (
        "Timestamps are more than 1 h but less than 2 h apart.",
        "Use finer data where there are any; results are uncertain.",
    ),
    "sampling_too_fine": (
        "Timestamps are less than 10 s apart, which Solar Data Tools cannot work with; fails the key.",
        "Average the data to 1 min or coarser.",
    ),
    "interval_does_not_fit_day": (
        "A day is not a whole number of sampling intervals (7 min, for example), or the interval is no multiple of "
        "10 s; fails the key.",
        "Average the data to an interval that divides a day, such as 5, 10 or 15 min.",
    ),
    "mixed_sampling": (
        "Sampling intervals are mixed, or timestamps follow no interval; fails the key.",
        "Average the data to the coarsest interval, or analyse each period as a key of its own.",
    ),
    "missing_rows": (
        "Many timestamps of the regular grid have no row; they count as missing.",
        "Nothing; trust results less.",
    ),
    "jitter_rounded": (
        "Timestamps off a regular grid by less than a quarter of the interval were rounded to it.",
        "Nothing.",
    ),
    # Units
    "unknown_units": (
        "The unit given is none of W, kW and MW; fails the key.",
        'Set units to "W", "kW" or "MW".',
    ),
    "units_not_stated": (
        "Neither the plug's units option nor frame.attrs says the unit; kW was taken.",
        'Set units to "W", "kW" or "MW".',
    ),
    "units_look_wrong": (
        "The column's name, the system's capacity or the sheer size contradicts the unit given; fails the key.",
        "Set units to the unit of the data, or correct capacity_kw.",
    ),
    "looks_like_energy": (
        "The column's name gives a unit of energy, such as kWh; fails the key.",
        "Choose the power column, or divide the energy of each interval by its length in hours.",
    ),
    "implausible_size": (
        "The power is larger than 500 MW or smaller than 1 W.",
        "Check units; give capacity_kw in the metadata for a firm check.",
    ),
    # Values
    "infinite_masked": (
        "Infinite values were set to missing.",
        "Nothing; they come from divisions by zero at the source.",
    ),
    "sentinel_masked": (
        "Numbers that loggers write for 'missing', such as -9999 or -1000000, were set to missing.",
        "Nothing.",
    ),
    "impossible_masked": (
        "Single values beyond 10 GW, more than any PV system has, were set to missing.",
        "Nothing; many may mean a wrong unit.",
    ),
    "all_missing": (
        "Every value is missing; fails the key.",
        "Check the column and the period; the sensor may have been off line.",
    ),
    "no_power": (
        "The power is zero throughout; fails the key.",
        "Check the column and the period; the system may have been off.",
    ),
    "constant": (
        "The power never changes; fails the key.",
        "Check the column: a set point or a stuck sensor is constant, power is not.",
    ),
    "mostly_negative": (
        "Most of the power is negative, so its sign convention is reversed; fails the key.",
        "Multiply by -1 in the plug or at the source, so that generation is positive.",
    ),
    "too_few_values": (
        "Fewer than 24 values are zero or more, the limit of Solar Data Tools; fails the key.",
        "Ask for a longer period.",
    ),
    "looks_cumulative": (
        "Values rise through each day and hardly ever fall: an energy counter, not power; fails the key.",
        "Choose the power column, or turn the counter into power (difference divided by the interval in hours).",
    ),
    # The clock
    "midday_far_from_noon": (
        "The middle of the daily power is 3.5 h or more from 12:00; fails the key.",
        "Set timestamps=utc and utc_offset, or tz=auto; local standard time is needed.",
    ),
    "midday_off_noon": (
        "The middle of the daily power is 1.5 h to 3.5 h from 12:00.",
        "Check the clock: daylight saving, a neighbouring zone, or panels that face east or west.",
    ),
}

#: What each code means.
MEANINGS: dict[str, str] = {code: meaning for code, (meaning, _) in _TABLE.items()}

#: What the user does about each code.
FINDINGS: dict[str, str] = {code: fix for code, (_, fix) in _TABLE.items()}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found in a frame.

    Attributes
    ----------
    code : str
        Stable code, a key of `FINDINGS`, or a plug's own.
    message : str
        What was found (with values), why it matters, what was or is to be done.
    evidence : dict
        JSON-ready facts.
    repaired : bool
        True where the data were repaired, or the plug did so; False where it is only noted, which calls for caution.
    """

    code: str
    message: str
    evidence: dict[str, Any]
    repaired: bool


class FindingLog:
    """Collects the findings of one frame, in the order of the checks."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []

    def repaired(self, code: str, message: str, **evidence: Any) -> None:
        """Record what was repaired."""
        self.findings.append(Finding(code, message, evidence, repaired=True))

    def noted(self, code: str, message: str, **evidence: Any) -> None:
        """Record what is left as it is and calls for caution."""
        self.findings.append(Finding(code, message, evidence, repaired=False))

    def fail(self, code: str, message: str, **evidence: Any) -> NoReturn:
        """Raise the error of a frame that no analysis can use, with what was found before."""
        raise FrameError(message, finding=code, evidence=evidence, findings=list(self.findings))
