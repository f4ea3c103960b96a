"""``publish``: the results of a run, brought to where others read them."""

from __future__ import annotations

import click

from sdt_dask_core.cli.asked import output_folder, publisher_options
from sdt_dask_core.cli.failures import debug_option
from sdt_dask_core.cli.text import clean, count

__all__ = ["publish_command"]


@click.command("publish")
@click.argument("names", nargs=-1, required=True, metavar="[OUTPUT] PUBLISHER")
@publisher_options
@click.option("--run", "run_id", metavar="ID", help="This run.  [default: the newest]")
@click.option("--config", metavar="FILE", help="Run file that names the output folder.")
@debug_option
def publish_command(
    names: tuple[str, ...], publisher_options: dict[str, str], run_id: str | None, config: str | None
) -> int:
    """Bring the results of a run to PUBLISHER, each row once, however often this is repeated.

    OUTPUT is the output folder of the run, by default that of sdt-dask.toml, else results. After a failure or a kill
    the same command writes what is missing; after `retry` it replaces what changed.

    Exit codes: 1 the target failed, 2 usage or configuration.
    """
    from sdt_dask_core.run import Run

    if len(names) > 2:  # noqa: PLR2004 - OUTPUT and PUBLISHER
        raise click.UsageError(f"publish takes OUTPUT and PUBLISHER, {len(names)} names were given")
    output, publisher = (names[0], names[1]) if len(names) > 1 else (None, names[0])
    run = Run(output_folder(output, config), run_id)
    done = run.publish(publisher, publisher_options)
    n_there = done.n_chunks - done.n_written
    there = f"; {count(n_there, 'chunk')} of {done.n_chunks} unchanged since last time" if n_there else ""
    click.echo(clean(f"published {count(done.n_rows, 'row')} of run {run.run_id} by {publisher}{there}"))
    return 0
