"""The command group: commands are imported when they are used, and every error ends in one message and an exit code."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from sdt_dask_core.cli.failures import broken_pipe, report_error, report_usage_error
from sdt_dask_core.cli.streams import without_secrets

__all__ = ["App", "app", "main"]

# Name: the module that holds the command, and its line in the list, kept here so that no module is imported for it.
_COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("demo", "Run two real inverters, to see what comes out."),
    "init": ("init", "Write a commented sdt-dask.toml."),
    "new": ("new", "Write a distribution for a plug or client of your own."),
    "plugs": ("plugs", "List what is installed: plugs, clients, publishers, addons."),
    "image": ("image", "Write what an image of the workers is built from."),
    "doctor": ("doctor", "Say what is wrong with this environment, and what mends it."),
    "check": ("check", "Check options and access, and look at the first system."),
    "keys": ("check", "List the keys of the systems."),
    "plan": ("run", "Show what would run and why."),
    "run": ("run", "Analyse the systems."),
    "resume": ("run", "Go on with a run that ended early."),
    "retry": ("run", "Try the failed systems of a run again."),
    "status": ("status", "Show how far a run is."),
    "errors": ("status", "Show why systems failed and what to do."),
    "compare": ("compare", "Show what changed between two runs."),
    "report": ("report", "Write the report of a run: pages that open in a browser."),
    "export": ("export", "Write a run to a CSV, Parquet, Excel or JSON file."),
    "publish": ("publish", "Bring the results of a run to a database or a store."),
    "clusters": ("clusters", "List what clients left in the cloud, and remove it."),
}


class App(click.Group):
    """A group that imports a command when it is used."""

    def main(self, args: Sequence[str] | None = None, *_: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        """Run the command line; exit with its code."""
        _take_any_character()
        try:
            with without_secrets():
                code: Any = super().main(args, standalone_mode=False, **{**extra, "prog_name": "sdt-dask"})
            sys.stdout.flush()
        except click.ClickException as error:
            code = report_usage_error(error)
        except click.Abort:
            code = report_error(KeyboardInterrupt(), debug=False)
        except BrokenPipeError:
            code = broken_pipe()
        except SystemExit:
            if not _is_reader_gone():
                raise
            code = broken_pipe()  # click's own end for it, with the text still in the buffer of the stream below ours
        code = code if isinstance(code, int) else 0
        if standalone_mode:
            sys.exit(code)
        return code

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an error becomes its message and its exit code."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except BrokenPipeError:
            return broken_pipe()
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last one who can tell the user
            return report_error(error, debug=bool(ctx.meta.get("debug")))

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which a user meets them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"sdt_dask_core.cli.{_COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; name the nearest where there is none."""
        if args[0] not in _COMMANDS and not args[0].startswith("-"):
            from sdt_dask_core.options import did_you_mean

            ctx.fail(f"there is no command {args[0]!r}{did_you_mean(args[0], _COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in _COMMANDS.items()])


def _is_reader_gone() -> bool:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return True
    return False


def _take_any_character() -> None:
    """Keep a terminal of a small alphabet from ending a run by a character that it does not have."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _show_version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    from importlib.metadata import PackageNotFoundError, version

    def found(name: str) -> str:
        try:
            return f"{name} {version(name)}"
        except PackageNotFoundError:
            return f"{name} not installed"

    python = f"Python {sys.version.split()[0]}"
    click.echo(", ".join([found("sdt-dask-core"), found("solar-data-tools"), found("distributed"), python]))
    ctx.exit()


@click.group(
    cls=App,
    no_args_is_help=False,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 all done, 1 some systems failed (or doctor, plugs check, image or clusters found an error, "
    "or compare a broken system), "
    "2 usage or configuration, 3 the cluster was lost, 4 a limit ended the run, 130 interrupted.",
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="Show versions."
)
@click.pass_context
def app(ctx: click.Context) -> None:
    """Run Solar Data Tools over whole fleets of PV systems.

    Start with `sdt-dask demo`. With your own CSV files: `sdt-dask run --plug csv -p path=FOLDER`.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main() -> None:
    """Run the command line."""
    # The processes that it starts look for modules where it does: not in the working folder (from Python 3.11 on).
    os.environ.setdefault("PYTHONSAFEPATH", "1")
    app()
