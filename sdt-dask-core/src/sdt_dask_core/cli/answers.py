"""What the commands that ask a resolver share: the options of the question, and the answer in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from sdt_dask_core.cli.failures import debug_option
from sdt_dask_core.cli.tables import say_table
from sdt_dask_core.cli.text import clean, count, line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sdt_dask_core.resolution import Answer, Conflict, Need

__all__ = ["resolver_options", "say_answer"]

_SECONDS = 300

_Command = TypeVar("_Command", bound="Callable[..., Any]")


def resolver_options(command: _Command) -> _Command:
    """Give a command ``--with``, ``--timeout``, ``--json`` and ``--debug``."""
    for option in (
        debug_option,
        click.option("--json", "as_json", is_flag=True, help="As JSON."),
        click.option(
            "--timeout",
            type=click.FloatRange(min=0, min_open=True),
            default=_SECONDS,
            show_default=True,
            metavar="SECONDS",
            help="Give up after this time.",
        ),
        click.option(
            "--with",
            "tool",
            type=click.Choice(["uv", "pip"]),
            help="Ask this tool.  [default: uv if there, or pip]",
        ),
    ):
        command = option(command)
    return command


def say_answer(answer: Answer) -> None:
    """Print an answer for people."""
    if not answer.installs:
        _say_refusal(answer)
    elif answer.changed:
        _say_changes(answer)
    elif answer.added:
        beside = "a new worker image needs" if answer.fresh else "installs beside what is here; nothing changes, and"
        added = count(len(answer.added), "distribution")
        click.echo(f"{beside} {added}{'' if answer.fresh else ' would be added'}:")
    else:
        click.echo("installed already; nothing would change")
    if answer.added and answer.installs:
        say_table(("name", "version"), answer.added.items())
    for note in answer.notes:
        click.echo(f"note: {line(note)}")
    click.echo(f"(asked of {answer.tool}, for Python {answer.python})")


def _say_changes(answer: Answer) -> None:
    click.echo("installs only if what is here changes:")
    changes = [(one.name, one.before, one.after, "yes" if one.is_shared else "") for one in answer.changed]
    say_table(("name", "here", "then", "workers need the same"), changes)
    if any(one.is_shared for one in answer.changed):
        click.echo("Workers must have the same versions: make the worker image anew afterwards.")
    if answer.added:
        click.echo(f"{count(len(answer.added), 'distribution')} would be added:")


def _say_refusal(answer: Answer) -> None:
    where = "in a new worker image" if answer.fresh else "beside what is here"
    if answer.conflict is None:
        click.echo(f"does not install {where}; {answer.tool} says:\n")
        click.echo(clean(answer.tool_output) + "\n")
        return
    click.echo(f"does not install {where}: {_headline(answer.conflict)}")
    for text in _sides(answer.conflict):
        click.echo(f"  {line(text)}")
    if answer.advice:
        click.echo("what to change:")
    for advice in answer.advice:
        click.echo(f"  - {line(advice)}")


def _headline(conflict: Conflict) -> str:
    return f"no release of {conflict.package} {'will do' if conflict.right is None else 'serves both'}"


def _sides(conflict: Conflict) -> Iterator[str]:
    for need in (conflict.left, conflict.right):
        if need is not None:
            yield _side(need, conflict)
    if not conflict.is_left_served:
        yield _wheels(conflict)


def _side(need: Need, conflict: Conflict) -> str:
    if not need.chain:
        return f"you ask for {need.range}"
    names = " → ".join(f"{name} {version}" for name, version in need.chain)
    if need.chain[-1][0] == conflict.package:
        where = "this environment, and so its workers, has" if need.origin == "workers" else "here is"
        return f"{where} {names}"
    return f"{names} needs {need.range}{' (installed here)' if need.origin == 'installed' else ''}"


def _wheels(conflict: Conflict) -> str:
    import platform

    python = ".".join(platform.python_version_tuple()[:2])
    if conflict.versions is None:
        return f"no index that was asked has a wheel of {conflict.package} for Python {python}"
    oldest, newest = conflict.versions
    which = f"only {newest} has" if oldest == newest else f"{oldest} to {newest} have"
    return f"{conflict.left.range} has no wheel for Python {python}; {which} one"
