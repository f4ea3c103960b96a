"""``demo``: a run over the two inverters whose data come with Solar Data Tools."""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sdt_dask_core.cli.failures import debug_option
from sdt_dask_core.cli.text import clean, quoted_command
from sdt_dask_core.errors import BrokenProviderError, ConfigurationError, UnknownProviderError

if TYPE_CHECKING:
    from sdt_dask_core.run import Run

__all__ = ["demo_command"]

_OPTIONS = {"units": "kW", "timestamps": "utc", "utc_offset": "-8"}


@click.command("demo")
@click.option("--keep", metavar="FOLDER", help="Put data and results there.  [default: a new temporary folder]")
@click.option("--losses", is_flag=True, help="Analyse the losses, too, though the data are too poor for a result.")
@debug_option
def demo_command(keep: str | None, losses: bool) -> int:
    """Run two real inverters, to see what comes out. Takes half a minute; nothing is written to this folder."""
    from sdt_dask_core.api import SDTDask
    from sdt_dask_core.cli.progress import watching
    from sdt_dask_core.registry import find_provider

    try:
        find_provider("plug", "csv")
    except UnknownProviderError:
        raise ConfigurationError("the demo reads CSV files; pip install sdt-dask-plug-csv") from None
    sources = _examples()
    folder = Path(keep).absolute() if keep else Path(tempfile.mkdtemp(prefix="sdt-dask-demo-"))
    data = _copy(sources, folder / "data")
    click.echo(clean(f"two inverters that come with Solar Data Tools, copied to {data}"))
    tool = SDTDask("csv", plug_options={"path": data, **_OPTIONS}, output=folder / "results", all_losses=losses)
    with watching(quiet=False) as observe:
        run = tool.execute(observe=observe)
    _say(run, data)
    return run.exit_code


def _examples() -> list[Path]:
    # Found, not imported: that would take seconds and pull in its own clients.
    spec = importlib.util.find_spec("sdt_dask")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        files = sorted((Path(place) / "examples" / "example_data").glob("*.csv"))
        if files:
            return files
    raise BrokenProviderError(
        "the example data of solar-data-tools are not there; pip install --force-reinstall solar-data-tools"
    )


def _copy(sources: list[Path], folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for source in sources:
            # With its time of change, so that a second demo in the same folder finds it unchanged.
            shutil.copy2(source, folder / source.name)
    except OSError as error:
        raise ConfigurationError(
            f"the demo cannot write to {folder}: {error.strerror}; choose another folder"
        ) from error
    return folder


def _say(run: Run, data: Path) -> None:
    from sdt_dask_core.cli.outcome import say_outcome, say_reasons

    say_outcome(run)
    click.echo("\nWhy they are graded so. Numbers of a system that is withheld are not shown among the results:")
    say_reasons(run)
    click.echo("\nTo try next:")
    options = [part for name, value in _OPTIONS.items() for part in ("-p", f"{name}={value}")]
    for command in (
        ("status", run.output),
        ("errors", run.output),
        ("export", run.output, run.output / "withheld.csv", "--what", "withheld"),
        ("run", "--plug", "csv", "-p", f"path={data}", *options, "-o", run.output),
    ):
        click.echo(f"  {clean(quoted_command(*command))}")
