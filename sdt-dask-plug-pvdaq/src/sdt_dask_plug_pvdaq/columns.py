"""Names of PVDAQ's columns, and which of them is the AC power.

A name is made of the sensor, perhaps its unit, and its number: ``ac_power__315``, ``ac_power_metered_kw__1016``,
``inverter_1_ac_power_(kw)_inv_150143``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sdt_dask_core.errors import AmbiguousColumnError, DataFormatError, KeyNotFoundError

__all__ = ["Channel", "choose", "parse_name", "wanted"]

_NUMBER = re.compile(r"_(?:inv|meter|o)_(\d+)$|__(\d+)$|_(\d{3,})$")
_UNIT = re.compile(r"[_ ]*(?:\((w|kw|mw)\)|_(w|kw|mw))$")
_UNITS = {"w": "W", "kw": "kW", "mw": "MW"}
_AC_POWER = re.compile(r"(?:^|_)ac_(?:meter_\d+_)?(?:power|output)(?:_|$)")
_NO_POWER = re.compile(r"factor|reactive|apparent|energy")
_DAILY = re.compile(r"_daily_(?:max|min|mean|sum)$")

#: Names of the power of a whole system, in the order in which they are taken.
_WHOLE = (
    "ac_power",
    "ac_power_metered",
    "metered_ac_power",
    "meter_ac_power",
    "meter_ac_output",
    "meter_revenue_grade_ac_output",
)


@dataclass(frozen=True, slots=True)
class Channel:
    """One column.

    Attributes
    ----------
    name : str
        As it stands in the source.
    sensor : str
        Without number and unit, in lower case.
    number : str
        PVDAQ's number of the channel; empty where it has none.
    unit : str or None
        What the name says of the unit, "W", "kW" or "MW". Names lie.
    """

    name: str
    sensor: str
    number: str
    unit: str | None

    @property
    def is_ac_power(self) -> bool:
        """Whether the name is one of AC power, at the pace of the measurements."""
        return bool(_AC_POWER.search(self.sensor)) and not _NO_POWER.search(self.sensor) and not self.is_daily

    @property
    def is_whole(self) -> bool:
        """Whether the name is that of the power of a whole system."""
        return self.sensor in _WHOLE

    @property
    def is_daily(self) -> bool:
        """Whether it is an aggregate of a day."""
        return bool(_DAILY.search(self.sensor))

    def is_named(self, asked: str) -> bool:
        """Tell whether a user may mean it: by its name with or without its number, by its sensor, by its number."""
        bare = _NUMBER.sub("", self.name)
        return asked in (self.name, self.number) or asked.lower() in (self.name.lower(), bare.lower(), self.sensor)


def parse_name(name: str) -> Channel:
    """Return what the name of a column says."""
    number = _NUMBER.search(name)
    sensor = _NUMBER.sub("", name).lower()
    unit = _UNIT.search(sensor)
    said = next(filter(None, unit.groups()), "") if unit else ""
    return Channel(
        name=name,
        sensor=_UNIT.sub("", sensor),
        number=next(filter(None, number.groups()), "") if number else "",
        unit=_UNITS.get(said),
    )


def wanted(names: Iterable[str], asked: str | None) -> list[str]:
    """Return those columns of one file that are worth reading: `choose` takes one of them, or refuses to."""
    channels = [parse_name(name) for name in names]
    if asked is not None:
        return [channel.name for channel in channels if channel.is_named(asked)]
    whole = [channel.name for channel in channels if channel.is_whole]
    return whole or [channel.name for channel in channels if channel.is_ac_power]


def choose(names: Iterable[str], asked: str | None, *, where: str) -> Channel:
    """Return the column that is the power: the one asked for, the whole system's, the only one of AC power.

    Parameters
    ----------
    names : iterable of str
        All columns that there are.
    asked : str, optional
        What the key or the option names.
    where : str
        How messages name the source.

    Raises
    ------
    KeyNotFoundError
        There is no column as asked for.
    AmbiguousColumnError
        Several could be meant.
    DataFormatError
        None is of AC power, or only daily aggregates are.
    """
    channels = [parse_name(name) for name in dict.fromkeys(names)]
    if asked is not None:
        return _asked(channels, asked, where)
    for sensor in _WHOLE:
        found = [channel for channel in channels if channel.sensor == sensor]
        if found:
            return _only(found, where)
    candidates = [channel for channel in channels if channel.is_ac_power]
    if not candidates:
        raise _no_power(channels, where)
    return _only(candidates, where)


def _asked(channels: list[Channel], asked: str, where: str) -> Channel:
    found = [channel for channel in channels if channel.name == asked] or [c for c in channels if c.is_named(asked)]
    if not found:
        raise KeyNotFoundError(f"{where} has no column {asked!r}; it has {_listed(channels)}", column=asked)
    return _only(found, where)


def _only(found: list[Channel], where: str) -> Channel:
    if len(found) > 1:
        raise AmbiguousColumnError(
            f"{where} has {len(found)} columns that could be the power: {_listed(found)}; name one in the key, "
            f"(system_id, year, {found[0].name!r}), or in the option column",
            candidates=[channel.name for channel in found],
        )
    return found[0]


def _no_power(channels: list[Channel], where: str) -> DataFormatError:
    if any(channel.is_daily for channel in channels):
        return DataFormatError(
            f"{where} holds daily aggregates only ({_listed(channels)}); Solar Data Tools needs power at the pace of "
            "the measurements, hourly or faster; leave this system out"
        )
    return DataFormatError(
        f"{where} has no column of AC power; it has {_listed(channels)}; to analyse another one, such as the DC power, "
        "name it in the key or in the option column"
    )


def _listed(channels: list[Channel], limit: int = 40) -> str:
    more = f" and {len(channels) - limit} more" if len(channels) > limit else ""
    return (", ".join(channel.name for channel in channels[:limit]) or "none") + more
