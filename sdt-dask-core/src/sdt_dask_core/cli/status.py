"""``status`` and ``errors``: what a ledger knows, for people and as JSON."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sdt_dask_core.cli.asked import output_argument, output_folder
from sdt_dask_core.cli.tables import say_json, say_table
from sdt_dask_core.cli.text import clean, count, line, origin, quoted_command, reasons_text, vanished_text
from sdt_dask_core.pace import duration

if TYPE_CHECKING:
    from sdt_dask_core.ledger import LedgerReader, RunRow

__all__ = ["errors_command", "status_command"]

_run_option = click.option("--run", "run_id", metavar="ID", help="This run.  [default: the newest]")
_json_option = click.option("--json", "as_json", is_flag=True, help="As JSON.")


@click.command("status")
@output_argument
@_run_option
@_json_option
@click.option("--all", "all_runs", is_flag=True, help="List every run.")
def status_command(output: str | None, config: str | None, run_id: str | None, as_json: bool, all_runs: bool) -> int:
    """Show how far a run is; also while it runs, from another shell.

    OUTPUT is the output folder of the run, by default that of sdt-dask.toml, else results.
    """
    from sdt_dask_core.ledger import LedgerReader

    folder = output_folder(output, config)
    with LedgerReader(folder) as ledger:
        rows = ledger.runs() if all_runs else [ledger.run(run_id)]
        facts = [_facts(row, ledger, folder) for row in rows]
    if as_json:
        say_json(facts if all_runs else facts[0])
    elif all_runs:
        names = ("run", "state", "started", "took", *_STATES)
        say_table(names, [[fact[name] for name in names] for fact in facts])
    else:
        _say_facts(facts[0], folder)
    return 0


_STATES = ("todo", "done", "failed", "skipped")
_GRADES = ("ok", "caution", "withheld")


def _facts(row: RunRow, ledger: LedgerReader, folder: Path) -> dict[str, Any]:
    from sdt_dask_core.due import VANISHED, by_word

    counts = ledger.counts(row.run_id)
    job, client = row.settings["job"], row.settings["client"]
    reasons = ledger.reasons(row.run_id)
    state = "cut off" if row.state == "running" and _is_cut_off(row, ledger, folder) else row.state
    return {
        "run": row.run_id,
        "state": state,
        "started": row.started_at,
        "ended": row.ended_at,
        "took": _took(row) if state != "cut off" else "",
        **{state: counts.get(state, 0) for state in _STATES},
        "grades": {grade: counts.get(f"grade:{grade}", 0) for grade in _GRADES},
        "reasons": by_word(reasons),
        "run_reasons": reasons,
        "vanished": [json.loads(key) for key in ledger.keys_because(row.run_id, VANISHED)],
        "plug": {name: job["plug"][name] for name in ("name", "distribution", "version", "options")},
        "client": {name: client[name] for name in ("name", "distribution", "version", "options")},
        "analyses": [analysis["name"] for analysis in job["analyses"]],
        "versions": row.versions,
    }


def _took(row: RunRow) -> str:
    end = dt.datetime.fromisoformat(row.ended_at) if row.ended_at else dt.datetime.now(dt.timezone.utc)
    return duration((end - dt.datetime.fromisoformat(row.started_at)).total_seconds())


def _is_cut_off(row: RunRow, ledger: LedgerReader, folder: Path) -> bool:
    """Tell whether the process that wrote a running run is gone, where that can be seen from this machine."""
    from sdt_dask_core.ledger.holder import HOLDER_NAME, Holder

    # Not by taking the lock: that could turn away a run that starts at this moment.
    holder = Holder.of(folder)
    if holder:
        return holder.is_gone
    # It gave the folder back; perhaps it ended since the ledger was read.
    return not (folder / HOLDER_NAME).exists() and ledger.run(row.run_id).state == "running"


def _say_facts(facts: Mapping[str, Any], folder: Path) -> None:
    from sdt_dask_core.keys import canonical_text

    total = sum(facts[state] for state in _STATES)
    plug, client = facts["plug"], facts["client"]
    options = " ".join(f"{name}={value}" for name, value in plug["options"].items())
    state = (
        str(facts["state"]),
        f"started {facts['started'][:16].replace('T', ' ')} UTC",
        f"{'took' if facts['ended'] else 'for'} {facts['took']}" if facts["took"] else "",
    )
    lines = {
        "run": facts["run"],
        "state": ", ".join(part for part in state if part),
        "systems": f"{total}: {', '.join(f'{facts[state]} {state}' for state in _STATES if facts[state])}",
        "why": reasons_text(facts["run_reasons"]),
        "grades": ", ".join(f"{number} {grade}" for grade, number in facts["grades"].items()),
        "plug": f"{plug['name']} ({origin(plug['distribution'], plug['version'])}) {options}",
        "client": f"{client['name']} ({origin(client['distribution'], client['version'])})",
        "analyses": ", ".join(facts["analyses"]) or "none: data read and checked only",
    }
    for name, text in lines.items():
        click.echo(f"{name + ':':<10}{line(text)}")
    if facts["vanished"]:
        click.echo(vanished_text([canonical_text(key) for key in facts["vanished"]]))
    for advice in _next_steps(facts, folder):
        click.echo(clean(advice))


def _next_steps(facts: Mapping[str, Any], folder: Path) -> Iterator[str]:
    if facts["state"] != "running" and facts["todo"]:
        yield f"to go on: {quoted_command('resume', folder)}"
    if facts["failed"]:
        yield f"why systems failed: {quoted_command('errors', folder)}"


@click.command("errors")
@output_argument
@_run_option
@_json_option
@click.option("--traceback", "with_traceback", is_flag=True, help="Show traceback and last prints of each example.")
def errors_command(
    output: str | None, config: str | None, run_id: str | None, as_json: bool, with_traceback: bool
) -> int:
    """Show why systems failed: each cause with its number, what to do, and an example.

    OUTPUT is the output folder of the run, by default that of sdt-dask.toml, else results.
    """
    from sdt_dask_core.ledger import LedgerReader

    folder = output_folder(output, config)
    with LedgerReader(folder) as ledger:
        run = ledger.run(run_id)
        causes = [_cause(ledger, run.run_id, cause, number) for cause, number in ledger.causes(run.run_id).items()]
        for cause in causes if as_json else ():
            cause["keys"] = [json.loads(key) for key in ledger.keys_failed(run.run_id, cause["cause"])]
    if as_json:
        say_json({"run": run.run_id, "causes": causes})
        return 0
    if not causes:
        click.echo(f"no system of run {run.run_id} failed")
    for cause in causes:
        _say_cause(cause, with_traceback=with_traceback)
    if causes:
        click.echo(clean(f"to try them again: {quoted_command('retry', folder)}"))
    return 0


def _cause(ledger: LedgerReader, run_id: str, cause: str, number: int) -> dict[str, Any]:
    from sdt_dask_core.causes import fix_of

    row = ledger.first_failed(run_id, cause)
    body = row["body"] or {}
    example = {name: row[name] for name in ("message", "stage", "attempt")}
    example |= {name: body.get(name) or "" for name in ("traceback", "prints", "host")}
    example["key"] = json.loads(row["key"])
    return {"cause": cause, "count": number, "fix": fix_of(cause), "example": example}


def _say_cause(cause: Mapping[str, Any], *, with_traceback: bool) -> None:
    from sdt_dask_core.keys import canonical_text, key_label

    example = cause["example"]
    label = key_label(canonical_text(example["key"]))
    click.echo(f"{line(cause['cause'])}: {count(cause['count'], 'system')}")
    click.echo(f"  such as {line(label)} ({line(example['stage'])}): {line(example['message'])}")
    if cause["fix"]:
        click.echo(f"  to do: {line(cause['fix'])}")
    if with_traceback:
        for name in ("traceback", "prints"):
            click.echo(f"  {name}:")
            text = clean(example[name]).strip() or "none"
            click.echo("\n".join(f"    {part}" for part in text.splitlines()))
    click.echo("")
