"""``doctor``: what is wrong with this environment, and the command that mends it."""

from __future__ import annotations

import shlex
import sys
import textwrap
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from sdt_dask_core.cli.failures import debug_option
from sdt_dask_core.cli.tables import say_json, say_table, width
from sdt_dask_core.cli.text import clean, count, line
from sdt_dask_core.errors import RequirementError

if TYPE_CHECKING:
    from sdt_dask_core.doctor import Cluster, Finding, Page

__all__ = ["doctor_command"]

_COLOURS = {"error": "red", "warning": "yellow"}
_MENDS = {"here": "mend", "there": "mend there"}


@click.command("doctor")
@click.option("--address", help="Also compare with a running cluster: the address of its scheduler.")
@click.option("--timeout", type=float, default=30.0, show_default=True, help="How long to wait for the scheduler [s].")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@debug_option
def doctor_command(address: str | None, timeout: float, as_json: bool) -> int:
    """Examine this environment: what is installed, what is wrong with it, and the command that mends it.

    Nothing is changed. Ends with exit code 1 where a run would fail or may fail, else with 0.
    """
    try:
        from sdt_dask_core.doctor import examine
    except ModuleNotFoundError as error:
        command = shlex.join([sys.executable, "-m", "pip", "install", "sdt-dask-core"])
        raise RequirementError(
            f"not even the doctor can start: {error}; this brings what is missing: {command}"
        ) from error
    page = examine(address, timeout=timeout)
    if as_json:
        say_json(_facts(page))
    else:
        _show(page)
    return int(page.has_errors)


def _facts(page: Page) -> dict[str, Any]:
    pairs = zip(page.providers, page.states, strict=True)
    names = ("kind", "name", "distribution", "version")
    providers = [{**{n: getattr(provider, n) for n in names}, "state": state} for provider, state in pairs]
    facts = {name: value for name, value in asdict(page).items() if name != "states"}
    return {**facts, "providers": providers}


def _show(page: Page) -> None:
    found = {name: version or "missing" for name, version in page.versions.items()}
    click.echo(f"Python {found.pop('python')}, {line(page.executable)}")
    click.echo(f"sdt-dask-core {found.pop('sdt-dask-core')}, contract API {page.api}")
    own = {provider.distribution for provider in page.providers}
    _say(", ".join(f"{name} {version}" for name, version in found.items() if name not in own))
    click.echo("")
    rows = [
        (provider.kind, provider.name, provider.distribution, provider.version, state)
        for provider, state in zip(page.providers, page.states, strict=True)
    ]
    say_table(("kind", "name", "distribution", "version", "state"), rows, wrap="distribution")
    if page.cluster is not None and page.cluster.n_workers:
        _show_cluster(page.cluster, page.versions)
    click.echo("")
    for finding in page.findings:
        _show_finding(finding)
    click.echo(_summary(page))


def _show_cluster(cluster: Cluster, here: Mapping[str, str | None]) -> None:
    from sdt_dask_core.doctor.cluster import told

    click.echo("")
    differing = {difference.name for difference in cluster.differences}
    same = [name for name, version in here.items() if version and name not in differing]
    who = f"cluster {line(cluster.address)}, {count(cluster.n_workers, 'worker')}"
    _say(f"{who}; as here: {', '.join(same) or 'nothing'}")
    rows: dict[tuple[str, str, str], list[str]] = {}
    for difference in cluster.differences:
        row = (difference.name, difference.here, difference.there or "missing")
        rows.setdefault(row, []).append(difference.where)
    if rows:
        click.echo("")
        table = [(told(cluster, where), *row) for row, where in rows.items()]
        say_table(("where", "distribution", "here", "there"), table, wrap="where")


def _show_finding(finding: Finding) -> None:
    label = click.style(finding.level, fg=_COLOURS[finding.level])
    _say(f"{label}: {line(finding.message)}")
    for number, command in enumerate(finding.commands):
        click.echo(f"  {'or' if number else _MENDS[finding.place]}: {clean(command)}")


def _say(text: str) -> None:
    """Print a text, wrapped between words where there is a terminal."""
    limit = width()
    if limit:
        text = textwrap.fill(text, limit, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False)
    click.echo(text)


def _summary(page: Page) -> str:
    levels = [finding.level for finding in page.findings]
    found = [count(levels.count(level), level) for level in ("error", "warning") if level in levels]
    looked = f"{count(len(page.providers), 'provider')}, requirements of {count(page.n_distributions, 'distribution')}"
    return f"{', '.join(found) or 'nothing to mend'} ({looked} examined)"
