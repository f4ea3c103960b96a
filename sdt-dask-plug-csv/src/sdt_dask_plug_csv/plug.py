"""`CsvPlug`: options in, keys and power out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from sdt_dask_core.errors import PlugError
from sdt_dask_core.hookspecs import hookimpl
from sdt_dask_core.plug import Plug
from sdt_dask_core.tables import EXTENSIONS, TableFormat, read_power, split_key
from sdt_dask_plug_csv.files import find_file, list_names, missing_root_reason

if TYPE_CHECKING:
    import pandas as pd

    from sdt_dask_core.keys import Key

__all__ = ["CsvPlug"]


class CsvPlug(Plug):
    """Reads CSV (plain or gzip) and Parquet tables of PV power from a folder, one file for each system.

    Parameters
    ----------
    path : pathlib.Path
        Folder of the files, read with all its subfolders, or a single file.
    pattern : str
        Only files whose path below the folder matches this glob, such as "north/*", are listed.
    layout : {"auto", "wide", "long"}
        Wide tables have one column for each power, long ones the columns site, meas_name, ts, sensor, meas_val_f.
    timestamp_column : str, optional
        Column of the timestamps; by default the only one that holds dates.
    power_columns : list of str, optional
        Power columns of wide tables, or meas_name values of long ones; needed where there are several.
    units : {"W", "kW", "MW"}
        Unit of the power in the files.
    timestamps : {"local", "utc"}
        Whether the timestamps are local time or UTC.
    tz : str, optional
        IANA time zone of the sites, such as "America/Los_Angeles", or "auto" to put midday at noon.
    utc_offset : float, optional
        Hours of the sites' standard time from UTC, such as -8, for timestamps=utc.
    separator : str, optional
        Separator of the CSV columns, one character or "tab"; found by itself among comma, semicolon, tab and bar.
    decimal : str
        Decimal sign of the CSV numbers, "." or ",".
    date_format : str, optional
        Format of the CSV timestamps, such as "%d/%m/%Y %H:%M", where day and month could be mistaken.
    encoding : str
        Encoding of the CSV text, such as "cp1252".

    Raises
    ------
    OptionError
        A value that its option cannot take, or options that contradict each other.
    """

    key_shape: ClassVar[str] = '("name",) or ("name", sensor)'

    def __init__(
        self,
        path: Path,
        *,
        pattern: str = "*",
        layout: Literal["auto", "wide", "long"] = "auto",
        timestamp_column: str | None = None,
        power_columns: list[str] | None = None,
        units: Literal["W", "kW", "MW"] = "kW",
        timestamps: Literal["local", "utc"] = "local",
        tz: str | None = None,
        utc_offset: float | None = None,
        separator: str | None = None,
        decimal: str = ".",
        date_format: str | None = None,
        encoding: str = "utf-8",
    ) -> None:
        self.path = Path(path).expanduser()
        self.pattern = pattern
        self.units = units
        self.table_format = TableFormat(
            layout=layout,
            timestamp_column=timestamp_column,
            power_columns=tuple([power_columns] if isinstance(power_columns, str) else power_columns or ()),
            units=units,
            timestamps=timestamps,
            tz=tz,
            utc_offset=utc_offset,
            separator=separator,
            decimal=decimal,
            date_format=date_format,
            encoding=encoding,
        )

    @hookimpl
    def get_data(self, key: Key) -> pd.DataFrame:
        """Read the power series of one key.

        Parameters
        ----------
        key : tuple
            ``("name",)`` or ``("name", sensor)``: the path below the folder, with or without its extension, and the
            column of a wide table or the sensor of a long one.

        Returns
        -------
        pandas.DataFrame, shape (n_timestamps, 1)
            See `sdt_dask_core.tables.read_power`.

        Raises
        ------
        KeyNotFoundError
            No such file, several of the name, or no such sensor in it. Not retried.
        AccessDeniedError
            The key leaves the folder, or the file may not be read. Not retried.
        SourceUnavailableError
            The file system did not answer. Safe to retry.
        DataFormatError
            The file is not a table of power. Not retried.
        AmbiguousColumnError
            Several power columns or sensors and none chosen. Not retried.
        """
        name, sensor = _split(key)
        file = find_file(self.path, name)
        shown = file.name if file == self.path else file.relative_to(self.path).as_posix()
        return read_power(file, name=shown, table_format=self.table_format, sensor=sensor)

    @hookimpl
    def list_keys(self) -> Iterator[tuple[str, ...]]:
        """Yield ``("name",)`` for each file or, with several power_columns, ``("name", column)`` for each of them."""
        columns = self.table_format.power_columns
        for name in list_names(self.path, self.pattern):
            if len(columns) > 1:
                yield from ((name, column) for column in columns)
            else:
                yield (name,)

    @hookimpl
    def fingerprint(self, key: Key) -> str | None:
        """Return the file's time of change and size; None where there is no such file."""
        status = self._status(key)
        return None if status is None else f"{status.st_mtime_ns}-{status.st_size}"

    @hookimpl
    def data_size(self, key: Key) -> int | None:
        """Return the size of the file [bytes]; None where there is no such file."""
        status = self._status(key)
        return None if status is None else status.st_size

    def _status(self, key: Key) -> os.stat_result | None:
        try:
            return find_file(self.path, _split(key)[0]).stat()
        except (PlugError, OSError):
            # Reading the key will tell what is wrong with it.
            return None

    @hookimpl
    def local_paths(self) -> Iterable[str]:
        """Yield the folder or file that it reads."""
        yield str(self.path.absolute())

    @hookimpl
    def check_access(self) -> Iterable[str]:
        """Yield one sentence per problem that would stop a run from here."""
        reason = "" if self.path.is_file() else missing_root_reason(self.path)
        if reason:
            yield reason
            return
        try:
            if next(list_names(self.path, self.pattern), None) is None:
                yield (
                    f"no file below '{self.path}' matches pattern={self.pattern!r}; files that end in "
                    f"{', '.join(EXTENSIONS)} are looked for"
                )
        except PlugError as error:
            yield error.message


def _split(key: Key) -> tuple[str, str | None]:
    return split_key(key, what="file", shape=CsvPlug.key_shape, example="('site_17',)")
