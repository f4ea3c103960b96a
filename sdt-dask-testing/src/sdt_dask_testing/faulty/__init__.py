"""`FaultyPlug`: every way in which reading a key can go wrong, on purpose; and what is to become of each, `FAULTS`."""

from sdt_dask_testing.faulty.expected import BUILD_FAULTS, FAULTS, Expected
from sdt_dask_testing.faulty.plug import FaultyPlug

__all__ = ["BUILD_FAULTS", "FAULTS", "Expected", "FaultyPlug"]
