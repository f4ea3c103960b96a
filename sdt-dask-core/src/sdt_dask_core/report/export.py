"""A run as a file: one of its tables, or all of it as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sdt_dask_core.errors import ConfigurationError
from sdt_dask_core.options import did_you_mean
from sdt_dask_core.report.described import TABLES, described
from sdt_dask_core.report.files import exported, write_table
from sdt_dask_core.report.run_json import write_run_json

if TYPE_CHECKING:
    import pandas as pd

    from sdt_dask_core.run import Run

__all__ = ["export_run", "table_of_run"]


def export_run(run: Run, path: Path | str, what: str = "results") -> Path:
    """Write a table of a run, or the whole run as JSON; see `Run.export`."""
    path = Path(path)
    if path.suffix != ".json":
        return write_table(table_of_run(run, what), path, described(what, run.columns))
    if what != "results":
        raise ConfigurationError(
            f"cannot export {what} to {str(path)!r}: JSON holds the whole run, errors and grades too; leave out "
            f"--what {what}, or write .csv, .parquet or .xlsx"
        )
    with exported(path) as temporary:
        write_run_json(run, temporary)
    return path


def table_of_run(run: Run, what: str) -> pd.DataFrame:
    """Return a table of a run, every column of it a column.

    Raises
    ------
    ConfigurationError
        There is no such table.
    """
    if what not in TABLES:
        raise ConfigurationError(
            f"there is no table {what!r}{did_you_mean(what, TABLES)}; a run has {', '.join(TABLES)}"
        )
    table: pd.DataFrame = getattr(run, what)
    return table.reset_index() if what == "summary" else table
