"""`S3Plug`: options in, keys and power out."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from sdt_dask_core.errors import SdtDaskError
from sdt_dask_core.hookspecs import hookimpl
from sdt_dask_core.plug import Plug
from sdt_dask_core.remote import RemoteFile
from sdt_dask_core.secret import Secret
from sdt_dask_core.tables import EXTENSIONS, TableFormat, read_power, split_key
from sdt_dask_plug_s3.access import Access
from sdt_dask_plug_s3.bucket import Bucket
from sdt_dask_plug_s3.clients import client_for, give_back
from sdt_dask_plug_s3.listing import PAGE, Listing
from sdt_dask_plug_s3.object_origin import object_origin
from sdt_dask_plug_s3.place import Place

if TYPE_CHECKING:
    import pandas as pd

    from sdt_dask_core.keys import Key

__all__ = ["S3Plug"]

logger = logging.getLogger(__name__)


class S3Plug(Plug):
    """Reads CSV (plain or gzip) and Parquet tables of PV power from a bucket, one object for each system.

    Parameters
    ----------
    bucket : str
        Name of the bucket, or the ARN of an access point.
    prefix : str
        Folder in the bucket, read with all its subfolders; default all of the bucket.
    pattern : str
        Only objects whose name below the prefix matches this glob, such as "north/*", are listed.
    region : str, optional
        AWS region of the bucket, such as "us-west-2"; default that of the profile or the environment.
    profile : str, optional
        Profile of the AWS configuration files of the machine that reads.
    endpoint_url : str, optional
        Address of a store other than AWS, such as "https://minio.example.org:9000".
    unsigned : bool
        Send no credentials, for buckets that are open to everybody.
    requester_pays : bool
        Agree to pay for the requests and the transfer, where the bucket asks its readers to.
    role_arn : str, optional
        ARN of a role to assume with the credentials found; renewed before it expires.
    external_id : str, optional
        External ID that the role's owner asks for.
    access_key_id : str, optional
        Access key, for stores that know no profile or role; its secret is in secret_access_key.
    secret_access_key : Secret, optional
        Secret of the access key, as a reference such as "env:STORE_SECRET".
    max_attempts : int
        Tries of each request, the first one included.
    read_timeout : float
        Longest silence of the store within a request, in seconds.
    layout : {"auto", "wide", "long"}
        Wide tables have one column for each power, long ones the columns site, meas_name, ts, sensor, meas_val_f.
    timestamp_column : str, optional
        Column of the timestamps; by default the only one that holds dates.
    power_columns : list of str, optional
        Power columns of wide tables, or meas_name values of long ones; needed where there are several.
    units : {"W", "kW", "MW"}
        Unit of the power in the tables.
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

    key_shape: ClassVar[str] = '("name.csv",) or ("name.csv", sensor)'

    def __init__(
        self,
        bucket: str,
        *,
        prefix: str = "",
        pattern: str = "*",
        region: str | None = None,
        profile: str | None = None,
        endpoint_url: str | None = None,
        unsigned: bool = False,
        requester_pays: bool = False,
        role_arn: str | None = None,
        external_id: str | None = None,
        access_key_id: str | None = None,
        secret_access_key: Secret | None = None,
        max_attempts: int = 5,
        read_timeout: float = 60.0,
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
        access = Access(
            endpoint_url=endpoint_url,
            region=region,
            profile=profile,
            access_key_id=access_key_id,
            secret_access_key=secret_access_key,
            role_arn=role_arn,
            external_id=external_id,
            unsigned=unsigned,
            max_attempts=max_attempts,
            read_timeout=read_timeout,
        )
        self.place = Place(bucket, prefix, access, requester_pays)
        self.listing = Listing(self.place, pattern)

    @hookimpl
    def get_data(self, key: Key) -> pd.DataFrame:
        """Read the power series of one key.

        Parameters
        ----------
        key : tuple
            ``("name.csv",)`` or ``("name.csv", sensor)``: the name of the object below the prefix, and the column of a
            wide table or the sensor of a long one.

        Returns
        -------
        pandas.DataFrame, shape (n_timestamps, 1)
            See `sdt_dask_core.tables.read_power`.

        Raises
        ------
        KeyNotFoundError
            No such bucket or object, or no such sensor in it. Not retried.
        AccessDeniedError
            The key leaves the prefix, the store refuses us, or is another one than was meant. Not retried.
        SourceUnavailableError
            The store did not answer, or its answers broke off time and again. Safe to retry.
        DataFormatError
            The object is not a table of power. Not retried.
        AmbiguousColumnError
            Several power columns or sensors and none chosen. Not retried.
        OptionError
            There is no such profile here, or a secret cannot be read. Not retried.
        """
        name, sensor = _split(key)
        object_key = self.place.object_key(name)
        in_parts = name.lower().endswith(".parquet")
        with RemoteFile(object_origin(self._bucket(), object_key), in_parts=in_parts) as file:
            uri = self.place.uri(object_key)
            return read_power(file, name=uri, table_format=self.table_format, sensor=sensor)

    @hookimpl
    def list_keys(self) -> Iterator[tuple[str, ...]]:
        """Yield ``("name.csv",)`` for each table or, with several power_columns, ``("name.csv", column)``.

        Raises
        ------
        KeyNotFoundError, AccessDeniedError, SourceUnavailableError
            The bucket cannot be listed.
        """
        columns = self.table_format.power_columns
        for name in self.listing.names(self._bucket()):
            if len(columns) > 1:
                yield from ((name, column) for column in columns)
            else:
                yield (name,)

    @hookimpl
    def fingerprint(self, key: Key) -> str | None:
        """Return ETag and size: those that a listing told, else those that one HEAD tells; None for no object."""
        try:
            return self.listing.fingerprint(_split(key)[0], self._bucket())
        except SdtDaskError:
            # Reading the key will tell what is wrong with it.
            return None

    @hookimpl
    def data_size(self, key: Key) -> int | None:
        """Return the size of the object [bytes], which its fingerprint ends with; None for no object."""
        fingerprint = self.fingerprint(key)
        return None if fingerprint is None else int(fingerprint.rpartition("-")[2])

    @hookimpl
    def check_access(self) -> Iterable[str]:
        """Yield one sentence per problem that would stop a run from here; one request.

        Where only listing is refused, that is no problem for keys that are given: it is logged, and `list_keys` raises.
        """
        try:
            entries, has_more = self._bucket().first_page(self.listing.prefix, at_most=PAGE)
        except SdtDaskError as error:
            if "denied_action" in error.context:
                logger.warning("%s", error.message)
            else:
                yield error.message
            return
        if not has_more and not any(map(self.listing.name_of, entries)):
            yield (
                f"no object in {self.place.uri()} matches pattern={self.listing.pattern!r}; names that end in "
                f"{', '.join(EXTENSIONS)} are looked for"
            )

    @hookimpl
    def close(self) -> None:
        """Give the client back; idempotent."""
        give_back(self.place.access, user=self)

    def _bucket(self) -> Bucket:
        return Bucket(self.place, client_for(self.place.access, user=self))


def _split(key: Key) -> tuple[str, str | None]:
    return split_key(key, what="object", shape=S3Plug.key_shape, example="('site_17.csv',)")
