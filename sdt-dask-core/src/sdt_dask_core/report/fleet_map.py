"""The map of a fleet: where the systems are, on an outline that comes with the package."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

__all__ = ["FleetMap", "Spot", "fleet_map", "land"]

_WORST_LAST = ("todo", "ok", "caution", "withheld", "failed")
_SMALLEST_SPAN = 24.0  # degrees, so that a fleet in one town shows which country that is in
_MARGIN = 0.15
_CELLS = 160  # spots across the map at the most: what lies closer together is one spot
_ASPECT = 2.2


@dataclass(frozen=True, slots=True)
class Spot:
    """Systems that lie together, with the worst of their grades."""

    x: float
    y: float
    radius: float
    grade: str
    count: int


@dataclass(frozen=True, slots=True)
class FleetMap:
    """A piece of the world, x to the east and y to the south, in degrees from 180° W and 90° N."""

    x: float
    y: float
    width: float
    height: float
    spots: list[Spot]
    n_placed: int

    @property
    def lines(self) -> list[tuple[float, float, float, float]]:
        """The graticule."""
        step = next(s for s in (30, 10, 5, 2, 1) if self.width / s >= 4 or s == 1)  # noqa: PLR2004 - lines enough
        right, bottom = self.x + self.width, self.y + self.height
        meridians = [(x, self.y, x, bottom) for x in _steps(self.x, right, step)]
        return meridians + [(self.x, y, right, y) for y in _steps(self.y, bottom, step)]


def fleet_map(systems: Iterable[tuple[Mapping[str, Any], str]]) -> FleetMap | None:
    """Return the map of systems, given as metadata and grade; None where no metadata has coordinates."""
    places = [(*place, grade) for metadata, grade in systems if (place := _place(metadata)) is not None]
    if not places:
        return None
    x, y, width, height = _frame([p[0] for p in places], [p[1] for p in places])
    cell = width / _CELLS
    together: dict[tuple[int, int], list[str]] = {}
    for east, south, grade in places:
        together.setdefault((round(east / cell), round(south / cell)), []).append(grade)
    spots = [
        Spot(
            round(a * cell, 3),
            round(b * cell, 3),
            round(width / 190 * (1 + math.log10(len(grades))), 3),
            max(grades, key=_WORST_LAST.index),
            len(grades),
        )
        for (a, b), grades in together.items()
    ]
    spots.sort(key=lambda spot: _WORST_LAST.index(spot.grade))
    return FleetMap(round(x, 3), round(y, 3), round(width, 3), round(height, 3), spots, len(places))


@cache
def land() -> str:
    """Return the outline of the land as an SVG path.

    Natural Earth, 1:110m (public domain), as geopandas 0.14 ships it, rounded to half a degree.
    """
    return (files("sdt_dask_core.report") / "static" / "land.svgpath").read_text(encoding="ascii").replace("\n", "")


def _place(metadata: Mapping[str, Any]) -> tuple[float, float] | None:
    try:
        latitude, longitude = float(metadata["latitude"]), float(metadata["longitude"])
    except (KeyError, TypeError, ValueError):
        return None
    is_on_earth = abs(latitude) <= 90 and abs(longitude) <= 180  # noqa: PLR2004 - NaN is not
    return (longitude + 180, 90 - latitude) if is_on_earth else None


def _frame(east: list[float], south: list[float]) -> tuple[float, float, float, float]:
    width = max(max(east) - min(east), _SMALLEST_SPAN) * (1 + 2 * _MARGIN)
    height = max(max(south) - min(south), _SMALLEST_SPAN / _ASPECT) * (1 + 2 * _MARGIN)
    width, height = max(width, height * _ASPECT), max(height, width / _ASPECT)
    width, height = min(width, 360.0), min(height, 180.0)
    x = min(max((max(east) + min(east) - width) / 2, 0.0), 360 - width)
    y = min(max((max(south) + min(south) - height) / 2, 0.0), 180 - height)
    return x, y, width, height


def _steps(low: float, high: float, step: int) -> list[float]:
    return [float(n) for n in range(math.ceil(low / step) * step, math.floor(high) + 1, step)]
