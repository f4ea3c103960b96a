"""The bytes of one object as `sdt_dask_core.remote` reads them: what an answer of S3 says of them.

Not `pyarrow.fs.S3FileSystem`: it finds credentials in ways of its own, knows no requester who pays, and would be a
second client with other retries and other errors.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sdt_dask_core.errors import DataFormatError
from sdt_dask_core.remote import Origin, Part
from sdt_dask_plug_s3.refusals import asking

if TYPE_CHECKING:
    from sdt_dask_plug_s3.bucket import Bucket
    from sdt_dask_plug_s3.place import Place

__all__ = ["object_origin"]

_RANGE = re.compile(r"bytes (?P<start>\d+)-\d+/(?P<total>\d+|\*)")
_PACKED = ("br", "zstd", "compress", "deflate")


def object_origin(bucket: Bucket, key: str) -> Origin:
    """Return where the bytes of an object come from.

    Parameters
    ----------
    bucket : Bucket
        Makes the requests.
    key : str
        The object.
    """
    from botocore.exceptions import HTTPClientError, IncompleteReadError
    from urllib3.exceptions import HTTPError

    place = bucket.place

    def fetch(start: int, stop: int | None, version: str) -> Part | None:
        last = "" if stop is None else str(stop - 1)
        stretch = f"bytes={start}-{last}" if start or last else None
        response = bucket.get(key, stretch=stretch, etag=version)
        return None if response is None else _part(response, place, key)

    return Origin(
        name=place.uri(key),
        fetch=fetch,
        breaks=(HTTPClientError, IncompleteReadError, HTTPError, OSError),
        max_attempts=place.access.max_attempts,
        advice="try again later, or set max_attempts or read_timeout higher",
        context={"bucket": place.bucket, "object_key": key},
    )


@dataclass(frozen=True, slots=True)
class _Body:
    """The body of an answer, which botocore holds against the checksum of the object at its end."""

    stream: Any
    place: Place
    key: str

    def read(self, size: int, /) -> bytes:
        from botocore.exceptions import FlexibleChecksumError

        try:
            data: bytes = self.stream.read(size)
        except FlexibleChecksumError:
            with asking(self.place, to_be="read", key=self.key):
                raise
        return data

    def close(self) -> None:
        self.stream.close()


def _part(response: Any, place: Place, key: str) -> Part:
    body = _Body(response["Body"], place, key)
    encoding = response.get("ContentEncoding", "").strip().lower()
    if encoding in _PACKED:
        body.close()
        raise DataFormatError(f"{place.uri(key)} has the Content-Encoding {encoding!r}; store it plain or as gzip")
    start, size = _place_of(response)
    return Part(body=body, start=start, size=size, version=response.get("ETag", ""))


def _place_of(response: Any) -> tuple[int, int | None]:
    """Return the first byte of an answer, and the length of the whole object where the answer tells it."""
    said = _RANGE.fullmatch(response.get("ContentRange", ""))
    if said is None:
        return 0, response.get("ContentLength")
    return int(said["start"]), int(said["total"]) if said["total"].isdigit() else None
