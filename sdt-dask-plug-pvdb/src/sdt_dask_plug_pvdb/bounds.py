"""The bounds of what is read: ``start <= ts < end``, in the time of the table."""

from __future__ import annotations

import datetime as dt

from sdt_dask_core.errors import OptionError

__all__ = ["checked_bounds"]


def checked_bounds(start: str | None, end: str | None) -> tuple[str | None, str | None]:
    """Return both bounds as a database reads them.

    Raises
    ------
    OptionError
        One of them is no date, carries an offset, or nothing lies between them.
    """
    first, last = _moment("start", start), _moment("end", end)
    if first is not None and last is not None and first >= last:
        raise OptionError(f"start={start!r} is not before end={end!r}, so nothing lies between them", option="end")
    return _text(first), _text(last)


def _moment(option: str, text: str | None) -> dt.datetime | None:
    if text is None:
        return None
    try:
        moment = dt.datetime.fromisoformat(text.removesuffix("Z"))
    except ValueError:
        raise OptionError(
            f"{option}={text!r} is no date; write it like 2020-01-31 or 2020-01-31T12:00", option=option
        ) from None
    if moment.tzinfo is not None or text.endswith("Z"):
        raise OptionError(
            f"{option}={text!r} carries an offset; write it without, in the time of the table (UTC in PVDB)",
            option=option,
        )
    return moment


def _text(moment: dt.datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(sep=" ")
