"""Requirements: those of the distributions of SDT Dask, and of everything below them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import importlib_metadata
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from sdt_dask_core.doctor import mending
from sdt_dask_core.doctor.finding import ERROR, Finding

__all__ = ["Closure", "requirement_findings"]


@dataclass(frozen=True, slots=True)
class _Unmet:
    requirer: str
    requirement: Requirement
    found: str


class Closure:
    """The requirements of some distributions and, level by level, of everything that these need.

    Parameters
    ----------
    roots : iterable of str
        Names of distributions.

    Attributes
    ----------
    seen : set of str
        Names of the distributions that were looked at.
    unmet : list
        What is missing or of a version outside the range.
    """

    def __init__(self, roots: Iterable[str]) -> None:
        self.seen: set[str] = set()
        self.unmet: list[_Unmet] = []
        self._wanted: dict[str, SpecifierSet] = {}
        self._walk([(canonicalize_name(root), "") for root in roots])

    def wanted(self, requirement: Requirement) -> str:
        """Return a requirement with the ranges of all who need the distribution."""
        if requirement.url:
            return f"{requirement.name} @ {requirement.url}"
        extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
        return f"{requirement.name}{extras}{self._wanted[canonicalize_name(requirement.name)]}"

    def _walk(self, waiting: list[tuple[str, str]]) -> None:
        """Look at distributions, each with no extra or one, and at what each needs."""
        done = set()
        while waiting:
            name, extra = node = waiting.pop()
            distribution = _installed(name)
            if node in done or distribution is None:
                continue
            done.add(node)
            self.seen.add(name)
            for requirement in _requirements(distribution, extra):
                self._hold(distribution, requirement)
                waiting += [(canonicalize_name(requirement.name), more) for more in ("", *requirement.extras)]

    def _hold(self, distribution: Any, requirement: Requirement) -> None:
        name = canonicalize_name(requirement.name)
        self._wanted[name] = self._wanted.get(name, SpecifierSet()) & requirement.specifier
        found = _installed(name)
        version = "" if found is None else found.version
        if found is None or not requirement.specifier.contains(version, prereleases=True):
            unmet = _Unmet(f"{distribution.name} {distribution.version}", requirement, version)
            if unmet not in self.unmet:
                self.unmet.append(unmet)


def _installed(name: str) -> Any:
    try:
        distribution = importlib_metadata.distribution(name)
        is_whole = bool(distribution.version)
    except Exception:  # noqa: BLE001 - PackageNotFoundError, or one uninstalled by halves
        return None
    return distribution if is_whole else None


def _requirements(distribution: Any, extra: str) -> Iterator[Requirement]:
    """Yield what a distribution needs: with an extra, only what that adds."""
    for text in distribution.requires or ():
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue  # of the days before PEP 508; pip passes over it, too
        if _is_wanted(requirement, extra):
            yield requirement


def _is_wanted(requirement: Requirement, extra: str) -> bool:
    marker = requirement.marker
    always = marker is None or marker.evaluate({"extra": ""})
    return always if not extra else not always and marker is not None and marker.evaluate({"extra": extra})


def requirement_findings(closure: Closure) -> Iterator[Finding]:
    """Yield a finding for each requirement that is not met."""
    for unmet in closure.unmet:
        name = unmet.requirement.name
        reason = f"but {name} {unmet.found} is installed" if unmet.found else "which is not installed"
        message = f"{unmet.requirer} needs {name}{unmet.requirement.specifier}, {reason}"
        yield Finding(ERROR, "requirement", message, (mending.install(closure.wanted(unmet.requirement)),))
