"""``compare``: one run held against another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from sdt_dask_core.cli.asked import output_folder
from sdt_dask_core.cli.failures import debug_option
from sdt_dask_core.cli.text import clean, count, line

if TYPE_CHECKING:
    from sdt_dask_core.comparison import Change, Comparison

__all__ = ["compare_command"]

_MOST_OF_A_KIND = 20


@click.command("compare")
@click.argument("runs", nargs=-1, metavar="[RUN [RUN]]")
@click.option("-o", "--output", metavar="FOLDER", help="Where ids of runs are looked for.  [default: results]")
@click.option(
    "--tolerance",
    type=float,
    default=0.05,
    show_default=True,
    help="How far a number without an interval may move: a share of it.",
)
@click.option("--strict", is_flag=True, help="Exit code 1 also for a system gone, a grade worse, a number moved.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, with every change.")
@click.option("--export", metavar="FILE", help="Write every change to FILE, .csv or .parquet.")
@click.option("--config", metavar="FILE", help="Run file that names the output folder.")
@debug_option
def compare_command(
    *,
    runs: tuple[str, ...],
    output: str | None,
    tolerance: float,
    strict: bool,
    as_json: bool,
    export: str | None,
    config: str | None,
) -> int:
    """Hold a run against an earlier one: what is new, gone, fixed, broken, and which numbers moved.

    RUN is an output folder (its newest run), the id of a run, as `sdt-dask status --all` lists it, or how the id
    begins; or both, as FOLDER:ID. The earlier run comes first. With one id, the newest run is held against that one;
    with one folder, or none, its newest run against the one before.

    Exit code 1 says that a system is broken: done before, failed now. With --strict, that anything is worse.
    """
    from sdt_dask_core.comparison import compare_runs
    from sdt_dask_core.comparison.finding_runs import find_pair
    from sdt_dask_core.report.files import write_table

    if len(runs) > 2:  # noqa: PLR2004 - the earlier and the later one
        raise click.UsageError(f"compare takes two runs, {len(runs)} were given")
    before, after = find_pair(runs, output_folder(output, config))
    found = compare_runs(before, after, tolerance=tolerance)
    written = write_table(found.table, export) if export else None
    if as_json:
        _say_as_json(found)
    else:
        _say(found, before.output, after.output)
        if written:
            click.echo(clean(f"wrote {count(len(found.changes), 'change')} to {written}"))
    return found.exit_code(strict=strict)


def _say_as_json(found: Comparison) -> None:
    from sdt_dask_core.cli.tables import say_json

    say_json(found.as_dict())


def _say(found: Comparison, folder_before: Any, folder_after: Any) -> None:
    from sdt_dask_core.cli.tables import say_table

    where = (f" in {folder_before}", f" in {folder_after}")
    click.echo(clean(f"before: run {found.before}{where[0]}"))
    click.echo(clean(f"now:    run {found.after}{where[1]}"))
    for sentence in found.unlike:
        click.echo(f"not alike: {line(sentence)}")
    click.echo(", ".join(f"{number} {kind}" for kind, number in found.counts.items()) + f"; {_of_both(found)}")
    if found.changes:
        say_table(("change", "key", "what", "before", "now", "why"), _rows(found.changes), wrap="why")
    for kind, changes in groupby(found.changes, lambda change: change.kind):
        more = len(list(changes)) - _MOST_OF_A_KIND
        if more > 0:
            click.echo(f"… and {more} more: {kind.value}; --export FILE writes all")


def _of_both(found: Comparison) -> str:
    still = f", {found.n_failed_in_both} of them failed in both" if found.n_failed_in_both else ""
    to_do = f", {found.n_open} still to do in one" if found.n_open else ""
    return f"{count(found.n_both, 'system')} in both{still}{to_do}"


def _rows(changes: Iterable[Change]) -> Iterator[list[str]]:
    for _, of_kind in groupby(changes, lambda change: change.kind):
        for change in list(of_kind)[:_MOST_OF_A_KIND]:
            interval = "" if change.lower is None else f", {change.lower:.3g} to {change.upper:.3g}"
            texts = (change.column, _shown(change.before), _shown(change.after), change.note + interval)
            yield [change.kind.value, line(change.label), *(line(text) for text in texts)]


def _shown(value: Any) -> str:
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
