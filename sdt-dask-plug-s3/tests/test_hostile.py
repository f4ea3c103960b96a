"""What a hostile key cannot do: name an object outside the prefix."""

from __future__ import annotations

import posixpath

from hypothesis import example, given
from hypothesis import strategies as st

from sdt_dask_core.errors import AccessDeniedError, KeyNotFoundError
from sdt_dask_plug_s3.access import Access
from sdt_dask_plug_s3.place import Place

_PARTS = st.sampled_from(
    ["..", ".", "", "a", "a.csv", "%2e%2e", "\0", "\\", "C:", "~", "..\n", "s3:", "?versionId=1", "#"]
)
_NAMES = st.one_of(st.text(max_size=300), st.lists(_PARTS, max_size=8).map("/".join))


@given(name=_NAMES, prefix=st.sampled_from(["", "fleet", "fleet/2020"]))
@example("../secret.csv", "fleet")
@example("a/../../secret.csv", "fleet")
@example("/secret.csv", "fleet")
@example("x" * 2000, "fleet")
def test_no_name_means_an_object_outside_the_prefix(name: str, prefix: str) -> None:
    place = Place("bucket", prefix, Access())
    try:
        key = place.object_key(name)
    except (AccessDeniedError, KeyNotFoundError):
        return
    # Also to a store or a proxy that takes the key for a path.
    assert posixpath.normpath(f"/{key}") == f"/{key}"
    assert key.startswith(place.prefix)


@given(name=_NAMES)
def test_what_a_listing_names_is_never_outside_the_prefix(name: str) -> None:
    from sdt_dask_plug_s3.bucket import Entry
    from sdt_dask_plug_s3.listing import Listing

    place = Place("bucket", "fleet", Access())
    found = Listing(place, "*").name_of(Entry(f"fleet/{name}.csv", "etag", 1))
    if found and "\0" not in name:  # which no XML of a store can hold
        assert place.object_key(found) == f"fleet/{name}.csv"
