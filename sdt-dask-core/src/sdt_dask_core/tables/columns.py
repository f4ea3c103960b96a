"""Choosing the columns of one series: what the user named, what is the only one, never a guess."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import pandas as pd

from sdt_dask_core.errors import AmbiguousColumnError, DataFormatError, KeyNotFoundError
from sdt_dask_core.options import did_you_mean
from sdt_dask_core.tables.numbers import number_count

if TYPE_CHECKING:
    from sdt_dask_core.tables.table_format import TableFormat

__all__ = ["ChosenColumns", "Kind", "Table", "read_columns"]

#: The columns of long tables; the first three make a table a long one.
LONG_COLUMNS = ("ts", "sensor", "meas_val_f", "site", "meas_name")

_TIME_NAME = re.compile(r"(date|time|ts|utc|index|measured)([ _\-]?(time|stamp|on|utc|local))*", re.IGNORECASE)
_DATE = re.compile(
    r"\s*(\d{4}([-/.])\d\d?\2\d\d?"  # 2020-01-31
    r"|\d\d?([-/. ])(\d\d?|[A-Za-z]{3,9})\.?\3\d{2,4}"  # 31/01/2020, 31-Jan-2020
    r"|[A-Za-z]{3,9}\.? \d\d?,? \d{4}"  # Jan 31, 2020
    r"|\d{8}T\d{4,6})"  # 20200131T1200
    r"(\D.*)?"
)
_ROW_NUMBER_NAME = re.compile(r"(Unnamed: \d+|__index_level_\d+__)?")
_SHOWN = 12

Kind = Literal["number", "time", "text"]


class Table(Protocol):
    """What `CsvTable` and `ParquetTable` have in common."""

    name: str
    columns: tuple[str, ...]
    first_line: int

    def kind(self, column: str) -> Kind:
        """Return what the table itself says that a column holds; a text may be anything."""

    def first_rows(self, column: str) -> pd.Series:
        """Return the first rows of a column."""

    def read(
        self, columns: Collection[str], *, stamps: Collection[str] = (), labels: Collection[str] = ()
    ) -> pd.DataFrame:
        """Read columns in full."""


@dataclass(frozen=True, slots=True)
class ChosenColumns:
    """The two columns of one series, as they stand in the table.

    Attributes
    ----------
    name : str
        How messages name the table.
    label : str
        Name of the series: the power column of a wide table, the sensor of a long one.
    stamps : pandas.Series
        The timestamps, indexed by row number.
    power : pandas.Series
        The power, indexed likewise.
    first_line : int
        The line of the file that row 0 stands in.
    """

    name: str
    label: str
    stamps: pd.Series
    power: pd.Series
    first_line: int


def read_columns(table: Table, table_format: TableFormat, sensor: str | None) -> ChosenColumns:
    """Choose and read the timestamps and the power of one sensor.

    Raises
    ------
    KeyNotFoundError
        The table has no such sensor.
    DataFormatError
        A column that is needed or was chosen is not there.
    AmbiguousColumnError
        Several columns or sensors could be meant and none was chosen.
    """
    if _is_long(table, table_format):
        return _read_long(table, table_format, sensor)
    return _read_wide(table, table_format, sensor)


def _is_long(table: Table, table_format: TableFormat) -> bool:
    if table_format.layout == "auto":
        return set(LONG_COLUMNS[:3]) <= set(table.columns)
    return table_format.layout == "long"


def _read_wide(table: Table, table_format: TableFormat, sensor: str | None) -> ChosenColumns:
    stamps = table_format.timestamp_column or _only_timestamp_column(table)
    _require(table, stamps, "timestamp_column")
    for column in table_format.power_columns if sensor is None else ():
        _require(table, column, "power_columns")
    if sensor is not None and (sensor not in table.columns or sensor == stamps):
        raise _no_sensor(table.name, sensor, [c for c in table.columns if c != stamps], what="columns")
    if sensor is None and len(table_format.power_columns) > 1:
        raise _ambiguous_columns(table.name, table_format.power_columns, chosen=True)
    chosen = [sensor] if sensor is not None else list(table_format.power_columns) or _candidates(table, stamps)
    frame = table.read([stamps, *chosen], stamps=[stamps])
    power = chosen[0] if len(chosen) == 1 else _only_with_numbers(table.name, frame[chosen])
    return ChosenColumns(table.name, power, frame[stamps], frame[power], table.first_line)


def _only_timestamp_column(table: Table) -> str:
    """Return the only column that holds dates or, where none does, the only one that is named like timestamps."""
    dated = [column for column in table.columns if _looks_dated(table, column)]
    candidates = dated or [column for column in table.columns if _TIME_NAME.fullmatch(column)]
    if len(candidates) == 1:
        return candidates[0]
    if not candidates:
        raise DataFormatError(
            f"{table.name} has no column of timestamps among {_listed(table.columns)}; "
            "set timestamp_column if one of them is, or leave its key out"
        )
    raise DataFormatError(
        f"{table.name} has several columns that may be the timestamps: {_listed(candidates)}; "
        "choose one with timestamp_column"
    )


def _looks_dated(table: Table, column: str) -> bool:
    kind = table.kind(column)
    if kind != "text":
        return kind == "time"
    texts = [str(value) for value in table.first_rows(column) if not pd.isna(value) and str(value).strip()]
    return bool(texts) and sum(1 for text in texts if _DATE.fullmatch(text)) > len(texts) / 2


def _candidates(table: Table, stamps: str) -> list[str]:
    """Return the columns that may be the power: numbers, or nothing yet, in the first rows."""
    samples = {c: table.first_rows(c) for c in table.columns if c != stamps}
    sampled = {c: number_count(values) for c, values in samples.items() if not _is_row_number(c, values)}
    numeric = [c for c, (numbers, filled) in sampled.items() if numbers and 2 * numbers >= filled]
    empty = [c for c, (_, filled) in sampled.items() if not filled]
    if len(numeric) > 1:
        raise _ambiguous_columns(table.name, numeric)
    if not numeric and not empty:
        raise DataFormatError(
            f"{table.name} has no column of numbers besides the timestamps {stamps!r}; its columns: "
            f"{_listed(table.columns)}; check separator and decimal, or choose the power with power_columns"
        )
    return [*numeric, *empty]


def _only_with_numbers(name: str, frame: pd.DataFrame) -> str:
    """Return the only column with any value: empty ones are no choice, unless there is nothing else."""
    filled = [str(column) for column in frame.columns if number_count(frame[column])[0]]
    if len(filled) == 1:
        return filled[0]
    raise _ambiguous_columns(name, filled or list(frame.columns))


def _is_row_number(column: str, values: pd.Series) -> bool:
    if not _ROW_NUMBER_NAME.fullmatch(column):
        return False
    numbers = pd.to_numeric(values, errors="coerce")
    return bool(numbers.notna().all() and numbers.iloc[0] in (0, 1) and (numbers.diff().iloc[1:] == 1).all())


def _read_long(table: Table, table_format: TableFormat, sensor: str | None) -> ChosenColumns:
    stamps = table_format.timestamp_column or "ts"
    for column in (stamps, "meas_val_f"):
        if column not in table.columns:
            raise DataFormatError(
                f"{table.name} is no long table: it has no column {column!r} among {_listed(table.columns)}; "
                "set layout=wide, or timestamp_column if the timestamps have another name"
            )
    labels = [column for column in ("sensor", "meas_name", "site") if column in table.columns]
    frame = table.read([stamps, "meas_val_f", *labels], stamps=[stamps], labels=labels)
    frame = _rows_of(frame, table_format.power_columns, sensor, name=table.name)
    for column in labels:
        _require_one(frame, column, name=table.name)
    label = next((str(frame[c].iloc[0]) for c in ("sensor", "meas_name") if c in labels and frame[c].iloc[0]), "")
    return ChosenColumns(table.name, label or "meas_val_f", frame[stamps], frame["meas_val_f"], table.first_line)


def _rows_of(frame: pd.DataFrame, measured: tuple[str, ...], sensor: str | None, *, name: str) -> pd.DataFrame:
    """Return the rows of the chosen ``meas_name`` s and of the chosen sensor."""
    if measured:
        known = _distinct(frame, "meas_name")
        for wanted in measured:
            if wanted not in known:
                raise DataFormatError(
                    f"{name} has no meas_name {wanted!r} (option power_columns){did_you_mean(wanted, known)}; "
                    f"it has: {_listed(known)}"
                )
        frame = frame[frame["meas_name"].isin(measured)]
    if sensor is None:
        return frame
    for column in ("sensor", "meas_name") if measured else ("sensor",):
        if sensor in _distinct(frame, column):
            of_sensor: pd.DataFrame = frame[frame[column] == sensor]
            return of_sensor
    raise _no_sensor(name, sensor, _distinct(frame, "sensor"), what="sensors")


def _require_one(frame: pd.DataFrame, column: str, *, name: str) -> None:
    codes = frame[column].cat.codes
    if codes.min() == codes.max():
        return
    found = _distinct(frame, column)
    how = {
        "sensor": f"choose one with the key ('name', {found[0]!r})",
        "meas_name": f"choose one with power_columns={found[0]!r}",
        "site": "write one file for each site",
    }[column]
    raise AmbiguousColumnError(f"{name} holds {len(found)} {column}s: {_listed(found)}; {how}", choices=found)


def _distinct(frame: pd.DataFrame, column: str) -> list[str]:
    return sorted(map(str, frame[column].unique())) if column in frame.columns else []


def _require(table: Table, column: str, option: str) -> None:
    if column not in table.columns:
        raise DataFormatError(
            f"{table.name} has no column {column!r} (option {option}){did_you_mean(column, table.columns)}; "
            f"its columns: {_listed(table.columns)}"
        )


def _no_sensor(name: str, sensor: str, known: list[str], *, what: str) -> KeyNotFoundError:
    return KeyNotFoundError(
        f"{name} has no sensor {sensor!r}{did_you_mean(sensor, known)}; its {what}: {_listed(known)}", sensor=sensor
    )


def _ambiguous_columns(name: str, columns: Iterable[str], *, chosen: bool = False) -> AmbiguousColumnError:
    found = list(columns)
    which = "power_columns names" if chosen else "it has"
    return AmbiguousColumnError(
        f"{name} could mean several power columns: {which} {_listed(found)}; choose one with the key "
        f"('name', {found[0]!r}) or with power_columns={found[0]!r}",
        choices=found,
    )


def _listed(names: Iterable[str]) -> str:
    shown = list(map(repr, names))
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return ", ".join(shown[:_SHOWN]) + more
