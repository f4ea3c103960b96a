"""Which tables there are below the prefix, page by page, and what the pages said of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from sdt_dask_core.errors import SdtDaskError
from sdt_dask_core.tables import EXTENSIONS

if TYPE_CHECKING:
    from sdt_dask_plug_s3.bucket import Bucket, Entry
    from sdt_dask_plug_s3.place import Place

__all__ = ["PAGE", "Listing"]

#: Objects that one request lists at most.
PAGE = 1000

# A page costs what 12 to 13 HEADs cost, and the time of a few: where no key of it is asked for, little is lost.
_HEADS = 20
_WILDCARD = re.compile(r"[*?[]")


@dataclass
class Listing:
    """The tables below a prefix.

    Parameters
    ----------
    place : Place
        The bucket and the folder in it.
    pattern : str
        Only objects whose name below the folder, with or without its extension, matches this glob.

    Attributes
    ----------
    fingerprints : dict
        By name, of the objects that were listed; no part of what tells one listing from another.
    """

    place: Place
    pattern: str
    fingerprints: dict[str, str] = field(default_factory=dict, repr=False, compare=False)
    _n_heads: int = field(default=0, init=False, repr=False, compare=False)

    @property
    def prefix(self) -> str:
        """What the keys of all these tables begin with: the folder, and the pattern up to its first wildcard."""
        return self.place.prefix + _WILDCARD.split(self.pattern, maxsplit=1)[0]

    def names(self, bucket: Bucket) -> Iterator[str]:
        """Yield the names of the tables in the order of the store, and remember their fingerprints."""
        for page in bucket.pages(self.prefix):
            for entry in page:
                name = self.name_of(entry)
                if name:
                    self.fingerprints[name] = entry.fingerprint
                    yield name

    def fingerprint(self, name: str, bucket: Bucket) -> str:
        """Return the fingerprint of an object: the one that was listed, else that of a HEAD.

        Where many keys were not listed, as those of a manifest, each twentieth is also asked for the page of the
        listing behind it: in the order of the store, in which manifests mostly are, that tells the next thousand.

        Raises
        ------
        KeyNotFoundError, AccessDeniedError, SourceUnavailableError
            There is no such object, or it cannot be asked for.
        """
        if name in self.fingerprints:
            return self.fingerprints[name]
        entry = bucket.head(self.place.object_key(name))
        self._n_heads += 1
        if self._n_heads % _HEADS == 0:
            self._look_behind(entry.key, bucket)
        return entry.fingerprint

    def _look_behind(self, key: str, bucket: Bucket) -> None:
        with suppress(SdtDaskError):  # whoever may not list still may read
            entries, _ = bucket.first_page(self.place.prefix, at_most=PAGE, after=key)
            self.fingerprints.update((e.key.removeprefix(self.place.prefix), e.fingerprint) for e in entries)

    def name_of(self, entry: Entry) -> str:
        """Return the name of a table below the folder; nothing for what is no table, is hidden or does not match."""
        name = entry.key.removeprefix(self.place.prefix)
        extension = next((e for e in EXTENSIONS if name.lower().endswith(e)), "")
        if not extension or not self.place.is_below(name) or any(part.startswith(".") for part in name.split("/")):
            return ""  # also the empty objects that consoles make for folders: they end in "/"
        bare = name[: -len(extension)]
        return name if fnmatchcase(name, self.pattern) or fnmatchcase(bare, self.pattern) else ""
