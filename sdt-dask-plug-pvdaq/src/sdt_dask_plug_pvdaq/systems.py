"""What PVDAQ says of its systems: the systems table, and the metadata file of each."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import zoneinfo
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sdt_dask_core.errors import SourceUnavailableError

if TYPE_CHECKING:
    from sdt_dask_plug_pvdaq.bucket import Bucket

__all__ = ["SystemFacts", "Systems"]

TABLES = "pvdaq/csv/systems"
_METADATA = "pvdaq/csv/system_metadata/{0}_system_metadata.json"
_TABLE_NAME = re.compile(r"pvdaq/csv/systems_?(\d{8})?\.csv$")
_YEAR = re.compile(r"\d{1,2}/\d{1,2}/(\d{4})|(\d{4})-")


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemFacts:
    """What is known of one system; what is not is None or empty.

    Attributes
    ----------
    clock : str
        The time zone as PVDAQ writes it: hours WEST of UTC ("7"), or the name of a zone.
    latitude, longitude : float or None
        Of the site [°].
    capacity_kw : float or None
        DC capacity of all arrays [kW].
    tilt, azimuth : float or None
        Of the arrays [°]; None where they differ: no array has the mean of two.
    n_arrays : int
        Rows of the systems table, of which each is an array.
    years : tuple of int
        First and last year, as far as the table says them.
    qa_issue : str
        What PVDAQ's own quality check has against it; empty where it passed or was not made.
    """

    clock: str = ""
    latitude: float | None = None
    longitude: float | None = None
    capacity_kw: float | None = None
    tilt: float | None = None
    azimuth: float | None = None
    n_arrays: int = 0
    years: tuple[int, ...] = ()
    qa_issue: str = ""

    @property
    def utc_offset(self) -> float | None:
        """Hours to add to UTC for standard time, where a number says them; PVDAQ counts them westward."""
        hours = _number(self.clock)
        return None if hours is None else 0.0 - hours

    @property
    def zone(self) -> str | None:
        """The name of the zone, where a name says it that this Python knows."""
        if not self.clock or self.utc_offset is not None:
            return None
        try:
            zoneinfo.ZoneInfo(self.clock)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            return None
        return self.clock

    def as_metadata(self) -> dict[str, Any]:
        """Return it under the names of the core; numbers of hours as the zones ``Etc/GMT+7``, which count westward."""
        hours = _number(self.clock)
        fixed = f"Etc/GMT{hours:+.0f}" if hours is not None and hours.is_integer() else None
        known = {
            "latitude": self.latitude,
            "longitude": self.longitude,
            "time_zone": self.zone or fixed,
            "capacity_kw": self.capacity_kw,
            "tilt": self.tilt,
            "azimuth": self.azimuth,
        }
        return {name: value for name, value in known.items() if value is not None}


class Systems:
    """The newest systems table of the bucket, read when it is asked for first."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._rows: dict[str, list[dict[str, str]]] | None = None
        self._facts: dict[int, SystemFacts] = {}

    def facts(self, system_id: int) -> SystemFacts:
        """Return what is known of a system, from the table and, for what that leaves open, its metadata file."""
        if system_id not in self._facts:
            rows = self._table().get(str(system_id), [])
            self._facts[system_id] = _facts(rows, {} if _is_complete(rows) else self._metadata(system_id))
        return self._facts[system_id]

    def _table(self) -> dict[str, list[dict[str, str]]]:
        if self._rows is None:
            entry = max(
                (found for found in self._bucket.entries(TABLES) if _TABLE_NAME.match(found.key)),
                key=lambda found: found.key,
                default=None,
            )
            self._rows = {}
            text = "" if entry is None else self._bucket.read(entry).decode("utf-8-sig", errors="replace")
            for row in csv.DictReader(io.StringIO(text)):
                number = _number(row.get("system_id"))
                if number is not None:
                    self._rows.setdefault(f"{number:.0f}", []).append(row)
        return self._rows

    def _metadata(self, system_id: int) -> Mapping[str, Any]:
        key = _METADATA.format(system_id)
        for entry in self._bucket.entries(key, at_most=1):
            if entry.key != key:
                continue
            try:
                found = json.loads(self._bucket.read(entry))
            except ValueError as error:
                raise SourceUnavailableError(
                    f"{self._bucket.store.uri(key)} is no JSON: {error}; try again later, or tell PVDAQ"
                ) from error
            return found if isinstance(found, dict) else {}
        return {}


def _is_complete(rows: list[dict[str, str]]) -> bool:
    needed = ("timezone_or_utc_offset", "latitude", "longitude", "tilt", "azimuth")
    return bool(rows) and all(row.get(name) for row in rows for name in needed)


def _facts(rows: list[dict[str, str]], metadata: Mapping[str, Any]) -> SystemFacts:
    system, site = metadata.get("System") or {}, metadata.get("Site") or {}
    mounts = list((metadata.get("Mount") or {}).values())
    clock = _text([*_column(rows, "timezone_or_utc_offset"), system.get("timezone_code")])
    return SystemFacts(
        clock=clock,
        latitude=_first([*_column(rows, "latitude"), site.get("latitude")]),
        longitude=_first([*_column(rows, "longitude"), site.get("longitude")]),
        capacity_kw=_capacity(_column(rows, "dc_capacity_kW")),
        tilt=_common(_column(rows, "tilt") or [mount.get("tilt") for mount in mounts], 90.0),
        azimuth=_common(_column(rows, "azimuth") or [mount.get("azimuth") for mount in mounts], 360.0),
        n_arrays=len(rows),
        years=_years(rows),
        qa_issue=_issue(rows),
    )


def _column(rows: list[dict[str, str]], name: str) -> list[str]:
    return [row[name].strip() for row in rows if (row.get(name) or "").strip()]


def _number(text: Any) -> float | None:
    try:
        value = float(text)
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None


def _first(texts: Iterable[Any]) -> float | None:
    return next((value for value in map(_number, texts) if value is not None), None)


def _text(texts: Iterable[Any]) -> str:
    return next((str(text).strip() for text in texts if text), "")


def _capacity(texts: list[str]) -> float | None:
    """Return the capacity of a system: rows that agree repeat that of the system, rows that differ are its arrays'."""
    values = [value for value in map(_number, texts) if value is not None and value > 0]
    return sum(set(values)) if len(set(values)) == 1 else sum(values) or None


def _common(texts: list[Any], most: float) -> float | None:
    values = {value for value in map(_number, texts) if value is not None and 0 <= value <= most}
    return values.pop() if len(values) == 1 else None


def _years(rows: list[dict[str, str]]) -> tuple[int, ...]:
    texts = [*_column(rows, "first_timestamp"), *_column(rows, "last_timestamp")]
    found = [int(match[1] or match[2]) for match in map(_YEAR.match, texts) if match]
    return (min(found), max(found)) if found else ()


def _issue(rows: list[dict[str, str]]) -> str:
    failed = any(text.lower() == "fail" for text in _column(rows, "qa_status"))
    return (_text(_column(rows, "qa_issue")) or "no issue is named") if failed else ""
