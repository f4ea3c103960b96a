"""Tables and JSON on standard output."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click

from sdt_dask_core.cli.text import line
from sdt_dask_core.outcome import plain

__all__ = ["say_json", "say_table", "width"]

_COLOURS = {"ok": "green", "done": "green", "caution": "yellow", "withheld": "magenta", "failed": "red"}


def say_json(content: Any) -> None:
    """Print as JSON; ASCII only, so that nothing in it can move a terminal's cursor, and free of secrets."""
    click.echo(json.dumps(plain(content), indent=2))


def width() -> int | None:
    """Return the columns of the terminal; None where the output is none and lines may be of any length."""
    import shutil

    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def say_table(head: Sequence[str], rows: Iterable[Sequence[object]], *, wrap: str = "") -> None:
    """Print a table, trimmed to the width of a terminal, else as plain aligned text.

    Parameters
    ----------
    head : sequence of str
        Headings.
    rows : iterable of sequences
        Cells; text of others is welcome, it is taken as it is.
    wrap : str
        Heading of the column that gives way when the terminal is narrow; it is wrapped instead of cut.
    """
    limit = width()
    cells = [[line(cell) for cell in row] for row in rows]
    lines = _fitted(head, cells, wrap=wrap, limit=limit) if limit else _aligned([list(head), *cells])
    for text in lines:
        click.echo(text.rstrip())


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return ["  ".join(cell.ljust(wide) for cell, wide in zip(row, widths, strict=True)) for row in rows]


def _fitted(head: Sequence[str], rows: list[list[str]], *, wrap: str, limit: int) -> list[str]:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 2, 0, 0))
    for name in head:
        table.add_column(Text(name), no_wrap=name != wrap, overflow="fold" if name == wrap else "ellipsis")
    for row in rows:
        # Text, not str: rich would read "[red]" in a key as markup.
        table.add_row(*(Text(cell, style=_COLOURS.get(cell, "")) for cell in row))
    console = Console(width=limit, markup=False, highlight=False, emoji=False, soft_wrap=False)
    with console.capture() as captured:
        console.print(table)
    return captured.get().splitlines()
