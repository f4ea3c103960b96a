"""`PvdbPlug`: options in, keys and power out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from sdt_dask_core.errors import KeyNotFoundError, OptionError, PlugError, SdtDaskError
from sdt_dask_core.hookspecs import hookimpl
from sdt_dask_core.plug import Plug
from sdt_dask_core.secret import Secret
from sdt_dask_core.tables import TableFormat
from sdt_dask_plug_pvdb.address import Address
from sdt_dask_plug_pvdb.bounds import checked_bounds
from sdt_dask_plug_pvdb.catalog import Catalog, SeriesName
from sdt_dask_plug_pvdb.credentials import IamLogin
from sdt_dask_plug_pvdb.database import Database
from sdt_dask_plug_pvdb.table import MeasurementTable, Where

if TYPE_CHECKING:
    import pandas as pd

    from sdt_dask_core.keys import Key

__all__ = ["PvdbPlug"]


class PvdbPlug(Plug):
    """Reads PV power from PVDB, or from any PostgreSQL or Redshift table with one row for each measurement.

    Parameters
    ----------
    host : str, optional
        Name or IP address of the database server.
    port : int, optional
        Its port; 5432 by default, 5439 for a login by IAM.
    database : str, optional
        Name of the database there.
    user : str, optional
        User of the database.
    password : Secret, optional
        Reference to the user's password, such as env:PGPASSWORD.
    service : str, optional
        Section of the connection service file (pg_service.conf) that says the above.
    cluster_identifier : str, optional
        Redshift cluster to log in to by IAM, without a password.
    workgroup : str, optional
        Redshift Serverless workgroup to log in to by IAM, without a password.
    region : str, optional
        AWS region of the cluster or workgroup.
    profile : str, optional
        AWS profile for the login by IAM.
    sslmode : {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}, optional
        TLS mode; by default verify-full, and prefer towards loopback.
    sslrootcert : path or "system", optional
        File of the certificates that are trusted; by default ~/.postgresql/root.crt or else those of the system.
    schema : str, optional
        Schema of the table.
    table : str
        Name of the table or view.
    site_column : str
        Column of the site.
    meas_name_column : str
        Column that says what was measured.
    timestamp_column : str
        Column of the timestamps.
    sensor_column : str
        Column of the sensor.
    power_column : str
        Column of the power.
    meas_name : str
        Which measurement is the power.
    units : {"W", "kW", "MW"}
        Unit of the power in the table.
    timestamps : {"local", "utc"}
        Whether the timestamps are local time or UTC.
    tz : str, optional
        IANA time zone of the sites, such as "America/Los_Angeles", or "auto" to put midday at noon.
    utc_offset : float, optional
        Hours of the sites' standard time from UTC, such as -8, for timestamps=utc.
    start : str, optional
        First timestamp that is read, in the time of the table, such as 2020-01-31.
    end : str, optional
        Timestamp before which reading ends, in the time of the table.
    max_connections : int
        Most connections that the workers of a cluster have open at once.
    statement_timeout : float
        Longest time of a query in seconds.
    chunk_rows : int
        Rows that one query fetches, which bounds the memory.

    Raises
    ------
    OptionError
        A value that its option cannot take, too little to connect, or options that contradict each other.
    """

    key_shape: ClassVar[str] = '("site_id", sensor)'

    def __init__(
        self,
        host: str | None = None,
        *,
        port: int | None = None,
        database: str | None = None,
        user: str | None = None,
        password: Secret | None = None,
        service: str | None = None,
        cluster_identifier: str | None = None,
        workgroup: str | None = None,
        region: str | None = None,
        profile: str | None = None,
        sslmode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] | None = None,
        sslrootcert: Literal["system"] | Path | None = None,
        schema: str | None = None,
        table: str = "measurements",
        site_column: str = "site",
        meas_name_column: str = "meas_name",
        timestamp_column: str = "ts",
        sensor_column: str = "sensor",
        power_column: str = "meas_val_f",
        meas_name: str = "ac_power",
        units: Literal["W", "kW", "MW"] = "kW",
        timestamps: Literal["local", "utc"] = "utc",
        tz: str | None = None,
        utc_offset: float | None = None,
        start: str | None = None,
        end: str | None = None,
        max_connections: int = 2,
        statement_timeout: float = 600.0,
        chunk_rows: int = 200_000,
    ) -> None:
        self.units = units
        self.meas_name = meas_name
        self.max_concurrent_reads = _at_least(1, "max_connections", max_connections)
        self.chunk_rows = _at_least(2, "chunk_rows", chunk_rows)
        self.table_format = TableFormat(units=units, timestamps=timestamps, tz=tz, utc_offset=utc_offset)
        login = IamLogin(
            cluster_identifier=cluster_identifier,
            workgroup=workgroup,
            database=database,
            user=user,
            region=region,
            profile=profile,
        )
        address = Address(
            host=host,
            port=port,
            database=database,
            user=user,
            password=password,
            service=service,
            iam=login if login.is_asked_for else None,
            sslmode=sslmode,
            sslrootcert=sslrootcert,
            statement_timeout=statement_timeout,
        )
        measurements = MeasurementTable(
            table=table,
            schema=schema,
            site=site_column,
            meas_name=meas_name_column,
            timestamp=timestamp_column,
            sensor=sensor_column,
            power=power_column,
        )
        first, last = checked_bounds(start, end)
        self.source = Database(address, measurements)
        self._catalog = Catalog(self.source, Where(meas_name=meas_name, start=first, end=last))

    @hookimpl
    def get_data(self, key: Key) -> pd.DataFrame:
        """Read the power series of one key; the connection is open only meanwhile.

        Parameters
        ----------
        key : tuple
            ``("site_id", sensor)``: the site, and the name of one of its sensors or its index from 0 in the order of
            the site's sensors.

        Returns
        -------
        pandas.DataFrame, shape (n_timestamps, 1)
            One numeric column named as `meas_name`; DatetimeIndex ``timestamp``, naive, in the site's local standard
            time, in order, duplicates kept. ``attrs["notes"]`` tells what was changed.

        Raises
        ------
        KeyNotFoundError
            No such site, no such sensor of it, or no row of it. Not retried.
        AccessDeniedError
            The database refuses us, or cannot prove who it is. Not retried.
        SourceUnavailableError
            The database did not answer, or not in time. Safe to retry.
        DataFormatError
            There is no such database, table or column, or it holds something else. Not retried.
        """
        series = _series_name(key)
        try:
            return self._read(series)
        finally:
            # Others wait for it: no more than max_connections are open in a cluster.
            self.source.close()

    def _read(self, series: SeriesName) -> pd.DataFrame:
        # They import NumPy and pandas, which the driver, which only lists and checks, does without.
        from sdt_dask_plug_pvdb.frame import as_frame
        from sdt_dask_plug_pvdb.series import read_series

        rows = self._catalog.rows_of(series)
        found = read_series(self.source, rows, chunk_rows=self.chunk_rows)
        if found.stamps.size == 0:
            raise self._catalog.why_empty(series, str(rows.sensor))
        name = f"sensor {rows.sensor!r} of site {series.site!r}"
        return as_frame(found, name=name, table_format=self.table_format, column=self.meas_name)

    @hookimpl
    def list_keys(self) -> Iterator[tuple[str, str]]:
        """Yield ``(site, sensor name)`` of every series of `meas_name`, sorted.

        Names, not indices: they mean the same sensor after another one was added to the site.
        """
        yield from self._catalog.keys()

    @hookimpl
    def fingerprint(self, key: Key) -> str | None:
        """Return the number of rows, the last timestamp and the sensor; None where there are no rows.

        A value that was corrected in its place does not show.
        """
        try:
            return self._catalog.mark(_series_name(key))
        except PlugError:
            # Reading the key will tell what is wrong.
            return None

    @hookimpl
    def check_access(self) -> Iterable[str]:
        """Yield one sentence per problem that would stop a run from here."""
        try:
            self.source.check_table()
        except SdtDaskError as error:
            yield error.message

    @hookimpl
    def close(self) -> None:
        """Close the connection."""
        self.source.close()


def _at_least(least: int, option: str, value: int) -> int:
    if value < least:
        raise OptionError(f"{option}={value} is too small; the least is {least}", option=option)
    return value


def _series_name(key: Key) -> SeriesName:
    """Return what a key names; manifests give numbers for sites such as 17."""
    match [_no_bool(part) for part in key]:
        case [(str() | int()) as site, (str() | int()) as sensor] if _is_text(str(site)) and _is_text(str(sensor)):
            return SeriesName(str(site), sensor)
    raise KeyNotFoundError(
        f"the key {key!r} names no series; it must be {PvdbPlug.key_shape}, such as ('TAEFC1044741', 0), with the "
        "name of a sensor or its index from 0",
        key=key,
    )


def _no_bool(part: Any) -> Any:
    return None if isinstance(part, bool) else part


def _is_text(text: str) -> bool:
    """Tell whether a database can hold a text: PostgreSQL knows no NUL, and no half of a character."""
    return bool(text) and "\0" not in text and text.encode("utf-8", "ignore").decode("utf-8") == text
