"""Whether two ranges of versions meet."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from packaging.specifiers import SpecifierSet
from packaging.version import Version

__all__ = ["ranges_meet"]

_FAR = Version("999999999")


def ranges_meet(*ranges: SpecifierSet) -> bool:
    """Tell whether any version that one could think of is in all ranges; whether there is such a release is not told.

    Every boundary is tried, and one version between it and whatever comes next on either side.
    """
    together = SpecifierSet(",".join(str(part) for part in ranges if str(part)))
    return any(together.contains(version, prereleases=True) for version in _probes(together))


def _probes(together: Iterable[object]) -> Iterator[Version]:
    yield Version("0")
    yield _FAR
    for specifier in together:
        text = str(getattr(specifier, "version", "")).removesuffix(".*")
        boundary = Version(text)
        yield boundary
        yield from _beside(boundary)


def _beside(boundary: Version) -> Iterator[Version]:
    release = boundary.release
    epoch = f"{boundary.epoch}!" if boundary.epoch else ""
    for size in range(1, len(release) + 1):
        head = release[:size]
        higher = (*head[:-1], head[-1] + 1)
        lower = (*head[:-1], head[-1] - 1, 999999) if head[-1] else ()
        for numbers in filter(None, (higher, lower)):
            yield Version(epoch + ".".join(map(str, numbers)))
    yield Version(f"{epoch}{'.'.join(map(str, itertools.chain(release, (0, 1))))}")
    yield Version(f"{boundary.public}.post999999" if not boundary.is_postrelease else boundary.public)
