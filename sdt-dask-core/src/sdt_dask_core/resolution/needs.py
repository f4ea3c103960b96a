"""Who needs what: the requirements on one package, each with the distributions that lead to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from sdt_dask_core.resolution.installed import Distribution, Installed, is_met

__all__ = ["ASKED", "HELD", "HERE", "Ground", "Need", "needs_of", "roots_of"]

#: Where a need comes from: what was asked for, what is here, or that workers must have what the driver has.
ASKED, HERE, HELD = "asked", "installed", "workers"


@dataclass(frozen=True, slots=True)
class Need:
    """One requirement on one package.

    Attributes
    ----------
    package : str
        Name of the package.
    specifier : packaging.specifiers.SpecifierSet
        The versions that will do.
    chain : tuple of (str, str)
        Name and version of the distributions that lead to it, the one that has it last; empty when the user has it.
    origin : str
        `ASKED`, `HERE` or `HELD`.
    extras : frozenset of str
        The extras of the package that it wants.
    """

    package: str
    specifier: SpecifierSet
    chain: tuple[tuple[str, str], ...] = ()
    origin: str = ASKED
    extras: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        """The package's name as indexes compare it."""
        return canonicalize_name(self.package)

    @property
    def range(self) -> str:
        """The package with the versions that will do, as a requirement is written."""
        return f"{self.package}{self.specifier}"


def needs_of(distribution: Distribution, *, extras: Iterable[str], chain: tuple[tuple[str, str], ...]) -> list[Need]:
    """Return what a distribution needs; `chain` leads to it and ends with it."""
    return [
        Need(requirement.name, requirement.specifier, chain, ASKED, frozenset(requirement.extras))
        for requirement in distribution.needs(extras)
    ]


class Ground:
    """What is there already, and what of it stays as it is.

    Parameters
    ----------
    installed : Mapping
        What is there.
    roots : iterable of str
        Keys of what chains begin with, the ones that matter most first.
    held : mapping of str to str
        Versions, by key, that must not be others.
    """

    def __init__(self, installed: Installed, roots: Iterable[str], held: Mapping[str, str]) -> None:
        self._chains = dict(_chains(installed, roots))
        #: What the roots lead to.
        self.installed = {key: installed[key] for key in self._chains}
        self._held = dict(held)

    def needs_on(self, key: str) -> list[Need]:
        """Return what is needed of a package by what is there, the shortest chains first, and then its held version."""
        found = []
        for owner, chain in self._chains.items():
            for requirement in self.installed[owner].needs():
                if canonicalize_name(requirement.name) != key or not requirement.specifier:
                    continue
                # What is broken already is no reason against anything.
                if key not in self.installed or is_met(requirement, self.installed):
                    found.append(Need(requirement.name, requirement.specifier, chain, HERE))
        found.sort(key=lambda need: len(need.chain))
        return [*found, *self._held_at(key)]

    def _held_at(self, key: str) -> Iterator[Need]:
        if key in self._held and key in self.installed:
            name, version = self.installed[key].name, self._held[key]
            yield Need(name, SpecifierSet(f"=={version}"), ((name, version),), HELD)


def _chains(installed: Installed, roots: Iterable[str]) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    """Walk from the roots; yield each distribution with the shortest chain that leads to it."""
    waiting: list[tuple[str, tuple[tuple[str, str], ...]]] = [
        (key, ((installed[key].name, installed[key].version),)) for key in dict.fromkeys(roots)
    ]
    seen = {key for key, _ in waiting}
    while waiting:
        level, waiting = waiting, []
        for key, chain in level:
            yield key, chain
            for requirement in installed[key].needs():
                needed = canonicalize_name(requirement.name)
                if needed in installed and needed not in seen:
                    seen.add(needed)
                    found = installed[needed]
                    waiting.append((needed, (*chain, (found.name, found.version))))


def roots_of(installed: Installed) -> list[str]:
    """Return what nothing else here requires: the core and the providers, Solar Data Tools, then the others."""
    required = {canonicalize_name(need.name) for one in installed.values() for need in one.needs()}
    tops = [key for key in installed if key not in required]
    providers = sorted(
        (key for key, one in installed.items() if one.is_provider), key=lambda key: key != "sdt-dask-core"
    )
    roots = [*providers, *(["solar-data-tools"] if "solar-data-tools" in installed else []), *tops]
    reached = dict(_chains(installed, roots))
    # Those that require each other in a ring.
    return [*roots, *(key for key in installed if key not in reached)]
