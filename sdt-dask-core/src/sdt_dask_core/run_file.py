"""The run file, ``sdt-dask.toml``: what a folder's runs have in common, so that the command line can be short."""

from __future__ import annotations

import datetime as dt
import importlib
import re
import sys
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sdt_dask_core.errors import ConfigurationError

if TYPE_CHECKING:
    from sdt_dask_core.options import OptionSet

__all__ = ["RUN_FILE_NAME", "RunFile", "anchored", "find_run_file", "read_run_file"]

RUN_FILE_NAME = "sdt-dask.toml"


@dataclass(frozen=True, slots=True)
class RunFile:
    """What a run file says; None or empty where it says nothing.

    Attributes
    ----------
    folder : pathlib.Path
        The folder that its relative paths start from.
    plug, client : str or None
        Names of providers; `plug` may also be the path of a folder with a ``dataplug.py``.
    output, manifest : str or None
        Paths as written.
    analyses, addons : list of str or None
        Names.
    all_losses, accelerate : bool or None
        See `SDTDask`.
    key_timeout : float or None
        Longest time that one key may take [s].
    since, until, look_back : str, datetime.date or None
        Which part of each record is analysed, see `SDTDask`.
    max_cost : float or None
        What the cluster of a run may cost [US dollars].
    idle_timeout : float, str or None
        How long nothing may finish.
    plug_options, client_options : dict
        Options by name.
    """

    folder: Path = Path()
    plug: str | None = None
    client: str | None = None
    output: str | None = None
    manifest: str | None = None
    analyses: list[str] | None = None
    all_losses: bool | None = None
    addons: list[str] | None = None
    accelerate: bool | None = None
    key_timeout: float | None = None
    since: str | dt.date | None = None
    until: str | dt.date | None = None
    look_back: str | None = None
    max_cost: float | None = None
    idle_timeout: float | str | None = None
    plug_options: dict[str, Any] = field(default_factory=dict)
    client_options: dict[str, Any] = field(default_factory=dict)

    def path(self, text: str) -> Path:
        """Return a path of the file, seen from its folder."""
        return self.folder / Path(text).expanduser()


# What each key takes, and how a message says so.
_TYPES: dict[str, tuple[type | tuple[type, ...], str]] = {
    **dict.fromkeys(("plug", "client", "output", "manifest"), (str, "text")),
    **dict.fromkeys(("analyses", "addons"), (list, 'a list of names, such as ["quality"]')),
    **dict.fromkeys(("all_losses", "accelerate"), (bool, "true or false")),
    "key_timeout": ((int, float), "a number of seconds"),
    **dict.fromkeys(("since", "until"), ((str, dt.date), "a date or a time, such as 2020-01-01")),
    "look_back": (str, 'a length of time, such as "3y"'),
    "max_cost": ((int, float), "a number of US dollars"),
    "idle_timeout": ((int, float, str), 'seconds, or a time such as "30m"'),
    **dict.fromkeys(("plug_options", "client_options"), (dict, "a table, written below a line such as [plug_options]")),
}


def find_run_file(config: Path | str | None = None) -> RunFile:
    """Read the run file that was named, else the one in the current folder; without one it says nothing.

    Raises
    ------
    ConfigurationError
        See `read_run_file`.
    """
    if config is not None:
        return read_run_file(config)
    here = Path(RUN_FILE_NAME)
    return read_run_file(here) if here.is_file() else RunFile()


def read_run_file(path: Path | str) -> RunFile:
    """Read a run file.

    Raises
    ------
    ConfigurationError
        It is not there, is no TOML (the message names the line), or has an unknown key or a value of another type.
    """
    path = Path(path)
    content = _parse(path)
    for name, value in content.items():
        _check(path, name, value)
    return RunFile(folder=path.parent, **content)


def _parse(path: Path) -> dict[str, Any]:
    # Python 3.10 has it as a package of its own.
    toml = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    text = ""
    try:
        text = path.read_text(encoding="utf-8")
        content: dict[str, Any] = toml.loads(text)
    except FileNotFoundError:
        raise ConfigurationError(f"the run file {path} is not there; sdt-dask init writes one") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"the run file {path} cannot be read: {error}") from error
    except toml.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}, line {_line_of(str(error), text)}, is not TOML: {error}") from None
    return content


def _line_of(message: str, text: str) -> int:
    found = re.search(r"at line (\d+)", message)
    return int(found.group(1)) if found else text.count("\n") + 1  # "at end of document"


def _check(path: Path, name: str, value: Any) -> None:
    from sdt_dask_core.options import did_you_mean

    known = [f.name for f in fields(RunFile) if f.name != "folder"]
    if name not in known:
        raise ConfigurationError(
            f"{path} has an unknown key {name!r}{did_you_mean(name, known)}; its keys: {', '.join(known)}"
        )
    kind, wanted = _TYPES[name]
    is_bool_for_number = isinstance(value, bool) and kind is not bool
    is_list_of_other = isinstance(value, list) and not all(isinstance(item, str) for item in value)
    if not isinstance(value, kind) or is_bool_for_number or is_list_of_other:
        raise ConfigurationError(f"{path}: {name} is {value!r}; write {wanted}")


def anchored(options: Mapping[str, Any], option_set: OptionSet, folder: Path) -> dict[str, Any]:
    """Return options with relative paths seen from a folder, for those options whose type is a path and never text.

    Parameters
    ----------
    options : mapping
        As they stand in the run file.
    option_set : OptionSet
        The provider's options, which say what is a path.
    folder : path
        The run file's folder.
    """
    types = {option.name: option.annotation for option in option_set}
    return {name: _anchor(value, types.get(name), folder) for name, value in options.items()}


def _anchor(value: Any, annotation: Any, folder: Path) -> Any:
    parts = set(_leaves(annotation))
    # An option that takes text too, such as the address of a bucket, is left as it is.
    if Path not in parts or str in parts:
        return value
    if isinstance(value, list):
        return [_anchor(item, annotation, folder) for item in value]
    return str(folder / Path(value).expanduser()) if isinstance(value, str) else value


def _leaves(annotation: Any) -> typing.Iterator[Any]:
    arguments = typing.get_args(annotation)
    if not arguments:
        yield annotation
    for argument in arguments:
        yield from _leaves(argument)
