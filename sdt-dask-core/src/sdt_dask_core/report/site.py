"""The report of a run as a folder of pages that open from the disk, made from the ledger alone."""

from __future__ import annotations

import datetime as dt
import shlex
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sdt_dask_core.errors import ConfigurationError
from sdt_dask_core.ledger import LedgerReader
from sdt_dask_core.report.figures_of_fleet import said
from sdt_dask_core.report.fleet import distributions, failures, headline, loss_factors, provenance
from sdt_dask_core.report.fleet_map import fleet_map, land
from sdt_dask_core.report.fleet_table import COLUMNS, as_script, fleet_table, worst_first
from sdt_dask_core.report.html import render
from sdt_dask_core.report.system_page import SystemPages
from sdt_dask_core.system_result import SystemResult
from sdt_dask_core.whole_file import write_whole

if TYPE_CHECKING:
    from sdt_dask_core.run import Run

__all__ = ["FOLDER", "PAGES", "fleet_page", "page_of", "write_report"]

#: Name of the folder in the output folder.
FOLDER = "report"
#: Name of the folder in that with the pages of systems.
PAGES = "systems"
_HEAD = 2048  # bytes of a page in which it says of which run it is


def write_report(
    run: Run, folder: Path | None = None, *, formats: Iterable[str] = (), seconds: float | None = None
) -> Path:
    """Write the page of the fleet and a page for each system; return the address of the first.

    Parameters
    ----------
    run : Run
        The run.
    folder : path, optional
        Where to; default ``report`` in the output folder.
    formats : iterable of str
        "svg" or "pdf": the six panels of each system also as such a file.
    seconds : float, optional
        How long pages of systems may be drawn, those first that need attention; default, as long as it takes.

    Raises
    ------
    ConfigurationError
        The folder cannot be written.
    """
    folder = folder or run.output / FOLDER
    formats = tuple(formats)
    for kind in formats:
        if kind not in ("svg", "pdf"):
            raise ConfigurationError(f"a page cannot be written as {kind!r}; choose svg or pdf, it is a PNG anyway")
    try:
        return _write(run, folder, formats, seconds)
    except OSError as error:
        raise ConfigurationError(
            f"the report cannot be written to {folder}: {error.strerror or error}; make room or choose another folder"
        ) from error


def page_of(run: Run) -> Path | None:
    """Return the first page of the report in the output folder, None where it is not of this run as it is now."""
    index = run.output / FOLDER / "index.html"
    if run.ended_at is None or not index.is_file():
        return None
    ended = dt.datetime.fromisoformat(run.ended_at).timestamp()
    with index.open("rb") as file:
        is_of_run = f'content="{run.run_id}"'.encode() in file.read(_HEAD)
    return index if is_of_run and index.stat().st_mtime >= ended else None


def _write(run: Run, folder: Path, formats: Sequence[str], seconds: float | None) -> Path:
    (folder / PAGES).mkdir(parents=True, exist_ok=True)
    systems = [SystemResult(row, run.columns, fleet_median=run.fleet_median) for row in run.rows]
    with LedgerReader(run.output) as ledger:
        origins = ledger.origins(run.run_id)
        pages = SystemPages(run, ledger, folder / PAGES, formats=formats, origins=origins)
        made = _make_pages(pages, worst_first(systems), seconds)
    addresses = {key: f"{PAGES}/{name}" for key, name in made.items()}
    index = folder / "index.html"
    write_whole(index, fleet_page(run, systems, addresses, origins))
    return index


def _make_pages(pages: SystemPages, systems: Sequence[SystemResult], seconds: float | None) -> dict[str, str]:
    """Make as many pages as there is time for, and keep what holds; return the name of each by its system's key."""
    end = None if seconds is None else time.monotonic() + seconds
    made = {}
    for system in systems:
        name = pages.make(system, may_draw=end is None or time.monotonic() < end)
        if name is not None:
            made[system.key] = name
    pages.sweep(set(made.values()))
    return made


def fleet_page(
    run: Run,
    systems: Sequence[SystemResult],
    pages: dict[str, str],
    origins: dict[str, dict[str, Any]],
    *,
    live: bool = False,
) -> str:
    """Return the page of the fleet.

    Parameters
    ----------
    run : Run
        The run.
    systems : sequence of SystemResult
        All of its systems.
    pages : dict
        The address of a system's page by its key, of those that have one.
    origins : dict
        As `LedgerReader.origins` returns it.
    live : bool
        Whether the page is served while the run goes on, and follows it.
    """
    from markupsafe import Markup

    table = fleet_table(systems, pages)
    grades = headline(systems)
    about = {"numbers": len(COLUMNS), "grades": [[grade, sign] for grade, _, sign, _ in grades]}
    output = shlex.quote(str(run.output))
    places = ((origins.get(system.key, {}).get("metadata", {}), system.grade) for system in systems)
    return render(
        "fleet.html",
        live=live,
        run=run,
        ended=run.ended_at and run.ended_at[:16].replace("T", " ") + " UTC",
        headline=run.headline,
        n_systems=len(systems),
        grades=grades,
        distributions=distributions(run, systems),
        loss_factors=loss_factors(run),
        said=said,
        failures=failures(systems, pages),
        retry=f"sdt-dask retry {output}",
        again=f"sdt-dask report {output}",
        patterns=table.patterns,
        table=table,
        unlinked=len(systems) - len(pages),
        columns=COLUMNS,
        map=fleet_map(places),
        land=land(),
        provenance=provenance(run),
        rows=Markup(table.text),  # noqa: S704 - as_script made it safe
        about=Markup(as_script(about)),  # noqa: S704 - as above
    )
