"""``plugs check``: whether distributions would install beside what is here, and if not, which two stand against it."""

from __future__ import annotations

from pathlib import Path

import click

from sdt_dask_core.cli.answers import resolver_options, say_answer
from sdt_dask_core.cli.tables import say_json

__all__ = ["check_command"]


@click.command("check")
@click.argument("requirements", metavar="REQUIREMENT...", nargs=-1)
@click.option(
    "--requirements",
    "-r",
    "files",
    metavar="FILE",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Requirements of a plug, in a requirements.txt.",
)
@click.option("--fresh", is_flag=True, help="Ask about a new worker image instead of what is installed here.")
@resolver_options
def check_command(
    *,
    requirements: tuple[str, ...],
    files: tuple[Path, ...],
    fresh: bool,
    tool: str | None,
    timeout: float,
    as_json: bool,
) -> int:
    """Tell whether distributions would install beside what is here; change nothing.

    A REQUIREMENT is a name with a range and extras, a wheel, the folder of a project (./my-plug), or the address of a
    wheel. On a conflict, the package, the two distributions and their ranges are named, and what to change.

    Exit codes: 0 it installs, 1 it does not, 2 there is no answer.
    """
    if not requirements and not files:
        raise click.UsageError("name at least one REQUIREMENT, or a file with --requirements")
    from sdt_dask_core.resolution import check

    answer = check(requirements, files, fresh=fresh, tool=tool, seconds=timeout)
    if as_json:
        say_json(answer.as_json())
    else:
        say_answer(answer)
    return 0 if answer.installs else 1
