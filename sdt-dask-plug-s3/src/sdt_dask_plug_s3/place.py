"""Where the objects are: a bucket, a folder in it, and the names of objects below. No name leads out of the folder."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sdt_dask_core.errors import AccessDeniedError, KeyNotFoundError, OptionError

if TYPE_CHECKING:
    from sdt_dask_plug_s3.access import Access

__all__ = ["Place"]

_URL = re.compile(r"s3[an]?://(?P<bucket>[^/]*)/?(?P<prefix>.*)", re.IGNORECASE)
_NO_PART = frozenset(("", ".", ".."))


@dataclass(frozen=True, slots=True)
class Place:
    """A folder of a bucket.

    Parameters
    ----------
    bucket : str
        Name of the bucket, or the ARN of an access point.
    prefix : str
        The folder; empty for all of the bucket. It is kept with a ``/`` at its end.
    access : Access
        How the store is reached.
    requester_pays : bool
        Whether we pay for the requests.

    Raises
    ------
    OptionError
        No bucket has that name, or the prefix is no folder.
    """

    bucket: str
    prefix: str
    access: Access
    requester_pays: bool = False

    def __post_init__(self) -> None:
        _check_bucket(self.bucket)
        folder = self.prefix.strip("/")
        if folder and _NO_PART & set(folder.split("/")):
            raise OptionError(
                f"prefix={self.prefix!r} is no folder of a bucket; write it as 'fleet/2020', with no empty parts, "
                "'.' or '..'",
                option="prefix",
            )
        object.__setattr__(self, "prefix", f"{folder}/" if folder else "")

    def object_key(self, name: str) -> str:
        """Return the key of the object that a name means.

        Raises
        ------
        AccessDeniedError
            The name could lead out of the folder.
        KeyNotFoundError
            No object can have that name.
        """
        if "\0" in name or not self.is_below(name):
            raise AccessDeniedError(
                f"the key {name!r} leaves {self.uri()} or is no plain name; write the name of the object below the "
                "prefix with '/' between its parts, such as 'north/site_17.csv'"
            )
        try:
            name.encode()
        except UnicodeEncodeError as error:
            raise KeyNotFoundError(
                f"there is no {name!r} in {self.uri()}: the names of objects are UTF-8 text, and this is none"
            ) from error
        return f"{self.prefix}{name}"

    @staticmethod
    def is_below(name: str) -> bool:
        """Tell whether a name stays below the folder: no empty part, no ``.`` and no ``..``."""
        return not _NO_PART & set(name.split("/"))

    def uri(self, key: str | None = None) -> str:
        """Return how messages name an object, or the folder."""
        return f"s3://{self.bucket}/{self.prefix if key is None else key}"


def _check_bucket(bucket: str) -> None:
    url = _URL.fullmatch(bucket)
    if url:
        raise OptionError(
            f"bucket={bucket!r} is an address; give its parts: bucket={url['bucket']} prefix={url['prefix']}",
            option="bucket",
        )
    if not bucket or ("/" in bucket and not bucket.startswith("arn:")):
        raise OptionError(f"bucket={bucket!r} is no name of a bucket; folders in it go into prefix", option="bucket")
