"""``export``: the tables of a run as a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sdt_dask_core.cli.asked import output_folder
from sdt_dask_core.cli.failures import debug_option
from sdt_dask_core.cli.text import clean, count

if TYPE_CHECKING:
    import pandas as pd

    from sdt_dask_core.run import Run

__all__ = ["export_command"]

_TABLES = ("results", "errors", "withheld", "summary")


@click.command("export")
@click.argument("paths", nargs=-1, required=True, metavar="[OUTPUT] FILE")
@click.option("--run", "run_id", metavar="ID", help="This run.  [default: the newest]")
@click.option("--what", type=click.Choice(_TABLES), default="results", show_default=True, help="Which table.")
@click.option("--config", metavar="FILE", help="Run file that names the output folder.")
@debug_option
def export_command(paths: tuple[str, ...], run_id: str | None, what: str, config: str | None) -> int:
    """Write a table of a run to FILE; its extension, .csv or .parquet, decides the format.

    OUTPUT is the output folder of the run, by default that of sdt-dask.toml, else results.

    Tables: results, one row per system; errors, one per failed system; withheld, the numbers not to be trusted, with
    the reasons; summary, median and spread over the trusted systems.
    """
    from sdt_dask_core.report.files import write_table
    from sdt_dask_core.run import Run

    if len(paths) > 2:  # noqa: PLR2004 - OUTPUT and FILE
        raise click.UsageError(f"export takes OUTPUT and FILE, {len(paths)} paths were given")
    output, file = (paths[0], paths[1]) if len(paths) > 1 else (None, paths[0])
    table = _table(Run(output_folder(output, config), run_id), what)
    written = write_table(table, file)
    click.echo(clean(f"wrote {count(len(table), 'row')} to {written}"))
    return 0


def _table(run: Run, what: str) -> pd.DataFrame:
    table: pd.DataFrame = getattr(run, what)
    return table.reset_index() if what == "summary" else table
