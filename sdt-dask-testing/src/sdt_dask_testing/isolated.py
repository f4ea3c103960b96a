"""An isolated registry: for as long as it is open, only what a test adds is installed."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any
from unittest import mock

import importlib_metadata

from sdt_dask_core import registry
from sdt_dask_core.registry import GROUPS, Provider, find_provider

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["IsolatedRegistry"]


class IsolatedRegistry:
    """A context in which this process finds only the providers that were added.

    It holds for whatever asks the registry by name in this process: `sdt_dask_core.SDTDask`, `refer_to`,
    `find_provider`. Processes that are started see what is really installed, so a run gets its plug as a class.

    Examples
    --------
    >>> from sdt_dask_core.plug import Plug
    >>> from sdt_dask_core.registry import installed_providers
    >>> class AcmePlug(Plug):
    ...     def get_data(self, key): ...
    >>> with IsolatedRegistry() as registry:
    ...     provider = registry.add("plug", "acme", AcmePlug)
    ...     [found.name for found in installed_providers()]
    ['acme']
    """

    def __init__(self) -> None:
        self._distributions: list[Any] = []
        self._modules: list[str] = []
        self._patch: Any = None

    def __enter__(self) -> Self:
        facade = mock.Mock(wraps=importlib_metadata, distributions=self._found)
        self._patch = mock.patch.object(registry, "importlib_metadata", facade)
        self._patch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._patch.stop()
        for name in self._modules:
            sys.modules.pop(name, None)

    def add(
        self,
        kind: str,
        name: str,
        cls: Any,
        *,
        distribution: str = "",
        version: str = "1.0",
        requires: Iterable[str] = (),
    ) -> Provider:
        """Add a provider; return it as the registry lists it.

        Parameters
        ----------
        kind : str
            "plug", "client", "analysis", "publisher" or "addon".
        name : str
            Name of its entry point.
        cls : type
            The class, which may be a local one; anything else is what a broken entry point would name.
        distribution, version : str
            Of the distribution that offers it; by default ``NAME-KIND`` and 1.0.
        requires : iterable of str
            Its requirements, held against what is really installed.
        """
        distribution = distribution or f"{name}-{kind}"
        module = f"sdt_dask_isolated_{len(self._modules)}_{kind}_{name}".replace("-", "_")
        attribute = getattr(cls, "__name__", "thing")
        self._make_module(module, attribute, cls)
        entry_points = f"[{GROUPS[kind]}]\n{name} = {module}:{attribute}\n"
        self._distributions.append(_InMemory(distribution, version, entry_points, tuple(requires)))
        return next(p for p in registry.installed_providers(kind) if p.value == f"{module}:{attribute}")

    def keep(self, distribution: str) -> None:
        """Let a distribution that is really installed be found too, such as ``"sdt-dask-core"`` with its analyses."""
        self._distributions.append(importlib_metadata.distribution(distribution))

    def load(self, kind: str, name: str) -> type:
        """Return the class of a provider as a run would load it.

        Raises
        ------
        ConfigurationError
            There is none of that name, or it breaks the contract.
        """
        return registry.load_class(find_provider(kind, name))

    def _found(self) -> Iterator[Any]:
        return iter(list(self._distributions))

    def _make_module(self, name: str, attribute: str, cls: Any) -> None:
        module = ModuleType(name)
        module.__spec__ = ModuleSpec(name, loader=None)  # without one the registry takes it for missing
        setattr(module, attribute, cls)
        sys.modules[name] = module
        self._modules.append(name)


class _InMemory(importlib_metadata.Distribution):
    """A distribution without files."""

    def __init__(self, name: str, version: str, entry_points: str, requires: tuple[str, ...]) -> None:
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        self._texts = {
            "METADATA": "\n".join([*lines, *(f"Requires-Dist: {text}" for text in requires), ""]),
            "entry_points.txt": entry_points,
        }

    def read_text(self, filename: Any) -> str | None:
        return self._texts.get(str(filename))

    def locate_file(self, path: Any) -> Any:
        raise FileNotFoundError(f"{path}: this distribution has no files")
