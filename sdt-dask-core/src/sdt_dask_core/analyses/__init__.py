"""What is computed for one system, and how far each result can be trusted."""

from sdt_dask_core.analyses.base import Analysis, Column, System, order_analyses
from sdt_dask_core.analyses.grades import Grade, Verdict

__all__ = ["Analysis", "Column", "Grade", "System", "Verdict", "order_analyses"]
