"""Agreement: every process of a cluster has what the run needs, from its first worker to the last one that joins."""

from sdt_dask_core.agreement.asking import explain_failure
from sdt_dask_core.agreement.newcomers import Newcomers
from sdt_dask_core.agreement.reach import Agreement

__all__ = ["Agreement", "Newcomers", "explain_failure"]
