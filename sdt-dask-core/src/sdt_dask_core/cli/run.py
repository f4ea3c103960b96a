"""``run``, ``plan``, ``resume`` and ``retry``."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sdt_dask_core.cli.asked import Asked, output_argument, output_folder, run_options
from sdt_dask_core.cli.text import clean, count, duration, line, quoted_command

if TYPE_CHECKING:
    from sdt_dask_core.api import SDTDask
    from sdt_dask_core.ledger import PlannedTask
    from sdt_dask_core.run import Run

__all__ = ["plan_command", "resume_command", "retry_command", "run_command"]

_FIRST_KEYS = 5
_SECONDS_PER_KEY = 15.0  # pipeline and losses of a system with two to three years at 15 min, on one core

_force_option = click.option("--force", is_flag=True, help="Also systems whose data and options are unchanged.")
_quiet_option = click.option("-q", "--quiet", is_flag=True, help="No progress and no results; errors still.")


@click.command("run")
@run_options
@_force_option
@_quiet_option
def run_command(force: bool, quiet: bool, **asked: Any) -> int:
    """Analyse the systems that are new or changed.

    FOLDER is a folder of your own with a dataplug.py; without it, name an installed plug:

      sdt-dask run --plug csv -p path=data -p units=kW
    """
    from sdt_dask_core.cli.progress import watching

    given = Asked(**asked)
    with watching(quiet=quiet) as observe:
        done = given.tool().execute(given.wanted_keys(), force=force, observe=observe)
    return _finish(done, quiet=quiet)


@click.command("resume")
@output_argument
@_quiet_option
def resume_command(output: str | None, config: str | None, quiet: bool) -> int:
    """Go on with the newest run in OUTPUT, with the settings that it had.

    OUTPUT is the output folder of the run, by default that of sdt-dask.toml, else results.
    """
    return _continue(output_folder(output, config), retry_failed=False, quiet=quiet)


@click.command("retry")
@output_argument
@_quiet_option
def retry_command(output: str | None, config: str | None, quiet: bool) -> int:
    """Try the failed systems of the newest run in OUTPUT again, and do what is missing of it.

    OUTPUT is the output folder of the run, by default that of sdt-dask.toml, else results.
    """
    return _continue(output_folder(output, config), retry_failed=True, quiet=quiet)


@click.command("plan")
@run_options
@_force_option
@click.option("--json", "as_json", is_flag=True, help="As JSON, with every key.")
def plan_command(force: bool, as_json: bool, **asked: Any) -> int:
    """Show what `run` with the same options would do, and why. No cluster is started and nothing is written."""
    from sdt_dask_core.cli.tables import say_json

    given = Asked(**asked)
    with redirect_stdout(sys.stderr):  # what the plug prints is no part of the plan
        tool = given.tool()
        plan = tool.plan(given.wanted_keys(), force=force)
    seconds, is_measured = _seconds_per_key(tool.output)
    cost = _cost(tool, len(plan.todo), seconds)
    groups = _by_reason(plan.tasks)
    if as_json:
        keys = {reason: [json.loads(task.key) for task in tasks] for reason, tasks in groups.items()}
        say_json({"run": len(plan.todo), "total": len(plan.tasks), "estimated_cost_usd": cost, "keys": keys})
        return 0
    click.echo(f"{len(plan.todo)} of {count(len(plan.tasks), 'system')} would run")
    for reason, tasks in groups.items():
        click.echo(f"  {line(_sentence(tasks[0], reason))}: {len(tasks)} ({_first_keys(tasks)})")
    if plan.todo:
        basis = "as in earlier runs here" if is_measured else "a guess"
        click.echo(f"computing: about {duration(len(plan.todo) * seconds)} on one core ({seconds:.0f} s each, {basis})")
    if cost is not None:
        click.echo(f"cost: about {cost:.2f} US dollars, says client {tool.settings.client.name!r}")
    return 0


def _finish(run: Run, *, quiet: bool) -> int:
    from sdt_dask_core.cli.outcome import say_outcome

    if not quiet:
        say_outcome(run)
    return run.exit_code


def _continue(output: Path, *, retry_failed: bool, quiet: bool) -> int:
    from sdt_dask_core.cli.progress import watching
    from sdt_dask_core.run import Run
    from sdt_dask_core.session import continue_run

    counts = Run(output).counts
    if not quiet and not counts.get("todo") and not (retry_failed and counts.get("failed")):
        what = "to do or failed" if retry_failed else "to do"
        click.echo(clean(f"nothing is {what} in {output}"), err=True)
        if counts.get("failed"):
            click.echo(clean(f"to try what failed again: {quoted_command('retry', output)}"), err=True)
    with watching(quiet=quiet) as observe:
        run_id = continue_run(output, retry_failed=retry_failed, observe=observe)
    return _finish(Run(output, run_id), quiet=quiet)


def _by_reason(tasks: Sequence[PlannedTask]) -> dict[str, list[PlannedTask]]:
    groups: dict[str, list[PlannedTask]] = {}
    for task in tasks:
        groups.setdefault(task.reason, []).append(task)
    return groups


def _sentence(task: PlannedTask, reason: str) -> str:
    return f"run, {reason}" if task.state == "todo" else f"skip, {reason}"


def _first_keys(tasks: Sequence[PlannedTask]) -> str:
    from sdt_dask_core.keys import key_label

    first = ", ".join(line(key_label(task.key)) for task in tasks[:_FIRST_KEYS])
    return f"{first}, …" if len(tasks) > _FIRST_KEYS else first


def _seconds_per_key(output: Path) -> tuple[float, bool]:
    """Return the computing time of one key, from the newest run here where there is one."""
    from sdt_dask_core.errors import LedgerError
    from sdt_dask_core.run import Run

    try:
        rows = Run(output).rows
    except LedgerError:
        return _SECONDS_PER_KEY, False
    times = [sum(row["body"]["seconds"].values()) for row in rows if row["status"] == "done" and row["body"]]
    return (sum(times) / len(times), True) if times else (_SECONDS_PER_KEY, False)


def _cost(tool: SDTDask, n_keys: int, seconds: float) -> float | None:
    from sdt_dask_core.contract import HookManager

    manager = HookManager()
    manager.register(tool.settings.client.build())
    try:
        cost: float | None = manager.hook.estimate_cost(n_keys=n_keys, seconds_per_key=seconds)
    finally:
        manager.hook.close()
    return cost
