"""What the user asked for: command line over run file, turned into an `SDTDask`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sdt_dask_core.cli.failures import debug_option
from sdt_dask_core.errors import ConfigurationError

if TYPE_CHECKING:
    from sdt_dask_core.api import SDTDask
    from sdt_dask_core.run_file import RunFile

__all__ = [
    "Asked",
    "allow_mismatch_option",
    "client_options",
    "file_defaults",
    "limit_options",
    "output_argument",
    "output_folder",
    "publisher_options",
    "run_options",
]

_Command = TypeVar("_Command", bound=Callable[..., Any])

_DEFAULT_OUTPUT = "results"
_DEFAULT_KEY_TIMEOUT = 3600.0  # s


def _split_option(_context: click.Context, parameter: click.Parameter, values: Sequence[str]) -> dict[str, str]:
    options: dict[str, str] = {}
    for text in values:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise click.UsageError(
                f"{parameter.opts[0]} {text!r} is no option; write it as name=value, such as path=data"
            )
        if name.strip() in options:
            raise click.UsageError(
                f"{parameter.opts[0]} gives {name.strip()!r} twice; give it once, a list as {name.strip()}=a,b"
            )
        options[name.strip()] = value
    return options


_LIMITS = (
    click.option("--max-cost", type=float, metavar="DOLLARS", help="End early when the cluster has cost this much."),
    click.option("--idle-timeout", metavar="TIME", help="End early when nothing finished for so long: 600, 30m."),
)
client_options = click.option(
    "-c",
    "--client-option",
    "client_options",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_split_option,
    help="Option of the client, repeatable.",
)
publisher_options = click.option(
    "-P",
    "--publisher-option",
    "publisher_options",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_split_option,
    help="Option of the publisher, repeatable; `sdt-dask plugs NAME` lists them.",
)
allow_mismatch_option = click.option(
    "--allow-mismatch", is_flag=True, help="Go on where the cluster has other versions or does not see the files."
)
_OPTIONS = (
    click.argument("folder", required=False),
    click.option("--plug", metavar="NAME", help="Data plug; `sdt-dask plugs` lists what is installed."),
    click.option(
        "-p",
        "--plug-option",
        "plug_options",
        multiple=True,
        metavar="NAME=VALUE",
        callback=_split_option,
        help="Option of the plug, repeatable; `sdt-dask plugs NAME` lists them.",
    ),
    click.option("--client", metavar="NAME", help="Where to compute.  [default: local]"),
    client_options,
    click.option("-o", "--output", metavar="FOLDER", help="Folder of ledger and tables.  [default: results]"),
    click.option(
        "--manifest", metavar="FILE", help="CSV or Parquet table, one row per system: key, options, metadata."
    ),
    click.option(
        "-k", "--key", "keys", multiple=True, metavar="KEY", help="Only this key, repeatable: text or JSON array."
    ),
    click.option("--keys-from", metavar="FILE", help="Only the keys in this file, one a line; - is standard input."),
    click.option("--analyses", metavar="NAMES", help="Such as quality,losses; none only reads and checks the data."),
    click.option("--all-losses", is_flag=True, help="Analyse losses also where the data are too poor for a result."),
    click.option("--no-accelerate", is_flag=True, help="Leave out the faster paths with the same numbers."),
    click.option("--since", metavar="TIME", help="Only data from this date or time on, such as 2020-01-01."),
    click.option("--until", metavar="TIME", help="Only data before this date or time."),
    click.option("--look-back", metavar="LENGTH", help="Only so much before each system's last value: 730d, 3y."),
    click.option("--key-timeout", type=float, metavar="SECONDS", help="Longest time of one key.  [default: 3600]"),
    *_LIMITS,
    allow_mismatch_option,
    click.option("--addon", "addons", multiple=True, metavar="NAME", help="Addon to enable, repeatable."),
    click.option("--config", metavar="FILE", help="Run file.  [default: sdt-dask.toml, where there is one]"),
    debug_option,
)


def run_options(command: _Command) -> _Command:
    """Give a command the argument and the options that describe a run."""
    for decorate in reversed(_OPTIONS):
        command = decorate(command)
    return command


def limit_options(command: _Command) -> _Command:
    """Give a command the options that end a run early."""
    for decorate in reversed(_LIMITS):
        command = decorate(command)
    return command


def output_argument(command: _Command) -> _Command:
    """Give a command the argument OUTPUT and what finds its default."""
    command = debug_option(command)
    command = click.option("--config", metavar="FILE", help="Run file that names the output folder.")(command)
    return click.argument("output", required=False)(command)


def output_folder(output: str | None, config: str | None) -> Path:
    """Return the output folder: the one given, else that of the run file, else ``results``."""
    from sdt_dask_core.run_file import find_run_file

    if output is not None:
        return Path(output)
    file = find_run_file(config)
    return file.path(file.output or _DEFAULT_OUTPUT) if file.output else Path(_DEFAULT_OUTPUT)


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of `run_options` by name."""

    folder: str | None
    plug: str | None
    plug_options: dict[str, str]
    client: str | None
    client_options: dict[str, str]
    output: str | None
    manifest: str | None
    keys: tuple[str, ...]
    keys_from: str | None
    analyses: str | None
    all_losses: bool
    no_accelerate: bool
    since: str | None
    until: str | None
    look_back: str | None
    key_timeout: float | None
    max_cost: float | None
    idle_timeout: str | None
    allow_mismatch: bool
    addons: tuple[str, ...]
    config: str | None

    def tool(self) -> SDTDask:
        """Return what runs it; everything that can be wrong is found here."""
        from sdt_dask_core.api import SDTDask
        from sdt_dask_core.run_file import find_run_file

        file = find_run_file(self.config)
        plug, own_client, plug_defaults = self._plug(file)
        client, client_options = self._client(file, own_client)
        return SDTDask(
            plug,
            plug_options=self.plug_options,
            plug_defaults=plug_defaults,
            client=client,
            client_options=client_options,
            output=output_folder(self.output, self.config),
            manifest=self.manifest or (file.path(file.manifest) if file.manifest else None),
            analyses=_analyses(self.analyses, file),
            all_losses=self.all_losses or bool(file.all_losses),
            addons=self.addons or file.addons or (),
            accelerate=not self.no_accelerate and file.accelerate is not False,
            key_timeout=self._key_timeout(file),
            max_cost=file.max_cost if self.max_cost is None else self.max_cost,
            idle_timeout=file.idle_timeout if self.idle_timeout is None else self.idle_timeout,
            allow_mismatch=self.allow_mismatch,
            **self._window(file),
        )

    def wanted_keys(self) -> list[Any] | None:
        """Return the keys that were named, None where none was."""
        from sdt_dask_core.keys import key_from_user_text

        texts = [*self.keys, *(_lines_of(self.keys_from) if self.keys_from is not None else ())]
        if self.keys_from is not None and not texts:
            raise ConfigurationError(f"--keys-from {self.keys_from} holds no key; write one key a line")
        return [key_from_user_text(text) for text in texts] or None

    def _plug(self, file: RunFile) -> tuple[Any, type | None, dict[str, Any]]:
        """Return the plug, the client of its folder, and what the run file says of the plug's options."""
        if self.folder is not None and self.plug is not None:
            raise ConfigurationError(
                f"both the folder {self.folder!r} and --plug {self.plug} were given; "
                f"for data in that folder: --plug {self.plug} -p path={self.folder}"
            )
        if self.folder is not None:
            return _from_folder(Path(self.folder), file)
        named = self.plug or file.plug
        if named is None:
            raise ConfigurationError(
                "no data plug was named; give --plug NAME, a folder with a dataplug.py, or a run file (sdt-dask init); "
                "sdt-dask plugs lists what is installed"
            )
        path = Path(named) if self.plug else file.path(named)
        if _is_folder_of_plug(path, named):
            return _from_folder(path, file)
        # Options of the file are meant for the plug that the file names.
        options = file.plug_options if file.plug in (None, named) else {}
        return named, None, file_defaults("plug", named, options, file)

    def _client(self, file: RunFile, own: type | None) -> tuple[Any, dict[str, Any]]:
        client = self.client or file.client or own
        of_file = file.client_options if self.client in (None, file.client or "local") else {}
        if isinstance(client, str) or client is None:
            of_file = file_defaults("client", client or "local", of_file, file)
        return client, {**of_file, **self.client_options}

    def _window(self, file: RunFile) -> dict[str, Any]:
        """Return the window: the three are one setting, so any of the command line stands for all of the file's."""
        names = ("since", "until", "look_back")
        given = {name: getattr(self, name) for name in names}
        return (
            given
            if any(value is not None for value in given.values())
            else {name: getattr(file, name) for name in names}
        )

    def _key_timeout(self, file: RunFile) -> float:
        given = (self.key_timeout, file.key_timeout, _DEFAULT_KEY_TIMEOUT)
        return next(seconds for seconds in given if seconds is not None)


def _from_folder(folder: Path, file: RunFile) -> tuple[type, type | None, dict[str, Any]]:
    from sdt_dask_core.folder import is_user_folder, read_user_folder
    from sdt_dask_core.options import options_of
    from sdt_dask_core.registry import installed_providers
    from sdt_dask_core.run_file import anchored

    if not is_user_folder(folder):
        names = [provider.name for provider in installed_providers("plug")]
        if str(folder) in names:
            raise ConfigurationError(
                f"there is no folder '{folder}' with a dataplug.py; for that plug: --plug {folder}"
            )
        if not folder.is_dir():
            raise ConfigurationError(f"there is no folder '{folder}'; check the path")
        raise ConfigurationError(
            f"the folder '{folder}' has no dataplug.py; write the class of your data plug into it, or, where it holds "
            f"tables of power: --plug csv -p path={folder}"
        )
    found = read_user_folder(folder)
    options = file.plug_options if file.plug is None or file.path(file.plug).absolute() == folder.absolute() else {}
    option_set = options_of(found.plug, kind="plug", name=found.plug.__name__)
    return found.plug, found.client, anchored(options, option_set, file.folder)


def _is_folder_of_plug(path: Path, named: str) -> bool:
    from sdt_dask_core.folder import is_user_folder
    from sdt_dask_core.registry import installed_providers

    return is_user_folder(path) and not any(provider.name == named for provider in installed_providers("plug"))


def file_defaults(kind: str, name: str, options: dict[str, Any], file: RunFile) -> dict[str, Any]:
    """Return the options that a run file gives a provider, its relative paths seen from the folder of the file."""
    from sdt_dask_core.options import options_of
    from sdt_dask_core.registry import find_provider, load_class
    from sdt_dask_core.run_file import anchored

    if not options:
        return {}
    option_set = options_of(load_class(find_provider(kind, name)), kind=kind, name=name)
    return anchored(options, option_set, file.folder)


def _analyses(text: str | None, file: RunFile) -> Sequence[str]:
    if text is None:
        return ("quality", "losses") if file.analyses is None else file.analyses
    return [name for part in text.split(",") if (name := part.strip()) and name != "none"]


def _lines_of(path: str) -> Iterator[str]:
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"--keys-from {path} cannot be read: {error}") from error
    yield from (entry for entry in text.splitlines() if entry.strip())
