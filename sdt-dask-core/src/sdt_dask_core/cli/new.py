"""``new``: a complete distribution for a plug or client of one's own."""

from __future__ import annotations

import importlib.util
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from sdt_dask_core.cli.failures import debug_option
from sdt_dask_core.cli.text import clean, count, quoted_command

if TYPE_CHECKING:
    from sdt_dask_core.scaffold import Names
    from sdt_dask_core.scaffold.names import Kind

__all__ = ["new_command"]


@click.command("new")
@click.argument("kind", type=click.Choice(["plug", "client"]))
@click.argument("name")
@click.option("--output", "-o", metavar="FOLDER", default=".", help="Where to put it.  [default: this folder]")
@click.option("--author", metavar="TEXT", help="Who holds the copyright.  [default: the user.name of git]")
@debug_option
def new_command(kind: str, name: str, output: str, author: str | None) -> int:
    """Write a distribution for a plug or client of your own, to edit and install.

    It is complete: it installs, is listed by `sdt-dask plugs`, and passes its tests as it is. A comment with EDIT
    marks each place to change. A folder that is there already is never touched.
    """
    from sdt_dask_core.scaffold import author_here, files_of, names_of, write_folder

    names = names_of(cast("Kind", kind), name)
    target = Path(output) / names.distribution
    files = files_of(names, author=author_here(author, folder=Path(output), name=names.name))
    write_folder(target, files)
    click.echo(clean(f"wrote {target}, {count(len(files), 'file')}; the places to change are marked EDIT"))
    click.echo("\nnext:")
    for command in _next_commands(names, target):
        click.echo(f"  {clean(command)}")
    return 0


def _next_commands(names: Names, target: Path) -> list[str]:
    return [
        f"cd {shlex.quote(str(target))}",
        f'{_installer()} -e ".[tests]"',
        f"{_python()} -m pytest",
        quoted_command("plugs", names.name),
    ]


def _python() -> str:
    """Return how to call this Python in the shell that started this program."""
    own, found = Path(sys.executable), shutil.which("python")
    # By their folders: in most environments both are links to one and the same Python outside.
    return "python" if found and Path(found).absolute().parent == own.parent else shlex.quote(str(own))


def _installer() -> str:
    """Return the command that installs here; environments that uv made have no pip."""
    if importlib.util.find_spec("pip") is None and shutil.which("uv"):
        return f"uv pip install --python {_python()}"
    return f"{_python()} -m pip install"
