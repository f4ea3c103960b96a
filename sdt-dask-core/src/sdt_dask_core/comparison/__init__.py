"""Two runs held against each other: what is new, gone, fixed or broken, and which numbers moved.

Effective rows are compared: a system that a run skipped counts with the outcome that it still held then.
"""

from sdt_dask_core.comparison.change import Change, Kind
from sdt_dask_core.comparison.comparing import compare_runs
from sdt_dask_core.comparison.comparison import Comparison

__all__ = ["Change", "Comparison", "Kind", "compare_runs"]
