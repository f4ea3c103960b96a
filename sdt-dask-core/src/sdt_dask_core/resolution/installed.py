"""The distributions of an environment with what each requires, as their metadata tell."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import importlib_metadata
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from sdt_dask_core.registry import GROUPS

__all__ = ["Distribution", "Installed", "is_met", "read_distribution", "read_installed"]


@dataclass(frozen=True, slots=True)
class Distribution:
    """One distribution at one version.

    Attributes
    ----------
    name, version : str
        As its metadata write them.
    requires : tuple of packaging.requirements.Requirement
        All that it requires, those of its extras too.
    extras : tuple of str
        The extras that it offers.
    requires_python : str
        The range of Pythons that it is for; empty for any.
    is_local : bool
        Whether it was installed from a folder or an address, so that perhaps no index has it.
    is_provider : bool
        Whether it is the core or offers a plug, client, analysis, publisher or addon.
    """

    name: str
    version: str
    requires: tuple[Requirement, ...] = ()
    extras: tuple[str, ...] = ()
    requires_python: str = ""
    is_local: bool = False
    is_provider: bool = False

    @property
    def key(self) -> str:
        """The name as indexes compare it."""
        return canonicalize_name(self.name)

    @property
    def is_for_this_python(self) -> bool:
        """Whether it says so; uv gives metadata of what is not."""
        try:
            return SpecifierSet(self.requires_python).contains(platform.python_version(), prereleases=True)
        except InvalidSpecifier:
            return True

    def needs(self, extras: Iterable[str] = ()) -> Iterator[Requirement]:
        """Iterate over what it requires on this Python, with these extras."""
        chosen = ("", *extras)
        for requirement in self.requires:
            if not requirement.marker or any(requirement.marker.evaluate({"extra": extra}) for extra in chosen):
                yield requirement


Installed = Mapping[str, Distribution]
"""What stands in an environment, by canonical name."""


def read_installed(path: Sequence[str] | None = None) -> dict[str, Distribution]:
    """Read what is installed on a path of folders, that of this process where none is given.

    What has no readable name or version is left out: no tool could hold it at a version.
    """
    found: dict[str, Distribution] = {}
    for metadata in importlib_metadata.distributions(**({} if path is None else {"path": list(path)})):
        try:
            distribution = read_distribution(metadata)
            Version(distribution.version)
        except Exception:  # noqa: BLE001, S112 - one uninstalled by halves; `sdt-dask doctor` tells it
            continue
        found.setdefault(distribution.key, distribution)  # the first on the path is the one that is imported
    return found


def read_distribution(metadata: Any) -> Distribution:
    """Read one distribution of `importlib_metadata`."""
    groups = {entry_point.group for entry_point in metadata.entry_points}
    is_provider = canonicalize_name(metadata.name) == "sdt-dask-core" or bool(groups & set(GROUPS.values()))
    return Distribution(
        name=metadata.name,
        version=metadata.version,
        requires=tuple(_requirements(metadata.requires or ())),
        extras=tuple(metadata.metadata.get_all("Provides-Extra") or ()),
        requires_python=metadata.metadata.get("Requires-Python") or "",
        is_local=metadata.read_text("direct_url.json") is not None,
        is_provider=is_provider,
    )


def _requirements(texts: Iterable[str]) -> Iterator[Requirement]:
    for text in texts:
        try:
            yield Requirement(text)
        except InvalidRequirement:
            continue  # old metadata; the tools pass it over too


def is_met(requirement: Requirement, installed: Installed) -> bool:
    """Tell whether a requirement is met by what is installed."""
    found = installed.get(canonicalize_name(requirement.name))
    try:
        return found is not None and requirement.specifier.contains(found.version, prereleases=True)
    except InvalidVersion:
        return False
