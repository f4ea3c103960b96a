"""Synthetic PV systems with known truth, for tests of SDT Dask and of its plugs and clients."""

from sdt_dask_testing.bad import all_missing_system, constant_system, garbage_system
from sdt_dask_testing.files import write_fleet
from sdt_dask_testing.spec import SystemSpec, SystemTruth
from sdt_dask_testing.synthetic import SyntheticSystem, synthetic_fleet, synthetic_system

__all__ = [
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
