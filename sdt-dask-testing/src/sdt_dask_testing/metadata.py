"""What a plug says of a system, held against what can be true."""

from __future__ import annotations

import difflib
import math
import zoneinfo
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["metadata_problems"]

#: The names that the core knows, with the least and the greatest value of those that are numbers.
_RANGES: dict[str, tuple[float, float]] = {
    "latitude": (-90.0, 90.0),
    "longitude": (-180.0, 180.0),
    "capacity_kw": (0.0, math.inf),
    "tilt": (0.0, 180.0),
    "azimuth": (0.0, 360.0),
}
_KNOWN = (*_RANGES, "time_zone")
_ALIASES = {"lat": "latitude", "lon": "longitude", "lng": "longitude", "tz": "time_zone", "capacity": "capacity_kw"}
_NEAR = 0.75


def metadata_problems(metadata: Any) -> Iterator[str]:
    """Yield one sentence for each thing that cannot be right in what `system_metadata` returned."""
    if metadata is None:
        return
    if not isinstance(metadata, Mapping):
        yield f"it is a {type(metadata).__name__}; return a mapping of names to values, or None"
        return
    for name, value in metadata.items():
        yield from _problems(name, value)


def _problems(name: Any, value: Any) -> Iterator[str]:
    if not isinstance(name, str):
        yield f"the name {name!r} is no text"
    elif name not in _KNOWN:
        near = _ALIASES.get(name.lower()) or next(iter(difflib.get_close_matches(name, _KNOWN, 1, _NEAR)), "")
        if near:
            yield f"the name {name!r} is unknown; did you mean {near!r}?"
    elif value is None:
        return
    elif name == "time_zone":
        yield from _zone_problems(value)
    elif not isinstance(value, (int, float)) and not hasattr(value, "__float__"):
        yield f"{name} is {value!r}; give a number"
    elif not _RANGES[name][0] <= float(value) <= _RANGES[name][1] and not math.isnan(value):
        low, high = _RANGES[name]
        yield f"{name} is {value!r}, which is not between {low:g} and {high:g}"


def _zone_problems(value: Any) -> Iterator[str]:
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        yield f"time_zone is {value!r}, which is no IANA name such as 'America/Los_Angeles'"
