"""The registry: which plugs, clients, analyses and addons are installed, and what is wrong with each.

Listing reads metadata alone: no provider is imported, so none can break or slow the listing. Loading imports the one
that was asked for.
"""

from __future__ import annotations

import functools
import importlib.util
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.machinery import PathFinder
from typing import Any

import importlib_metadata
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from sdt_dask_core.errors import BrokenProviderError, UnknownProviderError

__all__ = [
    "GROUPS",
    "YOURS",
    "Provider",
    "find_provider",
    "installed_providers",
    "load_class",
    "offered_twice",
    "unmet_requirement",
]

logger = logging.getLogger(__name__)

#: Entry-point group of each kind of provider.
GROUPS = {
    "plug": "sdt_dask.plugs",
    "client": "sdt_dask.clients",
    "analysis": "sdt_dask.analyses",
    "publisher": "sdt_dask.publishers",
    "addon": "sdt_dask.addons",
}


#: Stands for the distribution of a class that the caller gave, which no entry point names.
YOURS = "(yours)"


@dataclass(frozen=True, slots=True)
class Provider:
    """One installed provider, as its metadata tell.

    Attributes
    ----------
    kind : str
        "plug", "client", "analysis", "publisher" or "addon".
    name : str
        Name of the entry point, by which a run picks it.
    value : str
        ``module:Class``.
    distribution, version : str
        What to blame, upgrade or uninstall.
    problems : tuple of str
        What is wrong, one sentence each; empty when all is well as far as metadata tell.
    """

    kind: str
    name: str
    value: str
    distribution: str
    version: str
    problems: tuple[str, ...] = ()


def installed_providers(*kinds: str) -> list[Provider]:
    """List the installed providers of these kinds (default: all), by kind and name, without importing any."""
    wanted = list(kinds or GROUPS)
    found = sorted(_providers(wanted), key=lambda p: (wanted.index(p.kind), p.name, p.distribution))
    counts = Counter((provider.kind, provider.name) for provider in found)
    return [_with_duplicate_problem(provider, found, counts) for provider in found]


def _providers(kinds: list[str]) -> Iterator[Provider]:
    kind_of = {GROUPS[kind]: kind for kind in kinds}
    seen = set()
    version_of = functools.cache(importlib_metadata.version)  # for one listing: what is installed may change
    for distribution in importlib_metadata.distributions():
        entry_points = [e for e in _entry_points(distribution) if e.group in kind_of]
        if not entry_points:
            continue
        name, version, problem = _identity(distribution)
        if canonicalize_name(name) in seen:
            continue  # hidden by one of the same name, earlier on the path
        seen.add(canonicalize_name(name))
        for entry_point in entry_points:
            problems = (problem,) if problem else tuple(_metadata_problems(entry_point, distribution, version_of))
            yield Provider(kind_of[entry_point.group], entry_point.name, entry_point.value, name, version, problems)


def _entry_points(distribution: Any) -> list[Any]:
    # One by one, because importlib_metadata.entry_points() raises for all when those of one cannot be read.
    try:
        return list(distribution.entry_points)
    except Exception as error:  # noqa: BLE001 - whatever a stranger's file holds
        name, version, _ = _identity(distribution)
        logger.warning("%s %s is left out: its entry points cannot be read: %s; reinstall it", name, version, error)
        return []


def _identity(distribution: Any) -> tuple[str, str, str]:
    """Return name and version, and what is wrong with the metadata that should hold them."""
    try:
        return distribution.name, distribution.version, ""
    except Exception as error:  # noqa: BLE001 - a distribution that was uninstalled by halves
        folder = getattr(getattr(distribution, "_path", None), "name", "unknown")
        return folder, "unknown", f"its metadata cannot be read ({str(error).strip()}); reinstall the distribution"


def _metadata_problems(entry_point: Any, distribution: Any, version_of: Callable[[str], str]) -> Iterator[str]:
    module, _, attribute = entry_point.value.partition(":")
    if not attribute:
        yield f"its entry point {entry_point.value!r} names no class; write 'module:Class'"
    if not _module_exists(module.strip()):
        yield f"its module {module.strip()!r} is not there; reinstall the distribution"
    for requirement in distribution.requires or []:
        problem = unmet_requirement(requirement, version_of=version_of)
        if problem:
            yield problem


def _module_exists(module: str) -> bool:
    """Look for a module without importing it nor its parents."""
    top, *rest = module.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return False
    path = top
    for part in rest:
        if spec is None or spec.submodule_search_locations is None:
            return False
        path = f"{path}.{part}"
        spec = PathFinder.find_spec(path, list(spec.submodule_search_locations))
    return spec is not None


def unmet_requirement(text: str, *, version_of: Callable[[str], str] = importlib_metadata.version) -> str | None:
    """Return a sentence when a requirement is not met by what is installed, naming package, range and version found.

    Parameters
    ----------
    text : str
        A requirement as in a distribution's metadata or a line of ``requirements.txt``.
    version_of : callable
        Returns the installed version of a distribution, or raises.
    """
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        return f"the requirement {text!r} cannot be read: {error}"
    if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
        return None
    wanted = f"{requirement.name}{requirement.specifier}"
    try:
        found = version_of(requirement.name)
    except Exception:  # noqa: BLE001 - PackageNotFoundError, or one uninstalled by halves
        return f"it needs {wanted}, which is not installed; pip install '{wanted}'"
    if requirement.specifier.contains(found, prereleases=True):
        return None
    return f"it needs {wanted}, but {requirement.name} {found} is installed; pip install '{wanted}'"


def offered_twice(name: str, others: Iterable[str]) -> str:
    """Return the sentence on a name that other distributions offer, too."""
    return f"the name {name!r} is also offered by {', '.join(others)}; uninstall all but one"


def _with_duplicate_problem(provider: Provider, found: list[Provider], counts: Counter[tuple[str, str]]) -> Provider:
    if counts[provider.kind, provider.name] == 1:
        return provider
    others = sorted(
        other.distribution
        for other in found
        if (other.kind, other.name) == (provider.kind, provider.name) and other is not provider
    )
    problem = offered_twice(provider.name, others)
    return Provider(
        provider.kind,
        provider.name,
        provider.value,
        provider.distribution,
        provider.version,
        (*provider.problems, problem),
    )


def find_provider(kind: str, name: str) -> Provider:
    """Return the installed provider of that kind and name.

    Raises
    ------
    UnknownProviderError
        None of that name; the message names the installed ones and the nearest.
    BrokenProviderError
        Its metadata already tell that it cannot work.
    """
    providers = installed_providers(kind)
    matching = [provider for provider in providers if provider.name == name]
    if not matching:
        from sdt_dask_core.options import did_you_mean

        names = sorted({provider.name for provider in providers})
        raise UnknownProviderError(
            f"unknown {kind} {name!r}; installed: {', '.join(names) or 'none'}{did_you_mean(name, names)}; "
            f"if it exists: pip install sdt-dask-{kind}-{name}"
        )
    provider = matching[0]
    if provider.problems:
        raise BrokenProviderError(
            f"{kind} {name!r} of {provider.distribution} {provider.version} cannot be used: "
            + "; ".join(provider.problems)
        )
    return provider


def load_class(provider: Provider) -> type:
    """Import a provider's class and hold it against the contract.

    Raises
    ------
    BrokenProviderError
        It cannot be imported or breaks the contract; the message names its distribution and version.
    """
    from sdt_dask_core.contract import validate_class  # with pluggy, which a listing does not need

    module, _, attribute = provider.value.partition(":")
    blame = f"{provider.kind} {provider.name!r} of {provider.distribution} {provider.version}"
    try:
        loaded: Any = importlib.import_module(module.strip())
        for part in attribute.strip().split("."):
            loaded = getattr(loaded, part)
    except (Exception, SystemExit) as error:  # whatever a stranger's module raises
        raise BrokenProviderError(
            f"{blame} cannot be imported: {type(error).__name__}: {error}; reinstall or upgrade {provider.distribution}"
        ) from error
    entry_point = "" if provider.distribution == YOURS else provider.name
    return validate_class(provider.kind, loaded, blame=blame, entry_point=entry_point)
