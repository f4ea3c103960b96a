"""``report``: the pages of a run."""

from __future__ import annotations

import click

from sdt_dask_core.cli.asked import output_argument, output_folder
from sdt_dask_core.cli.text import clean

__all__ = ["report_command"]


@click.command("report")
@output_argument
@click.option("--run", "run_id", metavar="ID", help="This run.  [default: the newest]")
@click.option("--to", "folder", metavar="FOLDER", help="Where to write it.  [default: report, in OUTPUT]")
@click.option(
    "--format",
    "formats",
    type=click.Choice(["svg", "pdf"]),
    multiple=True,
    help="The figures of each system also as such a file, repeatable.",
)
def report_command(
    output: str | None, config: str | None, run_id: str | None, folder: str | None, formats: tuple[str, ...]
) -> int:
    """Write the report of a run: a page of the fleet and one of each system, which open from the disk.

    OUTPUT is the output folder of the run, by default that of sdt-dask.toml, else results. Everything comes from its
    ledger; pages of systems that did not change are kept.
    """
    from sdt_dask_core.run import Run

    page = Run(output_folder(output, config), run_id).report(folder, formats=formats)
    click.echo(clean(f"report: {page}"))
    return 0
