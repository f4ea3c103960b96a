"""The doctor: what is wrong with an environment, and the command that mends it."""

from sdt_dask_core.doctor.cluster import Cluster
from sdt_dask_core.doctor.examination import Page, examine
from sdt_dask_core.doctor.finding import ERROR, WARNING, Finding

__all__ = ["ERROR", "WARNING", "Cluster", "Finding", "Page", "examine"]
