"""The conflict behind a refusal: the package, and the two distributions whose ranges of it do not meet.

A tool's own account names too much or too little, and blames others for the versions that we hold. So the requirements
are followed here, from what was asked for down to the first package on which two of them cannot agree, each taken from
the metadata of one distribution at one version, and the tool is asked only whether a release would serve both.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from sdt_dask_core.resolution.installed import Distribution, Installed
from sdt_dask_core.resolution.needs import HERE, Ground, Need, needs_of
from sdt_dask_core.resolution.ranges import ranges_meet
from sdt_dask_core.resolution.releases import Releases

__all__ = ["Conflict", "Search"]

_CORE = "sdt-dask-core"
_DEEPEST = 30
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two needs that no release serves.

    Attributes
    ----------
    package : str
        What both need.
    left : Need
        What leads there from what was asked for.
    right : Need or None
        What stands against it; None when no release serves even the left.
    versions : tuple of (str, str) or None
        The oldest and the newest with a wheel for this Python, looked up where none of them serves the left.
    is_left_served : bool
        Whether any release serves the left alone.
    """

    package: str
    left: Need
    right: Need | None
    versions: tuple[str, str] | None = None
    is_left_served: bool = True


class Search:
    """Follows what was asked for down to a conflict.

    Parameters
    ----------
    releases : Releases
        What there is to choose from.
    ground : Ground
        What is there already.
    asked : iterable of Need
        What was asked for.
    at_hand : Mapping
        What need not be looked for.
    sources : mapping of str to str
        By key, what to hand to the tool for what has an address: ``name @ file:///…``.
    free : iterable of str
        Keys of what may change, so that its own needs count no longer.
    """

    def __init__(
        self,
        releases: Releases,
        ground: Ground,
        asked: Iterable[Need],
        *,
        at_hand: Installed,
        sources: dict[str, str],
        free: Iterable[str] = (),
    ) -> None:
        self._releases = releases
        self._ground = ground
        self._asked = list(asked)
        self._at_hand = at_hand
        self._sources = sources
        self._free = set(free)
        self._needs: dict[str, list[Need]] = {}
        self._done: set[str] = set()
        #: Keys of what is there and would have to move for what was followed so far.
        self.moved: set[str] = set()

    def find(self, said: str = "") -> Conflict | None:
        """Return the first conflict; None when there is none on the way of the newest releases.

        Parameters
        ----------
        said : str
            The tool's account; what it names is followed first.
        """
        named = {canonicalize_name(word) for word in _NAME.findall(said)}
        level = self._asked
        for _ in range(_DEEPEST):
            for need in level:
                self._needs.setdefault(need.key, []).append(need)
            for key in dict.fromkeys(need.key for need in level):
                if conflict := self._clash(key):
                    return conflict
            pending = [key for key in self._needs if key not in self._done and self._must_follow(key)]
            found = self._follow([key for key in pending if key in named] or pending)
            if isinstance(found, Conflict):
                return found
            if not pending:
                return None
            level = [need for distribution in found for need in self._needs_of(distribution)]
        return None

    def _follow(self, keys: list[str]) -> list[Distribution] | Conflict:
        """Return a release of each package that its needs allow, in this order."""
        self._done.update(keys)
        found = {key: self._at_hand[key] for key in keys if self._serves(self._at_hand.get(key))}
        newest = self._newest([key for key in keys if key not in found])
        if isinstance(newest, Conflict):
            return newest
        for distribution in newest:
            if not distribution.is_for_this_python:
                return Conflict(distribution.name, self._needs[distribution.key][0], None, is_left_served=False)
            found[distribution.key] = distribution
        return [found[key] for key in keys if key in found]

    def _needs_of(self, distribution: Distribution) -> list[Need]:
        first, *more = self._needs[distribution.key]
        extras = first.extras.union(*(need.extras for need in more))
        return needs_of(distribution, extras=extras, chain=(*first.chain, (distribution.name, distribution.version)))

    def _must_follow(self, key: str) -> bool:
        """Tell whether a package brings needs that are not met here already."""
        found = self._ground.installed.get(key)
        if self._serves(found) and key not in self._free:
            return any(need.extras for need in self._needs[key])
        if found is not None and key not in self._free:
            self.moved.add(key)
        return True

    def _serves(self, found: Distribution | None) -> bool:
        return (
            found is not None
            and found.key not in self._sources
            and all(need.specifier.contains(found.version, prereleases=True) for need in self._needs[found.key])
        )

    def _clash(self, key: str) -> Conflict | None:
        asked = self._needs[key]
        if key == _CORE and (conflict := self._missing_core(asked)):
            return conflict
        others = [need for need in self._ground.needs_on(key) if self._counts(need)]
        for number, left in enumerate(asked):
            for right in [*asked[number + 1 :], *others]:
                if left.chain != right.chain and not ranges_meet(left.specifier, right.specifier):
                    return self._conflict(left, right)
        return None

    def _missing_core(self, asked: list[Need]) -> Conflict | None:
        """Name the core that is here, where no index has one that would do; what else needs it matters less."""
        here = self._ground.installed.get(_CORE)
        for left in asked if here else ():
            if here and not left.specifier.contains(here.version, prereleases=True):
                right = Need(here.name, SpecifierSet(f"=={here.version}"), ((here.name, here.version),), HERE)
                if not (conflict := self._conflict(left, right)).is_left_served:
                    return conflict
        return None

    def _counts(self, need: Need) -> bool:
        return need.origin != HERE or canonicalize_name(need.chain[-1][0]) not in self._free

    def _conflict(self, left: Need, right: Need | None) -> Conflict:
        is_served = self._is_served(left.key, left.specifier)
        versions = None if is_served else self._releases.versions(left.package)
        if versions and any(left.specifier.contains(version, prereleases=True) for version in versions):
            versions = None  # pip lists also what is for another Python
        return Conflict(left.package, left, right, versions, is_served)

    def _is_served(self, key: str, *ranges: SpecifierSet) -> bool:
        return self._releases.exists(_line(key, *ranges))

    def _newest(self, keys: list[str]) -> list[Distribution] | Conflict:
        lines = {key: self._wanted(key) for key in keys}
        newest = self._releases.newest(lines.values())
        for key, line in lines.items():
            if newest[line] is None and (conflict := self._unserved(key)):
                return conflict
        return [distribution for distribution in newest.values() if distribution is not None]

    def _wanted(self, key: str) -> str:
        asked = self._needs[key]
        if key in self._sources:
            return self._sources[key]
        others = self._ground.needs_on(key)
        ranges = [need.specifier for need in (*asked, *(need for need in others if self._counts(need)))]
        return _line(key, *ranges)

    def _unserved(self, key: str) -> Conflict | None:
        """Find out why no release serves all needs of a package, although the ranges meet."""
        asked = self._needs[key]
        for left in asked:
            if not self._is_served(key, left.specifier):
                return self._conflict(left, None)
        others = [*asked, *(need for need in self._ground.needs_on(key) if self._counts(need))]
        for left in asked:
            for right in others:
                if left is not right and not self._is_served(key, left.specifier, right.specifier):
                    return self._conflict(left, right)
        return None


def _line(key: str, *ranges: SpecifierSet) -> str:
    return key + ",".join(dict.fromkeys(str(part) for part in ranges if str(part)))
