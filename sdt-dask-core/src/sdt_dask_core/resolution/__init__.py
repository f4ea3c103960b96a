"""Would these distributions install beside what is here, or in a new worker image? uv or pip say; nothing changes."""

from sdt_dask_core.resolution.answer import Answer, Change
from sdt_dask_core.resolution.check import check
from sdt_dask_core.resolution.conflict import Conflict
from sdt_dask_core.resolution.needs import Need

__all__ = ["Answer", "Change", "Conflict", "Need", "check"]
