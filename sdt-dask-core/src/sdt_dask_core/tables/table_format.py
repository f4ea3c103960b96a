"""What a user says about tables: `TableFormat`, checked when it is made."""

from __future__ import annotations

import codecs
import math
import typing
import zoneinfo
from dataclasses import dataclass
from typing import Any, Literal

from sdt_dask_core.errors import OptionError
from sdt_dask_core.options import did_you_mean

__all__ = ["SEPARATORS", "TableFormat"]

#: Separators that are told apart by themselves, with the names that people give them.
SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}

_MAX_UTC_OFFSET = 14.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFormat:
    r"""How the tables of a source are written.

    Parameters
    ----------
    layout : {"auto", "wide", "long"}
        Wide: a timestamp and one or more power columns. Long: the columns ``site, meas_name, ts, sensor,
        meas_val_f``, one row per timestamp and sensor. Auto: long where ``ts, sensor, meas_val_f`` are all there.
    timestamp_column : str, optional
        Default: the one column that holds timestamps, in long tables ``ts``.
    power_columns : tuple of str
        The power column(s) of wide tables, the ``meas_name`` (s) of long ones.
    units : {"W", "kW", "MW"}
        Unit of the power.
    timestamps : {"local", "utc"}
        Whether the timestamps are the site's local time or UTC; those that carry an offset of their own keep to it.
    tz : str, optional
        IANA zone of the site, or "auto": shifted by whole hours so that the middle of the daily power is near noon.
    utc_offset : float, optional
        Offset of the site's standard time from UTC [h], such as -8.
    separator : str, optional
        One character, or "tab"; default: found among ``, ; tab |``.
    decimal : {".", ","}
        Decimal sign.
    date_format : str, optional
        Format of the timestamps as in ``datetime.strptime``, such as ``"%d/%m/%Y %H:%M"``.
    encoding : str
        Encoding of the text.

    Raises
    ------
    OptionError
        A value that its option cannot take, or options that contradict each other.
    """

    layout: Literal["auto", "wide", "long"] = "auto"
    timestamp_column: str | None = None
    power_columns: tuple[str, ...] = ()
    units: Literal["W", "kW", "MW"] = "kW"
    timestamps: Literal["local", "utc"] = "local"
    tz: str | None = None
    utc_offset: float | None = None
    separator: str | None = None
    decimal: str = "."
    date_format: str | None = None
    encoding: str = "utf-8"

    def __post_init__(self) -> None:
        object.__setattr__(self, "separator", _separator(self.separator))
        _check_choices(self)
        _check_text(self)
        _check_time(self)
        if self.tz not in (None, "auto"):
            _check_zone(str(self.tz))


def _refuse(option: str, message: str) -> OptionError:
    return OptionError(message, option=option)


def _separator(value: str | None) -> str | None:
    if value is None:
        return None
    named = {"\\t": "\t", **{name: sign for sign, name in SEPARATORS.items()}}
    sign = named.get(value, value)
    if len(sign) != 1 or sign in '"\r\n\0':
        raise _refuse("separator", f"separator={value!r} is no separator; give one character or 'tab'")
    return sign


def _check_choices(given: TableFormat) -> None:
    choices: dict[str, tuple[Any, ...]] = {
        "layout": ("auto", "wide", "long"),
        "units": ("W", "kW", "MW"),
        "timestamps": ("local", "utc"),
        "decimal": (".", ","),
    }
    for option, allowed in choices.items():
        value = getattr(given, option)
        if value not in allowed:
            raise _refuse(option, f"{option}={value!r} is not one of {', '.join(map(repr, allowed))}")
    if given.separator == given.decimal:
        raise _refuse("separator", f"separator and decimal are both {given.decimal!r}; a table needs two signs")


def _check_text(given: TableFormat) -> None:
    try:
        codecs.lookup(given.encoding)
    except (LookupError, ValueError):
        message = f"encoding={given.encoding!r} is no text encoding; try 'utf-8', 'utf-16', 'cp1252' or 'latin-1'"
        raise _refuse("encoding", message) from None
    if given.date_format is not None and "%" not in given.date_format:
        message = (
            f"date_format={given.date_format!r} is no date format; write it as in Python's strptime, "
            "such as '%d/%m/%Y %H:%M'"
        )
        raise _refuse("date_format", message)


def _check_time(given: TableFormat) -> None:
    if given.tz is not None and given.utc_offset is not None:
        message = f"tz={given.tz!r} and utc_offset={given.utc_offset:g} say the same thing twice; give one of them"
        raise _refuse("utc_offset", message)
    if given.timestamps == "utc" and given.tz is None and given.utc_offset is None:
        message = "timestamps=utc needs tz (IANA zone of the site), utc_offset (hours, such as -8) or tz=auto"
        raise _refuse("timestamps", message)
    if given.utc_offset is None:
        return
    if given.timestamps == "local":
        message = f"utc_offset={given.utc_offset:g} needs timestamps=utc: local timestamps are not shifted"
        raise _refuse("utc_offset", message)
    if not (math.isfinite(given.utc_offset) and abs(given.utc_offset) <= _MAX_UTC_OFFSET):
        message = f"utc_offset={given.utc_offset:g} is not between -14 and 14; it is in hours, such as -8 or 5.5"
        raise _refuse("utc_offset", message)


def _check_zone(name: str) -> None:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        near = did_you_mean(name, _zone_names())
        message = f"tz={name!r} is no IANA time zone{near}; write it like 'America/Los_Angeles', or tz=auto"
        raise _refuse("tz", message) from None


def _zone_names() -> typing.Iterable[str]:
    return sorted(zoneinfo.available_timezones())
