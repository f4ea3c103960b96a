"""What a table holds: the sensors of a site, all keys, and a mark of each series that changes with its data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from sdt_dask_core.errors import KeyNotFoundError, PlugError
from sdt_dask_core.options import did_you_mean
from sdt_dask_plug_pvdb.database import Database
from sdt_dask_plug_pvdb.table import Where

__all__ = ["Catalog", "SeriesName"]

_SHOWN = 12


@dataclass(frozen=True)
class SeriesName:
    """What a key names.

    Attributes
    ----------
    site : str
        The site.
    sensor : str or int
        Name of the sensor, or its index in the order of the site's sensors.
    """

    site: str
    sensor: str | int


@dataclass
class Catalog:
    """Knows what a table holds; what it asked once it keeps.

    Parameters
    ----------
    database : Database
        Where the table is.
    rows : Where
        Which rows count: the measurement and the bounds of all keys.
    """

    database: Database
    rows: Where
    _sensors: dict[str, list[str]] = field(default_factory=dict, init=False, compare=False, repr=False)
    _marks: dict[str, dict[str, str]] = field(default_factory=dict, init=False, compare=False, repr=False)
    _is_complete: bool = field(default=False, init=False, compare=False, repr=False)
    _is_unreachable: bool = field(default=False, init=False, compare=False, repr=False)

    def keys(self) -> Iterator[tuple[str, str]]:
        """Yield site and sensor of every series, sorted; one query, which also tells all marks."""
        found = self._counted(self.rows)
        self._marks, self._is_complete = found, True
        for site in sorted(found):
            yield from ((site, sensor) for sensor in sorted(found[site]))

    def mark(self, series: SeriesName) -> str | None:
        """Return number of rows, last timestamp and sensor of a series; None where there is none.

        One query tells the marks of a site. Once the database did not answer it is not asked again.

        Raises
        ------
        PlugError
            The database did not answer, or refused.
        """
        if self._is_unreachable:
            return None
        try:
            sensor = self.sensor(series)
            if not self._is_complete and series.site not in self._marks:
                self._marks[series.site] = self._counted(replace(self.rows, site=series.site)).get(series.site, {})
        except KeyNotFoundError:
            return None
        except PlugError:
            self._is_unreachable = True
            raise
        return self._marks.get(series.site, {}).get(sensor)

    def rows_of(self, series: SeriesName) -> Where:
        """Return which rows a key means.

        Raises
        ------
        KeyNotFoundError
            As `sensor`.
        """
        return replace(self.rows, site=series.site, sensor=self.sensor(series))

    def sensor(self, series: SeriesName) -> str:
        """Return the name of the sensor that a key means.

        Raises
        ------
        KeyNotFoundError
            The site is not there, or has no such index.
        """
        if isinstance(series.sensor, str):
            return series.sensor
        names = self._sensors_of(series.site)
        if not 0 <= series.sensor < len(names):
            raise KeyNotFoundError(
                f"site {series.site!r} has no sensor {series.sensor} in {self.database.place}; its sensors: "
                f"{_numbered(names)}; write a name that consists of digits as text",
                key=(series.site, series.sensor),
            )
        return names[series.sensor]

    def why_empty(self, series: SeriesName, sensor: str) -> KeyNotFoundError:
        """Return the error for a series without a row, with what there is instead."""
        key = (series.site, series.sensor)
        names = self._sensors_of(series.site)
        if sensor not in names:
            return KeyNotFoundError(
                f"site {series.site!r} has no sensor {sensor!r} in {self.database.place}{did_you_mean(sensor, names)}; "
                f"its sensors: {_numbered(names)}",
                key=key,
            )
        query = self.database.table.meas_names(Where(site=series.site, sensor=sensor))
        measured = sorted(str(name) for (name,) in self.database.rows(query))
        return KeyNotFoundError(
            f"sensor {sensor!r} of site {series.site!r} has no row with meas_name={self.rows.meas_name!r}"
            f"{self._bounds()} in {self.database.place}; its meas_names: {_listed(measured)}",
            key=key,
        )

    def _bounds(self) -> str:
        start, end = self.rows.start, self.rows.end
        return (f" from {start}" if start else "") + (f" before {end}" if end else "")

    def _sensors_of(self, site: str) -> list[str]:
        """Return the sensors of a site, whatever they measure, in the order of their code points, as Redshift sorts."""
        if site not in self._sensors:
            rows = self.database.rows(self.database.table.sensors(Where(site=site)))
            names = sorted(str(name) for (name,) in rows if name is not None)
            if not names:
                raise KeyNotFoundError(
                    f"there is no site {site!r} in {self.database.place}; sdt-dask keys lists what is there",
                    key=(site,),
                )
            self._sensors[site] = names
        return self._sensors[site]

    def _counted(self, where: Where) -> dict[str, dict[str, str]]:
        marks: dict[str, dict[str, str]] = {}
        for site, sensor, count, last in self.database.rows(self.database.table.counts(where)):
            if site is not None and sensor is not None:
                # The sensor, because an index means another one when sensors are added.
                marks.setdefault(str(site), {})[str(sensor)] = f"{count}-{last}-{sensor}"
        return marks


def _numbered(names: list[str]) -> str:
    return _listed(f"{number} {name!r}" for number, name in enumerate(names))


def _listed(names: Iterable[Any]) -> str:
    shown = list(map(str, names))
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return (", ".join(shown[:_SHOWN]) + more) or "none"
