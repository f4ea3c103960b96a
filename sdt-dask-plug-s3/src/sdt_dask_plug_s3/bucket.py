"""The requests: pages of a listing, the head of an object, a stretch of its bytes. Each error is one of ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sdt_dask_core.errors import KeyNotFoundError, SdtDaskError
from sdt_dask_plug_s3.refusals import asking

if TYPE_CHECKING:
    from sdt_dask_plug_s3.place import Place

__all__ = ["Bucket", "Entry"]

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Entry:
    """What a listing or a HEAD says of an object.

    Attributes
    ----------
    key : str
        Its key.
    etag : str
        Its ETag without quotes, which some stores put around it in one answer and not in another.
    size : int
        Its length [bytes].
    """

    key: str
    etag: str
    size: int

    @property
    def fingerprint(self) -> str:
        """What changes when the object does."""
        return f"{self.etag}-{self.size}"


@dataclass(frozen=True, slots=True)
class Bucket:
    """The requests that the plug makes.

    Parameters
    ----------
    place : Place
        The bucket and the folder in it.
    client : botocore S3 client
        What makes the requests.
    """

    place: Place
    client: Any

    def pages(self, prefix: str) -> Iterator[list[Entry]]:
        """Yield the pages of the listing below a prefix, each requested when it is asked for."""
        pages = iter(self.client.get_paginator("list_objects_v2").paginate(**self._named(Prefix=prefix)))
        while True:
            with asking(self.place, to_be="listed"):
                page = next(pages, None)
            if page is None:
                return
            yield [_entry(found["Key"], found) for found in page.get("Contents", ())]

    def first_page(self, prefix: str, *, at_most: int, after: str = "") -> tuple[list[Entry], bool]:
        """Return the first entries of a listing behind a key, by one request, and whether there are more."""
        begin = {"StartAfter": after} if after else {}
        with asking(self.place, to_be="listed"):
            page = self.client.list_objects_v2(**self._named(Prefix=prefix, MaxKeys=at_most, **begin))
        return [_entry(found["Key"], found) for found in page.get("Contents", ())], bool(page.get("IsTruncated"))

    def head(self, key: str) -> Entry:
        """Return what the store says of an object."""
        with asking(self.place, to_be="read", key=key):
            return _entry(key, self.client.head_object(**self._named(Key=key)))

    def get(self, key: str, *, stretch: str | None = None, etag: str = "") -> Any:
        """Return the answer to a GET, its body unread; None where the object has no such bytes.

        Parameters
        ----------
        key : str
            The object.
        stretch : str, optional
            The bytes wanted, such as ``"bytes=0-99"``; default all.
        etag : str
            The version wanted, with its quotes; default whichever there is.
        """
        wanted = {**({"Range": stretch} if stretch else {}), **({"IfMatch": etag} if etag else {})}
        with asking(self.place, to_be="read", key=key):
            try:
                return self.client.get_object(**self._named(Key=key, **wanted))
            except self.client.exceptions.ClientError as error:
                code = error.response["Error"]["Code"]
                if code == "InvalidRange":
                    return None
                near = self._near(key) if code == "NoSuchKey" else []
                if not near:
                    raise
                raise KeyNotFoundError(
                    f"{self.place.uri(key)} cannot be read: there is no such object; did you mean "
                    f"{' or '.join(map(repr, near))}? A key is the whole name below the prefix, with its extension",
                    bucket=self.place.bucket,
                    object_key=key,
                ) from error

    def _near(self, key: str) -> list[str]:
        """Return the names that begin as a key does: the extension is what is left off most often."""
        with suppress(SdtDaskError):
            entries, _ = self.first_page(f"{key}.", at_most=_SHOWN)
            return [entry.key.removeprefix(self.place.prefix) for entry in entries]
        return []

    def _named(self, **more: Any) -> dict[str, Any]:
        payer = {"RequestPayer": "requester"} if self.place.requester_pays else {}
        return {"Bucket": self.place.bucket, **payer, **more}


def _entry(key: str, said: Any) -> Entry:
    return Entry(key, said.get("ETag", "").strip('"'), int(said.get("Size", said.get("ContentLength", 0))))
