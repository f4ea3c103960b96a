"""The data lake as a source: keys in, a record and what is known of its system out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sdt_dask_core.errors import DataFormatError, KeyNotFoundError
from sdt_dask_plug_pvdaq import long
from sdt_dask_plug_pvdaq.listing import PRIZE, Files, Layout, Listing, Side
from sdt_dask_plug_pvdaq.reading import Record, read_days, read_long_periods
from sdt_dask_plug_pvdaq.systems import TABLES, Systems

if TYPE_CHECKING:
    from sdt_dask_plug_pvdaq.bucket import Bucket

__all__ = ["Lake"]


class Lake:
    """The data lake.

    Parameters
    ----------
    bucket : Bucket
        Makes the requests.
    side : {"auto", "csv", "parquet"}
        See `Listing`.
    """

    def __init__(self, bucket: Bucket, side: Side) -> None:
        self.bucket = bucket
        self.systems = Systems(bucket)
        self._listing = Listing(bucket, side)
        self._digests: dict[tuple[int, int], str] = {}
        self._dictionary_versions: dict[int, str] | None = None
        self._dictionaries: dict[int, long.Dictionary | None] = {}

    def read(self, system_id: int, years: Sequence[int], asked: str | None) -> Record:
        """Return the rows of some years of a system, as one record."""
        where = f"system {system_id} in {_span(years)}"
        files = self._files(system_id, years)
        layouts = {each.layout for each in files}
        if layouts <= {Layout.PRIZE, Layout.YEARLY_CSV}:
            record = read_long_periods(self.bucket, files, asked=asked, years=years, where=where)
        elif Layout.YEARLY_CSV in layouts:
            raise DataFormatError(f"{where} is in daily and in yearly files; read each year as a key of its own")
        else:
            record = self._read_days(system_id, files, asked, where)
        names = " and ".join(sorted(layout.value for layout in layouts))
        whole = f"the power is the column {record.channel.name!r} of {names}"
        notes = [{"code": "pvdaq_column", "message": whole}, *self._years_without(years, files), *record.notes]
        return replace(record, notes=notes)

    def fingerprint(self, system_id: int, years: Sequence[int]) -> str | None:
        """Return what changes when an object of these years does, or what decides on them; None for no object."""
        digests = self._digests_of(system_id, years)
        return "-".join([*digests, self._decided_by(system_id)]) if digests else None

    def _digests_of(self, system_id: int, years: Sequence[int]) -> list[str]:
        known = [self._digests.get((system_id, year), "") for year in years]
        if all(known):
            return known
        digests = [files.digest for year in years if (files := self._listing.year(system_id, year))]
        prize = None if digests else self._listing.prize(system_id)
        return [prize.digest] if prize else digests

    def _decided_by(self, system_id: int) -> str:
        """Return what changes when clock, unit or notes may be decided otherwise: the table's row, the dictionary."""
        if self._dictionary_versions is None:
            self._dictionary_versions = long.dictionary_versions(self.bucket)
        facts = self.systems.facts(system_id)
        told = (facts.clock, facts.capacity_kw, facts.qa_issue, self._dictionary_versions.get(system_id))
        return hashlib.sha256(repr(told).encode()).hexdigest()[:16]

    def keys(self, system_ids: Sequence[int] | None) -> Iterator[tuple[int, int | list[int]]]:
        """Yield ``(system_id, year)``, and ``(system_id, [first, …, last])`` for the systems of the data prize."""
        for system_id in self._listing.system_ids() if system_ids is None else sorted(set(system_ids)):
            years = self._listing.years(system_id)
            yield from self._keys_of(system_id, years)
            if not years and self._listing.prize(system_id) is not None:
                span = self.systems.facts(system_id).years
                if span:
                    # Each year would read all of the same files again.
                    yield system_id, list(range(span[0], span[-1] + 1))

    def has_table(self) -> bool:
        """Tell whether the bucket holds PVDAQ; one request."""
        return bool(self.bucket.entries(TABLES, at_most=1))

    def _keys_of(self, system_id: int, years: Sequence[int]) -> Iterator[tuple[int, int]]:
        for year in years:
            if self._listing.is_known(system_id):
                files = self._listing.year(system_id, year)
                if files is None or files.looks_daily:
                    continue  # aggregates of days, which nothing can be learnt from
                self._digests[system_id, year] = files.digest
            yield system_id, year

    def _files(self, system_id: int, years: Sequence[int]) -> list[Files]:
        found = [files for year in years if (files := self._listing.year(system_id, year))]
        if found:
            return found
        prize = self._listing.prize(system_id)
        if prize:
            return [prize]
        has = self._listing.years(system_id)
        if not has:
            raise KeyNotFoundError(
                f"{self.bucket.store.uri()} has no system {system_id}: nothing below {self._listing.searched} nor in "
                f"{PRIZE}; `sdt-dask keys` lists those that it has",
                system_id=system_id,
            )
        raise KeyNotFoundError(
            f"{self.bucket.store.uri()} has nothing of system {system_id} in {_span(years)}; it has {_span(has)}",
            system_id=system_id,
        )

    def _read_days(self, system_id: int, files: Sequence[Files], asked: str | None, where: str) -> Record:
        dictionary = None
        if any(each.layout is Layout.PARQUET for each in files):
            if system_id not in self._dictionaries:
                self._dictionaries[system_id] = long.read_dictionary(self.bucket, system_id)
            dictionary = self._dictionaries[system_id]
        return read_days(self.bucket, files, asked=asked, dictionary=dictionary, where=where)

    @staticmethod
    def _years_without(years: Sequence[int], files: Sequence[Files]) -> list[dict[str, str]]:
        found = {day.year for each in files for day in each.days}
        missing = sorted(set(years) - found) if found else []
        if not missing:
            return []
        return [{"code": "pvdaq_missing_years", "message": f"there is nothing of {_span(missing)}; a gap"}]


def _span(years: Sequence[int]) -> str:
    years = sorted(years)
    if len(years) > 2 and years == list(range(years[0], years[-1] + 1)):  # noqa: PLR2004 - two are shorter as they are
        return f"{years[0]} to {years[-1]}"
    return ", ".join(map(str, years))
