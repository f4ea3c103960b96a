"""What is installed of a provider: the entry points that offer its class, and what its distribution requires."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable
from typing import Any

import importlib_metadata
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from sdt_dask_core.registry import Provider, installed_providers
from sdt_dask_testing.probe_import import MARK

__all__ = ["heavy_imports", "offered", "slowest_import"]

_HEAVY = {"dask", "distributed", "numpy", "pandas", "solardatatools"}
_IMPORT_LINE = re.compile(r"import time:\s*(\d+) \|\s*\d+ \| *(\S+)")


def offered(kind: str, cls: type) -> list[Provider]:
    """Return the installed providers whose entry point is this very class."""
    return [provider for provider in installed_providers(kind) if _is_class(provider, cls)]


def _is_class(provider: Provider, cls: type) -> bool:
    module, _, attribute = provider.value.partition(":")
    own = cls.__module__.partition(".")[0]
    if module.strip().partition(".")[0] != own and attribute.strip() != cls.__qualname__:
        return False  # a stranger's; not imported
    try:
        thing: Any = importlib.import_module(module.strip())
        for part in attribute.strip().split("."):
            thing = getattr(thing, part)
    except Exception:  # noqa: BLE001 - one that cannot be imported does not offer the class
        return False
    return thing is cls


def heavy_imports(kind: str, cls: type, modules: Iterable[str]) -> list[str]:
    """Return the heavy packages among the modules that an import loaded: those of SDT, and what it requires itself."""
    loaded = {module.partition(".")[0] for module in modules}
    return sorted(loaded & (_HEAVY | _required_packages(kind, cls)))


def _required_packages(kind: str, cls: type) -> set[str]:
    """Return the top-level packages of what the distribution of a class requires besides the core."""
    top = cls.__module__.partition(".")[0]
    packages = importlib_metadata.packages_distributions()
    names = {provider.distribution for provider in offered(kind, cls)} or set(packages.get(top, ()))
    texts = [text for name in names for text in importlib_metadata.requires(name) or ()]
    required = {canonicalize_name(r.name) for r in map(Requirement, texts) if not r.marker or r.marker.evaluate()}
    required -= {"sdt-dask-core", *map(canonicalize_name, names)}
    return {package for package, owners in packages.items() if required & {*map(canonicalize_name, owners)}} - {top}


def slowest_import(printed: str) -> str:
    """Return the module that took longest by itself, of those that Python's ``-X importtime`` lists after the core."""
    found = _IMPORT_LINE.findall(printed.partition(MARK)[2])
    if not found:
        return "unknown"
    microseconds, module = max(found, key=lambda pair: int(pair[0]))
    return f"{module} ({int(microseconds) / 1e6:.1f} s)"
