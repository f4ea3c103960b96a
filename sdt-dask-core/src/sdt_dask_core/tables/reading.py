"""Reading one table of PV power into the frame that ``get_data`` returns."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from sdt_dask_core.tables.source import ByteStream
    from sdt_dask_core.tables.table_format import TableFormat

__all__ = ["EXTENSIONS", "read_power"]

#: Extensions of the files that `read_power` reads, the longer ones first.
EXTENSIONS = (".csv.gz", ".parquet", ".csv")


def read_power(
    source: Path | ByteStream, *, name: str, table_format: TableFormat, sensor: str | None = None
) -> pd.DataFrame:
    """Read the power series of one sensor from a CSV (plain or gzip) or Parquet table.

    The format is told by the content, not by the name.

    Parameters
    ----------
    source : pathlib.Path or binary file object
        The table. A file object needs ``read`` only, is read once and stays open; of Parquet, one that can also seek
        is read only where the columns are that are needed.
    name : str
        How messages name the table.
    table_format : TableFormat
        How the table is written.
    sensor : str, optional
        The column of a wide table; the sensor of a long one, or one of the ``meas_name`` s in ``power_columns``.

    Returns
    -------
    pandas.DataFrame, shape (n_timestamps, 1)
        One numeric column named as in the table; DatetimeIndex ``timestamp``, naive, in the site's local standard time,
        in the order of the table, duplicates kept. ``attrs["units"]`` is the unit of the power; ``attrs["notes"]``, a
        list of ``{"code": ..., "message": ...}``, tells what was changed.

    Raises
    ------
    KeyNotFoundError
        The path does not exist, or the table has no such sensor.
    AccessDeniedError, SourceUnavailableError
        The path cannot be opened.
    DataFormatError
        The content is not a table of power.
    AmbiguousColumnError
        Several columns or sensors could be meant and none was chosen.
    """
    # pandas takes half a second to import, and the driver, which only lists and checks, does without it.
    import pandas as pd

    from sdt_dask_core.tables import csv_table, parquet_table
    from sdt_dask_core.tables.columns import read_columns
    from sdt_dask_core.tables.numbers import as_numbers
    from sdt_dask_core.tables.site_time import to_site_time
    from sdt_dask_core.tables.source import open_plain
    from sdt_dask_core.tables.stamps import parse_stamps

    with open_plain(source, name) as plain:
        opener = parquet_table if parquet_table.is_parquet(plain) else csv_table
        table = opener.open_table(plain, table_format)
        chosen = read_columns(table, table_format, sensor)
    stamps = parse_stamps(chosen, table_format)
    power, notes = as_numbers(chosen, table_format)
    series = pd.Series(power.to_numpy(), index=stamps, name=chosen.label)
    series, time_notes = to_site_time(series, table_format, name=name)
    frame: pd.DataFrame = series.rename_axis("timestamp").to_frame()
    frame.attrs["units"] = table_format.units
    frame.attrs["notes"] = [*notes, *time_notes]
    return frame
