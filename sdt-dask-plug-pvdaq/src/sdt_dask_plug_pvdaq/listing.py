"""What the bucket holds of a system: its years, the objects of each, and the layout that these are in."""

from __future__ import annotations

import datetime as dt
import enum
import hashlib
import re
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sdt_dask_core.errors import DataFormatError

if TYPE_CHECKING:
    from sdt_dask_plug_pvdaq.bucket import Bucket, Entry

__all__ = ["CSV", "PARQUET", "PRIZE", "Files", "Layout", "Listing", "Side", "prize_years"]

CSV = "pvdaq/csv/pvdata/"
PARQUET = "pvdaq/parquet/pvdata/"
PRIZE = "pvdaq/2023-solar-data-prize/"

_DAY = re.compile(r"system_\d+__date_(\d{4})_(\d{2})_(\d{2})\.(?:csv|(?:snappy\.)?(?:\d+\.)?parquet)$")
_PERIOD = re.compile(r"_(\d{8})_(\d{8})(?:_[a-z]+)?\.csv$")
_PRIZE_YEARS = re.compile(r"_data_(\d{4})(?:\d{4})?(?:_(\d{4})\d{4})?\.csv$")
_SYSTEM_FOLDER = re.compile(r"system_id=(\d+)$|(\d+)_OEDI$")
_YEAR_FOLDER = re.compile(r"year=(\d{4})(?:/|$)")
_KEPT = 64  # listings that one process remembers
_PAGE = 999
#: A year of hourly rows has 365 times more; a daily aggregate 30 to 60 [bytes a day].
_DAILY_SIZE = 240

Side = Literal["auto", "csv", "parquet"]


class Layout(enum.Enum):
    """How the power of a year is laid out."""

    DAILY_CSV = "daily CSV files"
    YEARLY_CSV = "yearly CSV files"
    PARQUET = "daily Parquet files"
    PRIZE = "CSV files of the data prize"


@dataclass(frozen=True, slots=True)
class Files:
    """The objects of a year, or of a system of the data prize, in the order of their names."""

    layout: Layout
    entries: tuple[Entry, ...]

    @property
    def days(self) -> set[dt.date]:
        """The days that there are files of; empty for files of longer periods."""
        return {day for day in map(_day_of, self.entries) if day}

    @property
    def digest(self) -> str:
        """What changes when one of them does."""
        lines = "".join(f"{entry.key} {entry.etag} {entry.size}\n" for entry in self.entries)
        return hashlib.sha256(lines.encode()).hexdigest()[:32]

    @property
    def looks_daily(self) -> bool:
        """Whether their size tells that they hold a row for each day and no more."""
        return self.layout is Layout.YEARLY_CSV and all(_size_a_day(entry) < _DAILY_SIZE for entry in self.entries)


class Listing:
    """The bucket's listing, as far as it was asked for, and remembered.

    Parameters
    ----------
    bucket : Bucket
        Makes the requests.
    side : {"auto", "csv", "parquet"}
        Which of both is taken where a year is there as CSV and as Parquet; auto is the one with more days and, where
        these are equal, Parquet: it says the UTC time and the units.
    """

    def __init__(self, bucket: Bucket, side: Side) -> None:
        self._bucket = bucket
        self._side = side
        self._kept: OrderedDict[tuple[int, int], Files | None] = OrderedDict()
        # All objects of a system below one prefix, where one request told them.
        self._whole: OrderedDict[str, list[Entry]] = OrderedDict()

    def system_ids(self) -> list[int]:
        """Return the numbers of all systems: three listings of folders."""
        names = (name for prefix in (CSV, PARQUET, PRIZE) for name in self._bucket.folders(prefix))
        return sorted({int(match[1] or match[2]) for match in map(_SYSTEM_FOLDER.match, names) if match})

    def years(self, system_id: int) -> list[int]:
        """Return the years of a system; empty where it has none, or is one of the data prize."""
        prefixes = (_folder(prefix, system_id) for prefix in self._prefixes)
        return sorted({year for prefix in prefixes for year in self._years_below(prefix)})

    @property
    def searched(self) -> str:
        """Where systems are looked for, for messages."""
        return " or ".join(self._prefixes)

    def is_known(self, system_id: int) -> bool:
        """Tell whether the years of a system can be told without another request."""
        return all(_folder(prefix, system_id) in self._whole for prefix in self._prefixes)

    def year(self, system_id: int, year: int) -> Files | None:
        """Return the objects of a year, None where there are none."""
        key = (system_id, year)
        if key not in self._kept:
            self._keep(key, self._look(system_id, year))
        return self._kept[key]

    def prize(self, system_id: int) -> Files | None:
        """Return the data files of a system of the data prize, None for another one."""
        key = (system_id, 0)
        if key not in self._kept:
            found = [e for e in self._bucket.entries(f"{PRIZE}{system_id}_OEDI/data/") if e.name.endswith(".csv")]
            self._keep(key, Files(Layout.PRIZE, tuple(found)) if found else None)
        return self._kept[key]

    @property
    def _prefixes(self) -> tuple[str, ...]:
        return {"csv": (CSV,), "parquet": (PARQUET,)}.get(self._side, (PARQUET, CSV))

    def _years_below(self, prefix: str) -> Iterator[int]:
        entries, are_all = self._bucket.first_entries(prefix, _PAGE)
        if are_all:
            self._whole[prefix] = entries
            while len(self._whole) > _KEPT:
                self._whole.popitem(last=False)
        names = [e.key.removeprefix(prefix) for e in entries] if are_all else self._bucket.folders(prefix)
        yield from {int(match[1]) for match in map(_YEAR_FOLDER.match, names) if match}

    def _look(self, system_id: int, year: int) -> Files | None:
        found = [self._files(_folder(prefix, system_id), f"year={year}/") for prefix in self._prefixes]
        # Parquet stands first, and the first of equals is taken.
        return max(filter(None, found), key=lambda files: len(files.days), default=None)

    def _files(self, system_folder: str, year_folder: str) -> Files | None:
        prefix = f"{system_folder}{year_folder}"
        entries = self._whole.get(system_folder)
        entries = self._bucket.entries(prefix) if entries is None else [e for e in entries if e.key.startswith(prefix)]
        entries = sorted(entries, key=lambda entry: entry.name)
        daily = tuple(entry for entry in entries if _day_of(entry))
        if daily:
            is_parquet = daily[0].name.endswith(".parquet")
            return Files(Layout.PARQUET if is_parquet else Layout.DAILY_CSV, daily)
        yearly = tuple(entry for entry in entries if entry.name.endswith(".csv"))
        if entries and not yearly:
            raise DataFormatError(
                f"{self._bucket.store.uri(prefix)} holds files in a layout that is not known here, such as "
                f"{entries[0].name!r}; leave this system out, and tell the plug's tracker"
            )
        return Files(Layout.YEARLY_CSV, yearly) if yearly else None

    def _keep(self, key: tuple[int, int], files: Files | None) -> None:
        self._kept[key] = files
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)


def prize_years(entry: Entry) -> tuple[int, int] | None:
    """Return the first and the last year that the name of a file of the data prize says."""
    match = _PRIZE_YEARS.search(entry.name)
    return (int(match[1]), int(match[2] or match[1])) if match else None


def _folder(prefix: str, system_id: int) -> str:
    return f"{prefix}system_id={system_id}/"  # the slash keeps 10 and 1000 apart


def _day_of(entry: Entry) -> dt.date | None:
    match = _DAY.match(entry.name)
    try:
        return dt.date(*map(int, match.groups())) if match else None
    except ValueError:
        return None


def _size_a_day(entry: Entry) -> float:
    match = _PERIOD.search(entry.name)
    try:
        first, last = (dt.datetime.strptime(text, "%Y%m%d") for text in match.groups()) if match else (None, None)
    except ValueError:
        first = last = None
    return entry.size / (max((last - first).days + 1, 1) if first and last else 365)
