"""Reading a series in chunks of rows, by time, so that memory holds one chunk and the arrays that come of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from sdt_dask_core.errors import DataFormatError
from sdt_dask_plug_pvdb.columns import TIMESTAMP_WITH_ZONE, Column, check_types
from sdt_dask_plug_pvdb.database import Database
from sdt_dask_plug_pvdb.table import Where

if TYPE_CHECKING:
    Numbers = npt.NDArray[np.float64]
    Stamps = npt.NDArray[np.datetime64]

__all__ = ["Series", "read_series"]

_UTC = "+00"
#: What nanoseconds since 1970 can hold.
_FIRST, _LAST = np.datetime64("1678-01-01"), np.datetime64("2262-01-01")


class Series(NamedTuple):
    """A series as it stands in the table.

    Attributes
    ----------
    stamps : numpy.ndarray of datetime64[ns], shape (n,)
        In order.
    power : numpy.ndarray of float64, shape (n,)
        NaN where the table holds NULL.
    is_aware : bool
        Whether the column has a time zone; the stamps are UTC then.
    """

    stamps: Stamps
    power: Numbers
    is_aware: bool


class _Chunk(NamedTuple):
    stamps: Stamps
    power: Numbers
    last: str
    is_aware: bool


def read_series(database: Database, where: Where, *, chunk_rows: int) -> Series:
    """Read the rows of one series.

    Parameters
    ----------
    database : Database
        Where from.
    where : Where
        Which rows.
    chunk_rows : int
        Rows that one query fetches.

    Raises
    ------
    DataFormatError
        The columns hold no timestamps or no numbers. Not retried.
    AccessDeniedError, SourceUnavailableError
        As `Database.rows`.
    """
    stamps, power = np.empty(0, "M8[ns]"), np.empty(0)
    limit = chunk_rows
    while True:
        chunk = database.read(
            database.table.series(where, limit), lambda columns, parts: _take(database, columns, parts)
        )
        is_last = chunk.stamps.size < limit
        # Rows of the last timestamp may go on beyond the chunk: the next one starts with all of them.
        kept = chunk.stamps.size if is_last else int(np.searchsorted(chunk.stamps, chunk.stamps[-1]))
        _extend(stamps, chunk.stamps[:kept])
        _extend(power, chunk.power[:kept])
        if is_last:
            return Series(stamps, power, chunk.is_aware)
        limit = chunk_rows if kept else 2 * limit  # one timestamp fills it
        where = replace(where, start=chunk.last)


def _extend(array: npt.NDArray[Any], more: npt.NDArray[Any]) -> None:
    """Append in place: the kernel moves large arrays without a copy."""
    size = array.size
    array.resize(size + more.size, refcheck=False)
    array[size:] = more


def _take(database: Database, columns: list[Column], parts: Iterable[list[tuple[Any, ...]]]) -> _Chunk:
    check_types(*columns, place=database.place)
    is_aware = columns[0].type_code == TIMESTAMP_WITH_ZONE
    stamps, power, last = [np.empty(0, "M8[ns]")], [np.empty(0)], ""
    for rows in parts:
        texts, values = zip(*rows, strict=True)
        last = texts[-1]
        stamps.append(_stamps([text.removesuffix(_UTC) for text in texts] if is_aware else list(texts), database))
        power.append(np.array(values, dtype=float))
    return _Chunk(np.concatenate(stamps), np.concatenate(power), last, is_aware)


def _stamps(texts: list[str], database: Database) -> Stamps:
    if texts[0].endswith(" BC"):  # in order, so they are the first
        raise _unusable(texts[0], database)
    try:
        found = np.array(texts, dtype="M8[us]")
    except ValueError as error:  # infinity
        raise _unusable(str(error), database) from error
    outside = (found < _FIRST) | (found >= _LAST)
    if outside.any():
        raise _unusable(str(found[outside][0]), database)
    return found.astype("M8[ns]")


def _unusable(what: str, database: Database) -> DataFormatError:
    return DataFormatError(
        f"{database.place} holds a timestamp that no data can have: {what}; "
        "correct the row, or leave it out with start and end"
    )
