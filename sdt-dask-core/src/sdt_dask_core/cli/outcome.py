"""What came of a run, for people: the first rows of its results, and where to go from there."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

from sdt_dask_core.cli.tables import say_table, width
from sdt_dask_core.cli.text import clean, count, line, quoted_command, reasons_text, vanished_text
from sdt_dask_core.report.tables import results_table

if TYPE_CHECKING:
    from sdt_dask_core.run import Run

__all__ = ["say_outcome", "say_reasons", "say_results"]

_MOST_ROWS = 20
_NARROWEST_REASON = 24

# The columns worth a terminal's width, with short headings; those of other analyses follow under their own names.
_HEADINGS = {
    "length_years": "years",
    "capacity_kw": "kW",
    "quality_score": "quality",
    "degradation_rate_pct_per_year": "rate %/yr",
    "total_loss_pct": "loss %",
}
_HEADINGS_OF_FRAMES = {"first_timestamp": "from", "last_timestamp": "to", "missing_fraction": "missing"}
_BUILT_IN = ("quality", "losses")


def say_outcome(run: Run) -> None:
    """Print the results, where they are, and what to do next."""
    say_results(run)
    click.echo("")
    click.echo(clean(f"results: {run.output / 'results.csv'} ({run.headline})"))
    if run.report_page is not None:
        click.echo(clean(f"report: {run.report_page}"))
    click.echo(f"why: {reasons_text(run.reasons)}")
    if run.vanished:
        click.echo(vanished_text(run.vanished))
    failed, todo = run.counts.get("failed", 0), run.counts.get("todo", 0)
    if failed:
        click.echo(clean(f"{count(failed, 'system')} failed: {quoted_command('errors', run.output)}"))
    if todo:
        click.echo(clean(f"{count(todo, 'system')} to do: {quoted_command('resume', run.output)}"))


def say_results(run: Run) -> None:
    """Print the first rows of the results."""
    headings = _chosen_columns(run)
    head = ["key", "grade", *headings.values()]
    first = run.first_rows(_MOST_ROWS)
    records = results_table(first, run.columns).to_dict(orient="records")
    rows = [_row(raw, record, headings) for raw, record in zip(first, records, strict=True)]
    _say_fitting(head, rows)
    more = run.n_systems - len(rows)
    if more > 0:
        click.echo(clean(f"… and {more} more in {run.output / 'results.csv'}"))


def say_reasons(run: Run) -> None:
    """Print for every system why it has its grade."""
    for row in run.rows:
        reasons = (row["body"] or {}).get("reasons", [])
        click.echo(f"{line(_label(row))}:")
        for reason in reasons or [row["message"] or "nothing against it"]:
            click.echo(f"  {line(reason)}")


def _chosen_columns(run: Run) -> dict[str, str]:
    names = {column.name for column in run.columns}
    headings = {name: heading for name, heading in _HEADINGS.items() if name in names}
    for reference in run.settings.job.analyses:
        if reference.name not in _BUILT_IN:
            headings |= {column.name: column.name for column in reference.build().provides}
    return headings or _HEADINGS_OF_FRAMES


def _label(row: Mapping[str, Any]) -> str:
    from sdt_dask_core.keys import key_label

    return key_label(row["key"])


def _row(raw: Mapping[str, Any], record: Mapping[Any, Any], headings: Iterable[str]) -> list[str]:
    is_failed = raw["status"] == "failed"
    grade = raw["grade"] if raw["status"] == "done" else raw["status"] or raw["state"]
    why = f"{raw['cause']}: {raw['message']}" if is_failed else _reasons_for(str(grade), raw)
    return [line(_label(raw)), str(grade), *(_shown(record[name]) for name in headings), line(why)]


def _reasons_for(grade: str, raw: Mapping[str, Any]) -> str:
    """Return the reasons that decided the grade; the lesser ones stand in the file."""
    start = f"{grade}: "
    reasons = (raw["body"] or {}).get("reasons", [])
    return "; ".join(reason.removeprefix(start) for reason in reasons if reason.startswith(start))


def _shown(value: Any) -> str:
    if value is None or str(value) in ("<NA>", "NaT") or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"  # noqa: PLR2004 - three digits
    return str(value.date()) if hasattr(value, "date") else line(value)


def _say_fitting(head: list[str], rows: list[list[str]]) -> None:
    """Print the table, on a terminal with the columns that fit in it; the reasons get what is left."""
    shown = list(range(len(head)))
    limit = width()
    if limit is not None:
        room = limit - _NARROWEST_REASON
        used = 0
        for position in range(len(head)):
            used += 2 + max(len(text) for text in [head[position], *(row[position] for row in rows)])
            if used > room and position > 1:
                shown = shown[:position]
                break
    picked = [[row[i] for i in shown] + [row[-1]] for row in rows]
    say_table([*(head[i] for i in shown), "why"], picked, wrap="why")
