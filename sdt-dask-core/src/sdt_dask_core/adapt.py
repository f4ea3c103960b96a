"""Plain classes made into providers: the shape of Solar Data Tools' own data plugs and clients."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sdt_dask_core.contract import is_plain
from sdt_dask_core.plug import Client, Plug

if TYPE_CHECKING:
    import distributed
    import pandas as pd

    from sdt_dask_core.clusters import ClusterRecord
    from sdt_dask_core.keys import Key

__all__ = ["AdaptedClient", "AdaptedPlug", "adapted"]


class AdaptedPlug(Plug):
    """A plug made of an object that has ``get_data(self, keys)``, and any other hook under its own name.

    Parameters
    ----------
    inner : object
        The plain object; its methods are called by position, so the names of their arguments are free.
    """

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.units = getattr(inner, "units", None)
        self.max_concurrent_reads = getattr(inner, "max_concurrent_reads", None)
        self.worker_requires = getattr(inner, "worker_requires", ())

    def get_data(self, key: Key) -> pd.DataFrame:
        """Call the plain ``get_data``."""
        frame: pd.DataFrame = self.inner.get_data(key)
        return frame

    def list_keys(self) -> Iterable[Any] | None:
        """Call the plain ``list_keys`` where there is one."""
        keys: Iterable[Any] | None = _call(self.inner, "list_keys")
        return keys

    def fingerprint(self, key: Key) -> str | None:
        """Call the plain ``fingerprint`` where there is one."""
        text: str | None = _call(self.inner, "fingerprint", key)
        return text

    def data_size(self, key: Key) -> int | None:
        """Call the plain ``data_size`` where there is one."""
        size: int | None = _call(self.inner, "data_size", key)
        return size

    def system_metadata(self, key: Key) -> Mapping[str, Any] | None:
        """Call the plain ``system_metadata`` where there is one."""
        metadata: Mapping[str, Any] | None = _call(self.inner, "system_metadata", key)
        return metadata

    def local_paths(self) -> Iterable[str]:
        """Call the plain ``local_paths`` where there is one."""
        return _call(self.inner, "local_paths") or ()

    def check_access(self) -> Iterable[str]:
        """Call the plain ``check_access`` where there is one."""
        return _call(self.inner, "check_access") or ()

    def close(self) -> None:
        """Call the plain ``close`` where there is one."""
        _call(self.inner, "close")


class AdaptedClient(Client):
    """A client made of an object that has ``init_client(self)`` or ``make_client(self)``.

    Parameters
    ----------
    inner : object
        The plain object.
    """

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.shares_files = getattr(inner, "shares_files", None)

    def make_client(self) -> distributed.Client:
        """Call the plain ``make_client`` or ``init_client``."""
        make = getattr(self.inner, "make_client", None) or self.inner.init_client
        client: distributed.Client = make()
        return client

    def check_access(self) -> Iterable[str]:
        """Call the plain ``check_access`` where there is one."""
        return _call(self.inner, "check_access") or ()

    def estimate_cost(self, n_keys: int, seconds_per_key: float) -> float | None:
        """Call the plain ``estimate_cost`` where there is one."""
        dollars: float | None = _call(self.inner, "estimate_cost", n_keys, seconds_per_key)
        return dollars

    def cost_so_far(self) -> float | None:
        """Call the plain ``cost_so_far`` where there is one."""
        dollars: float | None = _call(self.inner, "cost_so_far")
        return dollars

    def list_clusters(self) -> Iterable[ClusterRecord]:
        """Call the plain ``list_clusters`` where there is one."""
        return _call(self.inner, "list_clusters") or ()

    def remove_cluster(self, name: str) -> Iterable[str]:
        """Call the plain ``remove_cluster``; without one there is no cluster of any name."""
        if not callable(getattr(self.inner, "remove_cluster", None)):
            return super().remove_cluster(name)
        return _call(self.inner, "remove_cluster", name) or ()

    def close(self) -> None:
        """Close the plain object and the cluster that it holds, where there are such."""
        for thing in (self.inner, getattr(self.inner, "cluster", None)):
            close = getattr(thing, "close", None)
            if callable(close):
                close()


def _call(inner: Any, name: str, *arguments: Any) -> Any:
    method = getattr(inner, name, None)
    return method(*arguments) if callable(method) else None


def adapted(kind: str, instance: Any) -> Any:
    """Return the instance, wrapped where its class is a plain one."""
    if not is_plain(type(instance)):
        return instance
    if kind == "plug":
        return AdaptedPlug(instance)
    return AdaptedClient(instance) if kind == "client" else instance
