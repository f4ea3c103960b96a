"""``plugs``: what is installed, what is wrong with it, and the options of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sdt_dask_core.cli.failures import debug_option
from sdt_dask_core.cli.tables import say_json, say_table
from sdt_dask_core.cli.text import line
from sdt_dask_core.errors import UnknownProviderError

if TYPE_CHECKING:
    from sdt_dask_core.inspection import Inspection
    from sdt_dask_core.registry import Provider

__all__ = ["plugs_command"]

_Command = TypeVar("_Command", bound=Callable[..., Any])
_USED_WITH = {"plug": "-p", "client": "-c", "publisher": "-P"}


class _Plugs(click.Group):
    """A group whose own argument may be a name: all but its commands are one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands that the help names."""
        return ["check"]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command when it is used."""
        if cmd_name != "check":
            return _show_command
        from sdt_dask_core.cli.plugs_check import check_command

        return check_command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Leave a name to the command that shows one."""
        if args[0] == "check":
            return super().resolve_command(ctx, args)
        return "show", _show_command, args

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([("check REQUIREMENT...", "Tell whether distributions would install here.")])


def _list_options(command: _Command) -> _Command:
    command = click.option("--json", "as_json", is_flag=True, help="As JSON.")(command)
    return click.option(
        "--load", is_flag=True, help="Import each, in a process of its own, and show its hooks or why it breaks."
    )(command)


@click.group("plugs", cls=_Plugs, invoke_without_command=True, subcommand_metavar="[NAME | check REQUIREMENT...]")
@_list_options
@debug_option
@click.pass_context
def plugs_command(ctx: click.Context, load: bool, as_json: bool) -> int:
    """List what is installed: plugs, clients, analyses, publishers, addons.

    With NAME: its options with types, defaults and environment variables, its hooks, and what its keys look like.
    """
    ctx.obj = {"as_json": as_json}
    return 0 if ctx.invoked_subcommand else _list(load=load, as_json=as_json)


@click.command("show", hidden=True)
@click.argument("name")
@_list_options
@debug_option
@click.pass_obj
def _show_command(before: dict[str, bool], name: str, load: bool, as_json: bool) -> int:  # noqa: ARG001 - one is always loaded
    """Show one plug, client, analysis, publisher or addon."""
    from sdt_dask_core.registry import installed_providers

    _show(_named(name, installed_providers()), as_json=as_json or before["as_json"])
    return 0


def _list(*, load: bool, as_json: bool) -> int:
    from sdt_dask_core.registry import installed_providers

    providers = installed_providers()
    inspections = _inspect(providers) if load else [None] * len(providers)
    facts = [_facts(*pair) for pair in zip(providers, inspections, strict=True)]
    if as_json:
        say_json(facts)
        return 0
    names = ("kind", "name", "distribution", "version", *(("hooks",) if load else ()), "state")
    say_table(names, [[_cell(fact, column) for column in names] for fact in facts], wrap="state")
    return 0


def _inspect(providers: list[Provider]) -> list[Inspection]:
    from sdt_dask_core.inspection import inspect_all

    return inspect_all(providers)


def _named(name: str, providers: list[Provider]) -> list[Provider]:
    from sdt_dask_core.options import did_you_mean

    found = [provider for provider in providers if provider.name == name]
    if not found:
        names = sorted({provider.name for provider in providers})
        hint = did_you_mean(name, names) or f"; if it exists: pip install sdt-dask-plug-{name}"
        raise UnknownProviderError(
            f"nothing named {name!r} is installed; installed: {', '.join(names) or 'none'}{hint}"
        )
    return found


def _facts(provider: Provider, inspection: Inspection | None) -> dict[str, Any]:
    problems = list(provider.problems)
    if inspection is not None and inspection.problem and not problems:
        problems.append(inspection.problem)
    facts = {**asdict(provider), "problems": problems}
    return facts if inspection is None else {**facts, **_without_problem(inspection)}


def _without_problem(inspection: Inspection) -> dict[str, Any]:
    return {name: value for name, value in asdict(inspection).items() if name != "problem"}


def _cell(fact: dict[str, Any], column: str) -> str:
    if column == "state":
        warnings = "; ".join(fact.get("warnings", ()))
        return "; ".join(fact["problems"]) or (f"ok, but {warnings}" if warnings else "ok")
    return ", ".join(fact["hooks"]) if column == "hooks" else str(fact[column])


def _show(providers: list[Provider], *, as_json: bool) -> None:
    facts = [_facts(*pair) for pair in zip(providers, _inspect(providers), strict=True)]
    if as_json:
        say_json(facts)
        return
    for number, fact in enumerate(facts):
        if number:
            click.echo("")
        _show_one(fact)


def _show_one(fact: dict[str, Any]) -> None:
    click.echo(f"{fact['kind']} {line(fact['name'])}, {line(fact['distribution'])} {line(fact['version'])}")
    for problem in fact["problems"]:
        click.echo(f"broken: {line(problem)}")
    if fact["problems"]:
        return
    for warning in fact.get("warnings", ()):
        click.echo(f"warning: {line(warning)}")
    click.echo(line(fact["summary"]))
    if fact["hooks"]:
        click.echo(f"hooks: {', '.join(fact['hooks'])}")
    if fact["key_shape"]:
        click.echo(f"keys: {line(fact['key_shape'])}")
    flag = _USED_WITH.get(fact["kind"])
    click.echo(f"options{f' ({flag} name=value)' if flag else ''}:{'' if fact['options'] else ' none'}")
    for option in fact["options"]:
        _show_option(option)


def _show_option(option: dict[str, Any]) -> None:
    given = "required" if option["is_required"] else f"default {_default(option['default'])}"
    click.echo(f"  {line(option['name'])}: {line(option['type'])}, {line(given)}")
    if option["help"]:
        click.echo(f"      {line(option['help'])}")
    if option["is_secret"]:
        click.echo("      A secret: give a reference, env:NAME or file:/path.")
    click.echo(f"      environment: {line(option['environment'])}")


def _default(value: Any) -> str:
    return "none" if value is None else repr(value) if isinstance(value, str) else str(value)
