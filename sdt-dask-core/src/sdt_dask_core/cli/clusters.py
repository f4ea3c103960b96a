"""``clusters``: what clients made and still hold, and its removal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sdt_dask_core.cli.asked import client_options, file_defaults
from sdt_dask_core.cli.failures import debug_option, report_error
from sdt_dask_core.cli.tables import say_json, say_table
from sdt_dask_core.cli.text import count, line
from sdt_dask_core.errors import ConfigurationError, SdtDaskError
from sdt_dask_core.pace import duration

if TYPE_CHECKING:
    from sdt_dask_core.clusters import ClusterRecord
    from sdt_dask_core.reference import Reference

__all__ = ["clusters_command"]

_Command = TypeVar("_Command", bound=Callable[..., Any])

_FAILED = 1


@dataclass(frozen=True, slots=True)
class _Held:
    """A cluster, and the client that made it."""

    client: Reference
    record: ClusterRecord

    @property
    def state(self) -> str:
        return "running" if self.record.running else "left over"

    @property
    def age(self) -> str:
        seconds = self.record.age()
        return "" if seconds is None else duration(seconds)

    @property
    def title(self) -> str:
        facts = (self.record.place, f"{self.state} {self.age}".strip(), self.record.owner)
        return line(f"{self.record.name} of client {self.client.name} ({', '.join(fact for fact in facts if fact)})")


@dataclass(frozen=True, slots=True)
class _Listing:
    """What the clients hold, and why some could not be asked."""

    held: tuple[_Held, ...]
    problems: dict[str, str]
    asked: tuple[str, ...]


def _options(command: _Command) -> _Command:
    command = click.option("--config", metavar="FILE", help="Run file with the options of its client.")(command)
    command = client_options(command)
    return debug_option(click.option("--client", metavar="NAME", help="Only this client.  [default: all]")(command))


@click.group("clusters", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="As JSON, with every piece of each.")
@_options
@click.pass_context
def clusters_command(ctx: click.Context, /, as_json: bool, **asked: Any) -> int:
    """List the clusters that clients made and that still hold something: running ones, and leftovers of a crash.

    The options of a client come from -c, from the run file where it names the client, and from the environment.
    """
    ctx.obj = asked
    if ctx.invoked_subcommand:
        return 0
    listing = _listing(**asked)
    say = _say_as_json if as_json else _say
    say(listing)
    return _FAILED if listing.problems else 0


@clusters_command.command("clean")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--yes", is_flag=True, help="Remove without asking.")
@_options
@click.pass_obj
def _clean_command(before: dict[str, Any], /, names: Sequence[str], yes: bool, **asked: Any) -> int:
    """Remove leftovers, piece by piece; a cluster that is running is left alone unless it is NAMED."""
    listing = _listing(**{name: asked[name] or before[name] for name in asked})
    for problem in listing.problems.values():
        click.echo(f"warning: {line(problem)}", err=True)
    chosen = _chosen(listing, names)
    failed = _remove(chosen) if chosen and _agreed(chosen, yes=yes) else False
    return _FAILED if failed or listing.problems else 0


def _listing(client: str | None, client_options: dict[str, str], config: str | None) -> _Listing:
    from sdt_dask_core.clusters import clusters_of

    if client_options and client is None:
        raise ConfigurationError("-c gives an option of a client, and none is named; say which with --client NAME")
    held: list[_Held] = []
    problems: dict[str, str] = {}
    names = _clients() if client is None else (client,)
    asked = []
    for name in names:
        try:
            reference = _reference(name, client_options, config)
            if reference is not None:
                asked.append(name)
                held.extend(_Held(reference, record) for record in clusters_of(reference))
        except SdtDaskError as error:
            if client is not None:
                raise
            problems[name] = error.message
    return _Listing(tuple(held), problems, tuple(asked))


def _clients() -> list[str]:
    from sdt_dask_core.registry import installed_providers

    return list(dict.fromkeys(provider.name for provider in installed_providers("client")))


def _reference(name: str, options: dict[str, str], config: str | None) -> Reference | None:
    """Return how a client is built; None for one that makes nothing that could be left over."""
    from sdt_dask_core.contract import hooks_of
    from sdt_dask_core.reference import refer_to
    from sdt_dask_core.registry import find_provider, load_class
    from sdt_dask_core.run_file import find_run_file

    if "list_clusters" not in hooks_of(load_class(find_provider("client", name))):
        return None  # whatever options it needs
    file = find_run_file(config)
    of_file = file_defaults("client", name, file.client_options if file.client == name else {}, file)
    return refer_to("client", name, options, of_file)


def _say(listing: _Listing) -> None:
    rows = [
        (h.client.name, h.record.name, h.record.place, h.state, h.age, h.record.owner, _pieces(h)) for h in listing.held
    ]
    rows += [(name, "", "", "unknown", "", "", problem) for name, problem in listing.problems.items()]
    if rows:
        say_table(("client", "name", "place", "state", "age", "owner", "holds"), rows, wrap="holds")
    elif listing.asked:
        click.echo(line(f"nothing is held, says {', '.join(listing.asked)}"))
    else:
        click.echo("no client here makes clusters that could be left over")
    left = sum(not held.record.running for held in listing.held)
    if left:
        click.echo(f"{count(left, 'cluster')} left over; to remove what is left over: sdt-dask clusters clean")


def _pieces(held: _Held) -> str:
    return count(len(held.record.resources), "piece")


def _say_as_json(listing: _Listing) -> None:
    clusters = [{"client": h.client.name, **asdict(h.record), "age_seconds": h.record.age()} for h in listing.held]
    say_json({"clusters": clusters, "problems": listing.problems})


def _chosen(listing: _Listing, names: Sequence[str]) -> list[_Held]:
    """Return what is to be removed: what is named, else what is left over."""
    if not names:
        running = [held for held in listing.held if held.record.running]
        for held in running:
            click.echo(f"left alone, because it is running: {held.title}", err=True)
        left = [held for held in listing.held if not held.record.running]
        if not left:
            click.echo("nothing is left over")
        return left
    return [_named(listing, name) for name in dict.fromkeys(names)]


def _named(listing: _Listing, name: str) -> _Held:
    from sdt_dask_core.options import did_you_mean

    found = [held for held in listing.held if held.record.name == name]
    if len(found) == 1:
        return found[0]
    if found:
        clients = ", ".join(held.client.name for held in found)
        raise ConfigurationError(f"there is a cluster {name!r} of each of {clients}; say which with --client")
    known = [held.record.name for held in listing.held]
    raise ConfigurationError(
        f"there is no cluster {name!r}{did_you_mean(name, known)}; there is: {', '.join(known) or 'none'}"
    )


def _agreed(chosen: Sequence[_Held], *, yes: bool) -> bool:
    """Show what would be removed, and ask."""
    for held in chosen:
        click.echo(held.title)
        for piece in held.record.resources:
            click.echo(f"  {line(piece)}")
    if yes:
        return True
    try:
        agreed = click.confirm(f"remove {count(len(chosen), 'cluster')} with all that is held?")
    except click.Abort:
        raise ConfigurationError("nothing was removed, because nobody answered; give --yes to remove") from None
    if not agreed:
        click.echo("nothing was removed")
    return agreed


def _remove(chosen: Sequence[_Held]) -> bool:
    """Remove each; return whether something could not be removed."""
    failed = False
    for held in chosen:
        try:
            for piece in _removed(held):
                click.echo(f"removed: {line(piece)}")
        except SdtDaskError as error:
            failed = True
            report_error(error, debug=False)
    return failed


def _removed(held: _Held) -> Iterator[str]:
    from sdt_dask_core.clusters import remove_cluster_of

    return remove_cluster_of(held.client, held.record.name)
