"""For authors of SDT Dask plugs and clients: the conformance kit, and synthetic PV systems with known truth."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sdt_dask_testing.bad import all_missing_system, constant_system, garbage_system
    from sdt_dask_testing.client_contract import ClientContract, PlainClientContract
    from sdt_dask_testing.faulty import FaultyPlug
    from sdt_dask_testing.files import write_fleet
    from sdt_dask_testing.isolated import IsolatedRegistry
    from sdt_dask_testing.plug_contract import PlainPlugContract, PlugContract
    from sdt_dask_testing.publisher_contract import PublisherContract
    from sdt_dask_testing.spec import SystemSpec, SystemTruth
    from sdt_dask_testing.synthetic import SyntheticSystem, synthetic_fleet, synthetic_system

__all__ = [
    "ClientContract",
    "FaultyPlug",
    "IsolatedRegistry",
    "PlainClientContract",
    "PlainPlugContract",
    "PlugContract",
    "PublisherContract",
    "SyntheticSystem",
    "SystemSpec",
    "SystemTruth",
    "all_missing_system",
    "constant_system",
    "garbage_system",
    "synthetic_fleet",
    "synthetic_system",
    "write_fleet",
]

_HOMES = {
    **dict.fromkeys(("ClientContract", "PlainClientContract"), "client_contract"),
    **dict.fromkeys(("PlainPlugContract", "PlugContract"), "plug_contract"),
    **dict.fromkeys(("SystemSpec", "SystemTruth"), "spec"),
    **dict.fromkeys(("SyntheticSystem", "synthetic_fleet", "synthetic_system"), "synthetic"),
    **dict.fromkeys(("all_missing_system", "constant_system", "garbage_system"), "bad"),
    "FaultyPlug": "faulty",
    "IsolatedRegistry": "isolated",
    "PublisherContract": "publisher_contract",
    "write_fleet": "files",
}


def __getattr__(name: str) -> Any:
    # Names are looked up when they are used: pytest imports this package in every project that has it installed.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
