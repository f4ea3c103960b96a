"""Reading the objects of a key: which days are there, which column is the power, and its rows in order."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from sdt_dask_core.errors import DataFormatError, KeyNotFoundError
from sdt_dask_plug_pvdaq import long, wide
from sdt_dask_plug_pvdaq.columns import Channel, choose
from sdt_dask_plug_pvdaq.listing import Files, Layout, prize_years
from sdt_dask_plug_pvdaq.rows import STAMP

if TYPE_CHECKING:
    import pandas as pd

    from sdt_dask_plug_pvdaq.bucket import Bucket, Entry
    from sdt_dask_plug_pvdaq.rows import Rows

__all__ = ["Record", "read_days", "read_long_periods"]

Note: TypeAlias = "dict[str, str]"

_HEAD = 256 * 1024  # bytes in which a header ends: 40 inverters make 10 KB
_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Record:
    """The rows of a key, of one column, before clock and unit are decided.

    Attributes
    ----------
    channel : Channel
        The column.
    rows : pandas.DataFrame
        See `Rows.of`.
    said : dict
        Who says the unit of the column, and what.
    notes : list of dict
        What is missing.
    usual_unit : {"W", "kW"}
        The unit of such files where nothing says it: loggers write W, owners who publish longer periods kW.
    """

    channel: Channel
    rows: pd.DataFrame
    said: dict[str, str] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    usual_unit: str = "W"


def read_days(
    bucket: Bucket, files: Sequence[Files], *, asked: str | None, dictionary: long.Dictionary | None, where: str
) -> Record:
    """Read daily files, many at once, and choose among the columns of all of them.

    Parameters
    ----------
    bucket : Bucket
        Makes the requests.
    files : sequence of Files
        Those of the years, in order.
    asked : str, optional
        The column that the key or the option names.
    dictionary : Dictionary, optional
        Names the channels of Parquet files.
    where : str
        How messages name the source.
    """
    import pandas as pd

    entries = [entry for year in files for entry in year.entries]

    def read(entry: Entry) -> Rows:
        content, name = bucket.read(entry), bucket.store.uri(entry.key)
        if not entry.name.endswith(".parquet"):
            return wide.parse_day(content, name, asked)
        if dictionary is None:
            raise DataFormatError(f"{where} has Parquet files without a dictionary of their channels; set layout=csv")
        return long.parse_day(content, name, asked, dictionary)

    days = bucket.map(read, entries)
    channel = choose((column for day in days for column in day.columns), asked, where=where)
    found = [day.of[channel.name] for day in days if channel.name in day.of]
    notes = _missing_days(files)
    if len(found) < len(days):
        message = f"{len(days) - len(found)} of {len(days)} files have no column {channel.name!r}; they are gaps"
        notes.append({"code": "pvdaq_column_missing", "message": message})
    said = next((day.units[channel.name] for day in days if channel.name in day.units), None)
    voices = {"the metrics dictionary": said, "the name of the column": channel.unit}
    rows = pd.concat(found, ignore_index=True)
    return Record(channel, rows, {who: unit for who, unit in voices.items() if unit}, notes)


def read_long_periods(
    bucket: Bucket, files: Sequence[Files], *, asked: str | None, years: Collection[int], where: str
) -> Record:
    """Read the CSV files of longer periods: first their headers, then of those that have it the one column, as streams.

    Where the files of two periods overlap, the later one counts.
    """
    entries = [entry for each in files for entry in each.entries if _may_hold(each.layout, entry, years)]
    heads = bucket.map(lambda entry: _header(bucket, entry), entries)
    channels = [column for head in heads for column in wide.channels(head)]
    channel = choose(channels, asked, where=where)
    chosen = [(entry, head) for entry, head in zip(entries, heads, strict=True) if channel.name in head]
    parts = [_column(bucket, entry, head, channel.name, years) for entry, head in chosen]
    rows, n_older = _latest_of_overlaps(parts)
    if rows.empty:
        raise KeyNotFoundError(f"{where} has no rows: its files are of other years")
    notes: list[Note] = []
    if n_older:
        message = f"{n_older} rows of older files were left out, where a later file covers their time"
        notes.append({"code": "pvdaq_overlap", "message": message})
    lost = sorted(set(years) - set(rows[STAMP].dt.year.dropna().astype(int)))
    if lost:
        notes.append(_missing_years(lost))
    said = {"the name of the column": channel.unit} if channel.unit else {}
    return Record(channel, rows, said, notes, usual_unit="kW")


def _may_hold(layout: Layout, entry: Entry, years: Collection[int]) -> bool:
    said = prize_years(entry) if layout is Layout.PRIZE else None
    # The file of "2025" may begin in 2024: a year more on both sides, as names are no promise.
    return said is None or any(said[0] - 1 <= year <= said[1] + 1 for year in years)


def _header(bucket: Bucket, entry: Entry) -> tuple[str, ...]:
    def read() -> bytes:
        return bucket.head(entry, _HEAD).split(b"\n", 1)[0]

    return wide.parse_header(bucket.kept(entry, "header", read), bucket.store.uri(entry.key))


def _column(bucket: Bucket, entry: Entry, head: Sequence[str], column: str, years: Collection[int]) -> pd.DataFrame:
    """Return one column of a large file; the cache keeps all years of the column, not the gigabytes around it."""
    import pandas as pd

    def read(kept_years: Collection[int] | None) -> pd.DataFrame:
        with bucket.open(entry) as file:
            return wide.stream(file, bucket.store.uri(entry.key), head, column, kept_years)

    def packed() -> bytes:
        buffer = io.BytesIO()
        read(None).to_parquet(buffer, index=False)
        return buffer.getvalue()

    if bucket.cache is None:
        return read(years)
    rows = pd.read_parquet(io.BytesIO(bucket.kept(entry, column, packed)))
    of_years: pd.DataFrame = rows[rows[STAMP].dt.year.isin(list(years))]
    return of_years


def _latest_of_overlaps(parts: Sequence[pd.DataFrame]) -> tuple[pd.DataFrame, int]:
    """Return all rows by time, without those that stand in the period of a file that begins later."""
    import pandas as pd

    parts = sorted((part for part in parts if len(part)), key=lambda part: part[STAMP].min())
    kept, n_older = [], 0
    for place, part in enumerate(parts):
        covered = pd.Series(False, index=part.index)
        for later in parts[place + 1 :]:
            covered |= part[STAMP].between(later[STAMP].min(), later[STAMP].max())
        n_older += int(covered.sum())
        kept.append(part[~covered])
    return (pd.concat(kept, ignore_index=True) if kept else wide.no_rows()), n_older


def _missing_days(files: Sequence[Files]) -> list[Note]:
    """Note the days without a file, of all the years that are read: gaps, as the listing says and no failed request."""
    days = {day for year in files for day in year.days}
    years = sorted({day.year for day in days})
    wanted_days = [day for year in years for day in _days_of(year)]
    missing = [day for day in wanted_days if day not in days]
    if not missing:
        return []
    message = f"{len(missing)} of {len(wanted_days)} days have no file and are gaps: {_spans(missing)}"
    return [{"code": "pvdaq_missing_days", "message": message}]


def _missing_years(years: Sequence[int]) -> Note:
    return {"code": "pvdaq_missing_years", "message": f"there is nothing of {', '.join(map(str, years))}; a gap"}


def _days_of(year: int) -> list[dt.date]:
    first = dt.date(year, 1, 1)
    return [first + dt.timedelta(days=n) for n in range((dt.date(year + 1, 1, 1) - first).days)]


def _spans(days: Sequence[dt.date]) -> str:
    spans: list[list[dt.date]] = []
    for day in days:
        if spans and day - spans[-1][-1] == dt.timedelta(days=1):
            spans[-1][1:] = [day]
        else:
            spans.append([day])
    texts = [f"{span[0]} to {span[-1]}" if len(span) > 1 else f"{span[0]}" for span in spans]
    more = f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return ", ".join(texts[:_SHOWN]) + more
