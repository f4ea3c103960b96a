"""``init``: a commented run file to start from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sdt_dask_core.cli.failures import debug_option
from sdt_dask_core.cli.text import clean, line
from sdt_dask_core.errors import ConfigurationError

if TYPE_CHECKING:
    from sdt_dask_core.options import Option

__all__ = ["init_command"]

_HEAD = """\
# What the runs of this folder have in common. The command line wins over this file, and so does a row of the manifest.
# Paths start from this file's folder. `sdt-dask check` says whether it works.

# Where the data come from: the name of an installed plug (sdt-dask plugs), or a folder with a dataplug.py.
{plug}

# Where to compute.
# client = "local"

# Folder of the ledger and of the tables.
# output = "results"

# CSV or Parquet table with one row per system: key, options of the plug, metadata such as latitude and capacity_kw.
# manifest = "systems.csv"

# None at all, [], only reads and checks the data.
# analyses = ["quality", "losses"]

# Analyse the losses also of systems whose data are too poor for a result.
# all_losses = false

# Installed addons that watch each run.
# addons = []

# Faster paths with the same numbers.
# accelerate = true

# Analyse only a part of each record: so much before its last value, or between dates. One of the command line
# (--since, --until, --look-back) stands for all three.
# look_back = "3y"
# since = 2020-01-01
# until = 2024-01-01

# Longest time that one system may take [s].
# key_timeout = 3600
"""
_HINT_OF_SECRETS = 'A secret: write a reference, "env:NAME" or "file:/path", never the value.'


@click.command("init")
@click.option("--plug", metavar="NAME", help="Plug to write down, with all of its options as comments.")
@click.option("--force", is_flag=True, help="Overwrite the file that is there.")
@debug_option
def init_command(plug: str | None, force: bool) -> int:
    """Write a commented sdt-dask.toml into the current folder."""
    from sdt_dask_core.run_file import RUN_FILE_NAME
    from sdt_dask_core.whole_file import write_whole

    path = Path(RUN_FILE_NAME)
    text = _text(plug)
    if not force and (path.exists() or path.is_symlink()):
        raise ConfigurationError(f"{path} is there already; --force overwrites it")
    try:
        write_whole(path, text)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}; go to another folder") from error
    click.echo(f"wrote {path}; edit it, then: sdt-dask check")
    if plug is None:
        click.echo("with the options of a plug as comments: sdt-dask init --force --plug NAME")
    return 0


def _text(plug: str | None) -> str:
    if plug is None:
        return _HEAD.format(plug='# plug = "csv"') + _table("plug_options") + _table("client_options")
    return (
        _HEAD.format(plug=f"plug = {json.dumps(plug)}")
        + _table("plug_options", _options("plug", plug))
        + _table("client_options", _options("client", "local"))
    )


def _options(kind: str, name: str) -> list[Option]:
    from sdt_dask_core.options import options_of
    from sdt_dask_core.registry import find_provider, load_class

    return list(options_of(load_class(find_provider(kind, name)), kind=kind, name=name))


def _table(name: str, options: list[Option] | None = None) -> str:
    return f"\n[{name}]\n" + "".join(_comment(option) for option in options or ())


def _comment(option: Option) -> str:
    given = "required" if option.is_required else "default below" if option.default is not None else "not set"
    lines = [line(option.help)] if option.help else []
    if option.is_secret:
        lines.append(_HINT_OF_SECRETS)
    lines.append(f"({line(option.type_text)}; {given})")
    lines.append(f"{option.name} = {_value(option)}")
    return "".join(f"# {clean(text)}\n" for text in lines) + "\n"


def _value(option: Option) -> str:
    default: Any = None if option.is_required else option.default
    if isinstance(default, (bool, int, float, str)):
        return json.dumps(default)  # what JSON writes of these, TOML reads
    if isinstance(default, (list, tuple)) and all(isinstance(item, (bool, int, float, str)) for item in default):
        return json.dumps(list(default))
    return '"env:NAME"' if option.is_secret else _blank(option.type_text)


def _blank(type_text: str) -> str:
    """Return a value of that type to write over."""
    if "list" in type_text or "tuple" in type_text:
        return '["…"]'
    if "bool" in type_text:
        return "true"
    is_number = ("int" in type_text or "float" in type_text) and "str" not in type_text
    return "0" if is_number else '"…"'
