"""Long Parquet files, a row for each timestamp and channel, and the dictionary that names the channels."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sdt_dask_core import oversize
from sdt_dask_core.errors import DataFormatError
from sdt_dask_core.oversize import oversized, parquet_size, size_text
from sdt_dask_plug_pvdaq.columns import wanted
from sdt_dask_plug_pvdaq.rows import STAMP, UTC, VALUE, Rows

if TYPE_CHECKING:
    from sdt_dask_plug_pvdaq.bucket import Bucket

__all__ = ["Dictionary", "dictionary_versions", "parse_day", "read_dictionary"]

_FOLDER = "pvdaq/parquet/metrics/"
_DICTIONARY = re.compile(r"metrics__system_(\d+)__.*\.parquet$")
_ID = "metric_id"
_UNITS = {"w": "W", "watt": "W", "watts": "W", "kw": "kW", "kilowatt": "kW", "kilowatts": "kW", "mw": "MW"}


@dataclass(frozen=True, slots=True)
class Dictionary:
    """The channels of one system.

    Attributes
    ----------
    names : dict
        By number: the sensor and its number, as the columns of the daily CSV files are called.
    units : dict
        By name, "W", "kW" or "MW", where the dictionary says one of these.
    """

    names: Mapping[int, str]
    units: Mapping[str, str]


def dictionary_versions(bucket: Bucket) -> dict[int, str]:
    """Return what tells the versions of the metrics dictionaries, by system; one listing of some 160 files."""
    found: dict[int, str] = {}
    for entry in bucket.entries(_FOLDER):
        match = _DICTIONARY.match(entry.name)
        if match:
            found[int(match[1])] = f"{found.get(int(match[1]), '')} {entry.name} {entry.etag}"
    return found


def read_dictionary(bucket: Bucket, system_id: int) -> Dictionary | None:
    """Return the metrics dictionary of a system, None where there is none."""
    entries = bucket.entries(f"{_FOLDER}metrics__system_{system_id}__")
    rows = [row for entry in entries for row in _table(bucket.read(entry), bucket.store.uri(entry.key)).to_pylist()]
    names = {int(row[_ID]): f"{row['sensor_name']}__{row[_ID]}" for row in rows if row.get("sensor_name")}
    said = {names[int(row[_ID])]: _unit(row) for row in rows if int(row[_ID]) in names}
    return Dictionary(names, {name: unit for name, unit in said.items() if unit}) if names else None


def parse_day(content: bytes, name: str, asked: str | None, dictionary: Dictionary) -> Rows:
    """Return the rows of a file, of the channels that could be the power."""
    import pyarrow.compute as pc

    table = _table(content, name, columns=[STAMP, UTC, _ID, VALUE])
    present = sorted(table.column(_ID).unique().drop_null().to_pylist())
    columns = {dictionary.names.get(number, f"metric__{number}"): number for number in present}
    chosen = wanted(columns, asked)
    return Rows(
        tuple(columns),
        {
            column: table.filter(pc.equal(table.column(_ID), columns[column]))
            .select([STAMP, UTC, VALUE])
            .to_pandas(ignore_metadata=True)
            for column in chosen
        },
        {column: dictionary.units[column] for column in chosen if column in dictionary.units},
    )


def _table(content: bytes, name: str, columns: list[str] | None = None) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(io.BytesIO(content))
        size = parquet_size(file.metadata, columns)
        if size > oversize.MAX_BYTES:
            raise oversized(name, f"would take {size_text(size)} of memory", advice="tell PVDAQ, or leave it out")
        table = file.read(columns=columns, use_threads=False)
    except (pa.ArrowInvalid, pa.ArrowKeyError, OSError) as error:
        raise DataFormatError(
            f"{name} cannot be read as Parquet: {' '.join(str(error).split())[:200]}; tell PVDAQ, or leave it out"
        ) from error
    missing = set(columns or (_ID, "sensor_name")).difference(table.column_names)
    if missing:
        raise DataFormatError(f"{name} has no column {', '.join(sorted(missing))}; it has {table.column_names}")
    return table


def _unit(row: Mapping[str, Any]) -> str:
    return _UNITS.get(str(row.get("units") or row.get("raw_units") or "").strip().lower(), "")
