"""The window: which part of each system's record is analysed."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

from sdt_dask_core.errors import OptionError

__all__ = ["Window"]

_TIME = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2})?)?")
_LENGTH = re.compile(r"(\d{1,6})\s*([a-z]+)")
# Each unit as months or as days; m alone could be minutes or months.
_MONTHS = {**dict.fromkeys(("month", "months"), 1), **dict.fromkeys(("y", "yr", "year", "years"), 12)}
_DAYS = {**dict.fromkeys(("d", "day", "days"), 1), **dict.fromkeys(("w", "week", "weeks"), 7)}
_LONGEST_YEARS = 200


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of a record is analysed; empty where all of it is.

    Attributes
    ----------
    since : str or None
        Time of the first row that is kept, ISO text in the system's local standard time.
    until : str or None
        Time of the first row that is no longer kept.
    look_back : str or None
        How much is kept, back from the last value of the record: "36 months" or "730 days".
    """

    since: str | None = None
    until: str | None = None
    look_back: str | None = None

    @classmethod
    def given(cls, *, since: Any = None, until: Any = None, look_back: str | None = None) -> Window:
        """Return a window as a user gives it.

        Parameters
        ----------
        since, until : str, datetime.date or datetime.datetime, optional
            Dates or times, such as "2020-01-01" or "2020-01-01 12:00".
        look_back : str, optional
            A number of days, weeks, months or years: "730d", "104 weeks", "18 months", "3y".

        Raises
        ------
        OptionError
            One is no time or no length, or since is not before until.
        """
        first, end = _time("since", since), _time("until", until)
        if first is not None and end is not None and not first < end:
            raise OptionError(
                f"since is {first} and until is {end}: no time lies between them; since must be before until",
                option="since",
            )
        return cls(first, end, _length(look_back))

    def __bool__(self) -> bool:
        return self != Window()

    def __str__(self) -> str:
        named = (("since", self.since), ("until", self.until), ("look_back", self.look_back))
        return ", ".join(f"{name} {value}" for name, value in named if value is not None) or "all"


def _time(name: str, given: Any) -> str | None:
    if given is None:
        return None
    try:
        time = _parsed(given)
    except ValueError:
        raise OptionError(
            f"{name} cannot be {given!r}; write a date or a time, such as 2020-01-01 or '2020-01-01 12:00'",
            option=name,
        ) from None
    if time.tzinfo is not None:
        raise OptionError(
            f"{name} cannot be {given!r}: it has a time zone, and the window is in the local standard time of each "
            "system; write it without a zone",
            option=name,
        )
    return time.isoformat()


def _parsed(given: Any) -> dt.datetime:
    if isinstance(given, dt.datetime):
        return dt.datetime.combine(given.date(), given.timetz())  # a plain one also of a pandas.Timestamp
    if isinstance(given, dt.date):
        return dt.datetime(given.year, given.month, given.day)
    # Python before 3.11 reads less than later ones; what is written here, all read.
    if not isinstance(given, str) or not _TIME.fullmatch(given.strip()):
        raise ValueError(given)
    return dt.datetime.fromisoformat(given.strip())


def _length(given: str | None) -> str | None:
    if given is None:
        return None
    found = _LENGTH.fullmatch(given.strip().lower()) if isinstance(given, str) else None
    number, unit = (int(found[1]), found[2]) if found else (0, "")
    months, days = number * _MONTHS.get(unit, 0), number * _DAYS.get(unit, 0)
    if (not months and not days) or months > 12 * _LONGEST_YEARS or days > 366 * _LONGEST_YEARS:
        raise OptionError(
            f"look_back cannot be {given!r}; write a number of days, weeks, months or years, such as 730d, "
            f"'18 months' or 3y (at most {_LONGEST_YEARS} years)",
            option="look_back",
        )
    # One text for one length, so that 3y and 36 months are the same setting.
    return f"{months} months" if months else f"{days} days"
