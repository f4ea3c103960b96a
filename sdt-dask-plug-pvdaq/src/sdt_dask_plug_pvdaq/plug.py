"""`PvdaqPlug`: options in, keys and power out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from sdt_dask_core.errors import KeyNotFoundError, OptionError, SdtDaskError
from sdt_dask_core.hookspecs import hookimpl
from sdt_dask_core.plug import Plug
from sdt_dask_core.secret import Secret
from sdt_dask_plug_pvdaq.bucket import Bucket, Store
from sdt_dask_plug_pvdaq.cache import Cache
from sdt_dask_plug_pvdaq.columns import parse_name
from sdt_dask_plug_pvdaq.lake import Lake
from sdt_dask_plug_pvdaq.web_api import WebApi

if TYPE_CHECKING:
    import pandas as pd

    from sdt_dask_core.keys import Key

__all__ = ["PvdaqPlug"]

_GIB = 1024**3
_LEAST_CACHE_GIB = 0.01
_FIRST_YEAR, _LAST_YEAR = 1980, 2100


class PvdaqPlug(Plug):
    """Reads the PV power of PVDAQ from the public Open Energy Data Initiative data lake; no key and no account needed.

    Parameters
    ----------
    systems : list of int, optional
        Numbers of the systems whose keys are listed; default all.
    column : str, optional
        Column of the power where a system has several, such as "inv1_ac_power" or its number "1019".
    layout : {"auto", "csv", "parquet"}
        Which is read where a year is there as CSV and as Parquet; auto is the one with more days, Parquet where equal.
    time_rule : {"auto", "utc", "offset", "zone"}
        How local standard time is made: from complete UTC times, from local times without or with summer time.
    units : {"auto", "W", "kW", "MW"}
        Unit of the power in the source; auto takes what the dictionary, the name, then the capacity say.
    concurrency : int
        Files that are read at once, each over its own connection; 8 to 16 do.
    cache : pathlib.Path, optional
        Folder that keeps what was read, for the next run; processes may share it.
    cache_gib : float
        Size that the cache folder is kept below, in GiB.
    bucket : str
        Name of the bucket, or of a mirror of it.
    region : str
        AWS region of the bucket.
    endpoint_url : str, optional
        Address of a mirror outside of AWS, such as "https://mirror.example.org".
    max_attempts : int
        Tries of each request, the first one included.
    read_timeout : float
        Longest silence of the store within a request, in seconds.
    source : {"lake", "api"}
        The data lake, or the web API of earlier years, which is retired and kept for servers that still offer it.
    api_key : Secret, optional
        Key of the web API, as a reference such as "env:NREL_API_KEY"; default its DEMO_KEY. The lake needs none.
    api_url : str
        Address of the web API.
    api_longest_wait : float
        Longest time to wait for the next request that the web API allows, in seconds.

    Raises
    ------
    OptionError
        A value that its option cannot take.
    """

    key_shape: ClassVar[str] = "(system_id, year), (system_id, [years]) or (system_id, years, column)"

    def __init__(
        self,
        *,
        systems: list[int] | None = None,
        column: str | None = None,
        layout: Literal["auto", "csv", "parquet"] = "auto",
        time_rule: Literal["auto", "utc", "offset", "zone"] = "auto",
        units: Literal["auto", "W", "kW", "MW"] = "auto",
        concurrency: int = 12,
        cache: Path | None = None,
        cache_gib: float = 5.0,
        bucket: str = "oedi-data-lake",
        region: str = "us-west-2",
        endpoint_url: str | None = None,
        max_attempts: int = 5,
        read_timeout: float = 60.0,
        source: Literal["lake", "api"] = "lake",
        api_key: Secret | None = None,
        api_url: str = "https://developer.nrel.gov",
        api_longest_wait: float = 120.0,
    ) -> None:
        if not cache_gib >= _LEAST_CACHE_GIB:
            raise OptionError(f"cache_gib={cache_gib:g} is too small for a cache; give {_LEAST_CACHE_GIB} or more")
        self.systems = systems
        self.column = column
        self.side = layout
        self.time_rule = time_rule
        self.unit_choice = units
        self.cache = Cache(Path(cache).expanduser(), int(cache_gib * _GIB)) if cache else None
        self.store = Store(
            bucket=bucket,
            region=region,
            endpoint_url=endpoint_url,
            concurrency=concurrency,
            max_attempts=max_attempts,
            read_timeout=read_timeout,
        )
        self.web_api = WebApi(api_url, api_key, api_longest_wait) if source == "api" else None
        self._lake: Lake | None = None

    @hookimpl
    def get_data(self, key: Key) -> pd.DataFrame:
        """Read the power series of one key.

        Parameters
        ----------
        key : tuple
            ``(system_id, year)``, ``(system_id, [years])`` for one series of several years, or ``(system_id, years,
            column)``.

        Returns
        -------
        pandas.DataFrame, shape (n_timestamps, 1)
            Column "power", DatetimeIndex ``timestamp`` in naive local standard time. ``attrs["units"]`` is the unit;
            ``attrs["notes"]`` says which column, clock and unit were decided on, and what is missing.

        Raises
        ------
        KeyNotFoundError
            No such system, nothing of it in these years, or no such column. Not retried.
        AmbiguousColumnError
            Several columns could be the power and none was chosen. Not retried.
        DataFormatError
            Daily aggregates, no AC power, or a damaged file. Not retried.
        AccessDeniedError
            The store refuses us. Not retried.
        SourceUnavailableError
            The store did not answer, or a listed file could not be read. Safe to retry.
        PlugError
            The web API is retired. Not retried.
        """
        from sdt_dask_plug_pvdaq.frame import power_frame
        from sdt_dask_plug_pvdaq.systems import SystemFacts

        system_id, years, column = _split(key)
        source = self.web_api or self._open()
        facts = SystemFacts() if self.web_api else self._open().systems.facts(system_id)
        try:
            record = source.read(system_id, years, column or self.column)
        except KeyNotFoundError as error:
            raise KeyNotFoundError(error.message, **{**error.context, "key": key}) from error
        name = f"system {system_id} in {', '.join(map(str, years))}"
        return power_frame(record, facts, time_rule=self.time_rule, units=self.unit_choice, name=name)

    @hookimpl
    def list_keys(self) -> Iterable[tuple[int, int | list[int]]] | None:
        """Yield ``(system_id, year)``, and for systems of the data prize ``(system_id, [years])``.

        Years of daily aggregates, as far as the size of their files tells, are left out. The web API lists nothing.

        Raises
        ------
        KeyNotFoundError, AccessDeniedError, SourceUnavailableError
            The bucket cannot be listed.
        """
        return None if self.web_api else self._listed()

    @hookimpl
    def fingerprint(self, key: Key) -> str | None:
        """Return a digest of the ETags of the key's files and of what decides on clock and unit; None for no files.

        Files come from one listing a year. Clock, capacity and quality check of the system come from the systems table,
        which is read once, and the units from the ETag of the metrics dictionary.
        """
        try:
            system_id, years, _ = _split(key)
            return None if self.web_api else self._open().fingerprint(system_id, years)
        except SdtDaskError:
            # Reading the key will tell what is wrong with it.
            return None

    @hookimpl
    def system_metadata(self, key: Key) -> Mapping[str, Any] | None:
        """Return location, time zone, DC capacity, tilt and azimuth, as the systems table and metadata file say.

        The capacity is that of the whole system, and is left out where the key or the option names a part of it.

        Raises
        ------
        AccessDeniedError, SourceUnavailableError
            The bucket cannot be read.
        """
        system_id, _, column = _split(key)
        if self.web_api:
            return None
        found = self._open().systems.facts(system_id).as_metadata()
        column = column or self.column
        if column and not parse_name(column).is_whole:
            found.pop("capacity_kw", None)
        return found or None

    @hookimpl
    def check_access(self) -> Iterable[str]:
        """Yield one sentence per problem that would stop a run from here; one request to the lake, none to the API."""
        if self.web_api:
            return
        try:
            if not self._open().has_table():
                yield (
                    f"{self.store.uri('pvdaq/csv/')} holds no systems table, so this is not PVDAQ; check bucket and "
                    "endpoint_url"
                )
        except SdtDaskError as error:
            yield error.message

    @hookimpl
    def close(self) -> None:
        """Give the connections back; idempotent."""
        if self._lake is not None:
            self._lake.bucket.close()
            self._lake = None

    def _open(self) -> Lake:
        if self._lake is None:
            self._lake = Lake(Bucket(self.store, self.cache), self.side)
        return self._lake

    def _listed(self) -> Iterator[tuple[int, int | list[int]]]:
        yield from self._open().keys(self.systems)


def _split(key: Key) -> tuple[int, list[int], str | None]:
    """Return system, years in order, and column; manifests give numbers as text, and columns as numbers."""
    match key:
        case (system, years):
            column = None
        case (system, years, (str() | int() | None) as column):
            pass
        case _:
            raise _no_key(key)
    numbers = [_whole(part) for part in (system, *(years if isinstance(years, list) else [years]))]
    found = [number for number in numbers if number is not None]
    if len(found) < len(numbers) or len(found) < 2:  # noqa: PLR2004 - a system and a year
        raise _no_key(key)
    if not all(_FIRST_YEAR <= year <= _LAST_YEAR for year in found[1:]) or found[0] < 0:
        raise _no_key(key)
    return found[0], sorted(set(found[1:])), None if column in (None, "") else str(column)


def _whole(part: object) -> int | None:
    if isinstance(part, bool):
        return None
    if isinstance(part, int):
        return part
    return int(part) if isinstance(part, str) and part.isascii() and part.isdigit() else None


def _no_key(key: Key) -> KeyNotFoundError:
    return KeyNotFoundError(
        f"the key {key!r} names no data of PVDAQ; it must be {PvdaqPlug.key_shape}, such as (34, 2011)", key=key
    )
