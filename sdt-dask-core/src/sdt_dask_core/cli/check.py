"""``check``, which looks before a run leaps, and ``keys``."""

from __future__ import annotations

import json
import sys
from collections.abc import Generator, Mapping
from contextlib import closing, redirect_stdout
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from sdt_dask_core.cli.asked import Asked, run_options
from sdt_dask_core.cli.failures import report_error
from sdt_dask_core.cli.text import clean, count, line, origin, quoted_command
from sdt_dask_core.errors import ConfigurationError
from sdt_dask_core.hookspecs import hookimpl
from sdt_dask_core.pace import duration

if TYPE_CHECKING:
    from sdt_dask_core.api import SDTDask
    from sdt_dask_core.keys import Key
    from sdt_dask_core.plan import SystemRow

__all__ = ["check_command", "keys_command"]

_FAILED = 1


@click.command("check")
@run_options
def check_command(**asked: Any) -> int:
    """Check options, requirements and access, then read and check the first system's data, here and now.

    Nothing is analysed and nothing is written. Takes what `run` takes; --key says which system to look at.
    """
    given = Asked(**asked)
    tool = given.tool()
    job, client = tool.settings.job, tool.settings.client
    click.echo(line(f"plug: {job.plug.name} ({origin(job.plug.distribution, job.plug.version)})"))
    click.echo(line(f"client: {client.name} ({origin(client.distribution, client.version)})"))
    click.echo(line(f"analyses: {', '.join(analysis.name for analysis in job.analyses) or 'none'}"))
    problems = tool.check()
    if problems:
        return report_error(ConfigurationError("; ".join(problems)), debug=False)
    click.echo("access: ok")
    with closing(tool.systems(given.wanted_keys())) as systems:
        first = next(systems, None)
    if first is None:
        raise ConfigurationError("there is no key to run: the source lists none; check the plug's options")
    return _look(tool, first)


@click.command("keys")
@run_options
@click.option("--limit", type=click.IntRange(min=1), help="Only the first so many.")
def keys_command(limit: int | None, **asked: Any) -> int:
    """List the keys of the systems, one a line, as --key and --keys-from take them."""
    given = Asked(**asked)
    out = sys.stdout
    with redirect_stdout(sys.stderr), closing(given.tool().systems(given.wanted_keys())) as systems:
        for system in islice(systems, limit):
            click.echo(_readable_back(system), file=out)
    return 0


def _readable_back(system: SystemRow) -> str:
    """Return a key as --keys-from reads it, in ASCII where it holds what a terminal or a line cannot."""
    from sdt_dask_core.keys import key_label

    label = key_label(system.text)
    return label if label == clean(label) and label.splitlines() == [label] else json.dumps(system.key)


def _look(tool: SDTDask, system: SystemRow) -> int:
    """Read and check one system's data as a run does; print what is found and return the exit code."""
    from dataclasses import replace

    from sdt_dask_core.keys import key_label
    from sdt_dask_core.workplace import Workplace

    click.echo(f"key: {line(key_label(system.text))}")
    place = Workplace(replace(tool.settings.job.with_plug_options(system.options), analyses=()))
    frame = _FrameUnits()
    place.hooks.register(frame)
    try:
        with redirect_stdout(sys.stderr):  # what the plug prints is none of our answers
            outcome = place.analyse_key(system.key, _metadata(place, system))
        units = frame.units or getattr(place.plug, "units", None)
    finally:
        place.close()
    if outcome.get("columns"):
        _say_frame(outcome["columns"], units, outcome["seconds"].get("read", 0.0))
    for finding in outcome.get("findings", ()):
        mark = "repaired" if finding["repaired"] else "caution"
        click.echo(f"{mark}: {line(finding['message'])} ({line(finding['code'])})")
    if outcome["status"] == "failed":
        click.echo(f"fails: {line(outcome['message'])} ({line(outcome['cause'])})")
        return _FAILED
    click.echo("this system would be analysed")
    click.echo(clean(f"what a run would do: {quoted_command('plan')} with the same options"))
    return 0


class _FrameUnits:
    """Looks, as a frame passes, what it says of its unit: that overrides what the plug says."""

    def __init__(self) -> None:
        self.units: Any = None

    @hookimpl(wrapper=True)
    def get_data(self, key: Key) -> Generator[None, Any, Any]:
        frame = yield
        self.units = getattr(frame, "attrs", {}).get("units")
        return frame


def _metadata(place: Any, system: SystemRow) -> Mapping[str, Any]:
    try:
        known = place.hooks.hook.system_metadata(key=system.key)
    except Exception as error:  # noqa: BLE001 - a run goes on without, and so does this
        click.echo(f"caution: the plug's system_metadata failed: {type(error).__name__}: {line(error)}")
        known = None
    return {**dict(known or {}), **system.metadata}


def _say_frame(columns: Mapping[str, Any], units: Any, seconds: float) -> None:
    rows = count(columns["n_timestamps"], "row")
    click.echo(
        f"data: {rows}, {columns['first_timestamp']} to {columns['last_timestamp']}, read in {duration(seconds)}"
    )
    click.echo(f"length: {columns['length_days']:.1f} days, longest gap {columns['longest_gap_days']:.1f} days")
    click.echo(
        f"sampling: {columns['sampling_interval_minutes']:g} min, {100 * columns['missing_fraction']:.1f} % missing"
    )
    click.echo(f"units: {line(units)}" if units else "units: the plug does not say; see what was found")
