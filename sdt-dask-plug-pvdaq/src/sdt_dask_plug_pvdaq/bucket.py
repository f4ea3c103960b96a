"""The bucket: its client, pages of its listing, its objects read whole or as a stream. Unsigned, nothing of AWS's."""

from __future__ import annotations

import functools
import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from sdt_dask_core.errors import OptionError
from sdt_dask_core.remote import Origin, Part, RemoteFile
from sdt_dask_plug_pvdaq.refusals import asking

if TYPE_CHECKING:
    from sdt_dask_plug_pvdaq.cache import Cache

__all__ = ["Bucket", "Entry", "Store"]

_CONNECT_TIMEOUT = 5  # s; botocore's own minute would be spent on each try
_MOST_CONNECTIONS = 64
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")
_T = TypeVar("_T")

# Clients may be shared among threads, but not made by several at once.
_making = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """Where the bucket is and how it is asked.

    Parameters
    ----------
    bucket : str
        Its name.
    region : str
        Its region.
    endpoint_url : str, optional
        Address of a mirror.
    concurrency : int
        Connections, and objects that are read at once.
    max_attempts : int
        Tries of each request, the first one included.
    read_timeout : float
        Longest silence within a request [s].

    Raises
    ------
    OptionError
        A value that its option cannot take.
    """

    bucket: str
    region: str
    endpoint_url: str | None
    concurrency: int
    max_attempts: int
    read_timeout: float

    def __post_init__(self) -> None:
        if not self.bucket or "/" in self.bucket:
            raise OptionError(f"bucket={self.bucket!r} is no name of a bucket, such as 'oedi-data-lake'")
        url = self.endpoint_url
        if url is not None and not url.startswith(("https://", "http://")):
            raise OptionError(f"endpoint_url={url!r} is no address; write it as 'https://mirror.example.org'")
        if not 1 <= self.concurrency <= _MOST_CONNECTIONS:
            raise OptionError(f"concurrency={self.concurrency} is not between 1 and {_MOST_CONNECTIONS}; 8 to 16 do")
        if self.max_attempts < 1:
            raise OptionError(f"max_attempts={self.max_attempts} is below 1, the first try")
        if not self.read_timeout > 0:
            raise OptionError(f"read_timeout={self.read_timeout:g} is no time in seconds")

    @property
    def place(self) -> str:
        """Who is asked, for messages."""
        return f"the store at {self.endpoint_url}" if self.endpoint_url else "S3"

    def uri(self, name: str = "") -> str:
        """Return how messages name an object or a folder."""
        return f"s3://{self.bucket}/{name}"


@dataclass(frozen=True, slots=True)
class Entry:
    """What a listing says of an object: its key, its ETag without quotes, its length [bytes]."""

    key: str
    etag: str
    size: int

    @property
    def name(self) -> str:
        """The last part of its key."""
        return self.key.rpartition("/")[2]


class Bucket:
    """The requests that the plug makes.

    Parameters
    ----------
    store : Store
        What is asked.
    cache : Cache, optional
        Where objects are kept.
    """

    def __init__(self, store: Store, cache: Cache | None) -> None:
        self.store = store
        self.cache = cache
        self._client = _make_client(store)

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def entries(self, prefix: str, *, at_most: int | None = None) -> list[Entry]:
        """Return the objects below a prefix; where `at_most` is given, those of one request."""
        pages = self._pages(Prefix=prefix) if at_most is None else [self._page(Prefix=prefix, MaxKeys=at_most)]
        return [
            Entry(found["Key"], found.get("ETag", "").strip('"'), int(found["Size"]))
            for page in pages
            for found in page.get("Contents", ())
            if not found["Key"].endswith("/")  # what consoles make for folders
        ]

    def first_entries(self, prefix: str, at_most: int) -> tuple[list[Entry], bool]:
        """Return the objects of one request, and whether these are all."""
        entries = self.entries(prefix, at_most=at_most + 1)
        return entries[:at_most], len(entries) <= at_most

    def folders(self, prefix: str) -> list[str]:
        """Return the names of the folders right below a prefix, without the slash."""
        found = (f for page in self._pages(Prefix=prefix, Delimiter="/") for f in page.get("CommonPrefixes", ()))
        return [folder["Prefix"].removeprefix(prefix).rstrip("/") for folder in found]

    def open(self, entry: Entry, *, in_parts: bool = False) -> RemoteFile:
        """Return an object as a binary file, one stream or asked for in parts."""
        return RemoteFile(self._origin(entry), in_parts=in_parts)

    def head(self, entry: Entry, size: int) -> bytes:
        """Return the first bytes of an object."""
        with self.open(entry, in_parts=True) as file:
            return file.read(size)

    def read(self, entry: Entry) -> bytes:
        """Return an object, from the cache where it is there."""
        return self.kept(entry, "", lambda: self._whole(entry))

    def kept(self, entry: Entry, what: str, make: Callable[[], bytes]) -> bytes:
        """Return what was made of a version of an object, from the cache where it is there."""
        if self.cache is None:
            return make()
        name = f"{self.store.bucket}/{entry.key}?{entry.etag}#{what}"
        content = self.cache.get(name)
        if content is None:
            content = make()
            self.cache.put(name, content)
        return content

    def map(self, work: Callable[[Entry], _T], entries: Iterable[Entry]) -> list[_T]:
        """Return what `work` makes of each, many at once; the first failure ends it."""
        with ThreadPoolExecutor(self.store.concurrency, thread_name_prefix="pvdaq") as pool:
            futures = [pool.submit(work, entry) for entry in entries]
            try:
                return [future.result() for future in futures]
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _whole(self, entry: Entry) -> bytes:
        with self.open(entry) as file:
            return file.read()

    def _origin(self, entry: Entry) -> Origin:
        from botocore.exceptions import HTTPClientError, IncompleteReadError

        def fetch(start: int, stop: int | None, _: str) -> Part | None:
            last = "" if stop is None else str(stop - 1)
            return self._part(entry, {"Range": f"bytes={start}-{last}"} if start or last else {})

        return Origin(
            name=self.store.uri(entry.key),
            fetch=fetch,
            breaks=(HTTPClientError, IncompleteReadError),
            max_attempts=self.store.max_attempts,
            advice="check the network, or try again later",
            context={"bucket": self.store.bucket, "object_key": entry.key},
        )

    def _part(self, entry: Entry, stretch: dict[str, str]) -> Part | None:
        with asking(self.store, to_be="read", name=entry.key):
            try:
                answer = self._client.get_object(Bucket=self.store.bucket, Key=entry.key, **stretch)
            except self._client.exceptions.ClientError as error:
                if error.response["Error"]["Code"] in ("InvalidRange", "416"):
                    return None
                raise
        said = _RANGE.fullmatch(answer.get("ContentRange", ""))
        start, size = (int(said[1]), int(said[2])) if said else (0, answer["ContentLength"])
        return Part(body=answer["Body"], start=start, size=size, version=answer["ETag"])

    def _pages(self, **more: Any) -> Iterator[Any]:
        pages = iter(self._client.get_paginator("list_objects_v2").paginate(Bucket=self.store.bucket, **more))
        while True:
            with asking(self.store, to_be="listed", name=more["Prefix"]):
                page = next(pages, None)
            if page is None:
                return
            yield page

    def _page(self, **more: Any) -> Any:
        with asking(self.store, to_be="listed", name=more["Prefix"]):
            return self._client.list_objects_v2(Bucket=self.store.bucket, **more)


def _make_client(store: Store) -> Any:
    from botocore import UNSIGNED
    from botocore.config import Config

    # An address that the environment gives is meant for other buckets. (Apart, as botocore's stubs do not know it.)
    no_detour: dict[str, Any] = {"ignore_configured_endpoint_urls": True}
    config = Config(
        signature_version=UNSIGNED,
        connect_timeout=_CONNECT_TIMEOUT,
        read_timeout=store.read_timeout,
        max_pool_connections=store.concurrency,
        retries={"mode": "standard", "total_max_attempts": store.max_attempts},
        tcp_keepalive=True,
        user_agent_extra="sdt-dask",
        **no_detour,
    )
    with _making:
        try:
            return _session().client("s3", region_name=store.region, endpoint_url=store.endpoint_url, config=config)
        except ValueError as error:  # how botocore refuses an address or a region
            raise OptionError(f"no client for S3 can be made: {error}; check endpoint_url and region") from error


@functools.cache
def _session() -> Any:
    """Return the session of this process: making one reads and parses a megabyte of descriptions of S3."""
    import boto3.session
    import botocore.session

    # A profile that this machine has not, or a broken file of AWS's, must not stop requests that carry no credentials.
    nothing = dict.fromkeys(("profile", "config_file", "credentials_file"), (None, None, None, None))
    return boto3.session.Session(botocore_session=botocore.session.Session(session_vars=nothing))


def _forget_lock() -> None:
    """Start anew in a forked process: the lock may be held by a thread of its parent."""
    global _making  # noqa: PLW0603 - a lock cannot be told to be free
    _making = threading.Lock()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_forget_lock)
