"""``run``, ``plan``, ``resume`` and ``retry``."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sdt_dask_core.cli.asked import (
    Asked,
    allow_mismatch_option,
    limit_options,
    output_argument,
    output_folder,
    run_options,
)
from sdt_dask_core.cli.text import clean, count, first_keys, line, quoted_command
from sdt_dask_core.pace import duration

if TYPE_CHECKING:
    from sdt_dask_core.costs import Estimate
    from sdt_dask_core.ledger import PlannedTask
    from sdt_dask_core.progress import Progress
    from sdt_dask_core.run import Run
    from sdt_dask_core.settings import RunSettings

    Observer = Callable[[Progress], None]

__all__ = ["plan_command", "resume_command", "retry_command", "run_command"]

_force_option = click.option("--force", is_flag=True, help="Also systems whose data and options are unchanged.")
_no_report_option = click.option("--no-report", is_flag=True, help="Do not write the report.")
_watch_option = click.option(
    "--watch", is_flag=True, help="Serve the fleet's page on this machine while it runs; its address is said."
)
_quiet_option = click.option("-q", "--quiet", is_flag=True, help="No progress and no results; errors still.")


@click.command("run")
@run_options
@_force_option
@_no_report_option
@_watch_option
@_quiet_option
def run_command(force: bool, no_report: bool, watch: bool, quiet: bool, **asked: Any) -> int:
    """Analyse the systems that are new or changed.

    FOLDER is a folder of your own with a dataplug.py; without it, name an installed plug:

      sdt-dask run --plug csv -p path=data -p units=kW
    """
    given = Asked(**asked)

    def work(observe: Observer | None) -> Run:
        return given.tool().execute(given.wanted_keys(), force=force, observe=observe, report=False)

    return _done(work, output_folder(given.output, given.config), no_report=no_report, watch=watch, quiet=quiet)


@click.command("resume")
@output_argument
@limit_options
@allow_mismatch_option
@_no_report_option
@_watch_option
@_quiet_option
def resume_command(output: str | None, config: str | None, quiet: bool, **more: Any) -> int:
    """Go on with the newest run in OUTPUT, with the settings that it had.

    OUTPUT is the output folder of the run, by default that of sdt-dask.toml, else results.
    """
    return _continue(output_folder(output, config), retry_failed=False, quiet=quiet, **more)


@click.command("retry")
@output_argument
@limit_options
@allow_mismatch_option
@_no_report_option
@_watch_option
@_quiet_option
def retry_command(output: str | None, config: str | None, quiet: bool, **more: Any) -> int:
    """Try the failed systems of the newest run in OUTPUT again, and do what is missing of it.

    OUTPUT is the output folder of the run, by default that of sdt-dask.toml, else results.
    """
    return _continue(output_folder(output, config), retry_failed=True, quiet=quiet, **more)


@click.command("plan")
@run_options
@_force_option
@click.option("--json", "as_json", is_flag=True, help="As JSON, with every key.")
def plan_command(force: bool, as_json: bool, **asked: Any) -> int:
    """Show what `run` with the same options would do, and why. No cluster is started and nothing is written."""
    from sdt_dask_core.cli.tables import say_json
    from sdt_dask_core.due import by_word

    given = Asked(**asked)
    with redirect_stdout(sys.stderr):  # what the plug prints is no part of the plan
        tool = given.tool()
        plan = tool.plan(given.wanted_keys(), force=force)
    estimate = tool.estimate(plan)
    groups = _by_reason(plan.tasks)
    reasons = {reason: len(tasks) for reason, tasks in groups.items()}
    if as_json:
        keys = {reason: [json.loads(task.key) for task in tasks] for reason, tasks in groups.items()}
        say_json(
            {
                "run": len(plan.todo),
                "total": len(plan.tasks),
                "reasons": by_word(reasons),
                "seconds_per_key": estimate.seconds_per_key,
                "seconds_per_key_measured_on": estimate.n_measured,
                "expected_by": plan.expected_by,
                "peak_memory_mb": estimate.peak_mb,
                "estimated_cost_usd": estimate.dollars,
                "max_cost_usd": tool.settings.limits.max_cost,
                "keys": keys,
            }
        )
        return 0
    click.echo(f"{len(plan.todo)} of {count(len(plan.tasks), 'system')} would run")
    for reason, tasks in groups.items():
        first = first_keys([task.key for task in tasks])
        click.echo(f"  {line(_sentence(tasks[0], reason))}: {len(tasks)} ({first})")
    if plan.todo:
        _say_estimate(estimate, plan.expected_by, tool.settings)
    return 0


def _done(work: Callable[[Observer | None], Run], output: Path, *, no_report: bool, watch: bool, quiet: bool) -> int:
    """Let a run be worked off while it is watched, report it, and say what came out; return the exit code."""
    from sdt_dask_core.cli.outcome import say_outcome
    from sdt_dask_core.cli.progress import watching
    from sdt_dask_core.ending import reported
    from sdt_dask_core.live import live_view

    with contextlib.ExitStack() as opened:
        live = opened.enter_context(live_view(output, _say_live)) if watch else None
        with watching(quiet=quiet) as observe:
            run = work(_all_of(observe, live.observe if live else None))
        reported(run, wanted=not no_report)
        if live:
            live.ended(run)
    if not quiet:
        say_outcome(run)
    return run.exit_code


def _all_of(*observers: Observer | None) -> Observer | None:
    wanted = [observer for observer in observers if observer is not None]

    def observe(progress: Progress) -> None:
        for observer in wanted:
            observer(progress)

    return observe if wanted else None


def _say_live(address: str) -> None:
    with contextlib.suppress(OSError):  # a terminal that was closed ends no run
        click.echo(f"live view: {clean(address)}", err=True)


def _continue(
    output: Path, *, retry_failed: bool, no_report: bool, watch: bool, quiet: bool, allow_mismatch: bool, **given: Any
) -> int:
    from sdt_dask_core.limits import Limits
    from sdt_dask_core.run import Run
    from sdt_dask_core.session import continue_run

    limits = Limits.given(**given)
    counts = Run(output).counts
    if not quiet and not counts.get("todo") and not (retry_failed and counts.get("failed")):
        what = "to do or failed" if retry_failed else "to do"
        click.echo(clean(f"nothing is {what} in {output}"), err=True)
        if counts.get("failed"):
            click.echo(clean(f"to try what failed again: {quoted_command('retry', output)}"), err=True)

    def work(observe: Observer | None) -> Run:
        again = {"retry_failed": retry_failed, "allow_mismatch": allow_mismatch}
        return Run(output, continue_run(output, observe=observe, limits=limits, **again))

    return _done(work, output, no_report=no_report, watch=watch, quiet=quiet)


def _by_reason(tasks: Sequence[PlannedTask]) -> dict[str, list[PlannedTask]]:
    groups: dict[str, list[PlannedTask]] = {}
    for task in tasks:
        groups.setdefault(task.reason, []).append(task)
    return groups


def _sentence(task: PlannedTask, reason: str) -> str:
    return f"run, {reason}" if task.state == "todo" else f"skip, {reason}"


# By the words of `sdt_dask_core.expected`.
_SAID_BY = {"last time": "by its own last time", "size": "by its size", "mean": "by the mean"}


def _say_estimate(estimate: Estimate, expected_by: Mapping[str, int], settings: RunSettings) -> None:
    """Say what the keys would take and cost, and what that rests on; nothing that nobody knows."""
    from sdt_dask_core.costs import dollars

    seconds = f"{estimate.seconds_per_key:.3g} s a system"
    assumed = ""
    if estimate.n_measured:
        basis = ", ".join(f"{number} {_SAID_BY[by]}" for by, number in expected_by.items())
        click.echo(
            f"computing: about {duration(estimate.n_keys * estimate.seconds_per_key)} on one core "
            f"({seconds}: {basis}; measured on {estimate.n_measured} done here before)"
        )
    else:
        click.echo("computing: not known, as no system was done here with these analyses")
        assumed = f"; assumed is {seconds}, {estimate.basis}"
    if estimate.peak_mb:
        click.echo(f"memory: up to {estimate.peak_mb:.0f} MiB for each process that computes, as measured on them")
    if estimate.dollars is None:
        return
    limit = settings.limits.max_cost
    note = "" if limit is None or estimate.dollars <= limit else f", more than the {dollars(limit)} of --max-cost"
    said = f"cost: about {dollars(estimate.dollars)} US dollars, says client {settings.client.name!r}{note}{assumed}"
    click.echo(line(said))
