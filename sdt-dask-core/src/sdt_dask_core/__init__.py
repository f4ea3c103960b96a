"""Run Solar Data Tools over whole fleets of photovoltaic systems on Dask."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sdt_dask_core.analyses import Analysis, Column, Grade, System, Verdict
    from sdt_dask_core.api import SDTDask
    from sdt_dask_core.clusters import ClusterRecord
    from sdt_dask_core.comparison import Change, Comparison
    from sdt_dask_core.costs import Estimate
    from sdt_dask_core.hookspecs import API, hookimpl
    from sdt_dask_core.keys import Key
    from sdt_dask_core.plug import Client, Plug, Publisher
    from sdt_dask_core.progress import Progress, RunInfo
    from sdt_dask_core.publishing import Chunk, Publication
    from sdt_dask_core.run import Run
    from sdt_dask_core.secret import Secret
    from sdt_dask_core.system_result import SystemResult

__all__ = [
    "API",
    "Analysis",
    "Change",
    "Chunk",
    "Client",
    "ClusterRecord",
    "Column",
    "Comparison",
    "Estimate",
    "Grade",
    "Key",
    "Plug",
    "Progress",
    "Publication",
    "Publisher",
    "Run",
    "RunInfo",
    "SDTDask",
    "Secret",
    "System",
    "SystemResult",
    "Verdict",
    "hookimpl",
]

_HOMES = {
    **dict.fromkeys(("Analysis", "Column", "Grade", "System", "Verdict"), "analyses"),
    **dict.fromkeys(("API", "hookimpl"), "hookspecs"),
    **dict.fromkeys(("Client", "Plug", "Publisher"), "plug"),
    **dict.fromkeys(("Progress", "RunInfo"), "progress"),
    **dict.fromkeys(("Chunk", "Publication"), "publishing"),
    **dict.fromkeys(("Change", "Comparison"), "comparison"),
    "ClusterRecord": "clusters",
    "Estimate": "costs",
    "Key": "keys",
    "Run": "run",
    "SDTDask": "api",
    "Secret": "secret",
    "SystemResult": "system_result",
}


def __getattr__(name: str) -> Any:
    # Names are looked up when they are used, so that importing a plug does not import Dask and pandas.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
