"""``export``: the tables of a run as a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sdt_dask_core.cli.asked import output_folder
from sdt_dask_core.cli.failures import debug_option
from sdt_dask_core.cli.text import clean, count

if TYPE_CHECKING:
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
    """Write a table of a run to FILE; its extension decides the format: .csv, .parquet, .xlsx.

    With .json, the whole run: its versions, columns and systems, as the reference documents it.

    OUTPUT is the output folder of the run, by default that of sdt-dask.toml, else results.

    Tables: results, one row per system; errors, one per failed system; withheld, the numbers not to be trusted, with
    the reasons; summary, median and spread over the trusted systems.
    """
    from sdt_dask_core.run import Run

    if len(paths) > 2:  # noqa: PLR2004 - OUTPUT and FILE
        raise click.UsageError(f"export takes OUTPUT and FILE, {len(paths)} paths were given")
    output, file = (paths[0], paths[1]) if len(paths) > 1 else (None, paths[0])
    run = Run(output_folder(output, config), run_id)
    written = run.export(file, what)
    click.echo(clean(f"wrote {_what(run, written.suffix, what)} to {written}"))
    return 0


def _what(run: Run, suffix: str, what: str) -> str:
    return f"a run of {count(len(run.rows), 'system')}" if suffix == ".json" else count(len(getattr(run, what)), "row")
